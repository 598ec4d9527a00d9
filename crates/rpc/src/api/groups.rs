//! Sessions of many.

use serde::{Deserialize, Serialize};

use super::Message;

/// What somebody may do in a group; each includes what those after it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Lets in, removes and mutes those below.
    Moderator,
    /// Reads and writes.
    Member,
    /// Reads.
    Observer,
}

/// `group_new`: found a group, of which this person is the owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupNew {
    /// What it is called.
    pub name: String,
    /// Contacts who are members from the start.
    #[serde(default)]
    pub with: Vec<String>,
}

/// `groups`: all groups that this person is in, or was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Groups {}

/// `group`: one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupShow {
    /// Its name, its id or a beginning of it.
    pub group: String,
}

/// `group_pin`: pin a message of a group, or pin it no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupPin {
    /// The message.
    pub id: String,
    /// Whether it is pinned from now on.
    pub pinned: bool,
}

/// `group_pins`: the messages of a group that are pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupPins {
    /// Its name, its id or a beginning of it.
    pub group: String,
}

/// The answer to [`GroupPins`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinList {
    /// Oldest first, as far as they are shown here.
    pub messages: Vec<Message>,
}

/// The answer to [`Groups`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupList {
    /// By name.
    pub groups: Vec<Group>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub session: String,
    /// What it is called.
    pub name: String,
    /// What I am in it; `null` where I am out.
    pub role: Option<Role>,
    /// How many people are in it.
    pub members: u64,
    /// Whether it was dissolved.
    pub dissolved: bool,
    /// What it is about; `null` where nobody has said so.
    pub description: Option<String>,
    /// A small JPEG in base64.
    pub avatar: Option<String>,
    /// Who may do what.
    pub policy: GroupPolicy,
    /// What newcomers get of what was said.
    pub history: Newcomers,
}

/// Who may do what in a group: for each the lowest role that may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupPolicy {
    /// Let others in.
    pub add: Role,
    /// Open and close links.
    pub links: Role,
    /// Take out, take the role, take the word.
    pub remove: Role,
    /// Name, describe and picture the group.
    pub settings: Role,
    /// Write.
    pub write: Role,
}

/// Something of which a group's policy says who may do it; see [`GroupPolicy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields of GroupPolicy say it")]
pub enum Right {
    Add,
    Links,
    Remove,
    Settings,
    Write,
}

/// What newcomers get of what was said before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Newcomers {
    /// Nothing.
    None,
    /// So many of the last messages.
    Last(u64),
    /// All of it.
    All,
}

/// `group_members`: who is in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupMembers {
    /// Its name, its id or a beginning of it.
    pub group: String,
}

/// The answer to [`GroupMembers`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberList {
    /// The session.
    pub session: String,
    /// Owners first.
    pub members: Vec<GroupMember>,
}

/// Somebody who is in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMember {
    /// Who.
    pub did: String,
    /// What I call them, or else what they call themselves.
    pub name: String,
    /// Whether that is me.
    pub me: bool,
    /// As what.
    pub role: Role,
    /// With how many devices.
    pub devices: u64,
    /// Whether they may not write.
    pub muted: bool,
    /// Until when, if that ends by itself.
    pub muted_until: Option<u64>,
}

/// `group_blocked`: whom no link lets into a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupBlocked {
    /// Its name, its id or a beginning of it.
    pub group: String,
}

/// The answer to [`GroupBlocked`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedList {
    /// The session.
    pub session: String,
    /// In no particular order.
    pub blocked: Vec<BlockedMember>,
}

/// Somebody whom no link lets into a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedMember {
    /// Who.
    pub did: String,
    /// What I call them, or else what they called themselves there.
    pub name: String,
}

/// `group_change`: change a group, as far as one's role allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupChange {
    /// Its name, its id or a beginning of it.
    pub group: String,
    /// How.
    pub change: Change,
}

/// A change of a group; `who` is a contact, or a member's DID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// A contact comes in.
    Add {
        /// Who.
        who: String,
        /// As what.
        role: Role,
    },
    /// Somebody goes out.
    Remove {
        /// Who.
        who: String,
        /// Whether no link lets them in again.
        #[serde(default)]
        block: bool,
    },
    /// Somebody has another role.
    Role {
        /// Who.
        who: String,
        /// Which.
        role: Role,
    },
    /// Somebody may not write.
    Mute {
        /// Who.
        who: String,
        /// For how long; until it is taken back if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
    },
    /// Somebody may write again.
    Unmute {
        /// Who.
        who: String,
    },
    /// Links let somebody in again who was blocked.
    Unblock {
        /// Who.
        who: String,
    },
    /// It is called something else.
    Rename {
        /// What.
        name: String,
    },
    /// It is about something else.
    Describe {
        /// What; empty for nothing any more.
        text: String,
    },
    /// It has another picture.
    Avatar {
        /// The path of a picture, which is made small; empty for none any more.
        path: String,
    },
    /// Others may do something.
    Policy {
        /// What.
        what: Right,
        /// The lowest role that may.
        role: Role,
    },
    /// Newcomers get something else.
    History {
        /// What.
        history: Newcomers,
    },
    /// Somebody is the owner in my place, and I am a moderator.
    Transfer {
        /// Who.
        who: String,
    },
    /// I leave.
    Leave {},
    /// It ends for all.
    Dissolve {},
}
