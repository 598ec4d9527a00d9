//! `chat.text`: says something, with files or without, perhaps in answer to a message.

use std::fmt;

use minicbor::{Decode, Encode};
use tenet_identity::encoding;
use tenet_log::ids::EventId;

use super::{ActionError, file, file::File};

/// The kind of the events that say something.
pub const KIND: &str = "chat.text";

/// The longest text, in bytes of UTF-8 (`CHAT-4`).
///
/// 64 KiB is some thirty pages; what is longer is a file.
pub const MAX_BYTES: usize = 65_536;

/// A text.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Text {
    #[n(0)]
    text: String,
    #[n(1)]
    reply: Option<EventId>,
    #[n(2)]
    files: Option<Vec<File>>,
    #[n(3)]
    forwarded: Option<bool>,
}

impl Text {
    /// A text, in answer to `reply` if there is one.
    ///
    /// # Errors
    /// [`ActionError::Empty`], [`ActionError::TooLong`].
    pub fn new(text: String, reply: Option<EventId>) -> Result<Self, ActionError> {
        Self::with_files(text, reply, Vec::new())
    }

    /// A text with files; it may then be empty.
    ///
    /// # Errors
    /// As [`Self::new`], and [`ActionError::TooManyFiles`].
    pub fn with_files(
        text: String,
        reply: Option<EventId>,
        files: Vec<File>,
    ) -> Result<Self, ActionError> {
        let text = Self {
            text,
            reply,
            files: (!files.is_empty()).then_some(files),
            forwarded: None,
        };
        text.check().map(|()| text)
    }

    /// The same, marked as said elsewhere before; by whom is nobody's business.
    #[must_use]
    pub fn forwarded(self) -> Self {
        Self {
            forwarded: Some(true),
            ..self
        }
    }

    /// Whether it was said elsewhere before.
    pub fn is_forwarded(&self) -> bool {
        self.forwarded == Some(true)
    }

    /// What is said: up to [`MAX_BYTES`] bytes; nothing only where there are files.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The message that this one answers.
    pub fn reply(&self) -> Option<EventId> {
        self.reply
    }

    /// Its files.
    pub fn files(&self) -> &[File] {
        self.files.as_deref().unwrap_or_default()
    }

    /// What is said, without the rest.
    pub fn into_text(self) -> String {
        self.text
    }

    pub(super) fn renamed(self, name: impl Fn(EventId) -> EventId) -> Self {
        let reply = self.reply.map(name);
        Self { reply, ..self }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ActionError> {
        let text: Self = encoding::decode(bytes)?;
        text.check().map(|()| text)
    }

    fn check(&self) -> Result<(), ActionError> {
        file::check(self.files())?;
        match check(&self.text) {
            Err(ActionError::Empty) if !self.files().is_empty() => Ok(()),
            checked => checked,
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Text({} bytes, redacted; reply: {:?}, {} files)",
            self.text.len(),
            self.reply,
            self.files().len()
        )
    }
}

/// CHAT-4: what a text may be, here and in an edit.
pub(super) fn check(text: &str) -> Result<(), ActionError> {
    match text.len() {
        0 => Err(ActionError::Empty),
        1..=MAX_BYTES => Ok(()),
        len => Err(ActionError::TooLong { len }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    /// CHAT-4.
    #[test]
    fn sixty_four_kibibytes_fit_and_no_more() {
        assert!(Text::new("x".repeat(MAX_BYTES), None).is_ok());
        let error = Text::new("é".repeat(MAX_BYTES / 2) + "x", None).unwrap_err();
        let says = "the text has 65537 bytes, at most 65536 fit into one message; send it in \
                    parts, nothing was sent";
        assert_eq!(error.to_string(), says);
        assert!(matches!(
            Text::new(String::new(), None),
            Err(ActionError::Empty)
        ));
    }

    /// CHAT-4: a stranger's text is held to the same.
    #[test]
    fn the_limits_hold_for_what_comes_in() {
        let long = Text {
            text: "x".repeat(MAX_BYTES + 1),
            reply: None,
            files: None,
            forwarded: None,
        };
        let decoded = Text::decode(&encoding::encode(&long));
        assert!(matches!(decoded, Err(ActionError::TooLong { len: 65_537 })));
        let empty = Text {
            text: String::new(),
            reply: None,
            files: None,
            forwarded: None,
        };
        assert!(matches!(
            Text::decode(&encoding::encode(&empty)),
            Err(ActionError::Empty)
        ));
    }

    /// CHAT-2.
    #[test]
    fn fields_of_later_versions_are_skipped() {
        // {0: "hi", 7: [1]}
        let text = Text::decode(&[0xa2, 0x00, 0x62, b'h', b'i', 0x07, 0x81, 0x01]).unwrap();
        assert_eq!(text, Text::new("hi".into(), None).unwrap());
    }
}
