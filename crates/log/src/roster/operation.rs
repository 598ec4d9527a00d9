//! A roster operation with all that the fold needs to know about it.

use super::{Op, OpError};
use crate::{event::Event, frontier::Past, ids::Author, order::OrderKey};

/// A roster operation with all that the fold needs to know about it.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Where it stands in the total order.
    pub order: OrderKey,
    /// What it does.
    pub op: Op,
    /// What its author had seen.
    pub past: Past,
}

impl Operation {
    /// The operation of an event, with the event's causal past; `None` for ordinary events.
    ///
    /// # Errors
    /// [`OpError`] for what no honest device writes.
    pub fn new(event: &Event, past: Past) -> Result<Option<Self>, OpError> {
        Ok(Op::of(event)?.map(|op| Self::with(event, op, past)))
    }

    /// The same of an event back from a store that keeps only what was verified.
    ///
    /// # Errors
    /// [`OpError`] where the stored bytes are damaged.
    pub fn trusted(event: &Event, past: Past) -> Result<Option<Self>, OpError> {
        Ok(Op::trusted(event)?.map(|op| Self::with(event, op, past)))
    }

    fn with(event: &Event, op: Op, past: Past) -> Self {
        let order = event.order();
        Self { order, op, past }
    }

    /// The chain that it begins, where it adds a device.
    pub(crate) fn begins(&self) -> Option<Author> {
        Some(Author {
            device: self.op.card()?.device(),
            added_by: self.order.id,
        })
    }

    /// Whether its author had seen another.
    pub(super) fn saw(&self, other: &Self) -> bool {
        self.saw_at(&other.order)
    }

    /// Whether its author had seen the operation in this place.
    pub(super) fn saw_at(&self, other: &OrderKey) -> bool {
        // Nothing that it saw is dated later (LOG-7): mostly that settles it.
        other.time < self.order.time && self.past.includes(other)
    }
}
