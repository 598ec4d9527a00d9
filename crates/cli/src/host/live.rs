//! What is known without asking the engine: who is connected, and what went to and fro.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tenet_identity::keys::{DeviceId, EndpointId, IdentityId};
use tenet_log::ids::{EventId, SessionId};
use tenet_net::PathInfo;
use tenet_node::{engine::Progress, input::ConnId};

/// A connected device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Online {
    pub(super) identity: IdentityId,
    pub(super) conn: ConnId,
    /// Where the connection ends; of two that have just become one the other may be the one that stands.
    endpoint: Option<EndpointId>,
}

impl Online {
    /// The path by which it is reached, of those that there are.
    pub(super) fn path<'a>(&self, paths: &'a BTreeMap<ConnId, PathInfo>) -> Option<&'a PathInfo> {
        let same_end = || paths.values().find(|path| Some(path.peer) == self.endpoint);
        paths.get(&self.conn).or_else(same_end)
    }
}

/// The state of the network as notices tell it.
#[derive(Default)]
pub(super) struct Live {
    online: Mutex<BTreeMap<DeviceId, Online>>,
    typing: Mutex<BTreeSet<(SessionId, IdentityId)>>,
    tallies: Mutex<Vec<Weak<Tally>>>,
    bringing: Mutex<BTreeMap<(DeviceId, bool), Brought>>,
}

/// What is under way between this device and another one of mine, in one direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Brought {
    sessions: BTreeMap<SessionId, Progress>,
    /// Which of them moved last.
    last: Option<SessionId>,
}

impl Brought {
    /// The session that is being brought, and how far all of them are; `None` where nothing is lacking.
    pub(super) fn now(&self) -> Option<(SessionId, Progress)> {
        let all = self.all();
        Some((self.last?, all)).filter(|_| all.done < all.total)
    }

    /// How far all sessions together are.
    pub(super) fn all(&self) -> Progress {
        let sum = |of: fn(&Progress) -> u64| self.sessions.values().map(of).sum();
        let (done, total) = (sum(|it| it.done), sum(|it| it.total));
        Progress { done, total }
    }
}

/// What went to and fro since somebody began to count.
#[derive(Default)]
pub(super) struct Tally(Mutex<Counted>);

/// See [`Tally`]; each event once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Own events, messages and others, that a receiver has acknowledged.
    pub(super) delivered: BTreeSet<EventId>,
    /// Messages that are new here, own ones too.
    pub(super) messages: BTreeSet<EventId>,
}

impl Live {
    /// Notes a connection and where it ends, or that it is gone.
    pub(super) fn connection(
        &self,
        identity: IdentityId,
        device: DeviceId,
        conn: Option<ConnId>,
        endpoint: Option<EndpointId>,
    ) {
        let mut online = self.lock();
        let here = |conn| Online {
            identity,
            conn,
            endpoint,
        };
        match conn {
            Some(conn) => online.insert(device, here(conn)),
            None => online.remove(&device),
        };
        if conn.is_none() {
            self.lock_bringing().retain(|(with, _), _| *with != device);
        }
    }

    /// Something is brought by a device of mine (`coming`), or to it; gives how far all of that is.
    pub(super) fn bringing(
        &self,
        device: DeviceId,
        session: SessionId,
        coming: bool,
        progress: Progress,
    ) -> Brought {
        let mut bringing = self.lock_bringing();
        let brought = bringing.entry((device, coming)).or_default();
        if brought.now().is_none() {
            brought.sessions.clear();
        }
        if progress.total > 0 || brought.sessions.contains_key(&session) {
            let known = brought.sessions.entry(session).or_default();
            *known = progress.after(*known);
        }
        if progress.done < progress.total {
            brought.last = Some(session);
        }
        brought.clone()
    }

    /// What is brought to a device of mine now.
    pub(super) fn going(&self, device: DeviceId) -> Option<(SessionId, Progress)> {
        self.lock_bringing().get(&(device, false))?.now()
    }

    /// What is brought here now, by the device of mine that has most to bring.
    pub(super) fn coming(&self) -> Option<(SessionId, Progress)> {
        let bringing = self.lock_bringing();
        let coming = bringing.iter().filter(|((_, coming), _)| *coming);
        let coming = coming.filter_map(|(_, brought)| brought.now());
        coming.max_by_key(|(_, progress)| progress.total - progress.done)
    }

    fn lock_bringing(&self) -> MutexGuard<'_, BTreeMap<(DeviceId, bool), Brought>> {
        self.bringing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All connected devices.
    pub(super) fn online(&self) -> BTreeMap<DeviceId, Online> {
        self.lock().clone()
    }

    /// Whether a device is connected.
    pub(super) fn is_connected(&self, device: DeviceId) -> bool {
        self.lock().contains_key(&device)
    }

    /// Whether some device of the identity is connected.
    pub(super) fn is_online(&self, identity: IdentityId) -> bool {
        self.lock()
            .values()
            .any(|online| online.identity == identity)
    }

    /// Somebody types, or no more.
    pub(super) fn typing(&self, session: SessionId, identity: IdentityId, typing: bool) {
        let mut typists = self.typing.lock().unwrap_or_else(PoisonError::into_inner);
        match typing {
            true => typists.insert((session, identity)),
            false => typists.remove(&(session, identity)),
        };
    }

    /// Whether somebody types in one of these sessions.
    pub(super) fn is_typed_in(&self, sessions: &[SessionId]) -> bool {
        let typists = self.typing.lock().unwrap_or_else(PoisonError::into_inner);
        typists
            .iter()
            .any(|(session, _)| sessions.contains(session))
    }

    /// Own events were delivered.
    pub(super) fn delivered(&self, ids: &[EventId]) {
        self.count(|counted| counted.delivered.extend(ids));
    }

    /// A message is new here.
    pub(super) fn message(&self, id: EventId) {
        self.count(|counted| counted.messages.extend([id]));
    }

    /// Counts from now on, until what this gives is dropped.
    pub(super) fn tally(&self) -> Arc<Tally> {
        let tally = Arc::default();
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.push(Arc::downgrade(&tally));
        tally
    }

    fn count(&self, what: impl Fn(&mut Counted)) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.retain(|tally| match tally.upgrade() {
            Some(tally) => {
                what(&mut tally.0.lock().unwrap_or_else(PoisonError::into_inner));
                true
            }
            None => false,
        });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<DeviceId, Online>> {
        self.online.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    /// What was counted until now.
    pub(super) fn counted(&self) -> Counted {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn each_tally_counts_each_event_once_from_its_beginning() {
        let (live, id) = (Live::default(), |n| EventId::from([n; 32]));
        live.message(id(1));
        let one = live.tally();
        live.message(id(2));
        live.message(id(2));
        let other = live.tally();
        live.delivered(&[id(3), id(4)]);
        live.delivered(&[id(3)]);
        assert_eq!(one.counted().messages, [id(2)].into());
        assert_eq!(one.counted().delivered, [id(3), id(4)].into());
        assert_eq!(other.counted().messages, [].into());
        drop((one, other));
        live.message(id(5));
        assert!(live.tallies.lock().unwrap().is_empty());
    }
}
