//! Becoming contacts, and who the contacts are.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `invite`: a link to give to one other person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// What to call the person who takes it; what they call themselves if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it may be taken more than once.
    #[serde(default)]
    pub reusable: bool,
    /// For how long it is good; the node's own span if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_seconds: Option<u64>,
    /// What is asked first of who takes it, if it may be taken more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
}

/// `invites`: the links that are open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invites {}

/// `invite_revoke`: a link stops being good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InviteRevoke {
    /// The link's id, or a beginning of it that no other has.
    pub id: String,
}

/// `accept`: take a link that another person gave.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The link.
    pub link: String,
    /// What to call the giver; what they call themselves if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What to say to the giver, where they are asked; at most 280 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// How long to wait for the giver, in milliseconds; absent or 0 not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// `contacts`: everybody who was accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contacts {}

/// `contact_verify`: what to compare with a contact over another way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactVerify {
    /// The contact: name, DID or session id.
    pub who: String,
}

/// `contact_devices`: the devices of a contact, as the sessions with them know them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactDevices {
    /// The contact: name, DID or session id.
    pub who: String,
}

/// `contact_confirm`: it was compared and was equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactConfirm {
    /// The contact.
    pub who: String,
}

/// `contact_rename`: call a contact something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactRename {
    /// The contact.
    pub who: String,
    /// The new name.
    pub name: String,
}

/// `contact_block`: hear nothing of somebody any more, and say nothing to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactBlock {
    /// The contact, or anybody by their DID.
    pub who: String,
}

/// `contact_unblock`: the end of that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactUnblock {
    /// The contact.
    pub who: String,
}

/// `contact_remove`: end the contact; the other side is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactRemove {
    /// The contact.
    pub who: String,
}

/// The answer to [`Invite`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    /// The link's id.
    pub id: String,
    /// The link: who has it can become a contact.
    pub link: String,
    /// When it stops being good.
    pub expires: u64,
    /// Whether it may be taken more than once.
    pub reusable: bool,
}

/// The answer to [`Invites`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteList {
    /// The links, oldest first.
    pub invites: Vec<InviteInfo>,
}

/// A link that was made; the answer to [`InviteRevoke`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteInfo {
    /// Its id.
    pub id: String,
    /// What the person who takes it will be called.
    pub name: Option<String>,
    /// When it stops being good.
    pub expires: u64,
    /// How often it was taken.
    pub uses: u64,
    /// Whether it may be taken more than once.
    pub reusable: bool,
    /// Whether it can still be taken.
    pub open: bool,
    /// How often somebody tried to take it who could not, because it was taken: a sign that the
    /// link was seen by another.
    pub reuse_attempts: u64,
    /// What is asked first of who takes it.
    pub question: Option<String>,
}

/// The answer to [`Accept`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Whose link it is.
    pub did: String,
    /// What they are called.
    pub name: String,
    /// The session with them; `null` until there is one.
    pub session: Option<String>,
    /// How far it is.
    pub state: AcceptState,
    /// The name of the group into which it leads; `null` for a person's link.
    #[serde(default)]
    pub group: Option<String>,
    /// Why it was refused, in a person's words.
    #[serde(default)]
    pub reason: Option<String>,
}

/// How far an accepted link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AcceptState {
    /// Both are contacts, or this person is in the group.
    Connected,
    /// The giver was reached and has yet to say yes.
    Requested,
    /// The giver was not reached yet; kept and retried.
    Pending,
    /// The giver's device refused the link.
    Refused,
    /// The giver said no.
    Rejected,
}

/// The answer to [`Contacts`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactList {
    /// In the order of their names.
    pub contacts: Vec<Contact>,
}

/// Somebody who was accepted; the answer to the requests that change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Their identity.
    pub did: String,
    /// What I call them.
    pub name: String,
    /// What they call themselves.
    pub nickname: String,
    /// What they say of how they are; empty where they say nothing.
    #[serde(default)]
    pub status: String,
    /// A small JPEG by which they want to be seen, in base64; `null` without one.
    #[serde(default)]
    pub avatar: Option<String>,
    /// The session with them; of an ended contact the last one, empty where there was none.
    pub session: String,
    /// Whether the short authentication string was compared and confirmed.
    pub verified: bool,
    /// Whether one of their devices is connected.
    pub presence: Presence,
    /// When they were accepted.
    pub added: u64,
    /// What a person should know about this contact, a reused link for instance.
    pub warning: Option<String>,
    /// Whether nothing is heard of them and nothing said to them.
    #[serde(default)]
    pub blocked: bool,
}

/// Whether somebody can be reached at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Presence {
    /// Connected.
    Online,
    /// Not connected, and tried.
    Offline,
    /// Not tried.
    Unknown,
}

/// The answer to [`ContactDevices`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactDeviceList {
    /// The devices, the first first.
    pub devices: Vec<ContactDevice>,
}

/// A device of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactDevice {
    /// Its id.
    pub device: String,
    /// What its card calls it.
    pub name: String,
    /// When it was added.
    pub added: u64,
    /// When it was taken out, revoked or not; `null` where it is in.
    pub ended: Option<u64>,
    /// Whether the contact revoked it.
    pub revoked: bool,
    /// Whether it is connected now.
    pub online: bool,
}

/// The answer to [`ContactVerify`]: the same at both sides, if nobody stands between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// With whom to compare.
    pub did: String,
    /// What I call them.
    pub name: String,
    /// Seven emoji; empty where the two did not meet by a link.
    pub emoji: Vec<String>,
    /// The English names of the seven emoji.
    pub words: Vec<String>,
    /// The same 42 bits as 13 decimal digits; `null` where there are no emoji.
    pub digits: Option<String>,
    /// The long number that depends on the two identities only.
    pub number: String,
    /// Whether it was confirmed already.
    pub verified: bool,
}

// A link carries a secret: whoever reads it in a log could take it.

impl fmt::Debug for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accept")
            .field("timeout_ms", &self.timeout_ms)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Invited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invited")
            .field("id", &self.id)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
