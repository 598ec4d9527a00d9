//! How this device is, told to my other ones and to nobody else (OWN-901, OWN-902).

use tenet_apps::own::{self, status::Status};
use tenet_identity::keys::IdentityId;
use tenet_log::store::StoreError;

use super::Engine;
use crate::storage::Storage;

/// How often my devices that are here are told anew, in milliseconds.
///
/// A guess: what a person looks up once in a while need not be younger, and a register each minute would be a commit
/// and a frame a minute on every device of mine.
const AGAIN_MS: u64 = 5 * 60 * 1000;

/// What is known of this machine.
#[derive(Default)]
pub(crate) struct Machine {
    status: Option<Status>,
    /// When it was told last, in Unix milliseconds.
    told: u64,
}

impl<S: Storage> Engine<S> {
    /// This machine is so now; my devices that are here are told if that is due.
    pub(crate) fn note_status(&mut self, now: u64, status: Status) -> Result<(), StoreError> {
        self.machine.status = Some(status);
        // Also where the clock was set back.
        match now.abs_diff(self.machine.told) >= AGAIN_MS {
            true => self.tell_status(now),
            false => Ok(()),
        }
    }

    /// OWN-902: somebody came; if that is a device of mine it is told how this one is.
    pub(super) fn tell_status_to(
        &mut self,
        now: u64,
        identity: IdentityId,
    ) -> Result<(), StoreError> {
        match identity == self.own.identity() {
            true => self.tell_status(now),
            false => Ok(()),
        }
    }

    /// Tells my other devices how this one is, if one of them is here to hear it.
    pub(super) fn tell_status(&mut self, now: u64) -> Result<(), StoreError> {
        let me = self.own.identity();
        let mut ready = self.connections.0.values().filter_map(|one| one.ready());
        let Some(status) = &self.machine.status else {
            return Ok(());
        };
        if !ready.any(|ready| ready.identity == me) {
            return Ok(());
        }
        let value = status.encode();
        self.machine.told = now;
        let key = own::key(own::STATUS, self.own.device().as_bytes());
        self.tell_own(&key, value)
    }
}
