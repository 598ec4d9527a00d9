//! Links by which one only asks: keeping who does, for all members to see, and telling them what was decided.
//!
//! ```text
//! GroupKnock ──▶ Ask, in a register of this device ──▶ whoever may add decides: roster.add, or roster.refuse
//!    ◀── Waiting                                          │
//! dialled, brought the session ◀── yes ───────────────────┤
//! told at the next knock       ◀── no, with its remark ───┘
//! ```

use std::collections::{BTreeMap, BTreeSet};

use tenet_apps::{
    contacts::Endpoint,
    groups::{
        Ask,
        asks::{self, PER_SLOT, SLOTS},
    },
};
use tenet_delivery::redial;
use tenet_identity::{
    keys::{DeviceId, IdentityId},
    meeting::{
        knock::{Asker, Message, Reason, Refusal},
        link::MAX_PLACE_ADDRESSES,
    },
    name,
};
use tenet_log::{
    ids::{EventId, SessionId},
    register::Register,
    store::StoreError,
};

use crate::{
    engine::{Engine, Fault, Place},
    groups::GroupRequest,
    input::{ConnId, Notice},
    storage::Storage,
};

/// A knock that says nothing new is noted once an hour, so that a request does not run out while it is repeated.
const NOTE_AGAIN_MS: u64 = 60 * 60 * 1000;

/// Who asked at this device, by session and register.
#[derive(Default)]
pub(crate) struct Asking(BTreeMap<SessionId, Vec<Vec<Ask>>>);

impl Asking {
    fn in_session(&self, session: SessionId) -> impl Iterator<Item = &Ask> {
        self.0.get(&session).into_iter().flatten().flatten()
    }
}

impl<S: Storage> Engine<S> {
    /// Reads anew who asked at this device.
    pub(in crate::engine) fn load_asking(&mut self) -> Result<(), StoreError> {
        self.asking.0.clear();
        for (session, state) in &self.sessions {
            if state.roster().kind.is_closed() {
                continue;
            }
            let mut slots = Vec::with_capacity(SLOTS);
            for slot in 0..SLOTS {
                let device = self.own.device();
                let said = self.store.register(*session, device, &asks::key(slot))?;
                slots.push(said.map_or_else(Vec::new, |said| asks::decode(said.value())));
            }
            if slots.iter().any(|slot| !slot.is_empty()) {
                self.asking.0.insert(*session, slots);
            }
        }
        Ok(())
    }

    /// NODE-1404: keeps that somebody asks, for all members.
    pub(super) fn ask_members(
        &mut self,
        now: u64,
        conn: ConnId,
        (session, opening): (SessionId, EventId),
        asker: &Asker,
    ) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get_mut(&conn) else {
            return Ok(());
        };
        let addresses = asker.addresses();
        let addresses = addresses.get(..MAX_PLACE_ADDRESSES).unwrap_or(addresses);
        let place = Endpoint::new(connection.peer, addresses, 0);
        let ask = Ask {
            identity: asker.card.identity(),
            device: asker.card.device(),
            opening,
            name: asker.name.clone(),
            asked: asker.asked,
            last: now,
            remark: asker.plea.remark.clone(),
            place: place.encode().into(),
        };
        if ask.is_far_ahead(now) {
            // Their clock or ours is wrong: they come again.
            return self.refuse(conn, Reason::Busy);
        }
        connection.asks = Some((session, asker.asked));
        self.keep_ask(now, session, ask)?;
        self.refuse(conn, Reason::Waiting)
    }

    fn keep_ask(&mut self, now: u64, session: SessionId, ask: Ask) -> Result<(), Fault> {
        let same = |known: &Ask| {
            // A clock that was ahead is not waited for.
            let since = ask.last.checked_sub(known.last);
            let quiet = since.is_some_and(|since| since < NOTE_AGAIN_MS);
            let said = Ask {
                last: ask.last,
                ..known.clone()
            };
            quiet && said == ask
        };
        let identity = ask.identity;
        if self.asking.in_session(session).any(same) {
            return Ok(());
        }
        let news = !self.is_known_ask(session, &ask, None)?;
        let settled = self.settled(now, session)?;
        let slots = self.asking.0.entry(session).or_default();
        slots.resize(SLOTS, Vec::new());
        let before = slots.clone();
        put(slots, ask, &settled);
        let after = slots.clone();
        for (slot, asks) in after.iter().enumerate() {
            if before.get(slot) != Some(asks) {
                self.write_register(now, session, &asks::key(slot), asks::encode(asks))?;
            }
        }
        if news {
            self.notify(Notice::Asks { session, identity });
        }
        Ok(())
    }

    /// Of those who asked here about whom nothing is to be done any more.
    fn settled(&self, now: u64, session: SessionId) -> Result<BTreeSet<IdentityId>, StoreError> {
        let Some(state) = self.sessions.get(&session) else {
            return Ok(BTreeSet::new());
        };
        let here = self.asking.in_session(session);
        let mut done = BTreeSet::new();
        for ask in here {
            let came = state.roster().author(ask.device).is_some();
            let over = came || ask.is_over(now);
            if over || self.refusal_of(session, ask.identity, ask.asked)?.is_some() {
                done.insert(ask.identity);
            }
        }
        Ok(done)
    }

    /// What somebody is told who asked at that time, if they were refused since (ROS-1403).
    pub(super) fn refusal_of(
        &self,
        session: SessionId,
        identity: IdentityId,
        asked: u64,
    ) -> Result<Option<Refusal>, StoreError> {
        let Some(state) = self.sessions.get(&session) else {
            return Ok(None);
        };
        let refusal = state.refusal(&self.store, identity)?;
        let refusal = refusal.filter(|refusal| refusal.asked >= asked);
        Ok(refusal.map(|refusal| Refusal {
            reason: Reason::Rejected,
            remark: (refusal.remark.clone()).filter(|said| name::check_line(said).is_ok()),
        }))
    }

    /// Whether somebody is among those who ask by a link.
    pub(super) fn has_asked(
        &self,
        session: SessionId,
        opening: EventId,
        identity: IdentityId,
    ) -> Result<bool, StoreError> {
        let asks = self.who_asks(self.clock, session)?;
        Ok(asks
            .iter()
            .any(|one| (one.ask.opening, one.ask.identity) == (opening, identity)))
    }

    /// GROUP-1: who asks to come into a session and was not answered, whichever member's device they met; each once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn who_asks(&self, now: u64, session: SessionId) -> Result<Vec<GroupRequest>, StoreError> {
        let Some(state) = self
            .sessions
            .get(&session)
            .filter(|_| self.place(session) == Place::In)
        else {
            return Ok(Vec::new());
        };
        let roster = state.roster();
        let mut all: BTreeMap<IdentityId, GroupRequest> = BTreeMap::new();
        for slot in 0..SLOTS {
            let said = self.store.registers_under(session, &asks::key(slot))?;
            let by_members = said
                .iter()
                .filter(|one| roster.author(one.device()).is_some());
            for ask in by_members.flat_map(|one| asks::decode(one.value())) {
                let identity = ask.identity;
                let opening = state.opening(&self.store, ask.opening)?;
                let opening = opening.map(|(opening, _)| opening);
                let Some(opening) = opening.filter(|it| it.asks() && !ask.is_far_ahead(now)) else {
                    continue;
                };
                let done = roster.members.contains_key(&identity)
                    || state.is_shut_out(&self.store, identity)?
                    || self.refusal_of(session, identity, ask.asked)?.is_some();
                if done || ask.is_over(now) || self.blocked.contains(&identity) {
                    continue;
                }
                let known = all.get(&identity).map(|known| &known.ask);
                if known.is_none_or(|known| (known.asked, known.last) < (ask.asked, ask.last)) {
                    let role = opening.role;
                    all.insert(identity, GroupRequest { ask, role });
                }
            }
        }
        let mut all: Vec<GroupRequest> = all.into_values().collect();
        all.sort_by_key(|one| (one.ask.last, one.ask.identity));
        Ok(all)
    }

    /// NODE-1405: who asked here and was let in, with no device in it yet, is dialled.
    pub(in crate::engine) fn asks_to_reach(&self) -> Vec<Endpoint> {
        let sessions = self.asking.0.keys();
        let asks = sessions.flat_map(|session| self.came_to_be_in(*session));
        asks.collect()
    }

    fn came_to_be_in(&self, session: SessionId) -> Vec<Endpoint> {
        let Some(state) = self
            .sessions
            .get(&session)
            .filter(|_| self.place(session) == Place::In)
        else {
            return Vec::new();
        };
        let asks = self.asking.in_session(session).filter(|ask| {
            let member = state.roster().members.contains_key(&ask.identity);
            member && !state.has_seen(ask.device) && !self.blocked.contains(&ask.identity)
        });
        let places = asks.filter_map(|ask| Endpoint::decode(&ask.place).ok());
        places
            .filter(|place| place.id != self.own.endpoint)
            .collect()
    }

    /// The roster of a session is another: who waits here for an answer hears it, who was let in is dialled.
    pub(super) fn answer_askers(&mut self, session: SessionId) -> Result<(), Fault> {
        let connections = self.connections.0.iter();
        let asking = connections.filter_map(|(conn, one)| {
            let (into, asked) = one.asks?;
            (into == session).then_some((*conn, one.shown()?.0, asked))
        });
        for (conn, identity, asked) in asking.collect::<Vec<_>>() {
            let refusal = self.refusal_of(session, identity, asked)?;
            if refusal.is_none() && !self.is_member(session, identity) {
                continue;
            }
            let Some(connection) = self.connections.0.get_mut(&conn) else {
                continue;
            };
            connection.asks = None;
            match (refusal, connection.ready().is_some()) {
                // They may knock there with something else by now.
                (Some(_), true) => drop(self.afterwards.meet.insert(conn)),
                (Some(refusal), false) => self.say_in_knock(conn, &Message::Refused(refusal)),
                (None, _) => {}
            }
        }
        let now = self.clock;
        for place in self.came_to_be_in(session) {
            self.addresses.entry(place.id).or_insert(place.addresses);
            for news in [redial::Input::Want, redial::Input::News] {
                self.redial.handle(news(place.id), now, &mut self.rng);
            }
        }
        Ok(())
    }

    /// Another member's device says who asked there.
    pub(in crate::engine) fn learn_asks(
        &mut self,
        register: &Register,
        before: Option<&Register>,
    ) -> Result<(), StoreError> {
        let before = before.map_or_else(Vec::new, |before| asks::decode(before.value()));
        let session = register.session();
        let state = self.sessions.get(&session);
        if state.is_none_or(|state| state.roster().kind.is_closed()) {
            return Ok(());
        }
        for ask in asks::decode(register.value()) {
            let identity = ask.identity;
            let known = ask.is_far_ahead(self.clock)
                || before.iter().any(|one| says_the_same(one, &ask))
                || self.is_member(session, identity)
                || self.blocked.contains(&identity)
                || self.is_known_ask(session, &ask, Some(register.device()))?;
            if !known {
                self.notify(Notice::Asks { session, identity });
            }
        }
        Ok(())
    }

    /// Whether any device but this one says already that somebody asks.
    fn is_known_ask(
        &self,
        session: SessionId,
        ask: &Ask,
        except: Option<DeviceId>,
    ) -> Result<bool, StoreError> {
        for slot in 0..SLOTS {
            let said = self.store.registers_under(session, &asks::key(slot))?;
            let mut others = said.iter().filter(|one| Some(one.device()) != except);
            if others.any(|one| {
                asks::decode(one.value())
                    .iter()
                    .any(|one| says_the_same(one, ask))
            }) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn says_the_same(one: &Ask, other: &Ask) -> bool {
    (one.identity, one.asked, &one.remark) == (other.identity, other.asked, &other.remark)
}

/// Puts what somebody asks in the place of what they asked before, or of who is settled, or of who knocked longest ago.
fn put(slots: &mut [Vec<Ask>], ask: Ask, settled: &BTreeSet<IdentityId>) {
    for slot in slots.iter_mut() {
        slot.retain(|one| one.identity == ask.identity || !settled.contains(&one.identity));
    }
    let known = slots
        .iter_mut()
        .flatten()
        .find(|one| one.identity == ask.identity);
    if let Some(known) = known {
        *known = ask;
        return;
    }
    if let Some(slot) = slots.iter_mut().find(|slot| slot.len() < PER_SLOT) {
        slot.push(ask);
        return;
    }
    let oldest = slots.iter_mut().flatten().min_by_key(|one| one.last);
    if let Some(oldest) = oldest {
        *oldest = ask;
    }
}
