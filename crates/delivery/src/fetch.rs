//! The sealed contents of files: what is here, what is to be fetched, what waits for a yes.
//!
//! ```text
//! an event names it ──▶ Offered ── yes ──▶ Wanted ── all of it came ──▶ Whole
//!          small enough ────────────────────▲ │
//!                                           │ ▼
//!                                          Paused
//! ```
//!
//! The bytes lie outside of the store and travel outside of the log; this says which of them matter.

use tenet_log::{
    ids::{BlobId, SessionId},
    store::{Position, StoreError},
};

/// A file's content, as far as this device is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Which.
    pub blob: BlobId,
    /// Bytes of the file, as its sender says.
    pub size: u64,
    /// How it stands.
    pub state: FetchState,
}

/// How the content of a file stands on this device (`DEL-13`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FetchState {
    /// It is larger than what is fetched unasked: it waits for a person's yes.
    Offered,
    /// It is fetched from whoever has it.
    Wanted,
    /// A person stopped it; what came stays.
    Paused,
    /// All of it is here, durably.
    Whole,
}

/// What fetching needs of a store.
///
/// Every method works inside the caller's transaction; an implementation never commits.
/// `delivery::testing::fetches_conformance` is the suite that every implementation passes.
pub trait Fetches {
    /// Writes how a content stands, in place of what was written before.
    ///
    /// # Errors
    /// [`StoreError`], as for every method here.
    fn put_fetch(&mut self, fetch: &Fetch) -> Result<(), StoreError>;

    /// How a content stands; `None` for one that no event has named.
    fn fetch(&self, blob: BlobId) -> Result<Option<Fetch>, StoreError>;

    /// All contents in a state, ascending by id.
    fn fetches(&self, state: FetchState) -> Result<Vec<Fetch>, StoreError>;

    /// The contents with ids from `first` to `last`, ascending; at most `limit`.
    fn fetches_between(
        &self,
        first: BlobId,
        last: BlobId,
        limit: usize,
    ) -> Result<Vec<BlobId>, StoreError>;

    /// Forgets a content: no event names it any more.
    fn forget_fetch(&mut self, blob: BlobId) -> Result<(), StoreError>;

    /// Bytes of all files whose content is here or to be here ([`FetchState::reserves`]).
    fn reserved(&self) -> Result<u64, StoreError>;

    /// Notes that the event at a place in a session's log names a content. One that is noted
    /// already stays.
    fn name_blob(
        &mut self,
        blob: BlobId,
        session: SessionId,
        position: Position,
    ) -> Result<(), StoreError>;

    /// The events that name a content, with their sessions, ascending by place.
    fn namings(&self, blob: BlobId) -> Result<Vec<(SessionId, Position)>, StoreError>;

    /// Forgets that the event at a place names a content.
    fn forget_naming(&mut self, blob: BlobId, position: Position) -> Result<(), StoreError>;

    /// The events of a session that name contents, with those, latest place first: those before a
    /// place, if one is given, and at most `limit`.
    fn named_in(
        &self,
        session: SessionId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<(BlobId, Position)>, StoreError>;
}

impl FetchState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Offered, Self::Wanted, Self::Paused, Self::Whole];

    /// Whether a content in this state takes room, or will.
    pub const fn reserves(self) -> bool {
        !matches!(self, Self::Offered)
    }

    /// The number that is stored.
    pub const fn code(self) -> u8 {
        match self {
            Self::Offered => 0,
            Self::Wanted => 1,
            Self::Paused => 2,
            Self::Whole => 3,
        }
    }

    /// The state of a stored number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The name by which scripts know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Wanted => "fetching",
            Self::Paused => "paused",
            Self::Whole => "here",
        }
    }
}
