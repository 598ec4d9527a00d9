//! Devices of mine that the others do not speak with for a while (OWN-903 to OWN-905).
//!
//! ```text
//! a device of mine says so ── Register (suspended/device) ──▶ the others ──▶ told, closed, dialled no more
//! ```
//!
//! No roster knows of it, so people do not see it; what is owed to it stays owed, and what it writes it keeps.

use std::collections::BTreeSet;

use minicbor::bytes::ByteVec;
use tenet_apps::own;
use tenet_delivery::redial;
use tenet_identity::keys::{DeviceId, EndpointId, IdentityId};
use tenet_log::{store::StoreError, sync::Message};

use super::{Engine, Fault};
use crate::{input::Notice, storage::Storage};

impl<S: Storage> Engine<S> {
    /// Whether a device was revoked, or is one of ours and suspended: nothing goes to or comes from it.
    pub(super) fn is_shut_out(&self, identity: IdentityId, device: DeviceId) -> bool {
        let suspended = identity == self.own.identity() && self.suspended.contains(&device);
        suspended || self.revoked.contains(&(identity, device))
    }

    /// Whether whoever knocks is told nothing: somebody blocked, or a device that is shut out.
    pub(super) fn is_unwelcome(&self, identity: IdentityId, device: DeviceId) -> bool {
        self.blocked.contains(&identity) || self.is_shut_out(identity, device)
    }

    /// OWN-903: what my devices say now, but for those that were revoked.
    pub(super) fn index_suspended(&mut self) -> Result<(), StoreError> {
        let mut registers = Vec::new();
        for session in self.own_sessions() {
            registers.extend(self.store.registers(session)?);
        }
        let me = self.own.identity();
        registers.retain(|one| !self.revoked.contains(&(me, one.device())));
        self.suspended = own::suspended(&registers);
        Ok(())
    }

    /// OWN-903, OWN-904: says of a device of mine that it is suspended, or no more.
    pub(crate) fn suspend(
        &mut self,
        now: u64,
        device: DeviceId,
        suspended: bool,
    ) -> Result<(), Fault> {
        if self.suspended.contains(&device) == suspended {
            return Ok(());
        }
        let key = own::key(own::SUSPENDED, device.as_bytes());
        let value = if suspended { own::YES } else { &[] };
        self.must_last();
        self.say_own(&key, value.to_vec())?;
        self.heed_suspended(now)
    }

    /// One of my devices has said something of that sort: those that it is about are heard no more, or again.
    pub(super) fn heed_suspended(&mut self, now: u64) -> Result<(), Fault> {
        let (before, wanted) = (self.suspended.clone(), self.wanted(now)?);
        self.index_devices()?;
        let changed: Vec<DeviceId> = before
            .symmetric_difference(&self.suspended)
            .copied()
            .collect();
        for device in changed {
            let suspended = self.suspended.contains(&device);
            if suspended {
                self.tell_suspended(device)?;
            }
            self.notify(Notice::DeviceSuspended { device, suspended });
        }
        self.dial_otherwise(now, &wanted)
    }

    /// OWN-905: the last that is said to it.
    fn tell_suspended(&mut self, device: DeviceId) -> Result<(), StoreError> {
        let key = own::key(own::SUSPENDED, device.as_bytes());
        let Some(said) = self.latest_own(&key)? else {
            return Ok(());
        };
        for conn in self.connections.of_device(device) {
            if let Some(tag) = self.tag_of(conn, said.session()) {
                let said = vec![ByteVec::from(said.encode())];
                self.say(conn, tag, Message::Registers(said));
            }
        }
        Ok(())
    }

    /// Whom we wanted to be connected with and want no more is forgotten, whom we want again is dialled at once.
    fn dial_otherwise(&mut self, now: u64, before: &BTreeSet<EndpointId>) -> Result<(), Fault> {
        let wanted = self.wanted(now)?;
        for gone in before.difference(&wanted) {
            self.redial
                .handle(redial::Input::Forget(*gone), now, &mut self.rng);
        }
        for again in wanted.difference(before) {
            for input in [redial::Input::Want(*again), redial::Input::News(*again)] {
                self.redial.handle(input, now, &mut self.rng);
            }
        }
        Ok(())
    }
}
