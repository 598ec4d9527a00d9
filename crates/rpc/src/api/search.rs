//! Looking for messages.

use serde::{Deserialize, Serialize};

use super::Message;

/// `search`: messages that have these words, in all conversations or in one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Words, all of which must be there, and `"phrases"`; the last word may be a beginning of at
    /// least three letters. Nothing else has a meaning. May be empty where something else is given.
    #[serde(default)]
    pub words: String,
    /// In which conversation: name, DID, session id, `self`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// By whom: name, DID, `self`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Not written before, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Written before, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Only those with files.
    #[serde(default)]
    pub files: bool,
    /// How many at most, up to 1,000; 20 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only what came here before this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// How many messages around each are wanted too, up to 20.
    #[serde(default)]
    pub context: u32,
}

/// The answer to [`Search`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundList {
    /// Those that came here last, oldest first.
    pub found: Vec<Found>,
    /// The one among them that came here first: what came before it is asked for with `before`.
    pub first: Option<String>,
    /// Whether there are more that came before.
    pub more: bool,
    /// Whether all that was said was looked through: not for some seconds after an update from a
    /// version that could not search.
    pub complete: bool,
}

/// A message that was looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// What I call the conversation in which it stands.
    pub conversation: String,
    /// Where in its text the words stand: first byte of UTF-8, and the first that is not meant.
    pub hits: Vec<(usize, usize)>,
    /// The messages right before it.
    pub before: Vec<Message>,
    /// Those right after it.
    pub after: Vec<Message>,
}
