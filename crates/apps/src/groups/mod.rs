//! Links into groups: who asks to come in, and what the maker of a link keeps of it.
//!
//! ```text
//! a stranger ── knocks at a member's device ── Ask ──▶ that device's registers ──▶ every member
//! a link's maker ── Kept ──▶ register among the own devices ──▶ any of them shows the link again
//! ```
//!
//! Registers, not events: what a stranger says takes the place of what strangers said before, so a crowd fills a
//! bounded room, and the log of a group holds nothing that nobody in it said.

pub mod asks;
mod kept;

pub use asks::Ask;
pub use kept::Kept;
