//! Who is out of a session by what others did, and how they hear of it.
//!
//! ```text
//! remove, dissolve, a sister's leave ──▶ owed to whose time it ended ──▶ dialled, told, forgotten
//!                                    └─▶ whoever else meets them tells them too
//! ```
//!
//! Told is the ending and what it had seen, nothing else (SYNC-11). And who is out goes on listening: what took
//! it out may turn out to be void.

use std::collections::BTreeMap;

use tenet_identity::keys::{DeviceId, IdentityId};
use tenet_log::{
    ids::SessionId,
    session::{Ending, Session},
    sync::HeadEntry,
};

use super::{Engine, Fault, Place, claimed::part_of};
use crate::{input::ConnId, storage::Storage};

/// Devices that we listen to in a session that one of us is out of, and whose they are.
pub(super) type Outside = BTreeMap<DeviceId, IdentityId>;

impl<S: Storage> Engine<S> {
    /// To whom we listen though we share a session no more: who has not heard yet that they are out (NODE-106),
    /// and those who took us out (NODE-108). Whom their identity revoked is let be by whoever asks.
    pub(super) fn index_outside(&mut self, id: SessionId) {
        let place = self.place(id);
        let listens = place == Place::Left && !self.left_by_ourselves(id);
        let Some(session) = self.sessions.get(&id).filter(|_| place != Place::Coming) else {
            self.outside.remove(&id);
            return;
        };
        // Who came in again in vain is told anew.
        self.told
            .retain(|(told, device), ends| *told != id || session.ended_by(*device) == *ends);
        let mut outside: Outside = session.outsiders();
        outside.retain(|device, _| {
            !self.told.contains_key(&(id, *device)) && !has_ended_itself(session, *device)
        });
        let inside = session.roster().active().filter(|_| listens);
        outside.extend(inside.map(|(author, chain)| (author.device, chain.identity)));
        outside.remove(&self.own.device());
        self.outside.insert(id, outside);
    }

    /// The sessions in which we listen to a device, or it to us.
    pub(super) fn sessions_outside(&self, device: DeviceId) -> impl Iterator<Item = SessionId> {
        let sessions = self.outside.iter();
        let with = sessions.filter(move |(_, outside)| outside.contains_key(&device));
        with.map(|(session, _)| *session)
    }

    /// Whether we are out of a session by what a device of our own identity wrote.
    pub(super) fn left_by_ourselves(&self, id: SessionId) -> bool {
        let session = self.sessions.get(&id).filter(|_| self.has_left(id));
        session.is_some_and(|session| self.ended_by_us(session, self.own.device()))
    }

    /// Whether what took a device out was written by one of ours.
    pub(super) fn ended_by_us(&self, session: &Session, device: DeviceId) -> bool {
        let me = self.own.identity();
        let roster = session.roster();
        let ending = session.ending(device);
        let mut ends = ending.iter().flat_map(Ending::operations);
        ends.any(|end| roster.identity(end.author) == Some(me))
    }

    /// Whether a device listens to us, or we to it, in a session that one of us is out of.
    pub(super) fn is_outside(&self, device: DeviceId, session: SessionId) -> bool {
        let outside = self.outside.get(&session);
        outside.is_some_and(|outside| outside.contains_key(&device))
    }

    /// Whether a device is out of a session by our fold, so that it hears no more than its ending.
    pub(super) fn is_out(&self, device: DeviceId, session: SessionId) -> bool {
        let session = self.sessions.get(&session);
        session.is_some_and(|session| session.is_out(device))
    }

    /// Whether the device on a connection is out of a session by our fold.
    pub(super) fn is_out_on(&self, conn: ConnId, session: SessionId) -> bool {
        let device = self.device_on(conn);
        device.is_some_and(|device| self.is_out(device, session))
    }

    /// How the device on a connection came to be out of a session, if it is.
    fn ending_on(&self, conn: ConnId, session: SessionId) -> Option<Ending> {
        let device = self.device_on(conn)?;
        self.sessions.get(&session)?.ending(device)
    }

    /// SYNC-11: who came in, or is out now, hears another part of a session than before.
    pub(super) fn restrict_shares(&mut self, now: u64, session: SessionId) -> Result<(), Fault> {
        let Some(state) = self.sessions.get(&session) else {
            return Ok(());
        };
        let place = self.place(session);
        let mut anew = Vec::new();
        for (conn, connection) in &mut self.connections.0 {
            let Some(ready) = connection.ready_mut() else {
                continue;
            };
            let (identity, device) = (ready.identity, ready.device);
            for share in ready.shares_of(session) {
                if share.peer.restrict(part_of(state, place, identity, device)) {
                    anew.push(*conn);
                }
                share.dirty = true;
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
        let Some(device) = self.device_on(conn) else {
            return Ok(());
        };
        if !self.is_outside(device, session) {
            return Ok(());
        }
        let ending = self.ending_on(conn, session);
        if !ending.is_some_and(|ending| ending.is_known_by(heads)) {
            return Ok(());
        }
        let ends = self.sessions.get(&session).map(|it| it.ended_by(device));
        self.told
            .insert((session, device), ends.unwrap_or_default());
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
        Ok(())
    }
}

/// Whether a device wrote itself what took it out.
fn has_ended_itself(session: &Session, device: DeviceId) -> bool {
    let ending = session.ending(device);
    let mut ends = ending.iter().flat_map(Ending::operations);
    ends.any(|end| end.author.device == device)
}
