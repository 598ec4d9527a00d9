//! What the log needs of a store: small, ordered, and all in the caller's transaction.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;

use std::error::Error;

use crate::{
    clock::Hlc,
    event::Event,
    frontier::{Head, Past},
    ids::{Author, EventId, SessionId},
    register::Register,
    standing::Standing,
};
use tenet_identity::keys::DeviceId;

/// Why a store could not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk, or the room that the store may take, is full.
    #[error("the disk is full; free some room and try again, nothing was lost")]
    Full,
    /// Stored bytes are not what was written.
    #[error("the store is damaged ({0}); run `tenet doctor`")]
    Damaged(&'static str),
    /// The medium failed.
    #[error("the store failed: {0}")]
    Medium(#[source] Box<dyn Error + Send + Sync>),
}

/// When an event came into this store: greater is later, and parents come before children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub i64);

/// An event with what the store knows about it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The event.
    pub event: Event,
    /// When it came.
    pub position: Position,
    /// Whether it counts.
    pub standing: Standing,
}

/// An event that came from the future and waits.
#[derive(Clone, Debug)]
pub struct Held {
    /// The event.
    pub event: Event,
    /// Unix milliseconds from which it may enter the set.
    pub acceptable_from: u64,
}

/// An operation whose past is like another's.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a> {
    /// Its id.
    pub id: EventId,
    /// Its past.
    pub past: &'a Past,
}

/// How firmly a commit must hold before anything that depends on it may leave the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Survives the end of the process. A power cut may undo it; whatever it noted is noted again,
    /// because the other side will say it again.
    Process,
    /// Survives a power cut.
    Power,
}

/// One input, one savepoint; one batch, one commit.
///
/// ```text
/// begin ─ (savepoint ─ … ─ keep | undo)* ─ commit | abandon
/// ```
pub trait Transactions {
    /// Begins a batch.
    ///
    /// # Errors
    /// [`StoreError`], as for every method here.
    fn begin(&mut self) -> Result<(), StoreError>;

    /// Begins an input.
    fn savepoint(&mut self) -> Result<(), StoreError>;

    /// Ends an input: what it wrote stays in the batch.
    fn keep(&mut self) -> Result<(), StoreError>;

    /// Ends an input that failed: what it wrote is gone, the batch goes on.
    fn undo(&mut self) -> Result<(), StoreError>;

    /// Ends the batch: all of it holds.
    fn commit(&mut self, durability: Durability) -> Result<(), StoreError>;

    /// Ends the batch: none of it holds. Does nothing where none began.
    fn abandon(&mut self) -> Result<(), StoreError>;
}

/// What is said in sessions, kept.
///
/// Every method works inside the caller's transaction; an implementation never commits.
pub trait LogStore {
    /// All sessions, oldest first.
    ///
    /// # Errors
    /// [`StoreError`], as for every method here.
    fn sessions(&self) -> Result<Vec<SessionId>, StoreError>;

    /// Takes an event into the set. The caller has made sure that it is new and its parents are in.
    fn insert(&mut self, event: &Event, standing: Standing) -> Result<Position, StoreError>;

    /// One event.
    fn event(&self, id: EventId) -> Result<Option<Stored>, StoreError>;

    /// An author's events from `seq` on, ascending, all branches, at most `limit`.
    fn chain(
        &self,
        session: SessionId,
        author: Author,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError>;

    /// The session's events that came after `position`, as they came, at most `limit`.
    fn since(
        &self,
        session: SessionId,
        position: Position,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError>;

    /// The session's events from the latest back to `position` (excluded), at most `limit`.
    fn back_to(
        &self,
        session: SessionId,
        from: Option<Position>,
        to: Position,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError>;

    /// Where the author's first event with at least this `seq` came.
    fn position(
        &self,
        session: SessionId,
        author: Author,
        seq: u64,
    ) -> Result<Option<Position>, StoreError>;

    /// Where the session's latest event came; the default position when it has none.
    fn last_position(&self, session: SessionId) -> Result<Position, StoreError>;

    /// Puts an event in the place of its damaged copy; its position and standing stay.
    fn mend(&mut self, event: &Event) -> Result<(), StoreError>;

    /// Forgets an event's body; what freed pages hold of it is overwritten.
    fn erase(&mut self, id: EventId) -> Result<(), StoreError>;

    /// Events with a body, or one that was erased, that expired by `now` (Unix milliseconds) and were
    /// not [settled](Self::settle_expiry) yet, the first first, at most `limit`.
    fn expired(&self, now: u64, limit: usize) -> Result<Vec<Stored>, StoreError>;

    /// When the next event expires that was not settled, in Unix milliseconds.
    fn next_expiry(&self) -> Result<Option<u64>, StoreError>;

    /// Notes that what an expiry asks for was done.
    fn settle_expiry(&mut self, id: EventId) -> Result<(), StoreError>;

    /// Notes that an event of the set lacks its body though nothing took it away, or that it does not
    /// any more.
    fn set_lacking(&mut self, id: EventId, lacking: bool) -> Result<(), StoreError>;

    /// Whether an event was noted so.
    fn is_lacking(&self, id: EventId) -> Result<bool, StoreError>;

    /// The events of a session that lack their bodies and have greater ids than `after`, by id, at
    /// most `limit`.
    fn lacking(
        &self,
        session: SessionId,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<EventId>, StoreError>;

    /// The sessions with events that lack their bodies.
    fn lacking_sessions(&self) -> Result<Vec<SessionId>, StoreError>;

    /// Changes whether one event counts.
    fn set_standing(&mut self, id: EventId, standing: Standing) -> Result<(), StoreError>;

    /// The heads of all chains of a session.
    fn heads(&self, session: SessionId) -> Result<Vec<Head>, StoreError>;

    /// Writes a head in place of the author's former head of the same branch.
    fn put_head(&mut self, session: SessionId, head: &Head) -> Result<(), StoreError>;

    /// The session's roster operations, as they came, each with its causal past.
    fn operations(&self, session: SessionId) -> Result<Vec<(Stored, Past)>, StoreError>;

    /// Notes the causal past of an operation that was inserted, or says it anew.
    ///
    /// The base is an operation before it with a past that is nearly the same, so that the difference may be
    /// kept alone. Where a base's past is said anew, so are all that were said with it as theirs.
    fn put_past(
        &mut self,
        id: EventId,
        past: &Past,
        base: Option<Base<'_>>,
    ) -> Result<(), StoreError>;

    /// How many roster operations a session has, and where the last of them came in.
    fn operation_count(&self, session: SessionId) -> Result<(u64, Position), StoreError>;

    /// Keeps one part of what a session's operations come to under a key, in place of what was there; `None` for nothing
    /// any more. What keys and values mean is the session's own: a copy, which may be lost.
    fn put_outcome(
        &mut self,
        session: SessionId,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StoreError>;

    /// Reads all parts that are kept of a session, by key.
    fn outcome(
        &self,
        session: SessionId,
        read: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), StoreError>;

    /// Keeps none of them any more.
    fn forget_outcome(&mut self, session: SessionId) -> Result<(), StoreError>;

    /// One register.
    fn register(
        &self,
        session: SessionId,
        device: DeviceId,
        key: &str,
    ) -> Result<Option<Register>, StoreError>;

    /// All registers of a session, by device and key.
    fn registers(&self, session: SessionId) -> Result<Vec<Register>, StoreError>;

    /// Those of a session that have a key, by device.
    fn registers_under(&self, session: SessionId, key: &str) -> Result<Vec<Register>, StoreError>;

    /// How many a device has in a session.
    fn register_count(&self, session: SessionId, device: DeviceId) -> Result<usize, StoreError>;

    /// Writes a register in place of its former version.
    fn put_register(&mut self, register: &Register) -> Result<(), StoreError>;

    /// Puts an event from the future aside; whether it was not there yet.
    fn hold(&mut self, event: &Event) -> Result<bool, StoreError>;

    /// How many events of a session are held.
    fn held_count(&self, session: SessionId) -> Result<usize, StoreError>;

    /// Held events that may enter at `now`, by their time, at most `limit`.
    fn due(&self, now: u64, limit: usize) -> Result<Vec<Held>, StoreError>;

    /// When the next held event may enter, in Unix milliseconds.
    fn next_due(&self) -> Result<Option<u64>, StoreError>;

    /// Forgets a held event.
    fn release(&mut self, id: EventId) -> Result<(), StoreError>;

    /// The latest time of any event of the session.
    fn latest_time(&self, session: SessionId) -> Result<Hlc, StoreError>;
}
