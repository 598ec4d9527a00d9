//! Sessions in memory, and which devices are in them.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::{DeviceId, IdentityId};
use tenet_log::{
    event::Event,
    ids::SessionId,
    roster::SessionKind,
    session::{AppendError, Receipt, Session},
    store::{Durability, StoreError},
};

use super::{Acquaintance, Engine, Place};
use crate::{input::Notice, storage::Storage};

impl<S: Storage> Engine<S> {
    /// Reads all sessions anew: at the start, and after something was undone.
    pub(super) fn load_sessions(&mut self) -> Result<(), StoreError> {
        self.recent.clear();
        self.named.clear();
        let mut sessions = BTreeMap::new();
        for id in self.store.sessions()? {
            if let Some(session) = Session::load(&self.store, id)? {
                sessions.insert(id, session);
            }
        }
        self.sessions = sessions;
        self.load_floors();
        self.held_at = self.store.next_due()?;
        self.adopt_card()?;
        self.load_blocked()?;
        self.load_former()?;
        self.load_profile()?;
        self.load_typing()?;
        self.load_bygone()?;
        self.outside.clear();
        for id in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.index_outside(id)?;
        }
        self.index_devices()?;
        for id in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.index_crowd(id);
        }
        self.load_asking()?;
        self.load_fetches()?;
        self.load_erasures()?;
        self.load_index()?;
        self.plan_handing_in(self.clock);
        Ok(())
    }

    /// LOG-1601: has the store keep what the operations of sessions come to, where it does not.
    pub(super) fn keep_outcomes(&mut self) -> Result<(), StoreError> {
        if self.sessions.values().all(Session::is_kept) {
            return Ok(());
        }
        self.store.begin()?;
        let store = &mut self.store;
        let mut new = self.sessions.values_mut().filter(|one| !one.is_kept());
        if let Err(error) = new.try_for_each(|session| session.keep(store)) {
            self.store.abandon()?;
            return Err(error);
        }
        self.store.commit(Durability::Process)?;
        self.sessions.values_mut().for_each(Session::rest);
        Ok(())
    }

    /// LOG-1601: has the store keep anew what the operations of these sessions come to.
    pub(crate) fn keep_anew(&mut self, miskept: &[SessionId]) -> Result<(), StoreError> {
        if miskept.is_empty() {
            return Ok(());
        }
        for id in miskept {
            if let Some(mut session) = Session::load_anew(&self.store, *id)? {
                session.keep(&mut self.store)?;
            }
        }
        self.load_sessions()
    }

    /// Works out anew which devices are in which session; a session that we left counts for
    /// those who are still owed something, that we left above all (NODE-104).
    pub(super) fn index_devices(&mut self) -> Result<(), StoreError> {
        self.index_revoked();
        self.index_suspended()?;
        let mut devices: BTreeMap<_, Acquaintance> = BTreeMap::new();
        let mut members: BTreeMap<_, BTreeSet<SessionId>> = BTreeMap::new();
        let mut left_known = BTreeSet::new();
        for (id, session) in &self.sessions {
            let place = self.place(*id);
            if place == Place::Coming {
                // Whoever brought it speaks of it; whom it names is nobody to us yet (NODE-34).
                continue;
            }
            let left = place == Place::Left;
            let roster = session.roster();
            if left && self.is_leaving_known(*id)? {
                left_known.insert(*id);
            }
            for (author, membership) in roster.active() {
                let device = author.device;
                let shut_out = self.is_shut_out(membership.identity, device);
                let strange = shut_out || (left && !self.is_owed(device)?);
                if device == self.own.device() || strange {
                    continue;
                }
                let acquaintance = devices.entry(device).or_default();
                acquaintance.identity = Some(membership.identity);
                acquaintance.sessions.push(*id);
            }
            for (device, identity) in self.outside.get(id).into_iter().flatten() {
                let shut_out = self.is_shut_out(*identity, *device);
                if !shut_out && self.is_owed(*device)? && self.ended_by_us(session, *device)? {
                    let acquaintance = devices.entry(*device).or_default();
                    acquaintance.identity = Some(*identity);
                    acquaintance.sessions.push(*id);
                }
            }
            for member in roster.members.keys().filter(|_| !left) {
                members.entry(*member).or_default().insert(*id);
            }
        }
        // NODE-109
        let me = Some(self.own.identity());
        for mine in devices.values_mut().filter(|one| one.identity == me) {
            mine.sessions.extend(self.bygone.iter());
        }
        (self.devices, self.members) = (devices, members);
        self.left_known = left_known;
        self.strangers = true;
        self.fetching.stir();
        Ok(())
    }

    /// Tells of devices that somebody has added to those that we knew, or revoked.
    pub(super) fn tell_devices(
        &mut self,
        before: &BTreeMap<DeviceId, Acquaintance>,
        revoked: &BTreeSet<(IdentityId, DeviceId)>,
    ) -> Result<(), StoreError> {
        let known = before.values().filter_map(|one| one.identity);
        let known: BTreeSet<_> = known.chain([self.own.identity()]).collect();
        let mut told = Vec::new();
        for (device, one) in &self.devices {
            let new = !before.contains_key(device);
            let of_known = one.identity.filter(|it| new && known.contains(it));
            told.extend(of_known.map(|identity| Notice::DeviceAdded {
                identity,
                device: *device,
            }));
        }
        for (identity, device) in self.revoked.difference(revoked) {
            told.push(Notice::DeviceRevoked {
                identity: *identity,
                device: *device,
            });
        }
        let me = self.own.identity();
        let mine = |notice: &Notice| matches!(notice, Notice::DeviceAdded { identity, .. } if *identity == me);
        let joined = told.iter().any(mine);
        for notice in told {
            self.notify(notice);
        }
        match joined {
            true => self.tell_all(),
            false => Ok(()),
        }
    }

    /// What an identity says of its devices holds in every session, wherever it was handed in.
    pub(super) fn index_revoked(&mut self) {
        self.revoked.clear();
        for session in self.sessions.values() {
            let roster = session.roster();
            for chain in roster.chains.iter() {
                let (device, identity) = (chain.0.device, chain.1.identity);
                if roster.revoked.contains(&device) {
                    self.revoked.insert((identity, device));
                }
            }
        }
    }

    /// The sessions that a device has a place in, or could join by itself, by all that is known here
    /// (NODE-35), and those that it or we are out of and still speak of.
    pub(super) fn sessions_of_device(
        &self,
        identity: IdentityId,
        device: DeviceId,
    ) -> BTreeSet<SessionId> {
        if self.is_shut_out(identity, device) {
            return BTreeSet::new();
        }
        let member = self.members.get(&identity).into_iter().flatten();
        let known = self.devices.get(&device);
        let known = known.filter(|known| known.identity == Some(identity));
        let active = known.into_iter().flat_map(|known| &known.sessions);
        let outside = self.sessions_outside(device);
        let gone = self.sessions_gone(identity, device);
        let bygone = self.bygone.iter();
        let bygone = bygone.filter(|_| identity == self.own.identity());
        let known = member.chain(active).copied();
        known.chain(outside).chain(gone).chain(bygone).collect()
    }

    /// Whether a device may hear what is said in a session.
    pub(super) fn may_hear(
        &self,
        identity: IdentityId,
        device: DeviceId,
        session: SessionId,
    ) -> bool {
        let member = self.members.get(&identity);
        let member = member.is_some_and(|sessions| sessions.contains(&session));
        let known = self.devices.get(&device);
        let active = known.is_some_and(|known| {
            known.identity == Some(identity) && known.sessions.contains(&session)
        });
        let in_it = (member || active) && !self.is_out(device, session);
        (in_it || self.is_bygone_with(identity, session)) && !self.is_shut_out(identity, device)
    }

    /// Offers an event to its session; `None` where there is no such session here.
    pub(super) fn receive(
        &mut self,
        now: u64,
        id: SessionId,
        event: &Event,
    ) -> Result<Option<Receipt>, StoreError> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(None);
        };
        let receipt = session.receive(&mut self.store, event, now)?;
        if matches!(receipt, Receipt::Held { .. }) {
            self.held_at = self.store.next_due()?;
        }
        Ok(Some(receipt))
    }

    /// Every identity has a session among its own devices, founded when it is first needed; a device that
    /// was linked is brought it (NODE-36).
    pub(super) fn ensure_own_session(&mut self, now: u64) -> Result<(), StoreError> {
        if self.own_session().is_some() || self.own.linked {
            return Ok(());
        }
        self.store.begin()?;
        let founded = Session::found(
            &mut self.store,
            &self.own.key,
            &self.own.card,
            SessionKind::Own,
            &[],
            now,
            &mut self.rng,
        );
        match founded {
            Ok((session, _)) => {
                self.store.commit(Durability::Power)?;
                self.sessions.insert(session.id(), session);
                Ok(())
            }
            Err(error) => {
                self.store.abandon()?;
                Err(match error {
                    AppendError::Store(error) => error,
                    // The card is another device's, say: without this session nothing goes on.
                    error => StoreError::Medium(Box::new(error)),
                })
            }
        }
    }

    /// The session among our own devices that is written in: of several (a device that was restored had
    /// founded another) the one that was founded first, so that all choose the same (NODE-36).
    pub fn own_session(&self) -> Option<SessionId> {
        self.own_sessions().first().copied()
    }

    /// All sessions among our own devices, the first founded first.
    pub fn own_sessions(&self) -> Vec<SessionId> {
        let sessions = self.sessions.iter();
        let own = sessions.filter(|(_, session)| session.roster().kind == SessionKind::Own);
        let mut own: Vec<_> = own.map(|(id, one)| (one.founded(), *id)).collect();
        own.sort_unstable();
        own.into_iter().map(|(_, id)| id).collect()
    }
}
