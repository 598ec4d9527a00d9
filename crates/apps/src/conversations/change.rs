//! What a person changes about a conversation, as an event of the own session.

use minicbor::{Decode, Encode};
use tenet_identity::encoding;
use tenet_log::{
    event::{Content, Event, HeaderError, Kind},
    ids::SessionId,
    session::{Draft, DraftContent},
};

/// The kind of the events.
pub const KIND: &str = "self.conversation";

/// What is on or off about a conversation (`CONV-1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Matter {
    /// Its messages are not announced.
    #[n(0)]
    Muted,
    /// It stands above the others.
    #[n(1)]
    Pinned,
    /// It is put away, until something is written in it.
    #[n(2)]
    Archived,
}

/// A change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Change {
    /// Of which conversation: the session, or one of those, in which it is held.
    #[n(0)]
    pub session: SessionId,
    /// What.
    #[n(1)]
    pub matter: Matter,
    /// Whether it holds now.
    #[n(2)]
    pub on: bool,
}

/// Why an event changes nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// Malformed.
    #[error("a change of a conversation is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// Its body is gone, or was never one.
    #[error("a change of a conversation has no body")]
    Gone,
}

impl Change {
    /// What an event changes; `None` for other kinds.
    ///
    /// # Errors
    /// [`ChangeError`]; such events have no effect.
    pub fn decode(event: &Event) -> Result<Option<Self>, ChangeError> {
        if event.header().kind.as_str() != KIND {
            return Ok(None);
        }
        match (&event.header().content, event.body()) {
            (Content::Body { .. }, Some(body)) => Ok(Some(encoding::decode(&body.bytes)?)),
            _ => Err(ChangeError::Gone),
        }
    }

    /// The event that does it, to be signed.
    ///
    /// # Errors
    /// [`HeaderError::Kind`], which this kind never causes.
    pub fn draft(&self) -> Result<Draft, HeaderError> {
        Ok(Draft {
            kind: Kind::new(KIND)?,
            content: DraftContent::Body(encoding::encode(self)),
            expires: None,
        })
    }
}
