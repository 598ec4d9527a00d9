//! The write-ahead outbox: one row per own event and device, until that device has acknowledged.
//!
//! A row is written in the transaction that writes the event, before anything is sent, so a
//! process killed at any instant forgets no debt. An acknowledgement names an author's chain up to
//! a place in it, so thousands of events are settled by one small frame and one range in the store.

use tenet_identity::keys::DeviceId;
use tenet_log::{
    ids::{Author, EventId, SessionId},
    store::{Position, StoreError},
};

use crate::state::Failure;

/// An own event on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where it stands in this store; rows are sent in this order.
    pub position: Position,
    /// Its session.
    pub session: SessionId,
    /// The chain of this device that it stands in.
    pub author: Author,
    /// Its place in that chain.
    pub seq: u64,
    /// Its id.
    pub event: EventId,
}

/// A device that shall get an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recipient {
    /// The device.
    pub device: DeviceId,
    /// Whether its acknowledgement makes the event delivered (`DEL-4`).
    ///
    /// A device of somebody else's does; my own other devices get the event too, but do not,
    /// except in a session that is mine alone.
    pub receiver: bool,
}

/// An event that a device has just acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acked {
    /// The event.
    pub event: EventId,
    /// Whether this is the first acknowledgement by a receiver: the event is delivered now.
    pub first: bool,
}

/// How far an own event is on its way to its receivers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dispatch {
    /// Receiving devices that it was queued for and that are still in the session.
    pub copies: u32,
    /// Receiving devices that have acknowledged it.
    pub acknowledged: u32,
    /// Why it will not be sent any more, if so.
    pub failure: Option<Failure>,
}

/// What delivery needs of a store.
///
/// Every method works inside the caller's transaction; an implementation never commits.
/// `delivery::testing::conformance` is the suite that every implementation passes.
pub trait Outbox {
    /// Writes a row for each device, and the event's dispatch if it has none (`DEL-1`).
    ///
    /// A row that is there stays. No device at all is allowed: the event then waits for the first
    /// that comes in. The caller never queues an event again for a device that acknowledged it.
    ///
    /// # Errors
    /// [`StoreError`], as for every method here.
    fn queue(&mut self, outgoing: &Outgoing, recipients: &[Recipient]) -> Result<(), StoreError>;

    /// Removes a device's rows of one chain up to and including `seq` (`DEL-2`).
    ///
    /// Gives the events whose rows were removed, ascending by place. Costs by the rows removed,
    /// not by the rows that there are.
    fn acknowledge(
        &mut self,
        session: SessionId,
        author: Author,
        seq: u64,
        device: DeviceId,
    ) -> Result<Vec<Acked>, StoreError>;

    /// A device's rows after `after`, by position, at most `limit` (`DEL-3`).
    fn pending(
        &self,
        device: DeviceId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Outgoing>, StoreError>;

    /// Devices that have rows, with how many, by device.
    fn waiting(&self) -> Result<Vec<(DeviceId, u64)>, StoreError>;

    /// How many own events have a row.
    fn pending_events(&self) -> Result<u64, StoreError>;

    /// A session's events that no receiver has acknowledged and that have not failed, by position,
    /// at most `limit` after `after`: what a device that comes in must be queued for (`DEL-5`).
    fn undelivered(
        &self,
        session: SessionId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Outgoing>, StoreError>;

    /// Removes the rows of a device that is in the session no more (`DEL-5`).
    ///
    /// Gives the events, by position, that wait for no receiver now and that none has
    /// acknowledged.
    fn forget(&mut self, session: SessionId, device: DeviceId) -> Result<Vec<EventId>, StoreError>;

    /// Notes that an event will not be delivered, and removes its rows; unknown events are let be.
    fn fail(&mut self, event: EventId, failure: Failure) -> Result<(), StoreError>;

    /// Notes that of so many receivers, who have no rows of their own, so many have an event at least (`DEL-15`); an
    /// event that was never queued is let be.
    fn reach(&mut self, event: EventId, reached: u32, of: u32) -> Result<(), StoreError>;

    /// How far the own event at a place in the log is; `None` for events that were never queued.
    fn dispatch(&self, event: Position) -> Result<Option<Dispatch>, StoreError>;
}
