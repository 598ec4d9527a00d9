//! Links into groups, and who asks by them.

use serde::{Deserialize, Serialize};

use super::Role;

/// `group_invite`: make a link into a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupInvite {
    /// Its name, its id or a beginning of it.
    pub group: String,
    /// As what it lets in; a member if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether whoever comes by it is let in by somebody who may add.
    #[serde(default)]
    pub consent: bool,
    /// What is asked of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// For how long it is good; a week if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_seconds: Option<u64>,
    /// To which contact it is sent, in the conversation with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// With which words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// `group_invites`: the links into a group that are open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupInvites {
    /// Its name, its id or a beginning of it.
    pub group: String,
}

/// `group_uninvite`: close a link into a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupUninvite {
    /// Its name, its id or a beginning of it.
    pub group: String,
    /// The link's id, or a beginning of it.
    pub id: String,
}

/// A link into a group.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupLink {
    /// Its id.
    pub id: String,
    /// The group's session.
    pub session: String,
    /// The link, where it was made by this person and is open.
    pub link: Option<String>,
    /// As what it lets in.
    pub role: Role,
    /// Whether somebody lets in whoever comes by it.
    pub consent: bool,
    /// What is asked of them.
    pub question: Option<String>,
    /// When it stops being good, if it does by itself.
    pub expires: Option<u64>,
    /// Who made it.
    pub did: Option<String>,
    /// What I call them, or they call themselves.
    pub name: Option<String>,
    /// The message by which it was sent, where it was just made for somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The answer to [`GroupInvites`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupLinkList {
    /// By id.
    pub links: Vec<GroupLink>,
}

/// `group_preview`: what group a link leads into, without coming in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupPreview {
    /// The link.
    pub link: String,
    /// How long to wait for a member to be reached; 30,000 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// The answer to [`GroupPreview`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupShown {
    /// The group's session.
    pub session: String,
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// A small JPEG in base64.
    pub avatar: Option<String>,
    /// How many people are in it.
    pub members: u64,
    /// As what one comes in.
    pub role: Role,
    /// Whether somebody lets in whoever comes.
    pub consent: bool,
    /// What is asked of them.
    pub question: Option<String>,
}

/// `group_requests`: who asks to come into a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRequests {
    /// Its name, its id or a beginning of it.
    pub group: String,
}

/// The answer to [`GroupRequests`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRequestList {
    /// Who knocked longest ago first.
    pub requests: Vec<GroupRequest>,
}

/// Somebody who asks to come into a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRequest {
    /// The group's session.
    pub session: String,
    /// Who.
    pub did: String,
    /// What they call themselves.
    pub name: String,
    /// What they say.
    pub remark: Option<String>,
    /// By which link, as the member says at whose device they asked: its id.
    pub link: String,
    /// As what they would come in by it.
    pub role: Role,
    /// When they asked, by their clock.
    pub asked: u64,
    /// When they knocked last.
    pub last: u64,
}

/// `group_accept`: let somebody in who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupAccept {
    /// Its name, its id or a beginning of it.
    pub group: String,
    /// What they call themselves, or their DID.
    pub who: String,
}

/// `group_reject`: let somebody not in who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupReject {
    /// Its name, its id or a beginning of it.
    pub group: String,
    /// What they call themselves, or their DID.
    pub who: String,
    /// What they are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

// Links are secrets.
impl std::fmt::Debug for GroupLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GroupLink({}, redacted)", self.id)
    }
}

impl std::fmt::Debug for GroupPreview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GroupPreview(redacted)")
    }
}
