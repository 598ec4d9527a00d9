//! Listening to whoever names a session of ours and is nobody there by what is held here.
//!
//! ```text
//! somebody adds X and is gone ──▶ X names the session ──▶ nothing here names X: heard, and told nothing
//!                                                     ──▶ the addition comes with what X brings: X is in
//! ```
//!
//! Who names a session knows its secret: it is in, was in, or somebody who is has brought it.

use std::collections::BTreeSet;

use tenet_identity::keys::{DeviceId, IdentityId};
use tenet_log::{
    ids::SessionId,
    session::Session,
    store::{LogStore, StoreError},
    sync::{Named, Part},
};

use super::{Engine, Fault, Place};
use crate::{connection::Connection, input::ConnId, storage::Storage};

impl<S: Storage> Engine<S> {
    /// NODE-38: the other end has named sessions; among them may be some in which nothing names it, or that it is out of.
    pub(super) fn note_claims(&mut self, conn: ConnId) -> Result<(), Fault> {
        let again = self.tell_again(conn)?;
        let Some(connection) = self.connections.0.get(&conn) else {
            return Ok(());
        };
        let claims = self.claims(connection);
        let Some(connection) = self.connections.0.get_mut(&conn) else {
            return Ok(());
        };
        let before = std::mem::replace(&mut connection.claimed, claims);
        match !again && connection.claimed.is_subset(&before) {
            true => Ok(()),
            false => self.say_meet(conn),
        }
    }

    /// NODE-106: who names a session that it was told to be out of, or left, was perhaps set back to before.
    fn tell_again(&mut self, conn: ConnId) -> Result<bool, StoreError> {
        let Some(connection) = self.connections.0.get(&conn) else {
            return Ok(false);
        };
        let Some(device) = connection.ready().map(|ready| ready.device) else {
            return Ok(false);
        };
        let out = self
            .sessions
            .iter()
            .filter(|(id, session)| session.is_out(device) && !self.back.contains(&(**id, device)));
        let named = out.filter(|(id, session)| {
            let theirs = connection.tags(&session.roster().secret).1;
            connection.named.contains(&theirs) && self.place(**id) == Place::In
        });
        let named: Vec<SessionId> = named.map(|(id, _)| *id).collect();
        for id in &named {
            self.told.remove(&(*id, device));
            self.back.insert((*id, device));
            self.index_outside(*id)?;
        }
        Ok(!named.is_empty())
    }

    fn claims(&self, connection: &Connection) -> BTreeSet<SessionId> {
        let Some(ready) = connection.ready() else {
            return BTreeSet::new();
        };
        let strange = self.sessions.iter().filter(|(id, session)| {
            is_strange(session, ready.identity, ready.device) && self.place(**id) == Place::In
        });
        let named = strange.filter(|(_, session)| {
            let theirs = connection.tags(&session.roster().secret).1;
            connection.named.contains(&theirs)
        });
        named.map(|(id, _)| *id).collect()
    }

    /// What of a session a device may hear.
    pub(super) fn part(
        &self,
        id: SessionId,
        identity: IdentityId,
        device: DeviceId,
    ) -> Result<Part, StoreError> {
        let session = self.sessions.get(&id);
        session.map_or(Ok(Part::Whole), |session| {
            let here = (self.own.identity(), self.place(id));
            part_of(session, &self.store, here, (identity, device))
        })
    }

    /// The same of the device on a connection.
    pub(super) fn part_on(&self, conn: ConnId, session: SessionId) -> Result<Part, StoreError> {
        let connection = self.connections.0.get(&conn);
        connection.map_or(Ok(Part::Whole), |it| self.part_at(it, session))
    }
}

/// What of a session, in which we are like this, a device may hear.
pub(super) fn part_of<S: LogStore>(
    session: &Session,
    store: &S,
    (me, place): (IdentityId, Place),
    (identity, device): (IdentityId, DeviceId),
) -> Result<Part, StoreError> {
    if identity == me && session.has_lost(me) {
        // NODE-109
        return Ok(Part::Whole);
    }
    Ok(match session.ending_for(store, identity, device)? {
        // Where we have no place yet, who brought it may be named by what we still lack.
        None if place == Place::In && is_strange(session, identity, device) => {
            Part::Named(Named::default())
        }
        ending => ending.into(),
    })
}

/// Whether nothing in a session of many names a device or its identity.
fn is_strange(session: &Session, identity: IdentityId, device: DeviceId) -> bool {
    let many = !session.roster().kind.is_closed();
    many && !session.names(identity) && !session.has_seen(device)
}
