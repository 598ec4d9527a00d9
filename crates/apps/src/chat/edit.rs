//! `chat.edit`: gives an own message another text.

use std::fmt;

use minicbor::{Decode, Encode};
use tenet_identity::encoding;
use tenet_log::ids::EventId;

use super::{ActionError, text};

/// The kind of the events that edit.
pub const KIND: &str = "chat.edit";

/// Another text for a message. It has effect only if both have the same author (`CHAT-7`).
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Edit {
    #[n(0)]
    target: EventId,
    #[n(1)]
    text: String,
}

impl Edit {
    /// `text` in place of what `target` says.
    ///
    /// # Errors
    /// [`ActionError::Empty`], [`ActionError::TooLong`], as for a text.
    pub fn new(target: EventId, text: String) -> Result<Self, ActionError> {
        text::check(&text)?;
        Ok(Self { target, text })
    }

    /// The message that is edited.
    pub fn target(&self) -> EventId {
        self.target
    }

    /// What it shall say: 1 to [`text::MAX_BYTES`] bytes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it shall say, without the rest.
    pub fn into_text(self) -> String {
        self.text
    }

    pub(super) fn renamed(self, name: impl Fn(EventId) -> EventId) -> Self {
        let target = name(self.target);
        Self { target, ..self }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ActionError> {
        let edit: Self = encoding::decode(bytes)?;
        text::check(&edit.text)?;
        Ok(edit)
    }
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Edit({} bytes, redacted; target: {:?})",
            self.text.len(),
            self.target
        )
    }
}
