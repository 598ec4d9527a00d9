//! Coming into a session of many by a link that somebody there made.
//!
//! ```text
//! newcomer                             any member's device that the link names
//! GroupKnock (proof, name)  ─────────▶ whose opening is it? open? for everybody, or does somebody decide?
//!    ◀─────────────────────── Preview  (what group it is; whether the session follows)
//!    ◀────────── Bring, synchronise ── every event, none of them with what it says; no register
//! all is here: roster.join-link ─────▶ counts: a member like all others
//! ```
//!
//! The opening's public key is in the log, so no member's device is special: whichever is met checks the proof, and
//! brings the session to who may come in. Where somebody decides, see [`asking`].

mod asking;
mod guest;
mod host;
mod look;

use tenet_identity::keys::EndpointId;
use tenet_log::{clock::Hlc, event::Event, ids::SessionId, store::StoreError, sync::Part};

use super::{Engine, Fault, Place};
use crate::{
    connection::{Connection, Knocked},
    input::{ConnId, Notice},
    storage::Storage,
};
use tenet_apps::contacts::{Knocking, knocking::State};

pub(crate) use asking::Asking;
pub(crate) use guest::Host;
pub(crate) use look::Looks;

/// Whether a link leads into a group.
pub(crate) fn is_into_group(knocking: &Knocking) -> bool {
    knocking.link.ext().group.is_some()
}

/// Whether a link leads to an endpoint.
pub(crate) fn leads_to(knocking: &Knocking, peer: EndpointId) -> bool {
    knocking.link.places().any(|(place, _)| place == peer)
}

impl<S: Storage> Engine<S> {
    /// Whether somebody comes into a session by a link here, or we by one of theirs.
    pub(super) fn is_visiting(&self, device: tenet_identity::keys::DeviceId) -> bool {
        let mut connections = self.connections.0.values();
        connections.any(|one| {
            let visits = one.guest.is_some() || one.host.is_some();
            visits && one.ready().is_some_and(|ready| ready.device == device)
        })
    }

    /// Whether we are coming into a session by a link, over a connection that stands.
    pub(super) fn is_coming_in(&self, session: SessionId) -> bool {
        let mut connections = self.connections.0.values();
        connections.any(|one| one.host.as_ref().is_some_and(|it| it.session == session))
    }

    /// SYNC-1401: what of a session the device at the other end may hear.
    pub(super) fn part_at(
        &self,
        connection: &Connection,
        session: SessionId,
    ) -> Result<Part, StoreError> {
        match connection.ready() {
            _ if connection.has_guest_in(session) => Ok(Part::Events),
            Some(ready) => self.part(session, ready.identity, ready.device),
            None => Ok(Part::Whole),
        }
    }

    /// SYNC-801, SYNC-1401: from when on what is said in a session is for the device at the other end, if not all is.
    pub(super) fn floor_at(
        &self,
        connection: &Connection,
        session: SessionId,
    ) -> Result<Option<Hlc>, StoreError> {
        match connection.ready() {
            _ if connection.has_guest_in(session) => Ok(Some(Hlc::MAX)),
            Some(ready) => self.floor_of(session, ready.identity, ready.device),
            None => Ok(Some(Hlc::MAX)),
        }
    }

    /// Whether an event is for whoever is at the other end of a connection.
    pub(super) fn is_for(&self, conn: ConnId, event: &Event) -> Result<bool, StoreError> {
        let connection = self.connections.0.get(&conn);
        let Some(connection) = connection.filter(|it| it.ready().is_some()) else {
            return Ok(false);
        };
        let floor = self.floor_at(connection, event.session())?;
        Ok(floor.is_none_or(|floor| !event.is_below(floor)))
    }

    /// Links into a session that are still to be taken.
    fn entrances(&self, session: SessionId) -> Result<Vec<Knocking>, StoreError> {
        let mut links = self.store.knockings()?;
        links.retain(|one| {
            let group = one.link.ext().group.as_ref();
            one.is_open() && group.is_some_and(|it| SessionId::from(it.session) == session)
        });
        Ok(links)
    }

    /// NODE-1403: a member says that this device is in a session.
    pub(super) fn on_arrived(&mut self, session: SessionId) -> Result<(), Fault> {
        match self.place(session) {
            Place::In => Ok(self.led_there(session)?),
            _ => Ok(()),
        }
    }

    /// The links that lead into a session have led there. Where one was knocked with elsewhere, too, and nothing was
    /// answered yet, the answer is still to come.
    fn led_there(&mut self, session: SessionId) -> Result<(), StoreError> {
        for mut knocking in self.entrances(session)? {
            let (invite, identity) = (knocking.id(), knocking.link.ext().identity);
            knocking.state = State::Connected { session };
            self.must_last();
            self.store.put_knocking(&knocking)?;
            for connection in self.connections.0.values_mut() {
                let awaited = |it: &Knocked| it.link != invite || !it.shown;
                connection.knocked = connection.knocked.filter(awaited);
            }
            self.knock_again = true;
            self.notify(Notice::Knocked {
                invite,
                identity,
                refused: None,
            });
        }
        Ok(())
    }

    /// NODE-1403: this device is in a session. Who came in by itself by a link knocks until somebody has heard of it.
    pub(super) fn have_come_in(&mut self, session: SessionId) -> Result<(), Fault> {
        let many = self.sessions.get(&session);
        let many = many.is_some_and(|session| !session.roster().kind.is_closed());
        if !many || self.place(session) != Place::In {
            return Ok(());
        }
        let device = self.own.device();
        let by_link = match self.sessions.get(&session) {
            Some(state) => state.came_by_link(&self.store, device)?,
            None => false,
        };
        if !by_link {
            self.led_there(session)?;
        }
        for connection in self.connections.0.values_mut() {
            connection.returns.remove(&session);
            if connection
                .host
                .as_ref()
                .is_some_and(|it| it.session == session)
            {
                connection.host = None;
            }
        }
        Ok(())
    }
}
