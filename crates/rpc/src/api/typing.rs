//! Letting others see that something is being written.

use serde::{Deserialize, Serialize};

/// `typing`: whoever is there sees that something is being written to them, for some seconds; say it
/// again while it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typing {
    /// To whom: name, DID, session id.
    pub who: String,
    /// Whether it is; absent: yes.
    #[serde(default = "yes")]
    pub typing: bool,
}

/// The answer to [`Typing`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypingSaid {
    /// The session.
    pub session: String,
    /// Whether somebody is connected who is told, now or a moment ago.
    pub told: bool,
}

/// Somebody types, or no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typist {
    /// In which session.
    pub session: String,
    /// Who.
    pub did: String,
    /// What they are called.
    pub name: String,
    /// Whether they do.
    pub typing: bool,
}

const fn yes() -> bool {
    true
}
