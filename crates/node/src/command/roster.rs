//! Who is in a session, and as what.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use tenet_apps::chat::told::{self, AVATAR, DESCRIPTION, NAME};
use tenet_identity::{keys::IdentityId, name};
use tenet_log::{
    clock::Hlc,
    ids::{EventId, SessionId},
    roster::{
        Addition, History, MAX_FOUNDING_MEMBERS, MAX_REASON_BYTES, MAX_SETTING_BYTES, Member,
        Muting, Op, Policy, Removal, Role, Roster, SessionKind, Setting, Withdrawal,
    },
    session::{OpenError, Session, Terms},
    store::StoreError,
};

use super::{CommandError, Reply};
use crate::{
    engine::{Engine, Ours, Place},
    groups::{self, Group, GroupChange, GroupMember},
    query,
    storage::Storage,
};

/// The most messages that are pinned at a time: of more nobody finds the one that matters.
const MOST_PINS: usize = 64;

/// How many messages are read at a time to find the last so many.
const PAGE: usize = 256;

impl<S: Storage> Engine<S> {
    /// NODE-502: founds a session of many; whoever is named is brought it (NODE-32).
    pub(super) fn found(
        &mut self,
        now: u64,
        name: &str,
        with: &[String],
    ) -> Result<Reply, CommandError> {
        let called = called(name)?;
        let mut others = BTreeSet::new();
        for who in with {
            others.insert(self.contact_of(who)?.identity);
        }
        let mut members = vec![Member {
            identity: self.own.identity(),
            role: Role::Owner,
        }];
        members.extend(others.iter().map(|identity| Member {
            identity: *identity,
            role: Role::Member,
        }));
        let later = members.split_off(members.len().min(MAX_FOUNDING_MEMBERS));
        let terms = Terms {
            kind: SessionKind::Group,
            members,
            policy: Policy::default(),
        };
        let (key, card) = (&self.own.key, &self.own.card);
        let event = Session::draft_founding_on(key, card, terms, now, &mut self.rng)?;
        let (session, admitted) =
            Session::open(&mut self.store, &event).map_err(|error| match error {
                OpenError::Store(error) => CommandError::from(error),
                error => CommandError::Refused(error.to_string()),
            })?;
        let id = session.id();
        self.sessions.insert(id, session);
        self.admitted(now, id, &event, admitted, Some(Ours))?;
        self.operate(now, id, &called)?;
        for Member { identity, role } in later {
            let floor = None;
            self.operate(
                now,
                id,
                &Op::Add(Addition {
                    identity,
                    role,
                    floor,
                }),
            )?;
        }
        self.publish_endpoint(now, id)?;
        self.publish_profile(now, id)?;
        Ok(Reply::Conversation { session: id })
    }

    /// The session of many that a word means ([`groups::find`]).
    pub(super) fn group_of(&self, who: &str) -> Option<SessionId> {
        groups::find(who, &self.groups())
    }

    /// The sessions of many that are here and that this person is in, or was.
    pub fn groups(&self) -> Vec<Group> {
        let ids = self.sessions.keys();
        ids.filter_map(|id| self.group(*id)).collect()
    }

    /// A session of many; `None` where it is none, or does not say yet that this device may come in.
    pub(crate) fn group(&self, id: SessionId) -> Option<Group> {
        let session = self.sessions.get(&id)?;
        let roster = session.roster();
        // Who was in it before keeps it in view while coming in again.
        let comes = self.place(id) == Place::Coming && !roster.has_held(self.own.device());
        if roster.kind.is_closed() || comes {
            return None;
        }
        let setting = |key| roster.settings.get(key).cloned().unwrap_or_default();
        let text = |key| String::from_utf8(setting(key)).unwrap_or_default();
        Some(Group {
            session: id,
            name: text(NAME),
            description: text(DESCRIPTION),
            avatar: Some(setting(AVATAR)).filter(|picture| !picture.is_empty()),
            policy: roster.policy,
            pins: told::pins(&roster.settings).collect(),
            role: roster.members.get(&self.own.identity()).copied(),
            members: roster.members.len(),
            dissolved: roster.dissolved,
        })
    }

    /// Who is in a session of many.
    pub(super) fn members_of(&self, now: u64, who: &str) -> Result<Reply, CommandError> {
        let id = self.known_group(who)?;
        let Some(session) = self.sessions.get(&id) else {
            return Err(self.no_group(who));
        };
        let roster = session.roster();
        let names = query::names_in(&self.store, session)?;
        let mut devices: BTreeMap<IdentityId, usize> = BTreeMap::new();
        for (_, chain) in roster.active() {
            *devices.entry(chain.identity).or_default() += 1;
        }
        let members = roster.members.iter().map(|(identity, role)| GroupMember {
            identity: *identity,
            name: names.get(identity).cloned().unwrap_or_default(),
            role: *role,
            devices: devices.get(identity).copied().unwrap_or_default(),
            muted: muted_at(now, roster, *identity),
        });
        let mut members: Vec<GroupMember> = members.collect();
        members.sort_by_key(|member| (member.role, member.identity));
        Ok(Reply::Members {
            session: id,
            members,
        })
    }

    /// ROS rules, as a person says them.
    pub(super) fn change_group(
        &mut self,
        now: u64,
        who: &str,
        change: GroupChange,
    ) -> Result<Reply, CommandError> {
        let id = self.known_group(who)?;
        if change == GroupChange::Leave {
            self.keep_an_owner(id)?;
            self.leave(now, id)?;
            return Ok(Reply::Conversation { session: id });
        }
        for op in self.operations(id, change)? {
            self.operate(now, id, &op)?;
        }
        Ok(Reply::Conversation { session: id })
    }

    /// NODE-1301: the only owner of others does not go: nobody could do what takes one.
    fn keep_an_owner(&self, id: SessionId) -> Result<(), CommandError> {
        let Some(session) = self.sessions.get(&id) else {
            return Ok(());
        };
        let members = &session.roster().members;
        let mut others = members
            .iter()
            .filter(|(who, _)| **who != self.own.identity());
        let mine = members.get(&self.own.identity());
        let owned = others.clone().any(|(_, role)| *role == Role::Owner);
        if mine != Some(&Role::Owner) || owned || others.next().is_none() {
            return Ok(());
        }
        Err(CommandError::Refused(
            "you are the only owner: make somebody else the owner first (tenet group transfer), or end the \
             group for all (tenet group dissolve); nothing was changed"
                .into(),
        ))
    }

    /// NODE-1301: somebody is the owner, and I am a moderator.
    fn transferred(&self, id: SessionId, who: &str) -> Result<Vec<Op>, CommandError> {
        let (identity, present) = self.member_of(id, who)?;
        let me = self.own.identity();
        if identity == me {
            let why = "you cannot hand a group over to yourself; nothing was changed";
            return Err(CommandError::Usage(why.into()));
        }
        let to = Op::Promote(Member {
            identity,
            role: Role::Owner,
        });
        let from = Op::Demote(Member {
            identity: me,
            role: Role::Moderator,
        });
        Ok((present != Role::Owner)
            .then_some(to)
            .into_iter()
            .chain([from])
            .collect())
    }

    /// ROS-515: from when on what was said is for a newcomer, where that is the last so many messages.
    pub(super) fn floor(&self, id: SessionId) -> Result<Option<Hlc>, CommandError> {
        let Some(session) = self.sessions.get(&id) else {
            return Ok(None);
        };
        let History::Last(wanted) = session.roster().policy.history else {
            return Ok(None);
        };
        let (mut left, mut before) = (usize::try_from(wanted).unwrap_or(usize::MAX), None);
        if left == 0 {
            return Ok(None);
        }
        loop {
            let page = self.store.history(&[id], before.as_ref(), PAGE)?;
            let said = page.iter().filter(|row| !row.told);
            let times: Vec<Hlc> = said.map(|row| row.order.time).collect();
            if let Some(nth) = times.len().checked_sub(left) {
                return Ok(times.get(nth).copied());
            }
            left -= times.len();
            match page.first() {
                Some(first) if page.len() == PAGE => before = Some(first.order),
                // There are no more: all of them.
                _ => return Ok(Some(session.founded())),
            }
        }
    }

    /// A contact who is not in a session yet.
    fn newcomer(&self, id: SessionId, who: &str) -> Result<IdentityId, CommandError> {
        let identity = self.contact_of(who)?.identity;
        let session = self.sessions.get(&id);
        match session.is_some_and(|it| it.roster().members.contains_key(&identity)) {
            true => Err(CommandError::Refused(format!(
                "{who} is in this group already; tenet group role gives another role; nothing was changed"
            ))),
            false => Ok(identity),
        }
    }

    /// The policy of a session, to be changed.
    fn policy_of(&self, id: SessionId) -> Policy {
        let session = self.sessions.get(&id);
        session.map_or_else(Policy::default, |session| session.roster().policy)
    }

    fn operations(&self, id: SessionId, change: GroupChange) -> Result<Vec<Op>, CommandError> {
        Ok(vec![match change {
            GroupChange::Transfer { who } => return self.transferred(id, &who),
            GroupChange::Add { who, role } => Op::Add(Addition {
                identity: self.newcomer(id, &who)?,
                role,
                floor: self.floor(id)?,
            }),
            GroupChange::Remove { who, shut_out } => Op::Remove(Removal {
                identity: self.member_of(id, &who)?.0,
                shut_out,
            }),
            GroupChange::Role { who, role } => {
                let (identity, present) = self.member_of(id, &who)?;
                if identity == self.own.identity() {
                    self.keep_an_owner(id)?;
                }
                let member = Member { identity, role };
                match role.cmp(&present) {
                    Ordering::Less => Op::Promote(member),
                    Ordering::Greater => Op::Demote(member),
                    Ordering::Equal => {
                        return Err(CommandError::Refused(format!(
                            "{who} has that role already; nothing was changed"
                        )));
                    }
                }
            }
            GroupChange::Mute { who, until } => Op::Mute(Muting {
                identity: self.member_of(id, &who)?.0,
                until: until.map(Hlc::from_millis),
            }),
            GroupChange::Unmute { who } => Op::Unmute(self.member_of(id, &who)?.0),
            GroupChange::Unblock { who } => Op::Unblock(self.shut_out_of(id, &who)?),
            GroupChange::Rename { name } => called(&name)?,
            GroupChange::Describe { text } => set(DESCRIPTION, text.trim().as_bytes().to_vec())?,
            GroupChange::Avatar { picture } => set(AVATAR, picture.unwrap_or_default())?,
            GroupChange::Policy { what, role } => Op::Policy(what.given(role, self.policy_of(id))),
            GroupChange::Newcomers { history } => Op::Policy(Policy {
                history,
                ..self.policy_of(id)
            }),
            GroupChange::Leave => Op::Leave,
            GroupChange::Dissolve => Op::Dissolve,
        }])
    }

    /// ROS-1301, CHAT-1303: another's message is not to be shown any more, and everybody is told why.
    pub(super) fn withdraw(
        &mut self,
        now: u64,
        id: EventId,
        reason: &str,
    ) -> Result<Reply, CommandError> {
        let message = self.message(id)?;
        let refused = |why: &str| Err(CommandError::Refused(format!("{why}; nothing was changed")));
        if self.group(message.session).is_none() {
            return refused("between two, only its author can take back a message");
        }
        if message.told {
            return refused("that is no message: it tells what was done, and stays");
        }
        if message.identity == self.own.identity() {
            return refused("it is yours: tenet unsend takes it back");
        }
        let shown = query::message(&self.store, self.own.identity(), id)?;
        if shown.is_some_and(|shown| shown.message.withdrawn.is_some()) {
            return refused("it was withdrawn already");
        }
        let reason = reason.trim();
        if reason.len() > MAX_REASON_BYTES {
            return Err(CommandError::Usage(format!(
                "the reason has {} bytes, at most {MAX_REASON_BYTES} fit; nothing was changed",
                reason.len()
            )));
        }
        let op = Op::Withdraw(Withdrawal {
            identity: message.identity,
            event: id,
            reason: reason.to_owned(),
        });
        let session = message.session;
        match self.operate(now, session, &op)? {
            Reply::Operated { event, .. } => Ok(Reply::Changed { id, event, session }),
            reply => Ok(reply),
        }
    }

    /// CHAT-1305: what everybody is to find again.
    pub(super) fn pin(&mut self, now: u64, id: EventId, on: bool) -> Result<Reply, CommandError> {
        let message = self.message(id)?;
        let refused = |why: &str| Err(CommandError::Refused(format!("{why}; nothing was changed")));
        let Some(group) = self.group(message.session) else {
            return refused("messages are pinned in groups");
        };
        if message.told {
            return refused("that is no message: it tells what was done");
        }
        if group.pins.contains(&id) == on {
            return Ok(Reply::Conversation {
                session: message.session,
            });
        }
        if on && group.pins.len() >= MOST_PINS {
            return refused("as many messages are pinned as can be: tenet group unpin");
        }
        let value = if on {
            id.as_bytes().to_vec()
        } else {
            Vec::new()
        };
        self.operate(now, message.session, &set(&told::pin(id), value)?)
    }

    pub(super) fn known_group(&self, who: &str) -> Result<SessionId, CommandError> {
        self.group_of(who).ok_or_else(|| self.no_group(who))
    }

    fn no_group(&self, who: &str) -> CommandError {
        CommandError::NotFound(groups::unknown(who, &self.groups()))
    }

    /// NODE-1303: makes sure that this device is in a group in which it wants something.
    pub(super) fn check_in(&self, id: SessionId, outcome: &str) -> Result<(), CommandError> {
        let roster = self.sessions.get(&id).map(|session| session.roster());
        let device = self.own.device();
        let out = |roster: &Roster| !roster.kind.is_closed() && roster.author(device).is_none();
        match roster.is_some_and(out) {
            true => Err(self.out_of(id, outcome)?),
            false => Ok(()),
        }
    }

    /// Why nothing can be done in a group of which this device is out.
    fn out_of(&self, id: SessionId, outcome: &str) -> Result<CommandError, StoreError> {
        let name = self.group(id).map(|group| group.name).unwrap_or_default();
        let (me, device) = (self.own.identity(), self.own.device());
        let session = self.sessions.get(&id);
        let departure = match session {
            Some(session) => session.departure(&self.store, me, device)?,
            None => None,
        };
        let Some((op, by)) = departure else {
            return Ok(CommandError::Refused(format!(
                "this device has not come into \"{name}\" yet, or not again; {outcome}"
            )));
        };
        let mine = by == Some(me);
        let who = match by {
            Some(_) if mine => "you".to_owned(),
            Some(by) => self.called_in(id, by),
            None => "somebody".to_owned(),
        };
        let why = match op {
            Op::Remove(_) => format!("{who} removed you"),
            Op::Dissolve => format!("{who} dissolved it"),
            Op::Leave => "you left it".to_owned(),
            _ => format!("{who} took this device out"),
        };
        Ok(CommandError::Refused(format!(
            "you are not in \"{name}\" any more: {why}; {outcome}"
        )))
    }

    /// NODE-501: writes a change of the roster, if it is ours to make by all that we know.
    pub(super) fn operate(
        &mut self,
        now: u64,
        id: SessionId,
        op: &Op,
    ) -> Result<Reply, CommandError> {
        self.check_in(id, "nothing was changed")?;
        let me = self.own.identity();
        let Some(session) = self.sessions.get_mut(&id) else {
            return Err(CommandError::NotFound("there is no such session".into()));
        };
        if !session.roster().allows(me, op) {
            let refusal = "your role in this session does not allow that: tenet group policy shows who may do what, and \
                           nobody does it to those of their own role or a higher one; nothing was changed";
            return Err(CommandError::Refused(refusal.into()));
        }
        let (event, admitted) = session.operate(&mut self.store, &self.own.key, op, now)?;
        self.admitted(now, id, &event, admitted, Some(Ours))?;
        Ok(Reply::Operated {
            session: id,
            event: event.id(),
        })
    }
}

/// Whether somebody is muted by now, and until when, in Unix milliseconds, if that ends by itself.
pub(super) fn muted_at(now: u64, roster: &Roster, identity: IdentityId) -> Option<Option<u64>> {
    let until = roster.muted.get(&identity)?.map(Hlc::millis);
    until.is_none_or(|until| now < until).then_some(until)
}

/// The operation that gives a session its name.
fn called(name: &str) -> Result<Op, CommandError> {
    let name = name.trim();
    name::check(name).map_err(|error| CommandError::Usage(error.to_string()))?;
    if name.is_empty() {
        return Err(CommandError::Usage("a group needs a name".into()));
    }
    set(NAME, name.as_bytes().to_vec())
}

/// The operation that gives a session a setting.
fn set(key: &str, value: Vec<u8>) -> Result<Op, CommandError> {
    if value.len() > MAX_SETTING_BYTES {
        return Err(CommandError::Usage(format!(
            "the {key} has {} bytes, at most {MAX_SETTING_BYTES} fit; nothing was changed",
            value.len()
        )));
    }
    Ok(Op::Set(Setting {
        key: key.to_owned(),
        value,
    }))
}
