//! Whom to be connected to, and where.

use std::{collections::BTreeSet, net::SocketAddr};

use tenet_apps::contacts::endpoint::{self, Endpoint};
use tenet_delivery::redial;
use tenet_identity::keys::{DeviceId, EndpointId};
use tenet_log::{ids::SessionId, session::Session, store::StoreError};

use super::{Engine, entrance::leads_to};
use crate::{input::Output, storage::Storage};

/// The most addresses that are tried for one endpoint.
const MAX_ADDRESSES: usize = 32;

impl<S: Storage> Engine<S> {
    /// Wants a connection with every device that we share a session with and whose endpoint is
    /// known, and with everybody whose link we are taking; and with nobody else.
    pub(super) fn want_everybody(&mut self, now: u64) -> Result<(), StoreError> {
        for endpoint in self.wanted(now)? {
            self.redial
                .handle(redial::Input::Want(endpoint), now, &mut self.rng);
        }
        Ok(())
    }

    /// Dials an endpoint no more, unless there is still reason to.
    pub(crate) fn forget_unwanted(
        &mut self,
        now: u64,
        endpoint: EndpointId,
    ) -> Result<(), StoreError> {
        if !self.wanted(now)?.contains(&endpoint) {
            self.redial
                .handle(redial::Input::Forget(endpoint), now, &mut self.rng);
        }
        Ok(())
    }

    /// NODE-20, NODE-104: since a roster has changed, wants a connection with whoever came into that session, and dials
    /// no more who is in none of ours.
    pub(super) fn want_the_changed(
        &mut self,
        now: u64,
        session: SessionId,
    ) -> Result<(), StoreError> {
        if self.is_sparse(session) {
            // Whom to be connected with there is chosen apart from this.
            return Ok(());
        }
        let heard = self.heard_in(session);
        let met = self.met_in(session)?.into_iter();
        let (here, gone): (Vec<_>, Vec<_>) = met.partition(|(device, _)| heard.contains(device));
        for (_, endpoint) in here {
            self.addresses.insert(endpoint.id, endpoint.addresses);
            self.redial
                .handle(redial::Input::Want(endpoint.id), now, &mut self.rng);
        }
        let mut gone: BTreeSet<EndpointId> = gone.iter().map(|(_, one)| one.id).collect();
        gone.retain(|endpoint| self.addresses.contains_key(endpoint));
        if gone.is_empty() {
            return Ok(());
        }
        let wanted = self.wanted(now)?;
        for endpoint in gone.difference(&wanted).copied() {
            self.addresses.remove(&endpoint);
            self.redial
                .handle(redial::Input::Forget(endpoint), now, &mut self.rng);
        }
        Ok(())
    }

    /// NODE-20: everybody to be connected with; where they are met is noted.
    pub(super) fn wanted(&mut self, now: u64) -> Result<BTreeSet<EndpointId>, StoreError> {
        let mut wanted: BTreeSet<EndpointId> = BTreeSet::new();
        let sessions: Vec<SessionId> = self.sessions.keys().copied().collect();
        for session in sessions {
            let met = match self.is_sparse(session) {
                true => self.neighbours_met(session)?,
                false => self.endpoints_in(session)?,
            };
            for endpoint in met {
                wanted.insert(endpoint.id);
                self.addresses.insert(endpoint.id, endpoint.addresses);
            }
        }
        for place in self.requests_to_reach(now)? {
            wanted.insert(place.id);
            self.addresses.entry(place.id).or_insert(place.addresses);
        }
        for place in self.asks_to_reach() {
            wanted.insert(place.id);
            self.addresses.entry(place.id).or_insert(place.addresses);
        }
        for (endpoint, addresses) in self.links_to_reach(now)? {
            wanted.insert(endpoint);
            self.also_met_at(endpoint, &addresses);
        }
        Ok(wanted)
    }

    /// Where the other devices of a session are met, as far as they have said so and we want to
    /// hear them.
    pub(super) fn endpoints_in(&self, session: SessionId) -> Result<Vec<Endpoint>, StoreError> {
        let heard = self.heard_in(session);
        let met = self.met_in(session)?.into_iter();
        let met = met.filter(|(device, _)| heard.contains(device));
        Ok(met.map(|(_, endpoint)| endpoint).collect())
    }

    /// The devices that are in a session and whose persons we want to hear.
    fn heard_in(&self, session: SessionId) -> BTreeSet<DeviceId> {
        let Some(state) = self.sessions.get(&session) else {
            return BTreeSet::new();
        };
        let active = state.roster().active().map(|(author, _)| author.device);
        active
            .filter(|device| self.is_heard(session, *device))
            .collect()
    }

    /// Whether a device is in a session and its person is one whom we want to hear. One that this device was is not met
    /// anywhere any more (NODE-37: nor has it said where others are).
    pub(crate) fn is_heard(&self, session: SessionId, device: DeviceId) -> bool {
        if self.former.contains(device) || self.left_known.contains(&session) {
            return false;
        }
        let roster = self.sessions.get(&session).map(Session::roster);
        let is_in = roster.is_some_and(|roster| roster.author(device).is_some());
        let company = self.devices.get(&device).filter(|_| is_in);
        company.is_some_and(|company| {
            let blocked = company
                .identity
                .is_some_and(|it| self.blocked.contains(&it));
            company.sessions.contains(&session) && !blocked
        })
    }

    /// Where other devices have said in a session that they are met, also those that are out by now.
    pub(crate) fn met_in(
        &self,
        session: SessionId,
    ) -> Result<Vec<(DeviceId, Endpoint)>, StoreError> {
        let said = self.store.registers_under(session, endpoint::KEY)?;
        let others = said
            .into_iter()
            .filter(|register| register.device() != self.own.device());
        let met = others.filter_map(|register| {
            let endpoint = Endpoint::decode(register.value()).ok()?;
            Some((register.device(), endpoint))
        });
        Ok(met.collect())
    }

    /// Somebody says on the LAN that an endpoint is there: worth a try if we want it.
    pub(super) fn on_discovered(&mut self, now: u64, peer: EndpointId, addresses: Vec<SocketAddr>) {
        if !self.addresses.contains_key(&peer) {
            return;
        }
        self.also_met_at(peer, &addresses);
        self.redial
            .handle(redial::Input::News(peer), now, &mut self.rng);
    }

    /// NODE-204: what was heard just now goes before what somebody said in a session, perhaps long ago.
    pub(crate) fn also_met_at(&mut self, peer: EndpointId, addresses: &[SocketAddr]) {
        let known = self.addresses.entry(peer).or_default();
        let new = addresses.iter().filter(|one| !known.contains(one));
        let new: Vec<SocketAddr> = new.copied().collect();
        known.splice(0..0, new);
        known.truncate(MAX_ADDRESSES);
    }

    /// Whether an endpoint was wanted because of a link, and is no more: links run out, and whoever has come in among the own
    /// devices in another way needs none (NODE-37).
    fn is_over(&mut self, now: u64, peer: EndpointId) -> Result<bool, StoreError> {
        let links = self.store.knockings()?;
        let linked = links.iter().any(|one| leads_to(one, peer)) || self.looks.lead_to(peer);
        Ok(linked && !self.wanted(now)?.contains(&peer))
    }

    /// Dials whoever is due, but for who was wanted for a link's sake that is over.
    pub(super) fn dial_due(&mut self, now: u64) {
        while let Some(redial::Output::Dial(peer)) = self.redial.poll() {
            if self.is_over(now, peer).unwrap_or(false) {
                // The dial that was to begin is over too.
                for over in [redial::Input::Forget(peer), redial::Input::DialFailed(peer)] {
                    self.redial.handle(over, now, &mut self.rng);
                }
                continue;
            }
            match self.addresses.get(&peer) {
                Some(addresses) if !addresses.is_empty() => {
                    let addresses = addresses.clone();
                    self.output(Output::Dial { peer, addresses });
                }
                _ => self
                    .redial
                    .handle(redial::Input::DialFailed(peer), now, &mut self.rng),
            }
        }
    }
}
