//! What a node tells without being asked each time.

use serde::{Deserialize, Serialize};

use super::{
    AcceptState, Contact, Conversation, DeviceNews, Message, Path, RequestInfo, State, Typist,
};

/// `subscribe`: from now on this connection gets events (`API-12`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// The number of the last event that was seen: those after it that are still kept come first.
    /// Absent: only what happens from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
}

/// The answer to [`Subscribe`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribed {
    /// The number of the newest event at this moment.
    pub seq: u64,
    /// Whether events after `since` are lost: what they said must be asked for anew.
    pub gap: bool,
}

/// An event and its number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Greater than that of every event before it, also of earlier runs; without holes in one run.
    pub seq: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// Events that a subscriber did not get because it read too slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The number of the first one missed.
    pub from: u64,
    /// The number of the last one missed.
    pub to: u64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// There is a new message, from here or from another.
    Message(Box<Message>),
    /// A message stands differently now: edited, unsent, reacted to.
    Changed(Box<Message>),
    /// A message is shown no more: its time is over, or it does not count.
    Gone {
        /// The message.
        id: String,
        /// Its session.
        session: String,
    },
    /// An own message is farther than it was.
    State {
        /// The message.
        id: String,
        /// Its session.
        session: String,
        /// How far it is now.
        state: State,
        /// Why it failed; `null` unless it did.
        reason: Option<String>,
    },
    /// An own message stands under another id: this machine's clock had been days ahead, and
    /// nobody took it as it was dated. The old one is shown no more.
    WrittenAgain {
        /// What it was.
        id: String,
        /// What it is.
        new: String,
        /// Its session.
        session: String,
    },
    /// A contact is new or stands differently.
    Contact {
        /// What is different.
        change: ContactChange,
        /// How it stands now.
        contact: Box<Contact>,
    },
    /// A conversation stands differently: muted, pinned, put away, read here, its draft, its timer.
    Conversation(Box<Conversation>),
    /// Somebody types, or no more.
    Typing(Typist),
    /// The content of a file is here now.
    File {
        /// The hash by which messages name it.
        hash: String,
    },
    /// A link that was accepted here is farther than it was.
    Accept {
        /// Whose link it is.
        did: String,
        /// What they are called.
        name: String,
        /// How far it is now.
        state: AcceptState,
        /// Why it was refused; `null` unless it was.
        reason: Option<String>,
    },
    /// Somebody asks to become a contact, or says something else now.
    Request(Box<RequestInfo>),
    /// Somebody asks to come into a group, or says something else now.
    GroupRequest {
        /// The group's session.
        session: String,
        /// What it is called.
        group: String,
        /// Who asks.
        did: String,
    },
    /// An own link was taken.
    InviteUsed {
        /// The link's id.
        id: String,
        /// Who took it.
        did: String,
        /// What they are called.
        name: String,
    },
    /// A one-time link that was used already was tried again: somebody else may have seen it.
    LinkReused {
        /// The link's id; `null` at the side that took it.
        id: Option<String>,
        /// The contact who came by that link; `null` if not known.
        did: Option<String>,
        /// What a person should know and do.
        message: String,
    },
    /// A device of this identity or of a contact is new or revoked, or one asks to be let in.
    Device(Box<DeviceNews>),
    /// A device of this identity is brought what it lacks, or brings it here; the last time with nothing lacking.
    Bringing {
        /// The other device.
        device: String,
        /// The session that is being brought.
        session: String,
        /// Whether it comes here.
        coming: bool,
        /// Events that came, of all sessions together.
        done: u64,
        /// Events that were lacking when both compared.
        total: u64,
    },
    /// A device is reached differently than before.
    Connection(Connection),
    /// An own event is refused by another for now, because the two clocks differ.
    TooEarly {
        /// The device that refuses.
        device: String,
        /// Its time.
        theirs: u64,
        /// The time here.
        ours: u64,
    },
    /// Something that a person should know.
    Warning {
        /// A short stable name, `forked_device` for instance.
        name: String,
        /// What it is and what to do.
        message: String,
    },
    /// A kind of event that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What is different about a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContactChange {
    /// It is new.
    Added,
    /// It is called differently.
    Renamed,
    /// They say something else of themselves.
    Profile,
    /// It was verified.
    Verified,
    /// It became online or offline.
    Presence,
    /// There is a warning about it.
    Warning,
    /// Nothing is heard of it any more.
    Blocked,
    /// It is heard again.
    Unblocked,
    /// It was removed here.
    Removed,
    /// They have ended the contact.
    Left,
}

/// How a device is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// The device.
    pub device: String,
    /// Whose it is.
    pub did: String,
    /// The path in use.
    pub path: Path,
    /// The address in use; `null` without a connection.
    pub addr: Option<String>,
}

impl Event {
    /// The name under which it travels and by which `--kinds` chooses it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Changed(_) => "changed",
            Self::Gone { .. } => "gone",
            Self::State { .. } => "state",
            Self::WrittenAgain { .. } => "written_again",
            Self::Conversation(_) => "conversation",
            Self::Typing(_) => "typing",
            Self::File { .. } => "file",
            Self::Contact { .. } => "contact",
            Self::Accept { .. } => "accept",
            Self::Request(_) => "request",
            Self::GroupRequest { .. } => "group_request",
            Self::InviteUsed { .. } => "invite_used",
            Self::LinkReused { .. } => "link_reused",
            Self::Device(_) => "device",
            Self::Bringing { .. } => "bringing",
            Self::Connection(_) => "connection",
            Self::TooEarly { .. } => "too_early",
            Self::Warning { .. } => "warning",
            Self::Unknown => "unknown",
        }
    }
}
