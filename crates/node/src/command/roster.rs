//! Who is in a session, and as what.

use std::collections::BTreeSet;

use tenet_identity::name;
use tenet_log::{
    ids::SessionId,
    roster::{Addition, MAX_FOUNDING_MEMBERS, Member, Op, Policy, Role, SessionKind, Setting},
    session::{OpenError, Session, Terms},
};

use super::{CommandError, Reply};
use crate::{
    engine::{Engine, Ours, Place},
    storage::Storage,
};

/// The setting that says what a session is called.
pub(super) const NAME: &str = "name";

impl<S: Storage> Engine<S> {
    /// NODE-502: founds a session of many; whoever is named is brought it (NODE-32).
    pub(super) fn found(
        &mut self,
        now: u64,
        name: &str,
        with: &[String],
    ) -> Result<Reply, CommandError> {
        let name = name.trim();
        name::check(name).map_err(|error| CommandError::Usage(error.to_string()))?;
        if name.is_empty() {
            return Err(CommandError::Usage("a group needs a name".into()));
        }
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
        let called = Op::Set(Setting {
            key: NAME.to_owned(),
            value: name.as_bytes().to_vec(),
        });
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

    /// The session of many that a word means: its id, or its name where no other has it.
    pub(super) fn group_of(&self, who: &str) -> Option<SessionId> {
        let who = who.trim();
        let many = self.sessions.iter().filter(|(id, session)| {
            !session.roster().kind.is_closed() && self.place(**id) == Place::In
        });
        let called = |session: &Session| {
            let name = session.roster().settings.get(NAME);
            name.is_some_and(|name| name.as_slice() == who.as_bytes())
        };
        let mut found = many.filter(|(id, session)| id.to_string() == who || called(session));
        match (found.next(), found.next()) {
            (Some((id, _)), None) => Some(*id),
            _ => None,
        }
    }

    /// NODE-501: writes a change of the roster, if it is ours to make by all that we know.
    pub(super) fn operate(
        &mut self,
        now: u64,
        id: SessionId,
        op: &Op,
    ) -> Result<Reply, CommandError> {
        let me = self.own.identity();
        let Some(session) = self.sessions.get_mut(&id) else {
            return Err(CommandError::NotFound("there is no such session".into()));
        };
        if !session.roster().allows(me, op) {
            let refusal = "your role in this session does not allow that; nothing was changed";
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
