//! Whom to fetch contents from: every wanted one over a connection with a device of a session that names it, large
//! ones over several at once (NODE-23, NODE-903).
//!
//! Which source gives which parts is the shell's matter: it sees how fast each is.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::DeviceId;
use tenet_log::ids::{BlobId, SessionId};

use super::{
    Engine,
    files::{Fetching, Wanted},
};
use crate::{
    input::{ConnId, Output},
    storage::Storage,
};

/// How many contents are fetched at once over one connection (NODE-23): large ones, so few that each gets
/// its share.
const LARGE: usize = 8;

/// The same of small ones, beside those: so many that they hide each other's round trip and are made
/// durable together.
const SMALL: usize = 64;

/// The largest small content, in bytes: what a group of the hash tree holds (`BLOB-6`).
const SMALL_SIZE: u64 = 64 << 10;

/// From which size on a content is fetched from several at once, in bytes. A guess: below, a second source has
/// hardly been asked before the first one is done.
const SHARED_SIZE: u64 = 1 << 20;

/// From how many at once (NODE-903). A guess: eight fill any line, and each costs a stream and an open file.
const MAX_SOURCES: usize = 8;

/// What may still be fetched over a connection.
struct Place {
    device: DeviceId,
    sessions: BTreeSet<SessionId>,
    small: usize,
    large: usize,
}

impl<S: Storage> Engine<S> {
    /// Begins what can begin: first one source for every content, then further ones.
    pub(super) fn begin_fetches(&mut self) {
        if !std::mem::take(&mut self.fetching.stirred) || self.fetching.wanted.is_empty() {
            return;
        }
        let mut free = self.free_places();
        for most in [1, MAX_SOURCES] {
            for (blob, conn, size) in self.fetching.assign(&mut free, most) {
                self.output(Output::Fetch { conn, blob, size });
            }
        }
    }

    /// Connections that may take another fetch, with the sessions of the device at the other end.
    fn free_places(&self) -> BTreeMap<ConnId, Place> {
        let mut free = BTreeMap::new();
        for (conn, connection) in &self.connections.0 {
            let device = connection.ready().map(|ready| ready.device);
            let known = device.and_then(|device| Some((device, self.devices.get(&device)?)));
            let Some((device, acquaintance)) = known else {
                continue;
            };
            let mut place = Place {
                device,
                sessions: acquaintance.sessions.iter().copied().collect(),
                small: SMALL,
                large: LARGE,
            };
            let running = self.fetching.running.iter();
            for (blob, _) in running.filter(|(_, on)| on.contains(conn)) {
                let wanted = self.fetching.wanted.get(blob);
                place.take(wanted.map_or(u64::MAX, |wanted| wanted.size));
            }
            if !place.is_full() {
                free.insert(*conn, place);
            }
        }
        free
    }

    /// NODE-23: whether anybody else may have a content, here now or not.
    pub(super) fn may_have_other_sources(&self, blob: BlobId) -> bool {
        let Some(wanted) = self.fetching.wanted.get(&blob) else {
            return false;
        };
        let mut others = self.devices.iter();
        others.any(|(device, known)| {
            let shares = known.sessions.iter().any(|it| wanted.sessions.contains(it));
            shares && !self.fetching.liars.contains(&(*device, blob))
        })
    }
}

impl Fetching {
    /// Notes over which connections which contents come from now on, each over at most so many.
    fn assign(
        &mut self,
        free: &mut BTreeMap<ConnId, Place>,
        most: usize,
    ) -> Vec<(BlobId, ConnId, u64)> {
        let mut begun = Vec::new();
        for (blob, wanted) in &self.wanted {
            if free.is_empty() {
                break;
            }
            let shared = most > 1;
            if shared && wanted.size < SHARED_SIZE {
                continue;
            }
            let on = self.running.get(blob).map_or(0, BTreeSet::len);
            let sources = free
                .iter()
                .filter(|(conn, place)| self.gives(**conn, place, *blob, wanted));
            let sources = sources.map(|(conn, _)| *conn).take(most.saturating_sub(on));
            let sources: Vec<ConnId> = sources.collect();
            for conn in sources {
                if let Some(place) = free.get_mut(&conn) {
                    place.take(wanted.size);
                }
                self.running.entry(*blob).or_default().insert(conn);
                begun.push((*blob, conn, wanted.size));
            }
            free.retain(|_, place| !place.is_full());
        }
        begun
    }

    /// Whether a content is to be asked for there.
    fn gives(&self, conn: ConnId, place: &Place, blob: BlobId, wanted: &Wanted) -> bool {
        let shares = |session| place.sessions.contains(session);
        let runs = self.running.get(&blob).is_some_and(|on| on.contains(&conn));
        !runs
            && place.has_room(wanted.size)
            && wanted.sessions.iter().any(shares)
            && !self.fruitless.contains(&(conn, blob))
            && !self.liars.contains(&(place.device, blob))
    }
}

impl Place {
    fn has_room(&self, size: u64) -> bool {
        match size <= SMALL_SIZE {
            true => self.small > 0,
            false => self.large > 0,
        }
    }

    fn take(&mut self, size: u64) {
        let left = match size <= SMALL_SIZE {
            true => &mut self.small,
            false => &mut self.large,
        };
        *left = left.saturating_sub(1);
    }

    fn is_full(&self) -> bool {
        self.small == 0 && self.large == 0
    }
}
