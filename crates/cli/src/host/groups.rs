//! Sessions of many.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenet_apps::contacts::{Contact, store::ContactStore};
use tenet_identity::{did, keys::IdentityId};
use tenet_log::{
    ids::SessionId,
    roster::{History, Policy, Role},
};
use tenet_node::{
    command::{Command, Reply},
    groups::{self, Group, GroupChange, GroupMember, Right},
    query,
};
use tenet_rpc::{api, server::Pending};
use tenet_store::Store;

use super::{
    engine,
    handler::{NodeHandler, not_ours},
    present, profile,
    shared::{Shared, failed},
};

/// The groups as the engine last told of them, so that naming one asks nobody.
#[derive(Default)]
pub(super) struct Groups {
    groups: Mutex<BTreeMap<SessionId, Group>>,
    /// What those call themselves who are no contacts, of the sessions in which that was asked.
    names: Mutex<BTreeMap<SessionId, BTreeMap<IdentityId, String>>>,
}

impl Groups {
    /// These and no others.
    pub(super) fn of(groups: Vec<Group>) -> Self {
        let by_id = groups.into_iter().map(|group| (group.session, group));
        Self {
            groups: Mutex::new(by_id.collect()),
            names: Mutex::default(),
        }
    }

    /// One is another than before.
    pub(super) fn put(&self, group: Group) {
        self.forget_names(group.session);
        self.lock().insert(group.session, group);
    }

    /// Somebody calls themselves something else in a session, or somebody came.
    pub(super) fn forget_names(&self, session: SessionId) {
        self.lock_names().remove(&session);
    }

    /// What somebody calls themselves in a session, if they have said it there.
    pub(super) fn name_in(
        &self,
        store: &Store,
        session: SessionId,
        identity: IdentityId,
    ) -> Option<String> {
        self.look_at_names(store, session, |names| names.get(&identity).cloned())
    }

    /// Who calls themselves so in a session.
    pub(super) fn called_so(
        &self,
        store: &Store,
        session: SessionId,
        who: &str,
    ) -> BTreeMap<IdentityId, String> {
        self.look_at_names(store, session, |names| groups::called_so(names, who))
    }

    fn look_at_names<T>(
        &self,
        store: &Store,
        session: SessionId,
        look: impl FnOnce(&BTreeMap<IdentityId, String>) -> T,
    ) -> T {
        if let Some(names) = self.lock_names().get(&session) {
            return look(names);
        }
        let names = query::names(store, session).unwrap_or_default();
        let seen = look(&names);
        self.lock_names().insert(session, names);
        seen
    }

    /// All, by name.
    pub(super) fn all(&self) -> Vec<Group> {
        let mut all: Vec<Group> = self.lock().values().cloned().collect();
        all.sort_by_cached_key(|group| (group.name.to_lowercase(), group.session));
        all
    }

    /// The group that a word means.
    pub(super) fn find(&self, who: &str) -> Option<SessionId> {
        groups::find(who, &self.all())
    }

    /// What one is called.
    pub(super) fn name(&self, session: SessionId) -> Option<String> {
        self.lock().get(&session).map(|group| group.name.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SessionId, Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_names(&self) -> MutexGuard<'_, BTreeMap<SessionId, BTreeMap<IdentityId, String>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is asked about groups.
pub(super) fn asked(handler: &NodeHandler, request: api::Request) -> Pending {
    use api::Request as R;
    match request {
        R::GroupNew(new) => found(handler, new),
        R::Groups(_) => handler.ask(|shared, _| Ok(list(shared))),
        R::GroupShow(wanted) => handler.ask(move |shared, _| show(shared, &wanted.group)),
        R::GroupMembers(wanted) => members(handler, wanted),
        R::GroupBlocked(wanted) => blocked(handler, wanted),
        R::GroupChange(wanted) => change(handler, wanted),
        R::GroupPin(api::GroupPin { id, pinned }) => handler.naming(&id, move |handler, id| {
            handler.then_read(Command::Pin { id, on: pinned }, said)
        }),
        R::GroupPins(wanted) => {
            handler.ask(move |shared, store| pins(shared, store, &wanted.group))
        }
        request => Pending::ready(Err(not_ours(&request))),
    }
}

fn list(shared: &Shared) -> api::GroupList {
    let groups = shared.groups.all().into_iter();
    api::GroupList {
        groups: groups.map(shown).collect(),
    }
}

fn show(shared: &Shared, who: &str) -> Result<api::Group, api::Error> {
    let found = shared.groups.find(who);
    let group = found.and_then(|session| of(shared, session));
    group.ok_or_else(|| api::Error::not_found(groups::unknown(who, &shared.groups.all())))
}

fn pins(shared: &Shared, store: &Store, who: &str) -> Result<api::PinList, api::Error> {
    let found = shared.groups.find(who);
    let mut groups = shared.groups.all().into_iter();
    let group = groups.find(|group| Some(group.session) == found);
    let group =
        group.ok_or_else(|| api::Error::not_found(groups::unknown(who, &shared.groups.all())))?;
    let contacts = store.contacts().map_err(failed)?;
    let mut messages = Vec::new();
    for id in group.pins {
        let shown = query::message(store, shared.own.identity, id).map_err(failed)?;
        let shown = shown.filter(|shown| shown.message.session == group.session);
        messages.extend(shown.map(|shown| present::message(&shown, shared, store, &contacts)));
    }
    messages.sort_by_key(|message| message.time);
    Ok(api::PinList { messages })
}

/// One of them.
fn of(shared: &Shared, session: SessionId) -> Option<api::Group> {
    let groups = shared.groups.all();
    let group = groups.into_iter().find(|group| group.session == session);
    group.map(shown)
}

fn shown(group: Group) -> api::Group {
    api::Group {
        session: group.session.to_string(),
        name: group.name,
        role: group.role.map(role),
        members: group.members as u64,
        dissolved: group.dissolved,
        description: Some(group.description).filter(|text| !text.is_empty()),
        avatar: group.avatar.as_deref().and_then(present::picture),
        policy: policy(&group.policy),
        history: newcomers(group.policy.history),
    }
}

/// Who may do what.
pub(super) fn policy(policy: &Policy) -> api::GroupPolicy {
    api::GroupPolicy {
        add: role(policy.add),
        links: role(policy.links),
        remove: role(policy.remove),
        settings: role(policy.settings),
        write: role(policy.write),
    }
}

/// What newcomers get.
pub(super) fn newcomers(history: History) -> api::Newcomers {
    match history {
        History::None => api::Newcomers::None,
        History::Last(count) => api::Newcomers::Last(count),
        History::All => api::Newcomers::All,
    }
}

fn found(handler: &NodeHandler, new: api::GroupNew) -> Pending {
    let (name, with) = (new.name, new.with);
    handler.then_read(Command::Found { name, with }, said)
}

fn change(handler: &NodeHandler, wanted: api::GroupChange) -> Pending {
    let who = wanted.group;
    match wanted.change {
        api::Change::Avatar { path } if !path.is_empty() => {
            let handler = NodeHandler(Arc::clone(&handler.0));
            Pending::future(async move {
                let picture = Some(profile::small_picture(path).await?);
                let change = GroupChange::Avatar { picture };
                handler
                    .then_read(Command::Group { who, change }, said)
                    .await
            })
        }
        change => {
            let change = wanted_change(change);
            handler.then_read(Command::Group { who, change }, said)
        }
    }
}

pub(super) fn said(
    shared: &Shared,
    _: &Store,
    reply: Reply,
) -> Result<Option<api::Group>, api::Error> {
    Ok(match reply {
        Reply::Conversation { session } | Reply::Operated { session, .. } => of(shared, session),
        _ => None,
    })
}

fn members(handler: &NodeHandler, wanted: api::GroupMembers) -> Pending {
    let command = Command::Members { who: wanted.group };
    handler.then_read(command, |shared, store, reply| {
        let Reply::Members { session, members } = reply else {
            return Ok(None);
        };
        let contacts = store.contacts().map_err(failed)?;
        let shown = members.into_iter().map(|member| {
            let name = called(shared, &contacts, member.identity, &member.name);
            of_member(shared, member, name)
        });
        Ok(Some(api::MemberList {
            session: session.to_string(),
            members: shown.collect(),
        }))
    })
}

fn blocked(handler: &NodeHandler, wanted: api::GroupBlocked) -> Pending {
    let command = Command::Blocked { who: wanted.group };
    handler.then_read(command, |shared, store, reply| {
        let Reply::Blocked { session, blocked } = reply else {
            return Ok(None);
        };
        let contacts = store.contacts().map_err(failed)?;
        let shown = blocked
            .into_iter()
            .map(|(identity, said)| api::BlockedMember {
                did: did::encode(&identity),
                name: called(shared, &contacts, identity, &said),
            });
        Ok(Some(api::BlockedList {
            session: session.to_string(),
            blocked: shown.collect(),
        }))
    })
}

/// What I call somebody, or else what they said they are called.
fn called(shared: &Shared, contacts: &[Contact], identity: IdentityId, said: &str) -> String {
    let own = identity == shared.own.identity;
    let known = own || contacts.iter().any(|one| one.identity == identity);
    match known || said.is_empty() {
        true => present::name_of(identity, &shared.own, contacts),
        false => said.to_owned(),
    }
}

fn of_member(shared: &Shared, member: GroupMember, name: String) -> api::GroupMember {
    api::GroupMember {
        did: did::encode(&member.identity),
        name,
        me: member.identity == shared.own.identity,
        role: role(member.role),
        devices: member.devices as u64,
        muted: member.muted.is_some(),
        muted_until: member.muted.flatten(),
    }
}

fn wanted_change(change: api::Change) -> GroupChange {
    use api::Change as C;
    match change {
        C::Add { who, role } => GroupChange::Add {
            who,
            role: as_role(role),
        },
        C::Remove { who, block } => GroupChange::Remove {
            who,
            shut_out: block,
        },
        C::Role { who, role } => GroupChange::Role {
            who,
            role: as_role(role),
        },
        C::Mute { who, seconds } => {
            let lasts = seconds.map(|seconds| seconds.saturating_mul(1000));
            let until = lasts.map(|lasts| engine::now().saturating_add(lasts));
            GroupChange::Mute { who, until }
        }
        C::Unmute { who } => GroupChange::Unmute { who },
        C::Unblock { who } => GroupChange::Unblock { who },
        C::Rename { name } => GroupChange::Rename { name },
        C::Describe { text } => GroupChange::Describe { text },
        C::Avatar { .. } => GroupChange::Avatar { picture: None },
        C::Policy { what, role } => GroupChange::Policy {
            what: right(what),
            role: as_role(role),
        },
        C::History { history } => GroupChange::Newcomers {
            history: match history {
                api::Newcomers::None => History::None,
                api::Newcomers::Last(count) => History::Last(count),
                api::Newcomers::All => History::All,
            },
        },
        C::Transfer { who } => GroupChange::Transfer { who },
        C::Leave {} => GroupChange::Leave,
        C::Dissolve {} => GroupChange::Dissolve,
    }
}

fn right(right: api::Right) -> Right {
    match right {
        api::Right::Add => Right::Add,
        api::Right::Links => Right::Links,
        api::Right::Remove => Right::Remove,
        api::Right::Settings => Right::Settings,
        api::Right::Write => Right::Write,
    }
}

/// A role.
pub(super) fn role(role: Role) -> api::Role {
    match role {
        Role::Owner => api::Role::Owner,
        Role::Moderator => api::Role::Moderator,
        Role::Member => api::Role::Member,
        Role::Observer => api::Role::Observer,
    }
}

/// The role that was asked for.
pub(super) fn as_role(role: api::Role) -> Role {
    match role {
        api::Role::Owner => Role::Owner,
        api::Role::Moderator => Role::Moderator,
        api::Role::Member => Role::Member,
        api::Role::Observer => Role::Observer,
    }
}
