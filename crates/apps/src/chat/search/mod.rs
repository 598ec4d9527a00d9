//! Search: finding messages by the words in them.
//!
//! ```text
//! what came into the log ── index (a moment later) ──▶ words of each message ──▶ SearchStore
//! what a person types ───── Query ── Filter ─────────────────────────────────▶ find ─▶ positions
//! ```
//!
//! What a word is, is decided here and nowhere else: [`words`] cuts texts into folded words, for
//! the index, for what is asked, and to show where the hits are. A store sees words only. The
//! modules, in reading order: [`words`], [`query`], [`index`].

pub mod index;
pub mod query;
pub mod words;

pub use index::SearchStore;
pub use query::{Filter, Query, QueryError};
