//! `chat.unsend`: takes an own message back.
//!
//! It travels in the event's header, because it is an erasure: the body that it covers can then be
//! forgotten, and the header alone still says why it is not there.

use minicbor::{Decode, Encode};
use tenet_identity::encoding;
use tenet_log::ids::EventId;

use super::ActionError;

/// The kind of the events that take back.
pub const KIND: &str = "chat.unsend";

/// The most edits that are named with the message (`CHAT-20`): they fit into a header.
pub const MAX_EDITS: usize = 256;

/// Takes a message back, for good. It has effect only if both have the same author (`CHAT-8`).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Unsend {
    #[n(0)]
    target: EventId,
    #[n(1)]
    #[cbor(default)]
    #[cbor(skip_if = "Vec::is_empty")]
    edits: Vec<EventId>,
}

impl Unsend {
    /// Takes `target` back.
    pub fn new(target: EventId) -> Self {
        Self {
            target,
            edits: Vec::new(),
        }
    }

    /// The same, naming the edits whose bodies go with it; of more than [`MAX_EDITS`] the last.
    #[must_use]
    pub fn with_edits(mut self, mut edits: Vec<EventId>) -> Self {
        self.edits = edits.split_off(edits.len().saturating_sub(MAX_EDITS));
        self
    }

    /// The message that is taken back.
    pub fn target(&self) -> EventId {
        self.target
    }

    /// Its edits, as far as they are named.
    pub fn edits(&self) -> &[EventId] {
        &self.edits
    }

    pub(super) fn renamed(self, name: impl Fn(EventId) -> EventId) -> Self {
        Self {
            target: name(self.target),
            edits: self.edits.into_iter().map(name).collect(),
        }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ActionError> {
        let unsend: Self = encoding::decode(bytes)?;
        match unsend.edits.len() {
            count if count > MAX_EDITS => Err(ActionError::TooManyEdits { count }),
            _ => Ok(unsend),
        }
    }
}
