//! What is said in a session of many reaches all its devices by plans ([`tenet_delivery::fanout`]), not by everybody
//! sending it to everybody (NODE-1701 to NODE-1707).
//!
//! ```text
//! admitted ── ours ──▶ Soon::Said ──┐                                   ┌──▶ frames to whom a connection stands with
//! Frame::Spread ── come ──▶ Soon ───┼─▶ at the end of the input: Crowd ─┼──▶ dials, with what waits for them
//! deadline ── due ──────────────────┘    (one Spread for each event)    └──▶ Have, with the commit
//! ```
//!
//! All of it is in memory: what a kill, an input that is undone or a plan forgets, sync brings. So sync passes nothing
//! on there that comes new (SYNC-4), and compares what is held once all is quiet.

mod come;
mod crowd;
mod go;
mod lately;
mod neighbours;
mod room;

use std::collections::{BTreeMap, VecDeque};

use tenet_delivery::fanout::{
    shape::{FEW, SMALL},
    spread::{Input, Output},
};
use tenet_identity::keys::{DeviceId, EndpointId};
use tenet_log::{
    event::Event,
    ids::{EventId, SessionId},
    store::{LogStore, Position, StoreError},
    sync::Tag,
};

use super::{Engine, Fault, Ours, Place};
use crate::{input::ConnId, storage::Storage};
use crowd::{Crowd, turn_of};

/// How many events that nobody has are read at a time.
const PAGE: usize = 256;

/// Sessions of many, and what is to be done about them.
#[derive(Default)]
pub(super) struct FanOut {
    crowds: BTreeMap<SessionId, Crowd>,
    /// What follows from the input that is being handled, once it holds.
    soon: VecDeque<Soon>,
    /// What is durable with the next commit, and who is told.
    haves: BTreeMap<(ConnId, Tag), Vec<EventId>>,
}

/// What follows from an input.
enum Soon {
    /// This device says something, or says it again.
    Said(Event),
    /// About an event on its way.
    Spread(SessionId, EventId, Input),
    /// An endpoint may be wanted no more.
    Unwanted(EndpointId),
    /// What waited for this event may come in.
    Entered(SessionId, EventId),
    /// A connection speaks of a session now.
    Met(SessionId, DeviceId),
    /// The last connection with a device has ended, or none came about.
    Lost(DeviceId),
}

impl FanOut {
    /// When something is to be done for what is on its way, in Unix milliseconds.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.crowds.values().filter_map(Crowd::deadline).min()
    }

    /// When something recurs, in Unix milliseconds.
    pub(super) fn upkeep_at(&self) -> Option<u64> {
        self.crowds.values().filter_map(Crowd::upkeep_at).min()
    }

    /// Whether something follows from what was just done.
    pub(super) fn is_due(&self) -> bool {
        !self.soon.is_empty()
    }

    /// An input was undone, and all that was to follow from it.
    pub(super) fn undo(&mut self) {
        self.soon
            .retain(|soon| matches!(soon, Soon::Lost(_) | Soon::Unwanted(_)));
    }

    /// The clock was set back: nothing waits for a time of the old one.
    pub(super) fn set_back(&mut self, now: u64) {
        self.clear();
        for crowd in self.crowds.values_mut() {
            crowd.set_back(now);
        }
    }

    /// What was to be committed was not: what is on its way is forgotten.
    pub(super) fn clear(&mut self) {
        self.undo();
        self.haves.clear();
        self.crowds.values_mut().for_each(Crowd::clear);
    }

    fn spread(&mut self, session: SessionId, event: EventId, input: Input) {
        self.soon.push_back(Soon::Spread(session, event, input));
    }
}

impl<S: Storage> Engine<S> {
    /// Works out anew whether a session is one of many, and of whom.
    pub(super) fn index_crowd(&mut self, session: SessionId) {
        let now = self.clock;
        let state = self.sessions.get(&session);
        let many = state.filter(|state| !state.roster().kind.is_closed());
        let many = many.filter(|_| self.place(session) == Place::In);
        let me = self.own.identity();
        let devices = many.into_iter().flat_map(|state| state.roster().active());
        let devices = devices.map(|(author, chain)| (author.device, chain.identity == me));
        let devices: BTreeMap<DeviceId, bool> = devices.collect();
        if devices.len() <= FEW {
            self.fanout.crowds.remove(&session);
            return;
        }
        let met = self.connections.0.values().filter_map(|it| it.ready());
        let met = met.filter(|ready| ready.shares_all(session));
        let met: Vec<DeviceId> = met.map(|ready| ready.device).collect();
        let crowd = self.fanout.crowds.entry(session);
        let crowd = crowd.or_insert_with(|| Crowd::new(session, self.own.device(), now));
        crowd.refit(devices, met, now);
    }

    /// At the start: what nobody has acknowledged is said again when somebody is there.
    pub(super) fn say_the_unheard(&mut self) -> Result<(), StoreError> {
        for (session, crowd) in &mut self.fanout.crowds {
            let unheard = self
                .store
                .undelivered(*session, Position::default(), PAGE)?;
            crowd.not_heard(unheard.into_iter().map(|one| one.event));
        }
        Ok(())
    }

    /// NODE-1701: whether what comes new in a session is passed on to a device by sync: not where plans see to it.
    pub(super) fn passes_on(&self, session: SessionId, device: DeviceId) -> bool {
        let crowd = self.fanout.crowds.get(&session);
        crowd.is_none_or(|crowd| crowd.point(device).is_none())
    }

    /// An event came into a session: it is planned, or what is known of it being on its way goes on.
    pub(super) fn note_admitted(&mut self, now: u64, event: &Event, ours: Option<Ours>) {
        let (session, id) = (event.session(), event.id());
        let Some(crowd) = self.fanout.crowds.get_mut(&session) else {
            return;
        };
        crowd.came(id, now);
        if ours.is_some() {
            self.fanout.soon.push_back(Soon::Said(event.clone()));
        } else if crowd.knows(id) {
            crowd.note(event);
            self.fanout.spread(session, id, Input::Held(turn_of(event)));
        }
        self.fanout.soon.push_back(Soon::Entered(session, id));
    }

    /// A connection speaks of a session with a device now.
    pub(super) fn speaks_of(&mut self, session: SessionId, device: DeviceId) {
        if self.fanout.crowds.contains_key(&session) {
            self.fanout.soon.push_back(Soon::Met(session, device));
        }
    }

    /// The last connection with a device has ended.
    pub(super) fn is_gone_from_crowds(&mut self, device: DeviceId) {
        if !self.fanout.crowds.is_empty() {
            self.fanout.soon.push_back(Soon::Lost(device));
        }
    }

    /// What waited for a connection with a device goes there.
    fn crowd_met(&mut self, now: u64, session: SessionId, device: DeviceId) -> Result<(), Fault> {
        let Some(crowd) = self.fanout.crowds.get_mut(&session) else {
            return Ok(());
        };
        let parcels = crowd.connected(device, now);
        self.tell_the_met(now, session, device);
        for (event, output) in parcels {
            // Both compare now, which brings the event itself.
            let output = match output {
                Output::Give(_, None) => continue,
                Output::Give(to, task) => Output::Offer(to, task),
                output => output,
            };
            self.carry(now, session, event, vec![output])?;
        }
        Ok(())
    }

    /// What was for a device that is not there goes to others.
    fn crowd_lost(&mut self, now: u64, device: DeviceId) -> Result<(), Fault> {
        let sessions: Vec<SessionId> = self.fanout.crowds.keys().copied().collect();
        for session in sessions {
            let crowd = self.fanout.crowds.get_mut(&session);
            let outputs = crowd.map(|crowd| crowd.lost(device, now));
            for (event, output) in outputs.into_iter().flatten() {
                self.carry(now, session, event, vec![output])?;
            }
        }
        Ok(())
    }

    /// What follows from the input that was just handled.
    pub(super) fn fan_out(&mut self, now: u64) -> Result<(), Fault> {
        while let Some(soon) = self.fanout.soon.pop_front() {
            match soon {
                Soon::Said(event) => self.fan_out_own(now, &event)?,
                Soon::Entered(session, event) => self.let_in_waiting(now, session, event)?,
                Soon::Met(session, device) => self.crowd_met(now, session, device)?,
                Soon::Lost(device) if !self.met.contains_key(&device) => {
                    self.crowd_lost(now, device)?;
                }
                Soon::Lost(_) => {}
                Soon::Unwanted(endpoint) => self.forget_unwanted(now, endpoint)?,
                Soon::Spread(session, event, input) => {
                    let counts = matches!(input, Input::Had(_) | Input::Reported { .. });
                    let crowd = self.fanout.crowds.get_mut(&session);
                    let outputs = crowd.map(|crowd| crowd.handle(event, input, now));
                    if counts {
                        self.count_reached(session, event)?;
                    }
                    self.carry(now, session, event, outputs.unwrap_or_default())?;
                }
            }
        }
        Ok(())
    }

    fn fan_out_own(&mut self, now: u64, event: &Event) -> Result<(), Fault> {
        let (session, id) = (event.session(), event.id());
        let crowd = self.fanout.crowds.get_mut(&session);
        let outputs = crowd.map(|crowd| crowd.say(event, now));
        self.count_reached(session, id)?;
        self.carry(now, session, id, outputs.unwrap_or_default())
    }

    /// NODE-1706: of whom there are no rows it is counted who has it.
    fn count_reached(&mut self, session: SessionId, event: EventId) -> Result<(), StoreError> {
        let crowd = self.fanout.crowds.get(&session);
        let Some(crowd) = crowd.filter(|crowd| crowd.len() > SMALL) else {
            return Ok(());
        };
        let (reached, of) = crowd.reached(event);
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        self.store.reach(event, number(reached), number(of))
    }

    /// Whatever is due in sessions of many.
    pub(super) fn fan_out_due(&mut self, now: u64) -> Result<(), Fault> {
        let sessions: Vec<SessionId> = self.fanout.crowds.keys().copied().collect();
        for session in sessions {
            let Some(crowd) = self.fanout.crowds.get_mut(&session) else {
                continue;
            };
            for event in crowd.due(now) {
                self.fanout.spread(session, event, Input::Tick);
            }
            self.ask_for_parents(now, session)?;
            self.say_again_unheard(now, session)?;
            self.tell_who_is_here(now, session);
            self.compare_when_quiet(now, session)?;
            self.keep_neighbours(now, session)?;
        }
        Ok(())
    }

    /// NODE-1704: what was said when hardly anybody was there.
    fn say_again_unheard(&mut self, now: u64, session: SessionId) -> Result<(), StoreError> {
        let crowd = self.fanout.crowds.get_mut(&session);
        let unheard = crowd.map(|crowd| crowd.unheard(now)).unwrap_or_default();
        for event in unheard {
            if let Some(stored) = LogStore::event(&self.store, event)? {
                self.fanout.soon.push_back(Soon::Said(stored.event));
            }
        }
        Ok(())
    }

    /// NODE-1705: once all is quiet both ends of each connection compare what came since they did.
    fn compare_when_quiet(&mut self, now: u64, session: SessionId) -> Result<(), StoreError> {
        let crowd = self.fanout.crowds.get_mut(&session);
        if !crowd.is_some_and(|crowd| crowd.compares(now)) {
            return Ok(());
        }
        let mut behind = Vec::new();
        for (conn, connection) in &self.connections.0 {
            let shares = connection
                .ready()
                .into_iter()
                .flat_map(|it| it.shares.values());
            for share in shares.filter(|share| share.session == session) {
                if share.peer.is_caught_up(&self.store)? && share.peer.is_behind(&self.store)? {
                    behind.push(*conn);
                }
            }
        }
        for conn in behind {
            self.resume_at(conn, session, now);
        }
        Ok(())
    }
}
