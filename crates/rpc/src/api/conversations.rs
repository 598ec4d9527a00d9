//! Conversations: the list of them, and how each stands.

use serde::{Deserialize, Serialize};

use super::Message;

/// `conversations`: all that are not put away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversations {
    /// Those that are put away too.
    #[serde(default)]
    pub all: bool,
}

/// The answer to [`Conversations`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationList {
    /// Those that are pinned first, then by their last message, the latest first.
    pub conversations: Vec<Conversation>,
}

/// `conversation_set`: mute, pin or put away, or the reverse; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConversationSet {
    /// Which: name, DID, session id, `self`.
    pub who: String,
    /// Whether its messages are not announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
    /// Whether it stands above the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// Whether it is put away, until something is written in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// `draft_set`: keep what was begun to be written in a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftSet {
    /// Which: name, DID, session id, `self`.
    pub who: String,
    /// What; absent or empty to forget it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// `draft`: what was begun to be written in a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Which: name, DID, session id, `self`.
    pub who: String,
}

/// The answer to [`Draft`] and [`DraftSet`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftKept {
    /// The session.
    pub session: String,
    /// What was begun; `null` if nothing was.
    pub draft: Option<String>,
}

/// `timer`: after how long messages of a conversation disappear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timer {
    /// Which: name, DID, session id, `self`.
    pub who: String,
}

/// `timer_set`: what is said from now on disappears after so long, on every device of everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimerSet {
    /// Which: name, DID, session id, `self`.
    pub who: String,
    /// After how many seconds, at most 366 days; 0 for never.
    pub seconds: u64,
}

/// The answer to [`Timer`] and [`TimerSet`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerInfo {
    /// The session.
    pub session: String,
    /// After how many seconds messages disappear; `null` if they do not.
    pub seconds: Option<u64>,
    /// Who set it so, as a DID; `null` if nobody ever did.
    pub did: Option<String>,
    /// What I call who set it so.
    pub name: Option<String>,
    /// When, by their clock.
    pub time: Option<u64>,
}

/// A conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// With whom; `null` for notes to oneself.
    pub did: Option<String>,
    /// What I call it.
    pub name: String,
    /// The session in which I write.
    pub session: String,
    /// How many messages of others I have not read; 1,000 stands for that many or more.
    pub unread: u64,
    /// Whether its messages are not announced.
    pub muted: bool,
    /// Whether it stands above the others.
    pub pinned: bool,
    /// Whether it is put away.
    pub archived: bool,
    /// Whether somebody else is typing at this moment.
    #[serde(default)]
    pub typing: bool,
    /// What I began to write.
    pub draft: Option<String>,
    /// After how many seconds messages disappear; `null` if they do not.
    #[serde(default)]
    pub timer: Option<u64>,
    /// The last message.
    pub last: Option<Message>,
}
