//! What is known without asking the engine: who is connected, and how much went to and fro.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tenet_identity::keys::{DeviceId, IdentityId};
use tenet_node::input::ConnId;

/// A connected device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Online {
    pub(super) identity: IdentityId,
    pub(super) conn: ConnId,
}

/// The state of the network as notices tell it.
#[derive(Default)]
pub(super) struct Live {
    online: Mutex<BTreeMap<DeviceId, Online>>,
    delivered: AtomicU64,
    received: AtomicU64,
}

impl Live {
    /// Notes a connection, or that it is gone.
    pub(super) fn connection(&self, identity: IdentityId, device: DeviceId, conn: Option<ConnId>) {
        let mut online = self.lock();
        match conn {
            Some(conn) => online.insert(device, Online { identity, conn }),
            None => online.remove(&device),
        };
    }

    /// All connected devices.
    pub(super) fn online(&self) -> BTreeMap<DeviceId, Online> {
        self.lock().clone()
    }

    /// Whether some device of the identity is connected.
    pub(super) fn is_online(&self, identity: IdentityId) -> bool {
        self.lock()
            .values()
            .any(|online| online.identity == identity)
    }

    /// Counts messages that were delivered.
    pub(super) fn count_delivered(&self, count: usize) {
        self.delivered.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Counts a message that came.
    pub(super) fn count_message(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    /// How many messages were delivered, and how many are new here, since the start.
    pub(super) fn counts(&self) -> (u64, u64) {
        (
            self.delivered.load(Ordering::Relaxed),
            self.received.load(Ordering::Relaxed),
        )
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<DeviceId, Online>> {
        self.online.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
