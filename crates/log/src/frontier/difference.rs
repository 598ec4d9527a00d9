//! What tells one past from another that is nearly the same.

use super::Past;
use crate::ids::{Author, EventId};

/// How a past differs from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Chains that it covers to another place, each with its greatest `seq`, where it covers any.
    pub chains: Vec<(Author, Option<u64>)>,
    /// Operations of forked chains that it excludes and the other does not.
    pub unseen: Vec<EventId>,
    /// And those that the other excludes and it does not.
    pub seen: Vec<EventId>,
}

impl Past {
    /// How this past differs from another. Costs what differs, where one was made from the other.
    pub fn difference(&self, from: &Self) -> Difference {
        Difference {
            chains: self.chains.difference(&from.chains),
            unseen: self.unseen.difference(&from.unseen).copied().collect(),
            seen: from.unseen.difference(&self.unseen).copied().collect(),
        }
    }

    /// The past that differs so from this one.
    #[must_use]
    pub fn but(&self, difference: &Difference) -> Self {
        let mut past = self.clone();
        for (author, seq) in &difference.chains {
            past.chains.set(*author, *seq);
        }
        past.unseen.extend(&difference.unseen);
        for id in &difference.seen {
            past.unseen.remove(id);
        }
        past
    }
}
