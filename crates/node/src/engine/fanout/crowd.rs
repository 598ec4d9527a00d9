//! One session of many devices: who is there, what is on its way, and what is to be done when.

use std::collections::{BTreeMap, BTreeSet};

use tenet_delivery::fanout::{
    line::{Hope, Line, Member},
    marks::Marks,
    message::Report,
    point::{Point, Span, Turn},
    presence::{PERIOD_MS, Presence, TELL_MS, Word},
    shape::{LEAST_PARENTS, SMALL},
    spread::{Input, Output, ROUNDS, Spread},
};
use tenet_identity::keys::DeviceId;
use tenet_log::{
    event::Event,
    ids::{Author, EventId, SessionId},
    sync::HeadEntry,
};

use super::{lately::Lately, neighbours::Neighbours, room::Room};

/// How long what is on its way no more is remembered, in milliseconds: what is told of it later than that
/// sync finds out.
const KEEP_MS: u64 = 60_000;

/// How long nothing new came before what is held is compared, in milliseconds: what is said now is on its way.
const QUIET_MS: u64 = 2_000;

/// How often it is compared at most, and how long that may be put off while always something comes.
const COMPARE_MS: u64 = 60_000;

/// How long after a connection came about it is said again what nobody was there to hear, and after news of who is
/// online came that is passed on, in milliseconds: where one comes, more do.
const GATHER_MS: u64 = 1_000;

/// The most events that are remembered as on their way, and of them the most that are lacking here.
const MAX_SPREADS: usize = 4_096;
const MAX_LACKING: usize = 1_024;

/// The most of one's own events that are kept to be said again; the others sync brings.
const MAX_UNHEARD: usize = 256;

/// The most that waits for a connection with one device.
const MAX_PARCELS: usize = 64;

/// A session of more than ten devices, as this one sees it.
pub(super) struct Crowd {
    session: SessionId,
    me: Point,
    devices: BTreeMap<Point, DeviceId>,
    /// Those of them that are of this person; this one is among them.
    own: BTreeSet<Point>,
    line: Line,
    /// In which period the line was right.
    lined_up: u64,
    presence: Presence,
    spreads: BTreeMap<EventId, OnItsWay>,
    /// When each of them is looked at next.
    timers: BTreeSet<(u64, EventId)>,
    /// What came before what it builds on.
    pub(super) room: Room,
    lately: Lately,
    /// What waits for a connection.
    parcels: BTreeMap<DeviceId, Vec<(EventId, Output)>>,
    /// What was said when hardly anybody was there, and when it is said again.
    unheard: Vec<EventId>,
    say_at: Option<u64>,
    /// When something new came first and last, since what is held was compared.
    news: Option<(u64, u64)>,
    /// Before when it is not compared again.
    rest_until: u64,
    /// When others are told who is here.
    pub(super) tell_at: u64,
    pub(super) neighbours: Neighbours,
}

/// An event on its way.
struct OnItsWay {
    spread: Spread,
    /// Where it stands, once it is here.
    place: Option<(Author, u64)>,
    /// When it is looked at next.
    at: u64,
}

impl Crowd {
    /// With nobody in it yet.
    pub(super) fn new(session: SessionId, here: DeviceId, now: u64) -> Self {
        let me = Point::of(session, here);
        Self {
            session,
            me,
            devices: BTreeMap::new(),
            own: BTreeSet::new(),
            line: Line::default(),
            lined_up: 0,
            presence: Presence::new(),
            spreads: BTreeMap::new(),
            timers: BTreeSet::new(),
            room: Room::default(),
            lately: Lately::default(),
            parcels: BTreeMap::new(),
            unheard: Vec::new(),
            say_at: None,
            news: None,
            rest_until: now,
            // Each at another time.
            tell_at: now.saturating_add(me.0 % TELL_MS),
            neighbours: Neighbours::new(now),
        }
    }

    /// Who is in it now, which of them are of this person, and with whom a connection stands.
    pub(super) fn refit(
        &mut self,
        devices: impl IntoIterator<Item = (DeviceId, bool)>,
        here: impl IntoIterator<Item = DeviceId>,
        now: u64,
    ) {
        let session = self.session;
        self.devices.clear();
        self.own.clear();
        for (device, own) in devices {
            let point = Point::of(session, device);
            self.devices.insert(point, device);
            if own {
                self.own.insert(point);
            }
        }
        let devices = &self.devices;
        self.presence.retain(|point| devices.contains_key(&point));
        for device in here {
            self.presence.connected(Point::of(session, device), now);
        }
        let devices = &self.devices;
        let is_in = |device| devices.contains_key(&Point::of(session, device));
        self.parcels.retain(|device, _| is_in(*device));
        self.neighbours.retain(is_in, now);
        self.line_up(now);
    }

    pub(super) fn len(&self) -> usize {
        self.devices.len()
    }

    pub(super) fn device(&self, point: Point) -> Option<DeviceId> {
        self.devices.get(&point).copied()
    }

    /// Where a device stands, if it is in the session.
    pub(super) fn point(&self, device: DeviceId) -> Option<Point> {
        let point = Point::of(self.session, device);
        self.devices.contains_key(&point).then_some(point)
    }

    /// Everybody else, the nearest of this turn first (FAN-16).
    pub(super) fn by_nearness(&self, turn: Turn) -> Vec<DeviceId> {
        let others = self.devices.iter().filter(|(point, _)| **point != self.me);
        let near = others.map(|(point, device)| (turn.nearness(self.me, *point), *device));
        let mut near: Vec<(u64, DeviceId)> = near.collect();
        near.sort_unstable();
        near.into_iter().map(|(_, device)| device).collect()
    }

    /// How many of the others a connection stands with.
    pub(super) fn met(&self) -> usize {
        let members = self.line.within(Span::ALL).iter();
        members.filter(|member| member.hope == Hope::Here).count()
    }

    /// A connection stands; gives what waited for it.
    pub(super) fn connected(&mut self, device: DeviceId, now: u64) -> Vec<(EventId, Output)> {
        let Some(point) = self.point(device) else {
            return Vec::new();
        };
        self.presence.connected(point, now);
        self.tell_soon(now);
        self.line.set(point, Hope::Here);
        if !self.unheard.is_empty() {
            self.say_at.get_or_insert(now.saturating_add(GATHER_MS));
        }
        self.parcels.remove(&device).unwrap_or_default()
    }

    /// The last connection is lost, or none came about; what is on its way goes to others.
    pub(super) fn lost(&mut self, device: DeviceId, now: u64) -> Vec<(EventId, Output)> {
        let Some(point) = self.point(device) else {
            return Vec::new();
        };
        self.presence.lost(point, now);
        self.line.set(point, Hope::Away);
        self.parcels.remove(&device);
        let busy = self.spreads.iter().filter(|(_, it)| it.is_busy());
        let busy: Vec<EventId> = busy.map(|(event, _)| *event).collect();
        let mut outputs = Vec::new();
        for event in busy {
            let some = self.handle(event, Input::Unreachable(point), now);
            outputs.extend(some.into_iter().map(|output| (event, output)));
        }
        outputs
    }

    /// What waits for a connection with a device; `false` where that is too much.
    pub(super) fn keep(&mut self, device: DeviceId, event: EventId, output: Output) -> bool {
        let waiting = self.parcels.entry(device).or_default();
        let room = waiting.len() < MAX_PARCELS;
        if room {
            waiting.push((event, output));
        }
        room
    }

    /// This device says something; it is said again later where hardly anybody is there.
    pub(super) fn say(&mut self, event: &Event, now: u64) -> Vec<Output> {
        let here = self.met().min(LEAST_PARENTS);
        if here < LEAST_PARENTS && self.unheard.len() < MAX_UNHEARD {
            self.unheard.push(event.id());
        }
        self.forget(event.id());
        self.note(event);
        self.handle(event.id(), Input::Said(turn_of(event)), now)
    }

    /// What is to be said again now.
    pub(super) fn unheard(&mut self, now: u64) -> Vec<EventId> {
        match self.say_at.is_some_and(|at| at <= now) {
            true => {
                self.say_at = None;
                std::mem::take(&mut self.unheard)
            }
            false => Vec::new(),
        }
    }

    /// What was said before this process began, and nobody has acknowledged.
    pub(super) fn not_heard(&mut self, events: impl IntoIterator<Item = EventId>) {
        self.unheard.extend(events.into_iter().take(MAX_UNHEARD));
    }

    /// Whether it is known that the event is on its way.
    pub(super) fn knows(&self, event: EventId) -> bool {
        self.spreads.contains_key(&event)
    }

    /// Whether one more that is lacking is remembered.
    pub(super) fn has_room(&self) -> bool {
        let lacking = self.spreads.values().filter(|it| it.place.is_none());
        lacking.count() < MAX_LACKING
    }

    /// An event is here.
    pub(super) fn note(&mut self, event: &Event) {
        let place = Some((event.author(), event.header().seq));
        let one = self.spreads.entry(event.id());
        one.or_insert_with(|| OnItsWay::new(self.me)).place = place;
    }

    /// Where an event on its way stands, if it is here.
    pub(super) fn place(&self, event: EventId) -> Option<(Author, u64)> {
        self.spreads.get(&event)?.place
    }

    /// Those on their way that whoever holds these heads has.
    pub(super) fn within(&self, heads: &[HeadEntry]) -> Vec<EventId> {
        let mut held: BTreeMap<Author, u64> = BTreeMap::new();
        for head in heads.iter().filter(|_| !self.spreads.is_empty()) {
            let seq = held.entry(head.author).or_default();
            *seq = head.seq.max(*seq);
        }
        let has = |(author, seq): (Author, u64)| held.get(&author).is_some_and(|held| *held >= seq);
        let some = self.spreads.iter();
        let some = some.filter(|(_, it)| it.place.is_some_and(has));
        some.map(|(event, _)| *event).collect()
    }

    /// How many devices of others have an event on its way, and how many there are.
    pub(super) fn reached(&self, event: EventId) -> (usize, usize) {
        let others = self.devices.len() - self.own.len();
        let reached = self.spreads.get(&event).map_or(0, |one| {
            let own = self.own.iter().filter(|own| one.spread.has(**own));
            one.spread.reached().saturating_sub(own.count())
        });
        (reached.min(others), others)
    }

    /// Takes one input about an event; gives what is to be sent.
    pub(super) fn handle(&mut self, event: EventId, input: Input, now: u64) -> Vec<Output> {
        self.keep_lined_up(now);
        let one = self.spreads.entry(event);
        let one = one.or_insert_with(|| OnItsWay::new(self.me));
        one.spread.handle(input, &self.line, now);
        let outputs = std::iter::from_fn(|| one.spread.poll()).collect();
        self.timers.remove(&(one.at, event));
        let done = now.saturating_add(KEEP_MS);
        one.at = one.spread.deadline().unwrap_or(done);
        self.timers.insert((one.at, event));
        if self.spreads.len() > MAX_SPREADS
            && let Some(first) = self.least_needed()
        {
            self.forget(first);
        }
        outputs
    }

    /// Of what is on its way the first for which nothing is to be done, or the one that is due first.
    fn least_needed(&self) -> Option<EventId> {
        let is_idle = |event: &EventId| self.spreads.get(event).is_none_or(|it| !it.is_busy());
        let mut all = self.timers.iter().map(|(_, event)| *event);
        let first = all.clone().next();
        all.find(is_idle).or(first)
    }

    /// That what was to be seen to within a span was seen to before, as far as is known here.
    pub(super) fn seen_to(&self, to: Point, span: Span) -> Output {
        let report = Report {
            span,
            done: true,
            has: self.line.mark(span, |point| point == self.me),
            away: None,
        };
        Output::Report(to, report)
    }

    /// Somebody tells which devices of a span have an event, or were heard of: they are online.
    pub(super) fn heard_of(&mut self, span: Span, marks: &Marks, now: u64) -> Vec<DeviceId> {
        let marked: Vec<Point> = self
            .line
            .marked(span, marks)
            .into_iter()
            .flatten()
            .collect();
        for point in &marked {
            if self.line.hope(*point) == Some(Hope::Away) {
                self.presence.heard_of(*point, now);
                self.line.set(*point, Hope::Likely);
            }
        }
        marked.iter().filter_map(|it| self.device(*it)).collect()
    }

    /// Takes what a neighbour tells of who is online (FAN-14).
    pub(super) fn take_word(&mut self, word: &Word, now: u64) {
        self.keep_lined_up(now);
        for point in self.presence.take(word, &self.line, now) {
            self.line.set(point, self.presence.hope(point, now));
        }
        self.tell_soon(now);
    }

    /// FAN-15: where much is new neighbours are told of it once more of it has come.
    fn tell_soon(&mut self, now: u64) {
        if self.presence.has_news() {
            self.tell_at = self.tell_at.min(now.saturating_add(GATHER_MS));
        }
    }

    /// What there is to tell of who is online.
    pub(super) fn words(&mut self, now: u64) -> Vec<Word> {
        self.presence.words(&self.line, now)
    }

    /// Neighbours were told.
    pub(super) fn told(&mut self, now: u64) {
        self.presence.told();
        self.tell_at = now.saturating_add(TELL_MS);
    }

    /// What is on its way and due; what is so no more is forgotten.
    pub(super) fn due(&mut self, now: u64) -> Vec<EventId> {
        let mut due = Vec::new();
        while let Some((_, event)) = self.timers.first().filter(|(at, _)| *at <= now).copied() {
            self.timers
                .remove(&(self.timers.first().map_or(0, |it| it.0), event));
            match self.spreads.get(&event).is_some_and(OnItsWay::is_busy) {
                true => due.push(event),
                false => self.forget(event),
            }
        }
        due
    }

    /// An event came in.
    pub(super) fn came(&mut self, event: EventId, now: u64) {
        self.lately.came(event, now);
        self.stirred(now);
    }

    /// Whether an event came so lately that it is forwarded if somebody asks for that. Else whoever gives again what is
    /// old would have all of the session send it.
    pub(super) fn is_news(&mut self, event: EventId, now: u64) -> bool {
        self.lately.has(event, now, KEEP_MS)
    }

    /// Something new came: what is held is compared once all is quiet.
    pub(super) fn stirred(&mut self, now: u64) {
        let first = self.news.map_or(now, |(first, _)| first);
        self.news = Some((first, now));
    }

    /// Whether what is held is to be compared now.
    pub(super) fn compares(&mut self, now: u64) -> bool {
        let due = self.compare_at().is_some_and(|at| at <= now);
        if due {
            self.news = None;
            self.rest_until = now.saturating_add(COMPARE_MS);
        }
        due
    }

    /// Once nothing more comes, which is waited for as long as it takes to compare again.
    fn compare_at(&self) -> Option<u64> {
        let (first, last) = self.news?;
        let quiet = last.saturating_add(QUIET_MS);
        let longest = first.saturating_add(COMPARE_MS);
        Some(quiet.min(longest).max(self.rest_until))
    }

    /// When something is to be done for what is on its way.
    pub(super) fn deadline(&self) -> Option<u64> {
        let timer = self.timers.first().map(|(at, _)| *at);
        let times = [timer, self.room.deadline(), self.compare_at(), self.say_at];
        times.into_iter().flatten().min()
    }

    /// When something is to be done to be ready for what will be said: that recurs for ever.
    pub(super) fn upkeep_at(&self) -> Option<u64> {
        let sparse = self.devices.len() > SMALL;
        sparse.then(|| self.tell_at.min(self.neighbours.due_at()))
    }

    /// Forgets all that is on its way.
    pub(super) fn clear(&mut self) {
        self.spreads.clear();
        self.timers.clear();
        self.room = Room::default();
        self.parcels.clear();
    }

    /// The clock was set back: nothing waits for a time of the old one.
    pub(super) fn set_back(&mut self, now: u64) {
        self.lately = Lately::default();
        self.presence.set_back(now);
        self.neighbours.set_back(now);
        self.news = self.news.map(|_| (now, now));
        self.rest_until = self.rest_until.min(now);
        self.say_at = self.say_at.map(|at| at.min(now));
        self.tell_at = self.tell_at.min(now);
        self.line_up(now);
    }

    fn forget(&mut self, event: EventId) {
        if let Some(one) = self.spreads.remove(&event) {
            self.timers.remove(&(one.at, event));
        }
    }

    fn keep_lined_up(&mut self, now: u64) {
        if self.lined_up != now / PERIOD_MS {
            self.line_up(now);
        }
    }

    fn line_up(&mut self, now: u64) {
        self.lined_up = now / PERIOD_MS;
        let presence = &self.presence;
        self.line = Line::new(self.devices.keys().map(|point| Member {
            point: *point,
            hope: presence.hope(*point, now),
        }));
    }
}

impl OnItsWay {
    fn new(me: Point) -> Self {
        Self {
            spread: Spread::new(me, ROUNDS),
            place: None,
            at: 0,
        }
    }

    /// Whether something is to be done for it still.
    fn is_busy(&self) -> bool {
        self.spread.deadline().is_some()
    }
}

/// In which hour an event was said.
pub(super) fn turn_of(event: &Event) -> Turn {
    Turn::of(event.header().time.millis())
}

#[cfg(test)]
mod tests;
