//! Conversations: which I have muted, pinned at the top and put away, and what I began to write.
//!
//! ```text
//! a person ── Change ──▶ event in the session among my own devices ── fold ──▶ Standing
//! ```
//!
//! That session alone knows: nobody else learns whom I have muted. The last change of each matter
//! in the total order stands, whatever way the events came. There is no limit to how many
//! conversations have a standing, which registers would have: of those a device has 32 at most.

mod change;
mod standing;
mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use change::{Change, ChangeError, KIND, Matter};
pub use standing::Standing;
pub use store::{ConversationStore, fold, refold};
