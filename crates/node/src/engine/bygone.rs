//! Sessions that this person is out of, among the person's own devices (NODE-109).
//!
//! ```text
//! mine, out of it ── Bring, over ──▶ mine, new ── synchronise, without joining ──▶ out of it too, and has all
//! ```
//!
//! To others whoever is out is a stranger. Between devices of one person nothing is to be kept from anybody: each
//! brings the others all that it holds, as while they were in.

use std::collections::BTreeSet;

use tenet_identity::keys::{DeviceId, IdentityId};
use tenet_log::{
    ids::SessionId,
    session::Session,
    store::{Position, StoreError},
};

use super::{Engine, Fault};
use crate::{input::ConnId, storage::Storage};

/// How many events are read at a time.
const PAGE: usize = 256;

/// Sessions that our identity is out of.
#[derive(Default)]
pub(super) struct Bygone {
    /// By our fold.
    here: BTreeSet<SessionId>,
    /// Those that another device of ours said to be so, and of which not all has come yet.
    told: BTreeSet<SessionId>,
}

impl Bygone {
    /// Whether our fold says so.
    pub(super) fn contains(&self, session: SessionId) -> bool {
        self.here.contains(&session)
    }

    /// Those of which our fold says so.
    pub(super) fn iter(&self) -> impl Iterator<Item = SessionId> {
        self.here.iter().copied()
    }

    /// Whether we were told so, so that nobody joins by what is there of it yet.
    pub(super) fn is_told(&self, session: SessionId) -> bool {
        self.told.contains(&session)
    }
}

impl<S: Storage> Engine<S> {
    pub(super) fn load_bygone(&mut self) -> Result<(), StoreError> {
        self.bygone.told = self.store.bygone()?.into_iter().collect();
        self.bygone.here.clear();
        for id in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.index_bygone(id)?;
        }
        Ok(())
    }

    /// The roster of a session is another than before; whether we are out of it now, and were not.
    pub(super) fn index_bygone(&mut self, id: SessionId) -> Result<bool, StoreError> {
        let lost = |session: &Session| session.has_lost(self.own.identity());
        // Also while we come in again by a link.
        if !self.sessions.get(&id).is_some_and(lost) {
            self.bygone.here.remove(&id);
            return Ok(false);
        }
        self.set_told_bygone(id, false)?;
        Ok(self.bygone.here.insert(id))
    }

    /// We are out of a session: what came without what it says before that showed is asked for like what comes after.
    pub(super) fn ask_sisters(&mut self, now: u64, session: SessionId) -> Result<(), StoreError> {
        let mut after = Position::default();
        loop {
            let page = self.store.since(session, after, PAGE)?;
            for stored in &page {
                self.note_body(now, &stored.event, stored.standing.counts())?;
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = last.position,
                _ => return Ok(()),
            }
        }
    }

    /// Another device of ours says that we are out of a session of which not all is here, or there is nothing more to
    /// come that could say so.
    pub(super) fn set_told_bygone(&mut self, id: SessionId, told: bool) -> Result<(), StoreError> {
        let changed = match told {
            true => self.bygone.told.insert(id),
            false => self.bygone.told.remove(&id),
        };
        match changed {
            true => self.store.set_bygone(id, told),
            false => Ok(()),
        }
    }

    /// The other end of a connection holds of a session what we hold: if it is one of us, and we are in by that, it was
    /// let in again.
    pub(super) fn all_is_here(
        &mut self,
        now: u64,
        conn: ConnId,
        session: SessionId,
    ) -> Result<(), Fault> {
        let ready = self.connections.0.get(&conn).and_then(|it| it.ready());
        let mine = ready.is_some_and(|it| it.identity == self.own.identity());
        if !mine || !self.bygone.is_told(session) {
            return Ok(());
        }
        self.set_told_bygone(session, false)?;
        self.take_place(now, session)
    }

    /// Whether a session is one that we are out of, and the other end one of us.
    pub(super) fn is_bygone_with(&self, identity: IdentityId, session: SessionId) -> bool {
        identity == self.own.identity() && self.bygone.contains(session)
    }

    /// The same of whoever is at the other end of a connection.
    pub(super) fn is_bygone_on(&self, conn: ConnId, session: SessionId) -> bool {
        let ready = self.connections.0.get(&conn).and_then(|it| it.ready());
        ready.is_some_and(|it| self.is_bygone_with(it.identity, session))
    }

    /// The same of a device.
    pub(super) fn is_bygone_for(&self, device: DeviceId, session: SessionId) -> bool {
        let known = self.devices.get(&device).and_then(|known| known.identity);
        known.is_some_and(|identity| self.is_bygone_with(identity, session))
    }
}
