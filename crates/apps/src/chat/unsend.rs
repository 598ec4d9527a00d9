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

/// Takes a message back, for good. It has effect only if both have the same author (`CHAT-8`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Unsend {
    #[n(0)]
    target: EventId,
}

impl Unsend {
    /// Takes `target` back.
    pub fn new(target: EventId) -> Self {
        Self { target }
    }

    /// The message that is taken back.
    pub fn target(&self) -> EventId {
        self.target
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ActionError> {
        Ok(encoding::decode(bytes)?)
    }
}
