//! What operations had seen of each other.

use super::Fold;
use crate::{
    frontier::Past,
    ids::{Author, EventId},
    order::OrderKey,
    roster::Operation,
};

/// Among how many of the operations before one another is looked for whose past is like its own. A guess: whoever
/// had seen none of so many had not listened for long.
const BASES: usize = 64;

impl Fold {
    /// An operation that comes now lay in no earlier one's past, also where its place did: on a
    /// forked chain. Gives those of which that has to be said.
    pub(crate) fn exclude(&mut self, new: &OrderKey) -> Vec<EventId> {
        let mut changed = Vec::new();
        for entry in self.ledger.entries_mut() {
            if entry.operation.past.includes(new) {
                entry.operation.past.exclude(new.id);
                changed.push(entry.operation.order.id);
            }
        }
        changed
    }

    /// The operations of a chain that do not lie in a past, where the chain has one branch.
    pub(crate) fn unseen_on(&self, chain: Author, past: &Past) -> Vec<EventId> {
        let latest = self.ledger.by_chain(chain).rev();
        let latest = latest.map(|entry| &entry.operation.order);
        let unseen = latest.take_while(|order| !past.includes(order));
        unseen.map(|order| order.id).collect()
    }

    /// Another operation of which the past is nearly that of this one: one of the last that it had seen. What
    /// changes the past of that one later changes this one's alike ([`Self::exclude`]).
    pub(crate) fn base(&self, id: EventId) -> Option<&Operation> {
        let entry = self.ledger.find(id)?;
        let near = (0..entry.number).rev().take(BASES);
        let near = near.filter_map(|number| self.ledger.get(number));
        let chain = self.ledger.by_chain(entry.operation.order.author).rev();
        let mut all = near.chain(chain).chain(self.ledger.get(0));
        let base = all.find(|one| entry.operation.saw(&one.operation));
        base.map(|one| &one.operation)
    }
}
