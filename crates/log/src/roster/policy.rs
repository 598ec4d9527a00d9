//! Roles, and who may do what.

use minicbor::{Decode, Encode};

/// What a member may do; greater roles come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Everything.
    #[n(0)]
    Owner,
    /// Admits, removes and mutes those below.
    #[n(1)]
    Moderator,
    /// Reads and writes.
    #[n(2)]
    Member,
    /// Reads.
    #[n(3)]
    Observer,
}

/// What newcomers get of what was said before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum History {
    /// Nothing.
    #[default]
    #[n(0)]
    None,
    /// As many of the last events.
    #[n(1)]
    Last(#[n(0)] u64),
    /// All of it.
    #[n(2)]
    All,
}

/// Who may do what in a session: for each the lowest role that suffices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Makes others members.
    pub add: Role,
    /// Opens and closes links.
    pub links: Role,
    /// Removes, demotes and mutes those with a lower role.
    pub remove: Role,
    /// Sets the session's name, description, …
    pub settings: Role,
    /// Writes.
    pub write: Role,
    /// What newcomers get.
    pub history: History,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            add: Role::Moderator,
            links: Role::Moderator,
            remove: Role::Moderator,
            settings: Role::Moderator,
            write: Role::Member,
            history: History::None,
        }
    }
}

/// A policy as it travels: what is absent is as by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct PolicyForm {
    #[n(0)]
    add: Option<Role>,
    #[n(1)]
    links: Option<Role>,
    #[n(2)]
    remove: Option<Role>,
    #[n(3)]
    settings: Option<Role>,
    #[n(4)]
    write: Option<Role>,
    #[n(5)]
    history: Option<History>,
}

impl From<Policy> for PolicyForm {
    fn from(policy: Policy) -> Self {
        let usual = Policy::default();
        Self {
            add: (policy.add != usual.add).then_some(policy.add),
            links: (policy.links != usual.links).then_some(policy.links),
            remove: (policy.remove != usual.remove).then_some(policy.remove),
            settings: (policy.settings != usual.settings).then_some(policy.settings),
            write: (policy.write != usual.write).then_some(policy.write),
            history: (policy.history != usual.history).then_some(policy.history),
        }
    }
}

impl From<PolicyForm> for Policy {
    fn from(form: PolicyForm) -> Self {
        let usual = Self::default();
        Self {
            add: form.add.unwrap_or(usual.add),
            links: form.links.unwrap_or(usual.links),
            remove: form.remove.unwrap_or(usual.remove),
            settings: form.settings.unwrap_or(usual.settings),
            write: form.write.unwrap_or(usual.write),
            history: form.history.unwrap_or(usual.history),
        }
    }
}

impl Role {
    /// Whether this is the given role or a higher one.
    pub fn at_least(self, lowest: Self) -> bool {
        self <= lowest
    }

    /// Whether it is strictly higher than another.
    pub fn is_above(self, other: Self) -> bool {
        self < other
    }

    /// Whether whoever has it may give a role (ROS-507): those up to member whoever has as much,
    /// the others owners.
    pub(super) fn may_give(self, role: Self) -> bool {
        match role {
            Self::Owner | Self::Moderator => self == Self::Owner,
            Self::Member | Self::Observer => self.at_least(role),
        }
    }
}
