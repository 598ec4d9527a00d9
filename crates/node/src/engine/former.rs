//! A device that was set back to an earlier state goes on under another key, and nothing that it said is lost.
//!
//! ```text
//! shown an event of its own that it lacks ──▶ writes no more ──▶ another key (the shell's deed), joins everywhere
//!        void words of the former key ──▶ said again under the new one ──▶ once nothing more comes: revoked
//! ```

use std::collections::{BTreeMap, BTreeSet};

use tenet_delivery::{outbox::Outbox, state::Failure};
use tenet_identity::keys::{DeviceId, IdentityKey};
use tenet_log::{
    ids::{Author, SessionId},
    session::Session,
    store::{StoreError, Stored},
};

use super::{Engine, Fault, Place};
use crate::{
    command::{CommandError, Reply},
    input::Notice,
    storage::Storage,
};

/// How long nothing more of a former key must have come before it is revoked, in milliseconds: what comes later is
/// void first, and said again with another date. A guess: whoever is connected has brought all by then.
const QUIET_MS: u64 = 60_000;
/// How many events are read at a time.
const PAGE: usize = 256;

/// The devices that this one was.
#[derive(Default)]
pub(super) struct Former {
    devices: Vec<DeviceId>,
    /// When an event of one of them came last, or all was read anew.
    heard: u64,
    /// Whether their void words are being said again at this moment.
    speaking: bool,
}

impl Former {
    /// Whether this device was, or has to give up being, that one.
    pub(super) fn contains(&self, device: DeviceId) -> bool {
        self.devices.contains(&device)
    }

    /// Nothing can have come later than now: a clock that was ahead would have this device wait for days.
    pub(super) fn heard_by(&mut self, now: u64) {
        self.heard = self.heard.min(now);
    }
}

impl<S: Storage> Engine<S> {
    pub(super) fn load_former(&mut self) -> Result<(), StoreError> {
        self.former.devices = self.store.former_devices()?;
        self.former.heard = self.former.heard.max(self.clock);
        self.seal_if_set_back();
        Ok(())
    }

    /// BACK-2: whether this device was set back, so that it writes nothing more under its key.
    pub fn is_set_back(&self) -> bool {
        self.former.contains(self.own.device())
    }

    fn seal_if_set_back(&mut self) {
        if self.is_set_back() {
            self.sessions.values_mut().for_each(Session::seal);
        }
    }

    /// BACK-1: an event that is not here was written by this device or one that it was. Signed by our own key, it
    /// shows that this store is an earlier state.
    pub(super) fn on_own_words(&mut self, now: u64, by: DeviceId) -> Result<(), StoreError> {
        if self.former.contains(by) {
            self.former.heard = now;
        }
        if by != self.own.device() || self.is_set_back() {
            return Ok(());
        }
        tracing::warn!("this device is shown what it wrote and does not have: it was set back");
        self.must_last();
        self.store.put_former_device(by)?;
        self.former.devices.push(by);
        self.seal_if_set_back();
        self.notify(Notice::SetBack);
        Ok(())
    }

    /// BACK-4: what a former key of ours said and does not count, or no more, is said again.
    pub(super) fn say_again(&mut self, now: u64, session: SessionId) -> Result<(), Fault> {
        let nobody = self.former.devices.is_empty() || self.is_set_back();
        if nobody || self.former.speaking || self.place(session) != Place::In {
            return Ok(());
        }
        self.former.speaking = true;
        let said = self.say_all_again(now, session);
        self.former.speaking = false;
        said
    }

    fn say_all_again(&mut self, now: u64, session: SessionId) -> Result<(), Fault> {
        let mut said = BTreeSet::new();
        loop {
            // By saying it others may have come to count no more.
            let mut void = self.void_words(session)?;
            void.retain(|stored| said.insert(stored.event.id()));
            if void.is_empty() {
                return Ok(());
            }
            self.write_all_again(now, session, &void)?;
        }
    }

    /// What former keys said in a session that does not count and was not said again, in order.
    fn void_words(&self, id: SessionId) -> Result<Vec<Stored>, Fault> {
        let Some(session) = self.sessions.get(&id) else {
            return Ok(Vec::new());
        };
        let mut void = BTreeMap::new();
        for device in &self.former.devices {
            for (author, _) in session.roster().chains_of(*device) {
                for stored in self.void_words_of(id, *author, session.counts_below(*author))? {
                    void.insert(stored.event.order(), stored);
                }
            }
        }
        Ok(void.into_values().collect())
    }

    fn void_words_of(
        &self,
        session: SessionId,
        author: Author,
        mut from: u64,
    ) -> Result<Vec<Stored>, Fault> {
        let mut void = Vec::new();
        loop {
            let page = self.store.chain(session, author, from, PAGE)?;
            let next = page.last().map(|last| last.event.header().seq);
            let whole = page.len() < PAGE;
            for stored in page {
                let words = !stored.standing.counts() && !stored.event.header().kind.is_roster();
                if words && !self.was_said_again(&stored)? {
                    void.push(stored);
                }
            }
            match next {
                Some(next) if !whole => from = next.saturating_add(1),
                _ => return Ok(void),
            }
        }
    }

    fn was_said_again(&self, stored: &Stored) -> Result<bool, StoreError> {
        let dispatch = Outbox::dispatch(&self.store, stored.position)?;
        Ok(dispatch.is_some_and(|one| one.failure == Some(Failure::WrittenAgain)))
    }

    /// BACK-5: revokes the keys that this device had, once nothing more of them comes.
    pub(crate) fn revoke_former(
        &mut self,
        now: u64,
        key: &IdentityKey,
    ) -> Result<Reply, CommandError> {
        let quiet = now.saturating_sub(self.former.heard) >= QUIET_MS;
        let met = self.connections.0.values().any(|one| one.ready().is_some());
        let former = self.former_in();
        if self.is_set_back() || !quiet || !met {
            let left = former.len();
            return Ok(Reply::Former { left });
        }
        for device in former {
            self.revoke_key(now, key, device)?;
        }
        let left = self.former_in().len();
        Ok(Reply::Former { left })
    }

    /// The keys that this device had and that are in a session still, its present one aside.
    fn former_in(&self) -> Vec<DeviceId> {
        let me = self.own.identity();
        let is_in = |device: &DeviceId| {
            let mut sessions = self.sessions.values();
            sessions.any(|one| one.roster().author(*device).is_some())
        };
        let former = self.former.devices.iter().copied();
        let former = former.filter(|device| {
            let gone = *device == self.own.device() || self.revoked.contains(&(me, *device));
            !gone && is_in(device)
        });
        former.collect()
    }
}
