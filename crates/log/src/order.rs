//! The total order: `(time, author, seq, id)` (LOG-7).
//!
//! It respects causality by construction, because an event's time exceeds that of everything it
//! depends on; and it needs nobody's agreement: holders of the same set have the same order.

use crate::{
    clock::Hlc,
    ids::{Author, EventId},
};

/// Where an event stands among all events of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey {
    /// Hybrid logical time.
    pub time: Hlc,
    /// Who wrote it.
    pub author: Author,
    /// Its place in the author's chain.
    pub seq: u64,
    /// Its id: tells the branches of a fork apart.
    pub id: EventId,
}
