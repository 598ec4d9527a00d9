//! Chat: texts, edits, taking back, reactions, read positions.
//!
//! ```text
//!            text                 ┌─▶ MessageRow (one insert; the text stays in the log)
//! Event ── Action ── fold ────────┤                                   │
//!            edit, unsend, react  └─▶ Overlay per target, Reference   │
//!                                         │                           ▼
//! read positions of the others ───────────┴──────────────────▶ view::Message
//! ```
//!
//! The fold is independent of the order in which events come and of repetitions: what refers to a
//! message that has not come yet waits for it. The modules, in reading order: the actions
//! ([`text`], [`edit`], [`unsend`], [`react`], [`timer`]) under [`action`], what else is shown among
//! messages ([`told`]), then [`overlay`], [`fold`],
//! [`read`], [`view`], [`search`], and [`store`], which says what must be kept. The rules with ids (`CHAT-1`
//! and so on) are in `spec/chat.md`.

pub mod action;
pub mod edit;
pub mod file;
pub mod fold;
pub mod mention;
mod order;
pub mod overlay;
pub mod react;
pub mod read;
pub mod search;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod timer;
pub mod told;
pub mod unsend;
pub mod view;

pub use action::{Action, ActionError};
pub use store::ChatStore;
