//! `chat.react`: puts an emoji on a message, or takes it away.

use std::fmt;

use minicbor::{Decode, Encode};
use tenet_identity::{encoding, name};
use tenet_log::ids::EventId;

use super::ActionError;

/// The kind of the events that react.
pub const KIND: &str = "chat.react";

/// The longest emoji, in bytes of UTF-8 (`CHAT-5`).
///
/// A family of four with its joiners takes 25, the flag of Scotland 28.
pub const MAX_BYTES: usize = 32;

/// A short text to react with, usually one emoji.
///
/// Which texts are one emoji depends on the version of Unicode; devices of different age must not
/// differ over it. So any short text without spaces and control characters will do.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Emoji(#[n(0)] Box<str>);

/// An emoji put on a message or taken away.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct React {
    #[n(0)]
    target: EventId,
    #[n(1)]
    emoji: Emoji,
    #[n(2)]
    on: bool,
}

impl Emoji {
    /// The emoji that a text is.
    ///
    /// # Errors
    /// [`ActionError::Emoji`].
    pub fn new(text: &str) -> Result<Self, ActionError> {
        let emoji = Self(text.into());
        emoji.check()?;
        Ok(emoji)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// CHAT-5.
    pub(super) fn check(&self) -> Result<(), ActionError> {
        let fits = (1..=MAX_BYTES).contains(&self.0.len());
        let plain = name::check(&self.0).is_ok() && !self.0.chars().any(char::is_whitespace);
        if fits && plain {
            Ok(())
        } else {
            Err(ActionError::Emoji)
        }
    }
}

impl fmt::Debug for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Emoji({} bytes, redacted)", self.0.len())
    }
}

impl fmt::Display for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl React {
    /// Puts `emoji` on `target` (`on`), or takes it away.
    pub fn new(target: EventId, emoji: Emoji, on: bool) -> Self {
        Self { target, emoji, on }
    }

    /// The message.
    pub fn target(&self) -> EventId {
        self.target
    }

    /// The emoji.
    pub fn emoji(&self) -> &Emoji {
        &self.emoji
    }

    /// Whether it is put there; else it is taken away.
    pub fn on(&self) -> bool {
        self.on
    }

    pub(super) fn renamed(self, name: impl Fn(EventId) -> EventId) -> Self {
        let target = name(self.target);
        Self { target, ..self }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ActionError> {
        let react: Self = encoding::decode(bytes)?;
        react.emoji.check()?;
        Ok(react)
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

    /// CHAT-5.
    #[test]
    fn takes_what_people_react_with() {
        let flag = "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
        for emoji in ["👍", "👨‍👩‍👧‍👦", "❤️", "🇸🇪", "+1", flag] {
            assert_eq!(Emoji::new(emoji).unwrap().as_str(), emoji);
        }
    }

    /// CHAT-5.
    #[test]
    fn refuses_what_would_spoil_a_line() {
        let long = "x".repeat(33);
        for text in [
            "",
            " ",
            "a b",
            "\n",
            "\u{1b}[31m",
            "\u{202e}x",
            "\u{a0}",
            &long,
        ] {
            assert!(
                matches!(Emoji::new(text), Err(ActionError::Emoji)),
                "{text:?}"
            );
            let react = React::new(EventId::from([1; 32]), Emoji(text.into()), true);
            let decoded = React::decode(&encoding::encode(&react));
            assert!(matches!(decoded, Err(ActionError::Emoji)), "{text:?}");
        }
    }
}
