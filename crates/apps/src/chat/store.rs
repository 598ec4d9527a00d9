//! What chat needs of a store: rows of messages, overlays, and who refers to whom.

use tenet_identity::keys::IdentityId;
use tenet_log::{
    event::Event,
    ids::{Author, EventId, SessionId},
    order::OrderKey,
    store::{Position, StoreError},
};

use super::{overlay::Overlay, read};

/// A message, without its text, which stays in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// Its event.
    pub id: EventId,
    /// Its session.
    pub session: SessionId,
    /// When it came into this store.
    pub position: Position,
    /// Where it stands among all messages; time and device are in it.
    pub order: OrderKey,
    /// Who wrote it.
    pub identity: IdentityId,
    /// Whether it does not count and is not shown.
    pub hidden: bool,
    /// Whether it is no message but tells what was done to the session ([`told`](super::told)).
    pub told: bool,
}

/// That an event says something about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The session of both.
    pub session: SessionId,
    /// The message, which may not have come yet.
    pub target: EventId,
    /// The event.
    pub event: EventId,
    /// Who wrote the event.
    pub identity: IdentityId,
}

/// What chat needs of a store.
///
/// Every method works inside the caller's transaction; an implementation never commits.
/// `chat::testing::conformance` is the suite that every implementation passes.
pub trait ChatStore {
    /// Writes a message; `false`, and nothing is written, where it is there already.
    ///
    /// # Errors
    /// [`StoreError`], as for every method here.
    fn add_message(&mut self, message: &MessageRow) -> Result<bool, StoreError>;

    /// A message, hidden or not.
    fn message(&self, id: EventId) -> Result<Option<MessageRow>, StoreError>;

    /// The message that came in there, hidden or not.
    fn message_at(&self, position: Position) -> Result<Option<MessageRow>, StoreError>;

    /// The ids of the shown messages from `first` to `last`, both included, ascending, at most
    /// `limit`: those that have a beginning in common.
    fn messages_between(
        &self,
        first: EventId,
        last: EventId,
        limit: usize,
    ) -> Result<Vec<EventId>, StoreError>;

    /// Forgets a message, with all that was done to it and that anything was.
    fn remove_message(&mut self, session: SessionId, id: EventId) -> Result<(), StoreError>;

    /// Hides or shows a message; unknown ones are let be.
    fn set_hidden(&mut self, id: EventId, hidden: bool) -> Result<(), StoreError>;

    /// Of the shown messages of these sessions the last `limit` that stand before `before`, in
    /// their total order, earliest first.
    fn history(
        &self,
        sessions: &[SessionId],
        before: Option<&OrderKey>,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError>;

    /// Of the shown messages of these sessions the first `limit` that stand after `after`, in their
    /// total order.
    fn following(
        &self,
        sessions: &[SessionId],
        after: &OrderKey,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError>;

    /// Of the shown messages of one chain, without what was done to the session, the last `limit`
    /// before `before`, the last first.
    fn chain_back(
        &self,
        session: SessionId,
        author: Author,
        before: u64,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError>;

    /// How far I have read here and told nobody.
    fn read_here(&self, session: SessionId) -> Result<Option<read::Position>, StoreError>;

    /// Keeps how far I have read.
    fn put_read_here(&mut self, session: SessionId, to: &read::Position) -> Result<(), StoreError>;

    /// What was done to a message of a session, if anything was.
    fn overlay(&self, session: SessionId, target: EventId) -> Result<Option<Overlay>, StoreError>;

    /// Writes what was done to a message in place of what was written before.
    fn put_overlay(
        &mut self,
        session: SessionId,
        target: EventId,
        overlay: &Overlay,
    ) -> Result<(), StoreError>;

    /// Notes a reference; one that is there already stays.
    fn add_reference(&mut self, reference: &Reference) -> Result<(), StoreError>;

    /// All references to a message, by event.
    fn references(&self, session: SessionId, target: EventId)
    -> Result<Vec<Reference>, StoreError>;

    /// An event out of the log, with whether it counts now.
    fn logged(&self, id: EventId) -> Result<Option<(Event, bool)>, StoreError>;

    /// The event at a place in the log. What lies together is read together: a page of messages is
    /// found so in few pages of the disk, by their ids in as many as there are messages.
    fn logged_at(&self, position: Position) -> Result<Option<Event>, StoreError>;
}
