//! Who is out of a session by what others did, and how they hear of it.
//!
//! ```text
//! remove, dissolve, a sister's leave ──▶ owed to whose time it ended ──▶ dialled, told, forgotten
//!                                    └─▶ whoever else meets them tells them too
//! ```
//!
//! Told is the ending and what it had seen, nothing else (SYNC-11). And who is out goes on listening: what took
//! it out may turn out to be void.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::{DeviceId, IdentityId};
use tenet_log::{
    ids::{EventId, SessionId},
    session::{Ending, Session},
    store::{LogStore, StoreError},
    sync::{HeadEntry, Part},
};

use super::{Engine, Fault, Place, claimed::part_of};
use crate::{connection::Connection, input::ConnId, storage::Storage};

/// Devices that we listen to in a session that one of us is out of, and whose they are.
pub(super) type Outside = BTreeMap<DeviceId, IdentityId>;

impl<S: Storage> Engine<S> {
    /// To whom we listen though we share a session no more: who has not heard yet that they are out (NODE-106),
    /// and those who took us out (NODE-108). Whom their identity revoked is let be by whoever asks.
    pub(super) fn index_outside(&mut self, id: SessionId) -> Result<(), StoreError> {
        let place = self.place(id);
        let listens = place == Place::Left && !self.left_by_ourselves(id)?;
        let Some(session) = self.sessions.get(&id).filter(|_| place != Place::Coming) else {
            self.outside.remove(&id);
            return Ok(());
        };
        // Who came in again in vain is told anew.
        let told = self.told.iter().filter(|((told, _), _)| *told == id);
        let mut changed = Vec::new();
        for ((_, device), (identity, ends)) in told {
            if ended_by(session, &self.store, *identity, *device)? != *ends {
                changed.push(*device);
            }
        }
        for device in changed {
            self.told.remove(&(id, device));
        }
        let mut outside: Outside = session.outsiders();
        outside.retain(|device, _| {
            let back = self.back.contains(&(id, *device));
            !self.told.contains_key(&(id, *device)) && (back || !session.has_ended_itself(*device))
        });
        let inside = session.roster().active().filter(|_| listens);
        outside.extend(inside.map(|(author, chain)| (author.device, chain.identity)));
        outside.remove(&self.own.device());
        self.outside.insert(id, outside);
        Ok(())
    }

    /// The sessions in which we listen to a device, or it to us.
    pub(super) fn sessions_outside(&self, device: DeviceId) -> impl Iterator<Item = SessionId> {
        let sessions = self.outside.iter();
        let with = sessions.filter(move |(_, outside)| outside.contains_key(&device));
        with.map(|(session, _)| *session)
    }

    /// The sessions of which an identity is out, and in which nobody has seen this device of it, which has not heard of it
    /// either: it may believe to be in.
    pub(super) fn sessions_gone(
        &self,
        identity: IdentityId,
        device: DeviceId,
    ) -> impl Iterator<Item = SessionId> {
        let gone = self.sessions.iter().filter(move |(id, session)| {
            let told = || self.told.contains_key(&(**id, device));
            session.is_gone(identity, device) && !told() && self.place(**id) == Place::In
        });
        gone.map(|(id, _)| *id)
    }

    /// Whether we are out of a session by what a device of our own identity wrote.
    pub(super) fn left_by_ourselves(&self, id: SessionId) -> Result<bool, StoreError> {
        let session = self.sessions.get(&id).filter(|_| self.has_left(id));
        session.map_or(Ok(false), |session| {
            self.ended_by_us(session, self.own.device())
        })
    }

    /// Whether what took a device out was written by one of ours.
    pub(super) fn ended_by_us(
        &self,
        session: &Session,
        device: DeviceId,
    ) -> Result<bool, StoreError> {
        let me = self.own.identity();
        let roster = session.roster();
        let ending = session.ending(&self.store, device)?;
        let mut ends = ending.iter().flat_map(Ending::operations);
        Ok(ends.any(|end| roster.identity(end.author) == Some(me)))
    }

    /// Whether a device listens to us, or we to it, in a session that one of us is out of.
    pub(super) fn is_outside(
        &self,
        identity: IdentityId,
        device: DeviceId,
        session: SessionId,
    ) -> bool {
        let outside = self.outside.get(&session);
        let gone = || {
            let state = self.sessions.get(&session);
            let gone = state.is_some_and(|state| state.is_gone(identity, device));
            gone && !self.told.contains_key(&(session, device))
        };
        outside.is_some_and(|outside| outside.contains_key(&device)) || gone()
    }

    /// Whether a device is out of a session by our fold, so that it hears no more than its ending.
    pub(super) fn is_out(&self, device: DeviceId, session: SessionId) -> bool {
        let state = self.sessions.get(&session);
        let out = state.is_some_and(|session| session.is_out(device));
        out && !self.is_bygone_for(device, session)
    }

    /// Whether the device on a connection is out of a session by our fold, and not together with us.
    pub(super) fn is_out_on(&self, conn: ConnId, session: SessionId) -> bool {
        let connection = self.connections.0.get(&conn);
        let connection = connection.filter(|it| !it.has_guest_in(session));
        let ready = connection.and_then(Connection::ready);
        let both = ready.zip(self.sessions.get(&session));
        let out = both.is_some_and(|(it, session)| {
            session.is_out(it.device) || session.is_gone(it.identity, it.device)
        });
        out && !self.is_bygone_on(conn, session)
    }

    /// SYNC-11: who came in, or is out now, hears another part of a session than before.
    pub(super) fn restrict_shares(&mut self, now: u64, session: SessionId) -> Result<(), Fault> {
        let Some(state) = self.sessions.get(&session) else {
            return Ok(());
        };
        let (me, place) = (self.own.identity(), self.place(session));
        let (mut anew, mut gone) = (Vec::new(), Vec::new());
        for (conn, connection) in &mut self.connections.0 {
            let guest = connection.has_guest_in(session);
            let Some(ready) = connection.ready_mut() else {
                continue;
            };
            let (identity, device) = (ready.identity, ready.device);
            if state.is_out(device) {
                gone.push(*conn);
            }
            for share in ready.shares_of(session) {
                let part = match guest {
                    true => Part::Events,
                    false => part_of(state, &self.store, (me, place), (identity, device))?,
                };
                if share.peer.restrict(part) {
                    anew.push(*conn);
                }
                share.dirty = true;
            }
        }
        for conn in gone {
            // NODE-110: whoever is let in again is brought it once more.
            if let Some(connection) = self.connections.0.get_mut(&conn) {
                connection.offered.remove(&session);
            }
        }
        for conn in anew {
            self.resume_at(conn, session, now);
            if let Some(tag) = self.tag_of(conn, session) {
                self.want_again(conn, tag)?;
            }
        }
        Ok(())
    }

    /// NODE-106: a device says what it holds: whether it knows by now that it is out.
    pub(super) fn note_told(
        &mut self,
        now: u64,
        conn: ConnId,
        session: SessionId,
        heads: &[HeadEntry],
    ) -> Result<(), Fault> {
        let ready = self.connections.0.get(&conn).and_then(Connection::ready);
        let Some((identity, device)) = ready.map(|it| (it.identity, it.device)) else {
            return Ok(());
        };
        let state = self.sessions.get(&session);
        let Some(state) = state.filter(|_| self.is_outside(identity, device, session)) else {
            return Ok(());
        };
        let ending = state.ending_for(&self.store, identity, device)?;
        if !ending.is_some_and(|ending| ending.is_known_by(heads)) {
            return Ok(());
        }
        let ends = ended_by(state, &self.store, identity, device)?;
        self.told.insert((session, device), (identity, ends));
        self.back.remove(&(session, device));
        self.owe_sisters_no_more(session, device)?;
        self.forget_who_heard(now, session)
    }

    /// NODE-106: who was told tells the other devices of its person; one that has gone for good would be dialled for ever.
    fn owe_sisters_no_more(&mut self, session: SessionId, told: DeviceId) -> Result<(), Fault> {
        let Some(outside) = self.outside.get(&session) else {
            return Ok(());
        };
        let whose = outside.get(&told);
        let sisters = outside
            .iter()
            .filter(|(_, identity)| Some(*identity) == whose);
        let sisters: Vec<DeviceId> = sisters.map(|(device, _)| *device).collect();
        for device in sisters.into_iter().filter(|device| *device != told) {
            self.owe_only(session, device, &[])?;
        }
        Ok(())
    }

    /// NODE-104, NODE-106: who has heard that we left, or that they are out, is no company any more.
    pub(super) fn forget_who_heard(&mut self, now: u64, session: SessionId) -> Result<(), Fault> {
        let endpoints = self.endpoints_in(session)?;
        self.index_devices()?;
        for endpoint in endpoints {
            self.forget_unwanted(now, endpoint.id)?;
        }
        if self.left_by_ourselves(session)? {
            // NODE-110: what we name no more can be brought to us again.
            let conns = self.connections.0.keys().copied();
            let shared = conns.filter(|conn| self.tag_of(*conn, session).is_some());
            let shared: Vec<ConnId> = shared.collect();
            self.afterwards.meet.extend(shared);
        }
        Ok(())
    }
}

/// The ids of what a device is told of how it came to be out.
fn ended_by<S: LogStore>(
    session: &Session,
    store: &S,
    identity: IdentityId,
    device: DeviceId,
) -> Result<BTreeSet<EventId>, StoreError> {
    let ending = session.ending_for(store, identity, device)?;
    let ends = ending.iter().flat_map(Ending::operations);
    Ok(ends.map(|end| end.id).collect())
}
