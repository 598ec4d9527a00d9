//! Coming into sessions in which this device has a place and of which it does not know yet.
//!
//! ```text
//! any member ── Bring (founding) ──▶ open ── synchronise ──▶ my identity is a member ── roster.join
//! ```
//!
//! A new device of one's own, one that was restored and has lost its store, and somebody who was just added:
//! to the session they are all the same. Whoever has it brings its founding, what was said follows by sync,
//! and the newcomer joins by itself (ROS-2), as soon as what it holds says that it may.

use std::cmp::Reverse;

use minicbor::bytes::ByteVec;
use tenet_identity::keys::IdentityId;
use tenet_log::{
    event::{Event, Unverified},
    ids::SessionId,
    roster::{Founding, Op, SessionKind},
    session::{OpenError, Session},
    store::{Durability, Position, StoreError},
};

use super::{Engine, Fault, Ours};
use crate::{
    frame::{Frame, MAX_BROUGHT},
    input::{ConnId, Notice},
    storage::Storage,
};

/// The most sessions brought by others that do not say yet that we have a place there. A guess: it bounds
/// what a contact can fill the store with, and nobody is added to so many groups at once.
const MAX_WAITING: usize = 64;
/// The most foundings from the future that wait on a connection; further ones are brought on the next. A
/// guess: a contact whose clock is wrong founds a few.
const MAX_EARLY: usize = 16;
/// The most direct sessions with one contact. A guess: two links that cross make two, a device that
/// was restored makes one more.
const MAX_DIRECT: usize = 16;

/// A founding that was brought and is from the future.
pub(crate) struct Early {
    /// From when on it may be opened, in Unix milliseconds.
    pub(crate) at: u64,
    founding: ByteVec,
    /// Whether its session is said to be over for us (NODE-109).
    over: bool,
}

/// How this device stands in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It may write.
    In,
    /// It was never in, or is to come in again: what was brought does not say yet that it may join, or it did not yet.
    Coming,
    /// It was in, and is no more.
    Left,
}

impl<S: Storage> Engine<S> {
    /// How this device stands in a session; `Left` in one that is not here.
    pub(crate) fn place(&self, session: SessionId) -> Place {
        let (me, device) = (self.own.identity(), self.own.device());
        let Some(session) = self.sessions.get(&session) else {
            return Place::Left;
        };
        let roster = session.roster();
        if roster.author(device).is_some() {
            return Place::In;
        }
        if session.may_return(device) {
            return Place::Coming;
        }
        match roster.has_held(device) || session.has_lost(me) {
            true if !self.is_coming_in(session.id()) => Place::Left,
            _ => Place::Coming,
        }
    }

    /// NODE-32: brings the other end what it has a place in by our fold and did not name.
    pub(super) fn bring(&mut self, conn: ConnId) -> Result<(), StoreError> {
        let Some(connection) = self.connections.0.get(&conn) else {
            return Ok(());
        };
        if connection.named.is_empty() {
            // It has not said yet what it knows.
            return Ok(());
        }
        let Some(ready) = connection.ready() else {
            return Ok(());
        };
        let (identity, device) = (ready.identity, ready.device);
        let unknown = self.secrets_with(connection).into_iter();
        let unknown = unknown.filter(|(session, secret)| {
            let theirs = connection.tags(secret).1;
            let outside = self.is_outside(identity, device, *session);
            let outside = outside && !connection.has_guest_in(*session);
            let here = self.place(*session) == Place::In && !outside;
            // NODE-109
            let here = here || self.is_bygone_with(identity, *session);
            here && !connection.named.contains(&theirs) && !connection.offered.contains(session)
        });
        let mut unknown: Vec<SessionId> = unknown.map(|(session, _)| session).collect();
        // NODE-901
        unknown.sort_by_key(|session| Reverse(self.last_active(*session)));
        let (over, present): (Vec<_>, Vec<_>) = unknown
            .iter()
            .partition(|session| self.bygone.contains(**session));
        for (some, over) in [(present, false), (over, true)] {
            for some in some.chunks(MAX_BROUGHT) {
                let foundings = self.foundings(some)?;
                self.send(conn, &Frame::Bring(foundings, over));
            }
        }
        if let Some(connection) = self.connections.0.get_mut(&conn) {
            connection.offered.extend(unknown);
        }
        Ok(())
    }

    /// The founding events of sessions.
    fn foundings(&self, sessions: &[SessionId]) -> Result<Vec<ByteVec>, StoreError> {
        let mut foundings = Vec::with_capacity(sessions.len());
        for session in sessions {
            let first = self.store.since(*session, Position::default(), 1)?;
            let first = first.first().map(|stored| stored.event.to_wire());
            foundings.extend(first.map(ByteVec::from));
        }
        Ok(foundings)
    }

    /// NODE-33: somebody brings sessions, which both of us are out of or not.
    pub(super) fn on_bring(
        &mut self,
        now: u64,
        conn: ConnId,
        brought: &[ByteVec],
        over: bool,
    ) -> Result<(), Fault> {
        let connection = self.connections.0.get(&conn);
        let Some(by) = connection.and_then(|it| it.ready()).map(|it| it.identity) else {
            return Ok(());
        };
        if over && by != self.own.identity() {
            return Err(Fault::Peer(
                "it brought what only we may say to be over".into(),
            ));
        }
        for bytes in brought {
            let event = Unverified::decode(bytes)
                .and_then(Unverified::verify)
                .map_err(|error| Fault::Peer(error.to_string()))?;
            let Ok(Some(Op::Found(founding))) = Op::of(&event) else {
                return Err(Fault::Peer("it brought what founds nothing".into()));
            };
            let id = event.session();
            let time = event.header().time;
            if time.is_too_early(now) {
                let early = self.early.entry(conn).or_default();
                if early.len() < MAX_EARLY {
                    early.push(Early {
                        at: time.acceptable_from(),
                        founding: bytes.clone(),
                        over,
                    });
                }
                continue;
            }
            let is_new = !self.sessions.contains_key(&id);
            if is_new && !self.may_enter(by, &founding)? && !self.has_link_into(id)? {
                continue;
            }
            self.set_told_bygone(id, over && (is_new || self.place(id) == Place::Coming))?;
            match is_new {
                true => {
                    self.enter(now, &event, &founding)?;
                    self.charge_bringing(by, founding.kind)?;
                }
                false => {
                    self.note_return(now, conn, id, over)?;
                    self.take_place(now, id)?;
                }
            }
            if self.place(id) == Place::Coming
                && let Some(connection) = self.connections.0.get_mut(&conn)
            {
                connection.brought.insert(id);
            }
        }
        self.say_meet(conn)
    }

    /// NODE-110: somebody who has our leaving brings what we left: we may have been let in again, which what they hold says.
    fn note_return(
        &mut self,
        now: u64,
        conn: ConnId,
        id: SessionId,
        over: bool,
    ) -> Result<(), Fault> {
        let Some(by) = self.connections.0.get(&conn).and_then(|it| it.ready()) else {
            return Ok(());
        };
        let (identity, device) = (by.identity, by.device);
        let stranger = self.store.contact(identity)?.is_none();
        if over || stranger || !self.left_by_ourselves(id)? || self.is_owed_in(id, device)? {
            return Ok(());
        }
        if let Some(connection) = self.connections.0.get_mut(&conn) {
            connection.returns.insert(id);
        }
        // What they said there since we left was let be.
        self.resume_at(conn, id, now);
        Ok(())
    }

    /// Whether the other end brought what we left, so that we listen to it there as long as it stands.
    pub(super) fn returns_on(&self, conn: ConnId, session: SessionId) -> bool {
        let connection = self.connections.0.get(&conn);
        connection.is_some_and(|it| it.returns.contains(&session))
    }

    /// NODE-603: what was brought too early is looked at as if it came now.
    pub(super) fn bring_due(&mut self, now: u64) -> Result<(), Fault> {
        let mut due: Vec<(ConnId, Early)> = Vec::new();
        for (conn, early) in &mut self.early {
            let some = early.extract_if(.., |one| one.at <= now);
            due.extend(some.map(|one| (*conn, one)));
        }
        self.early.retain(|_, early| !early.is_empty());
        for (conn, early) in due {
            self.on_bring(now, conn, &[early.founding], early.over)?;
        }
        Ok(())
    }

    /// NODE-33: whether a session is taken from whoever brings it.
    fn may_enter(&self, by: IdentityId, founding: &Founding) -> Result<bool, StoreError> {
        let me = self.own.identity();
        let named = |identity| founding.members.iter().any(|one| one.identity == identity);
        Ok(match founding.kind {
            SessionKind::Own => by == me && named(me),
            SessionKind::Direct => match other_than(me, founding) {
                Some(other) if named(me) && !self.blocked.contains(&other) => {
                    let contact = self.store.contact(other)?;
                    let room = contact.is_some_and(|one| one.sessions.len() < MAX_DIRECT);
                    by == me || (by == other && room)
                }
                _ => false,
            },
            _ if by == me => true,
            _ => self.store.contact(by)?.is_some_and(|by| match named(me) {
                true => !self.brings_too_much(&by),
                false => self.waiting() < MAX_WAITING,
            }),
        })
    }

    fn charge_bringing(&mut self, by: IdentityId, kind: SessionKind) -> Result<(), StoreError> {
        if by == self.own.identity() || kind.is_closed() {
            return Ok(());
        }
        if let Some(by) = self.store.contact(by)? {
            self.charge_session(&by);
        }
        Ok(())
    }

    /// How many sessions were brought that do not say yet that we may join.
    fn waiting(&self) -> usize {
        let sessions = self.sessions.keys();
        sessions
            .filter(|session| self.place(**session) == Place::Coming)
            .count()
    }

    fn enter(&mut self, now: u64, event: &Event, founding: &Founding) -> Result<(), Fault> {
        let (session, admitted) =
            Session::open(&mut self.store, event).map_err(|error| match error {
                OpenError::Store(error) => Fault::Store(error),
                error => Fault::Peer(error.to_string()),
            })?;
        let id = session.id();
        self.sessions.insert(id, session);
        if founding.kind == SessionKind::Direct
            && let Some(other) = other_than(self.own.identity(), founding)
        {
            self.meet_in(now, other, id)?;
        }
        self.admitted(now, id, event, admitted, None)?;
        if founding.kind == SessionKind::Own {
            let sessions = self.own_sessions();
            self.notify(Notice::OwnSessions { sessions });
        }
        self.notify(Notice::SessionEntered { session: id });
        Ok(())
    }

    /// Somebody is a contact, because another device of ours says so, or is so in one session more.
    fn meet_in(&mut self, now: u64, other: IdentityId, id: SessionId) -> Result<(), Fault> {
        let known = self.store.contact(other)?;
        let is_new = known.is_none();
        let mut contact = match known {
            Some(contact) => contact,
            None => self.new_contact(now, other, None, "")?,
        };
        contact.sessions.insert(id);
        // Not told to my other devices: they know more of it than this one.
        self.named.clear();
        self.store.put_contact(&contact)?;
        self.remember_contact(other)?;
        if is_new {
            self.notify(Notice::ContactAdded { identity: other });
        }
        Ok(())
    }

    /// NODE-701: on a copy of another device's store, this one joins all that is in it.
    pub(super) fn take_places_at_start(&mut self, now: u64) -> Result<(), StoreError> {
        let sessions = self.sessions.keys().copied();
        let coming = sessions.filter(|session| self.place(*session) == Place::Coming);
        let coming: Vec<SessionId> = coming.collect();
        for session in coming {
            self.store.begin()?;
            match self.take_place(now, session) {
                Ok(()) => self.store.commit(Durability::Power)?,
                Err(Fault::Store(error)) => {
                    self.store.abandon()?;
                    return Err(error);
                }
                Err(error) => {
                    // It is tried again when something is said there.
                    tracing::error!(%error, "a session could not be joined");
                    self.store.abandon()?;
                    self.load_sessions()?;
                }
            }
        }
        Ok(())
    }

    /// NODE-34: joins a session in which our identity has a place and this device was never in, or went out with it.
    pub(super) fn take_place(&mut self, now: u64, id: SessionId) -> Result<(), Fault> {
        let me = self.own.identity();
        let waits = self.bygone.is_told(id);
        if self.place(id) != Place::Coming || self.is_set_back() || waits {
            return Ok(());
        }
        let Some(session) = self.sessions.get(&id) else {
            return Ok(());
        };
        let roster = session.roster();
        if !roster.members.contains_key(&me) || roster.revoked.contains(&self.own.device()) {
            return Ok(());
        }
        let op = Op::Join(self.own.card.clone());
        self.join_by(now, id, &op)
    }

    /// Joins a session, and says there what a member says.
    pub(super) fn join_by(&mut self, now: u64, id: SessionId, op: &Op) -> Result<(), Fault> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(());
        };
        let (event, admitted) = session.operate(&mut self.store, &self.own.key, op, now)?;
        self.admitted(now, id, &event, admitted, Some(Ours))?;
        self.knock_again = true;
        self.publish_endpoint(now, id)?;
        self.publish_profile(now, id)?;
        self.say_again(now, id)?;
        Ok(self.tell_status(now)?)
    }
}

/// The other one of two.
fn other_than(me: IdentityId, founding: &Founding) -> Option<IdentityId> {
    let mut members = founding.members.iter().map(|member| member.identity);
    members.find(|member| *member != me)
}
