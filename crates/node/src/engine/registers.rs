//! Registers: where devices are met, and how far people have read.

use std::net::SocketAddr;

use tenet_apps::{
    chat::read,
    contacts::{
        endpoint::{self, Endpoint},
        profile,
    },
    groups::asks,
};
use tenet_identity::keys::{DeviceId, EndpointId, IdentityId};
use tenet_log::{
    clock::Hlc,
    ids::SessionId,
    register::{MAX_KEYS_PER_DEVICE, Register},
    session::Session,
    store::StoreError,
};

use super::{Engine, Fault, Place};
use crate::{input::Notice, storage::Storage};
use tenet_delivery::redial;

/// What a register costs besides its value: a signature, a row, a message to everybody else.
const PER_REGISTER: u64 = 512;

impl<S: Storage> Engine<S> {
    /// Where we are met changed: every session is told, and everybody is dialled at once.
    pub(super) fn on_addresses(
        &mut self,
        now: u64,
        addresses: Vec<SocketAddr>,
    ) -> Result<(), Fault> {
        if self.own_addresses != addresses {
            self.own_addresses = addresses;
            self.publish_endpoints(now)?;
        }
        self.redial
            .handle(redial::Input::NetworkChanged, now, &mut self.rng);
        Ok(())
    }

    /// Says in every session where this device is met.
    pub(super) fn publish_endpoints(&mut self, now: u64) -> Result<(), Fault> {
        let sessions: Vec<SessionId> = self.sessions.keys().copied().collect();
        for session in sessions {
            self.publish_endpoint(now, session)?;
        }
        Ok(())
    }

    /// Says in a session where this device is met, unless that is said already.
    pub(crate) fn publish_endpoint(&mut self, now: u64, session: SessionId) -> Result<(), Fault> {
        if self.own_addresses.is_empty() {
            return Ok(());
        }
        let port = self.own_addresses.first().map_or(0, SocketAddr::port);
        let value = Endpoint::new(self.own.endpoint, &self.own_addresses, port).encode();
        let known = self.own_register(now, session, endpoint::KEY)?;
        if known.is_some_and(|known| known.value() == value) {
            return Ok(());
        }
        self.write_register(now, session, endpoint::KEY, value)
    }

    /// Writes a register of our own, if we are in the session.
    pub(crate) fn write_register(
        &mut self,
        now: u64,
        session: SessionId,
        key: &str,
        value: Vec<u8>,
    ) -> Result<(), Fault> {
        self.write_register_after(now, session, key, value, Hlc::default())
    }

    /// As [`Self::write_register`], dated after something.
    pub(super) fn write_register_after(
        &mut self,
        now: u64,
        session: SessionId,
        key: &str,
        value: Vec<u8>,
        after: Hlc,
    ) -> Result<(), Fault> {
        if self.place(session) != Place::In {
            return Ok(());
        }
        let before = self.own_register(now, session, key)?;
        let before = before.map(|before| before.version().0).unwrap_or_default();
        let time = before.max(after).next(now);
        let register = Register::sign(&self.own.key, session, key, time, value)
            .map_err(|error| Fault::Own(error.to_string()))?;
        self.keep_register(&register)?;
        self.spreading.push((register, None));
        Ok(())
    }

    /// A register of our own, unless a clock far ahead has dated it: others do not take such a one
    /// (NODE-21).
    fn own_register(
        &self,
        now: u64,
        session: SessionId,
        key: &str,
    ) -> Result<Option<Register>, Fault> {
        let known = self.store.register(session, self.own.device(), key)?;
        Ok(known.filter(|known| !known.version().0.is_far_ahead(now)))
    }

    /// Takes a register from elsewhere that is not from the future, if it is newer than ours.
    pub(super) fn take_register(&mut self, now: u64, register: Register) -> Result<(), Fault> {
        let (session, device) = (register.session(), register.device());
        let Some(state) = self.sessions.get(&session) else {
            return Ok(());
        };
        // LOG-13: also of who is in no more, or holders of one set would keep different ones.
        if !state.has_seen(device) {
            return Ok(());
        }
        let is_in = state.roster().author(device).is_some();
        let known = self.store.register(session, device, register.key())?;
        match &known {
            Some(known) if known.version() >= register.version() => return Ok(()),
            Some(_) => {}
            // OWN-1: of my own devices as many as they have to say.
            None if self.is_own(session) => {}
            None if self.store.register_count(session, device)? >= MAX_KEYS_PER_DEVICE => {
                return Err(Fault::Peer("too many registers".into()));
            }
            None => {}
        }
        // NODE-302.
        if self.says_too_much(session, device) {
            return Ok(());
        }
        let cost = register.value().len() as u64 + PER_REGISTER;
        self.charge_register(session, device, cost);
        self.keep_register(&register)?;
        let state = self.sessions.get(&session);
        let identity = state.and_then(|state| identity_of(state, device));
        match register.key() {
            _ if !is_in => {}
            endpoint::KEY => self.learn_endpoint(now, &register, known.as_ref())?,
            profile::KEY => self.learn_profile(identity, &register)?,
            read::KEY => self.notify(Notice::ReadPosition { session }),
            key if asks::is_key(key) => self.learn_asks(&register, known.as_ref())?,
            _ => self.learn_own(now, &register)?,
        }
        self.spreading.push((register, Some(device)));
        Ok(())
    }

    fn keep_register(&mut self, register: &Register) -> Result<(), StoreError> {
        match self.sessions.get_mut(&register.session()) {
            Some(session) => session.put_register(&mut self.store, register),
            None => Ok(()),
        }
    }

    fn learn_endpoint(
        &mut self,
        now: u64,
        register: &Register,
        before: Option<&Register>,
    ) -> Result<(), Fault> {
        let Ok(endpoint) = Endpoint::decode(register.value()) else {
            return Ok(());
        };
        if register.device() == self.own.device() {
            return Ok(());
        }
        let id = endpoint.id;
        // Else a device that says another endpoint each time would have us dial all of them for good.
        let before = before.and_then(|before| Endpoint::decode(before.value()).ok());
        if let Some(before) = before.filter(|before| before.id != id) {
            self.forget_endpoint(now, before.id)?;
        }
        if !self.is_heard(register.session(), register.device()) {
            // Of a session that we are out of we take what is said there, and dial nobody for it (NODE-108).
            return Ok(());
        }
        let session = register.session();
        if self.is_sparse(session) && !self.is_neighbour(now, session, id) {
            return Ok(());
        }
        self.addresses.insert(id, endpoint.addresses);
        self.redial
            .handle(redial::Input::Want(id), now, &mut self.rng);
        self.redial
            .handle(redial::Input::News(id), now, &mut self.rng);
        Ok(())
    }

    /// A device is met elsewhere: where it was met is dialled no more, unless somebody else is there.
    fn forget_endpoint(&mut self, now: u64, endpoint: EndpointId) -> Result<(), Fault> {
        if !self.wanted(now)?.contains(&endpoint) {
            self.addresses.remove(&endpoint);
            self.redial
                .handle(redial::Input::Forget(endpoint), now, &mut self.rng);
        }
        Ok(())
    }

    /// Passes registers on to everybody who shares their sessions, after the events of this batch: a device
    /// that has just joined is not known before.
    pub(super) fn spread_registers(&mut self) {
        for (register, except) in std::mem::take(&mut self.spreading) {
            for connection in self.connections.0.values_mut() {
                let ready = connection.ready_mut();
                let Some(ready) = ready.filter(|ready| Some(ready.device) != except) else {
                    continue;
                };
                for share in ready.shares_of(register.session()) {
                    share.peer.offer_register(&register);
                    share.dirty = true;
                }
            }
        }
    }
}

fn identity_of(session: &Session, device: DeviceId) -> Option<IdentityId> {
    let roster = session.roster();
    roster
        .author(device)
        .and_then(|author| roster.identity(author))
}
