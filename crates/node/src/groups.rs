//! Sessions of many, as a person sees them.

use std::collections::BTreeMap;

use tenet_apps::{contacts::name::folded, groups::Ask};
use tenet_identity::{keys::IdentityId, meeting::link::Link};
use tenet_log::{
    ids::{EventId, SessionId},
    roster::{History, Policy, Role},
};

/// A session of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The session.
    pub session: SessionId,
    /// What it is called; the setting `name`, empty where nobody has set it or it is no text.
    pub name: String,
    /// What I am in it; `None` where I am out.
    pub role: Option<Role>,
    /// What it is about; the setting `description`, empty as above.
    pub description: String,
    /// A small JPEG, the setting `avatar`; whoever shows it first makes sure that it is one.
    pub avatar: Option<Vec<u8>>,
    /// Who may do what, and what newcomers get.
    pub policy: Policy,
    /// The messages that are pinned, in no particular order.
    pub pins: Vec<EventId>,
    /// How many people are in it.
    pub members: usize,
    /// Whether it was dissolved.
    pub dissolved: bool,
}

/// Somebody who is in a session of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Who.
    pub identity: IdentityId,
    /// What they call themselves; empty where they have not said it here.
    pub name: String,
    /// As what.
    pub role: Role,
    /// With how many devices.
    pub devices: usize,
    /// Whether they are muted, and until when in Unix milliseconds, if that ends by itself.
    pub muted: Option<Option<u64>>,
}

/// Somebody who asks to come into a session of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRequest {
    /// What they asked, as the member's device tells at which they did.
    pub ask: Ask,
    /// As what they would come in, by the link that they are said to have.
    pub role: Role,
}

/// A link into a session of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkInto {
    /// The event that opened it.
    pub id: EventId,
    /// As what it lets in.
    pub role: Role,
    /// Whether one only asks by it.
    pub consent: bool,
    /// What is asked of who comes.
    pub question: Option<String>,
    /// Its end, in Unix milliseconds, if it has one.
    pub expires: Option<u64>,
    /// Who made it.
    pub by: Option<IdentityId>,
    /// The link, where it was made by this person and is open.
    pub link: Option<Link>,
}

/// A change of a session of many; who is in it is named by what they are called there (NODE-1304), or by their DID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupChange {
    /// Somebody comes in.
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
        shut_out: bool,
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
        /// Until when, in Unix milliseconds; `None` until it is taken back.
        until: Option<u64>,
    },
    /// Somebody may write again.
    Unmute {
        /// Who.
        who: String,
    },
    /// Links let somebody in again who was shut out.
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
        /// A small JPEG; `None` for none any more.
        picture: Option<Vec<u8>>,
    },
    /// Others may do something.
    Policy {
        /// What.
        what: Right,
        /// The lowest role that may.
        role: Role,
    },
    /// Newcomers get something else of what was said.
    Newcomers {
        /// What.
        history: History,
    },
    /// Somebody is the owner in my place.
    Transfer {
        /// Who.
        who: String,
    },
    /// I leave.
    Leave,
    /// It ends for all.
    Dissolve,
}

/// What a policy says who may do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Let others in.
    Add,
    /// Open and close links.
    Links,
    /// Take out, take the role, take the word.
    Remove,
    /// Name, describe and picture the group.
    Settings,
    /// Write.
    Write,
}

impl Right {
    /// The same policy, but for who may do this.
    pub(crate) fn given(self, role: Role, policy: Policy) -> Policy {
        match self {
            Self::Add => Policy {
                add: role,
                ..policy
            },
            Self::Links => Policy {
                links: role,
                ..policy
            },
            Self::Remove => Policy {
                remove: role,
                ..policy
            },
            Self::Settings => Policy {
                settings: role,
                ..policy
            },
            Self::Write => Policy {
                write: role,
                ..policy
            },
        }
    }
}

/// What is said where a word means none of the groups: that none is called so, or which are.
pub fn unknown(who: &str, groups: &[Group]) -> String {
    let none =
        || format!("there is no group \"{who}\"; tenet group list shows those that there are");
    several(who, groups).unwrap_or_else(none)
}

/// What is said where more than one of the groups is called so.
pub fn several(who: &str, groups: &[Group]) -> Option<String> {
    let so = groups.iter().filter(|group| group.name == who.trim());
    let ids = so.map(|group| group.session.to_string());
    let starts: Vec<String> = ids
        .map(|id| id.chars().take(LEAST_DIGITS).collect())
        .collect();
    let starts = (starts.len() > 1).then(|| starts.join(", "))?;
    Some(format!(
        "several groups are called \"{who}\"; name one by its id: {starts}"
    ))
}

/// Of the names by which people call themselves, those that a word means: who writes it just so, or else whatever its case.
pub fn called_so(names: &BTreeMap<IdentityId, String>, who: &str) -> BTreeMap<IdentityId, String> {
    let names = names.iter().map(|(identity, name)| (*identity, name));
    let mut called: BTreeMap<IdentityId, String> = names
        .filter(|(_, name)| folded(name) == folded(who))
        .map(|(identity, name)| (identity, name.clone()))
        .collect();
    if called.values().any(|name| name == who) {
        called.retain(|_, name| name == who);
    }
    called
}

/// The fewest digits of a session's id by which a group may be named.
const LEAST_DIGITS: usize = 8;

/// The group that a word means: its name where no other has it, its id, or the beginning of one.
pub fn find(who: &str, groups: &[Group]) -> Option<SessionId> {
    let who = who.trim();
    let only = |fits: &dyn Fn(&Group) -> bool| {
        let mut found = groups.iter().filter(|group| fits(group));
        match (found.next(), found.next()) {
            (Some(one), None) => Some(one.session),
            _ => None,
        }
    };
    let start = who.to_ascii_lowercase();
    let by_id = |group: &Group| {
        start.len() >= LEAST_DIGITS && group.session.to_string().starts_with(&start)
    };
    only(&|group| group.name == who && group.role.is_some())
        .or_else(|| only(&|group| group.name == who))
        .or_else(|| only(&by_id))
}
