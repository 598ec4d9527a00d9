//! With whom a device keeps a connection in a session of more than fifty (NODE-1707).

use std::collections::{BTreeMap, VecDeque};

use tenet_apps::contacts::Endpoint;
use tenet_delivery::{
    fanout::{point::Turn, shape::SMALL},
    redial,
};
use tenet_identity::{
    hello::Role,
    keys::{DeviceId, EndpointId},
};
use tenet_log::{ids::SessionId, store::StoreError};

use super::{Engine, Fault, Soon, crowd::Crowd};
use crate::{
    input::{CloseReason, ConnId},
    storage::Storage,
};

/// How many are dialled; as many others dial this device, so each has about twice as many.
const DIALLED: usize = 4;

/// With how many connections nobody further is dialled.
const ENOUGH: usize = 2 * DIALLED;

/// How many are tried in a row, and after how long the next ones are where that was in vain, in milliseconds: whoever is
/// alone, or has no network, is not to dial thousands.
const TRIES: usize = 64;
const TRY_AGAIN_MS: u64 = 5 * 60 * 1_000;

/// How long after a turn has begun connections of the one before are ended, in milliseconds: others stand by then.
const SHED_MS: u64 = 60_000;

/// Whom to be connected with for the sake of one session.
pub(super) struct Neighbours {
    turn: Option<Turn>,
    /// Who is tried next, if somebody is not there.
    next: VecDeque<DeviceId>,
    /// How many more are tried now, and from when on others are.
    tries: usize,
    again_at: u64,
    chosen: BTreeMap<EndpointId, DeviceId>,
    /// Whom a plan named in this turn.
    called: BTreeMap<EndpointId, DeviceId>,
    /// When to look whether there are enough, in Unix milliseconds.
    pub(super) look_at: u64,
    /// When to end connections for which there is no reason any more.
    shed_at: Option<u64>,
}

impl Neighbours {
    pub(super) fn new(now: u64) -> Self {
        Self {
            turn: None,
            next: VecDeque::new(),
            tries: TRIES,
            again_at: now,
            chosen: BTreeMap::new(),
            called: BTreeMap::new(),
            look_at: now,
            shed_at: None,
        }
    }

    /// The clock was set back: nothing waits for a time of the old one.
    pub(super) fn set_back(&mut self, now: u64) {
        self.look_at = self.look_at.min(now);
        self.again_at = self.again_at.min(now);
        self.shed_at = self.shed_at.map(|at| at.min(now));
    }

    /// When something is to be done.
    pub(super) fn due_at(&self) -> u64 {
        self.shed_at.map_or(self.look_at, |at| at.min(self.look_at))
    }

    /// A plan names a device: the connection is kept for the turn.
    pub(super) fn called(&mut self, endpoint: EndpointId, device: DeviceId) {
        self.called.insert(endpoint, device);
    }

    /// Somebody is not there, who is to be replaced then; which device that is.
    pub(super) fn failed(&mut self, endpoint: EndpointId, now: u64) -> Option<DeviceId> {
        let chosen = self.chosen.remove(&endpoint);
        if chosen.is_some() && self.tries > 0 {
            self.look_at = now;
        }
        chosen.or(self.called.remove(&endpoint))
    }

    pub(super) fn wants(&self, endpoint: EndpointId) -> bool {
        self.chosen.contains_key(&endpoint) || self.called.contains_key(&endpoint)
    }

    pub(super) fn wanted(&self) -> impl Iterator<Item = (EndpointId, DeviceId)> + '_ {
        let both = self.chosen.iter().chain(&self.called);
        both.map(|(endpoint, device)| (*endpoint, *device))
    }

    /// Only those who are in still.
    pub(super) fn retain(&mut self, is_in: impl Fn(DeviceId) -> bool, now: u64) {
        self.chosen.retain(|_, device| is_in(*device));
        self.called.retain(|_, device| is_in(*device));
        self.look_at = self.look_at.min(now);
    }

    /// Whether another turn has begun: everybody is chosen anew.
    fn turns(&mut self, turn: Turn, now: u64, nearest: impl FnOnce() -> Vec<DeviceId>) -> bool {
        let new = self.turn != Some(turn);
        if new {
            self.shed_at = Some(now.saturating_add(SHED_MS));
            self.turn = Some(turn);
            self.chosen.clear();
            self.called.clear();
            self.next = nearest().into();
            self.tries = TRIES;
        } else if self.tries == 0 && self.again_at <= now {
            self.tries = TRIES;
            if self.next.is_empty() {
                self.next = nearest().into();
            }
        }
        self.look_at = turn.end();
        new
    }

    /// Who is tried next.
    fn try_next(&mut self, now: u64) -> Option<DeviceId> {
        if self.tries == 0 {
            self.look_at = self.look_at.min(self.again_at);
            return None;
        }
        let next = self.next.pop_front();
        self.tries = next.map_or(0, |_| self.tries - 1);
        if self.tries == 0 {
            self.again_at = now.saturating_add(TRY_AGAIN_MS);
            self.look_at = self.look_at.min(self.again_at);
        }
        next
    }
}

impl<S: Storage> Engine<S> {
    /// Whether a session is one in which nobody is connected with everybody.
    pub(in crate::engine) fn is_sparse(&self, session: SessionId) -> bool {
        let crowd = self.fanout.crowds.get(&session);
        crowd.is_some_and(|crowd| crowd.len() > SMALL)
    }

    /// Where those are met with whom a connection is kept for the sake of a sparse session, as far as they have said so: who
    /// has not is dialled nowhere.
    pub(in crate::engine) fn neighbours_met(
        &self,
        session: SessionId,
    ) -> Result<Vec<Endpoint>, StoreError> {
        let crowd = self.fanout.crowds.get(&session).into_iter();
        let mut met = Vec::new();
        for (endpoint, device) in crowd.flat_map(|crowd| crowd.neighbours.wanted()) {
            let said = self.met_at(session, device)?;
            met.extend(said.filter(|said| said.id == endpoint));
        }
        Ok(met)
    }

    /// A device says where it is met: whether it is dialled there for the sake of a sparse session.
    pub(in crate::engine) fn is_neighbour(
        &mut self,
        now: u64,
        session: SessionId,
        endpoint: EndpointId,
    ) -> bool {
        let Some(crowd) = self.fanout.crowds.get_mut(&session) else {
            return false;
        };
        if crowd.neighbours.chosen.len() < DIALLED {
            crowd.neighbours.look_at = now;
        }
        crowd.neighbours.wants(endpoint)
    }

    /// Chooses as many as are lacking, and all anew in another turn.
    pub(super) fn keep_neighbours(&mut self, now: u64, session: SessionId) -> Result<(), Fault> {
        if !self.is_sparse(session) {
            return Ok(());
        }
        let turn = Turn::of(now);
        let Some(crowd) = self.fanout.crowds.get_mut(&session) else {
            return Ok(());
        };
        let neighbours = &mut crowd.neighbours;
        if neighbours.shed_at.take_if(|at| *at <= now).is_some() {
            self.shed(now)?;
        }
        let Some(crowd) = self.fanout.crowds.get_mut(&session) else {
            return Ok(());
        };
        if crowd.neighbours.look_at > now {
            return Ok(());
        }
        let turned = crowd.turn_neighbours(turn, now);
        while let Some(device) = self.next_neighbour(now, session) {
            if !self.is_heard(session, device) {
                continue;
            }
            let Some(endpoint) = self.met_at(session, device)? else {
                continue;
            };
            if let Some(crowd) = self.fanout.crowds.get_mut(&session) {
                crowd.neighbours.chosen.insert(endpoint.id, device);
            }
            self.addresses.insert(endpoint.id, endpoint.addresses);
            let want = redial::Input::Want(endpoint.id);
            self.redial.handle(want, now, &mut self.rng);
        }
        match turned {
            true => Ok(self.forget_the_unwanted(now)?),
            false => Ok(()),
        }
    }

    fn next_neighbour(&mut self, now: u64, session: SessionId) -> Option<DeviceId> {
        let crowd = self.fanout.crowds.get_mut(&session)?;
        let enough = crowd.neighbours.chosen.len() >= DIALLED || crowd.met() >= ENOUGH;
        match enough {
            true => None,
            false => crowd.neighbours.try_next(now),
        }
    }

    /// Dials nobody any more for whom there is no reason left.
    fn forget_the_unwanted(&mut self, now: u64) -> Result<(), StoreError> {
        let wanted = self.wanted(now)?;
        let known: Vec<EndpointId> = self.addresses.keys().copied().collect();
        for endpoint in known.into_iter().filter(|one| !wanted.contains(one)) {
            self.addresses.remove(&endpoint);
            let forget = redial::Input::Forget(endpoint);
            self.redial.handle(forget, now, &mut self.rng);
        }
        Ok(())
    }

    /// Ends connections that were dialled here and for which there is no reason any more.
    fn shed(&mut self, now: u64) -> Result<(), StoreError> {
        let wanted = self.wanted(now)?;
        let dialled = self.connections.0.iter().filter(|(_, connection)| {
            let dialled = connection.role == Role::Dialler && connection.ready().is_some();
            dialled && !connection.in_knock() && !wanted.contains(&connection.peer)
        });
        let idle: Vec<ConnId> = dialled.map(|(conn, _)| *conn).collect();
        for conn in idle {
            self.close(now, conn, CloseReason::NotWelcome);
        }
        Ok(())
    }

    /// No connection with an endpoint came about.
    pub(in crate::engine) fn not_reached(&mut self, now: u64, endpoint: EndpointId) {
        for crowd in self.fanout.crowds.values_mut() {
            if let Some(device) = crowd.neighbours.failed(endpoint, now) {
                let soon = [Soon::Lost(device), Soon::Unwanted(endpoint)];
                self.fanout.soon.extend(soon);
            }
        }
    }
}

impl Crowd {
    /// Whether another turn has begun; looks again when this one is over, or earlier where those who were tried are not
    /// there.
    fn turn_neighbours(&mut self, turn: Turn, now: u64) -> bool {
        let mut neighbours = std::mem::replace(&mut self.neighbours, Neighbours::new(now));
        let turned = neighbours.turns(turn, now, || self.by_nearness(turn));
        self.neighbours = neighbours;
        turned
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// NODE-1707: of ten thousand of whom none is there 64 are tried, and the next 64 five minutes later.
    #[test]
    fn who_is_alone_tries_some_and_waits() {
        let nearest = || (0..10_000_u32).map(device).collect::<Vec<_>>();
        let turn = Turn::of(0);
        let mut neighbours = Neighbours::new(0);
        assert!(neighbours.turns(turn, 0, nearest));
        let tried = |neighbours: &mut Neighbours, now| {
            std::iter::from_fn(|| neighbours.try_next(now)).collect::<Vec<_>>()
        };
        let first = tried(&mut neighbours, 1);
        assert_eq!(first, nearest()[..TRIES]);
        assert_eq!(neighbours.due_at(), SHED_MS.min(1 + TRY_AGAIN_MS));
        assert!(!neighbours.turns(turn, TRY_AGAIN_MS, nearest));
        assert_eq!(tried(&mut neighbours, TRY_AGAIN_MS), []);
        assert!(!neighbours.turns(turn, 1 + TRY_AGAIN_MS, nearest));
        let next = tried(&mut neighbours, 1 + TRY_AGAIN_MS);
        assert_eq!(next, nearest()[TRIES..2 * TRIES]);
    }

    fn device(number: u32) -> DeviceId {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        DeviceId::from(bytes)
    }
}
