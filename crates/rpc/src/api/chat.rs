//! Messages: sending, changing, reading.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Error, GroupPolicy, Newcomers, Role};

/// `send`: write a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// To whom: name, DID or session id; `self` for notes to oneself.
    pub who: String,
    /// What; at most 65,536 bytes. It may be empty where there are files.
    #[serde(default)]
    pub text: String,
    /// Paths of files to send with it, at most 64; absolute, or from where the node was started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Send files as they are, with all that they tell of place, time and device (`API-20`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_metadata: bool,
    /// Whether the files are voice notes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voice: bool,
    /// A contact of whom to tell: name, DID or session id. Then there are no files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// The state at which to answer (`API-15`); at once, that is when it is kept, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<State>,
    /// How long to wait for that state, in milliseconds; then the answer has the state it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// `save`: write the files of a message into a folder; what is not here is fetched first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Save {
    /// The message.
    pub id: String,
    /// The folder. A file never takes the place of another: it gets the next free name.
    pub to: String,
    /// How long to wait for what is not here, in milliseconds; 30 s if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// The answer to [`Save`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Where the files are, in the order of the message.
    pub paths: Vec<String>,
}

/// `wait`: answer when an own message has reached a state, or has failed (`API-15`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// The message.
    pub id: String,
    /// The state.
    pub state: State,
    /// How long at most, in milliseconds; then the answer has the state it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// `history`: messages of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Whose: name, DID or session id.
    pub who: String,
    /// How many at most, up to 1,000; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only what stands before this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The first messages from the beginning on instead of the last, or those after `after`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forwards: bool,
    /// With `forwards`: only what stands after this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// `forward`: say in another conversation what a message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The message.
    pub id: String,
    /// To whom: name, DID or session id; `self` for notes to oneself.
    pub who: String,
}

/// `react`: put an emoji on a message, or take it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct React {
    /// The message.
    pub id: String,
    /// The emoji.
    pub emoji: String,
    /// Take it away.
    #[serde(default)]
    pub remove: bool,
}

/// `edit`: give an own message another text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The message.
    pub id: String,
    /// The new text.
    pub text: String,
}

/// `unsend`: take an own message back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsend {
    /// The message.
    pub id: String,
}

/// `withdraw`: withdraw another's message in a group, as far as one's role allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// The message.
    pub id: String,
    /// Why, which everybody is told; at most 512 bytes.
    #[serde(default)]
    pub reason: String,
}

/// `read`: everything of a session up to now was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Whose: name, DID or session id.
    pub who: String,
}

/// The answer to [`Send`] and [`Wait`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The message.
    pub id: String,
    /// The session it stands in.
    pub session: String,
    /// How far it is.
    pub state: State,
    /// Why it failed; `null` unless it did.
    #[serde(default)]
    pub reason: Option<String>,
}

/// The answer to [`React`], [`Edit`], [`Unsend`] and [`Withdraw`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The message that was changed.
    pub id: String,
    /// The event that changes it.
    pub event: String,
    /// The session it stands in.
    pub session: String,
}

/// The answer to [`Read`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadUpTo {
    /// The session.
    pub session: String,
    /// The last message that is now read; `null` in an empty session.
    pub id: Option<String>,
}

/// The answer to [`History`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Oldest first.
    pub messages: Vec<Message>,
    /// The sessions whose messages these are: the one with the person, first, and others with the
    /// same person that it stands for.
    pub sessions: Vec<String>,
    /// Whether there are messages before the first of these (`forwards`: after the last). A page may be shorter than its limit
    /// although there are: it ends after about 1 MiB of text (`API-10`).
    pub more: bool,
}

/// How far a message is; the order is the order of going on, failure last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Kept here, and sent as soon as there is a way.
    #[default]
    Queued,
    /// Kept by machines that hold it for the receiver.
    Stored,
    /// A device of the receiver has it and has said so.
    Delivered,
    /// The receiver has read it. A message of another is `read` when I have read it.
    Read,
    /// It will not be delivered; the reason stands beside it.
    Failed,
}

/// A message as it stands now, all changes applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Its session.
    pub session: String,
    /// The identity that wrote it, as a DID.
    pub author: String,
    /// What I call its author; my own name if it is mine.
    pub name: String,
    /// Whether it is mine.
    pub mine: bool,
    /// The device that wrote it.
    pub device: String,
    /// When it was written, by its author's clock.
    pub time: u64,
    /// What it is: `text`; `voice`, a spoken one; `contact`, somebody whom one is told of; `timer`, that
    /// what is said from then on disappears, or no more; `group`, what was done to the group.
    pub kind: String,
    /// Its text; `null` when it was unsent, is missing or a timer.
    pub text: Option<String>,
    /// Its files.
    #[serde(default)]
    pub files: Vec<MessageFile>,
    /// DIDs of whom it is addressed to among those who read it.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// Of whom it tells; `null` where it is not of that kind.
    #[serde(default)]
    pub contact: Option<MessageContact>,
    /// Into which group it invites: `accept` with the message's id takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<MessageInvitation>,
    /// The message that it answers.
    pub reply: Option<String>,
    /// Whether it was said elsewhere before.
    #[serde(default)]
    pub forwarded: bool,
    /// Whether its author changed it.
    pub edited: bool,
    /// Whether its author took it back.
    pub unsent: bool,
    /// Who withdrew it, where somebody else than its author did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<MessageWithdrawn>,
    /// Whether what it says is not here, though nobody took it back: it is being asked for.
    #[serde(default)]
    pub missing: bool,
    /// When it disappears; `null` if it does not.
    #[serde(default)]
    pub expires: Option<u64>,
    /// Of a timer: after how many seconds messages disappear; 0 for never.
    #[serde(default)]
    pub timer: Option<u64>,
    /// What was done to the group, where it is no message but tells that (kind `group`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Box<MessageChange>>,
    /// Per emoji the DIDs of those who put it there.
    pub reactions: BTreeMap<String, Vec<String>>,
    /// How far it is.
    pub state: State,
    /// Of my own: how many devices of others have it, of how many that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<MessageReach>,
    /// Why it failed; `null` unless it did.
    #[serde(default)]
    pub reason: Option<String>,
    /// In the event `message` alone: whether a person is to be told. Not of what is mine, and not
    /// where the conversation is muted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<bool>,
}

/// A file of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFile {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The BLAKE3 hash of its sealed content in hexadecimal: the same for everybody who has it.
    pub hash: String,
    /// How it stands here: `offered` (waits for a yes), `fetching`, `paused`, `here`.
    pub state: String,
    /// How many bytes of the sealed content are here, where it is being fetched.
    #[serde(default)]
    pub have: Option<u64>,
    /// Pixels of a picture, as its sender says; `null` where that is not said.
    #[serde(default)]
    pub width: Option<u32>,
    /// As `width`.
    #[serde(default)]
    pub height: Option<u32>,
    /// A small JPEG of a picture in base64.
    #[serde(default)]
    pub preview: Option<String>,
    /// How long a recording is, in milliseconds, as its sender says.
    #[serde(default)]
    pub duration_ms: Option<u64>,
}

/// By whom a message was withdrawn, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageWithdrawn {
    /// By whom.
    pub did: String,
    /// What I call them, or else what they call themselves.
    pub name: String,
    /// Why; empty where that is not said.
    pub reason: String,
}

/// How many devices of others have a message of mine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageReach {
    /// So many have said that they have it.
    pub devices: u32,
    /// Of so many that it is for.
    pub of: u32,
}

/// What was done to a group by the author of a line among its messages (`CHAT-1301`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageChange {
    /// What: `founded`, `joined`, `joined_by_link`, `device_removed`, `device_revoked`, `left`, `added`,
    /// `promoted`, `demoted`, `removed`, `muted`, `unmuted`, `unblocked`, `refused`, `link_opened`, `link_closed`, `policy`,
    /// `named`, `described`, `pictured`, `picture_removed`, `pinned`,
    /// `unpinned`, `withdrew`, `dissolved`.
    pub what: String,
    /// To whom.
    #[serde(default)]
    pub whom: Vec<MessageContact>,
    /// Which role was given or left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Of a muting: until when, if that ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Of a removal: whether no link lets them in again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocked: bool,
    /// Of a link: whether one only asks by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub consent: bool,
    /// Which device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The message that was pinned or withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The new name, what the group is about, why a message was withdrawn, or what who asked is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who may do what now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<GroupPolicy>,
    /// What newcomers get now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<Newcomers>,
}

/// Somebody of whom a message tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageContact {
    /// Who.
    pub did: String,
    /// What they call themselves, as the sender says.
    pub name: String,
}

/// An invitation into a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageInvitation {
    /// The group's session.
    pub session: String,
    /// What it is called, as the sender says.
    pub group: String,
    /// Whether somebody there is asked first.
    pub consent: bool,
    /// When it stops being good; `null` where it does not by itself.
    pub expires: Option<u64>,
}

impl State {
    /// The name by which it is known to scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Stored => "stored",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }

    /// Whether a message in this state is at least as far as `wanted`; a failed one never is.
    pub fn reaches(self, wanted: Self) -> bool {
        self != Self::Failed && self >= wanted
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for State {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        [
            Self::Queued,
            Self::Stored,
            Self::Delivered,
            Self::Read,
            Self::Failed,
        ]
        .into_iter()
        .find(|state| state.name() == name)
        .ok_or_else(|| Error::usage(format!("no message state is called {name:?}")))
    }
}
