//! One session with one connected device: what it holds, what it lacks, what is under way.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use minicbor::bytes::ByteVec;

use super::{
    HeadEntry, MAX_EVENTS_PER_MESSAGE, Message, RegisterEntry,
    holdings::Holdings,
    message::MAX_HEADS,
    part::Part,
    recent::Recent,
    summary::{self, Summary},
};
use crate::{
    clock::Hlc,
    event::Event,
    ids::{Author, EventId, SessionId},
    register::Register,
    session::Session,
    store::{LogStore, Position, StoreError, Stored},
};

/// How many bytes of events may be under way unacknowledged.
///
/// A guess between two needs: 512 KiB fill 50 ms of a 10 MB/s line, and a peer that stalls holds
/// no more memory than this.
pub const WINDOW_BYTES: usize = 512 * 1024;
/// How many events may be under way unacknowledged, and so be sent once more after a break.
///
/// Of 100,000 that are less than one in a hundred; and signatures checked and pages written for so many
/// together are hardly dearer than for more.
pub const WINDOW_EVENTS: usize = 960;

/// How often one comparison may begin anew without anything having come of it (SYNC-9). A guess: an honest
/// device needs one; the bound is against those that ask for ever.
const MAX_RESTARTS: u8 = 8;
/// How many bytes of registers go into one message.
const REGISTERS_BYTES: usize = 256 * 1024;

/// One session with one connected device: one comparison, and what follows from it.
///
/// A passive machine: each method takes what happened and gives the messages to send; what it reads
/// it reads from the given store. Every message that it makes may be lost with the connection.
/// Messages arrive in the order in which they were sent, or not at all. To compare anew (after a
/// wait, or when a fork became known) both sides open another.
#[derive(Clone, Debug)]
pub struct Peer {
    session: SessionId,
    /// What they may hear.
    part: Part,
    /// What we held when we said our digest, and where the last event came.
    opened: Option<Opened>,
    /// What both held when they compared, if that was the same.
    agreed: Vec<HeadEntry>,
    theirs: Holdings,
    cursor: Option<Position>,
    /// Where what we held ended when it became known what they lack.
    compared: Position,
    /// Whether what came since is sent too (SYNC-4).
    passes_on: bool,
    under_way: VecDeque<(Author, u64, usize)>,
    under_way_bytes: usize,
    registers: VecDeque<ByteVec>,
    left_out: Option<u64>,
    floor: Option<Hlc>,
    to_acknowledge: BTreeMap<Author, (u64, EventId)>,
    paused_until: Option<u64>,
    told: bool,
    /// We lack something, said so, and what comes was sent before they heard it.
    gap: bool,
    /// How often we said so since something new came.
    gaps: u8,
    /// How often they said so since they acknowledged something.
    restarts: u8,
}

/// What we held when we said our digest.
#[derive(Clone, Debug)]
struct Opened {
    summary: Arc<Summary>,
    position: Position,
}

impl Peer {
    /// Begins: says our digest.
    ///
    /// # Errors
    /// [`StoreError`], as for every method here that reads.
    pub fn open<S: LogStore>(session: &Session, store: &S) -> Result<(Self, Message), StoreError> {
        Self::open_to(session, store, Part::Whole)
    }

    /// As [`Self::open`], with a device that may hear no more than this.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_to<S: LogStore>(
        session: &Session,
        store: &S,
        part: Part,
    ) -> Result<(Self, Message), StoreError> {
        let summary = part.summed_up(session, store)?;
        let message = Message::Digest(summary.digest());
        let opened = Opened {
            summary,
            position: store.last_position(session.id())?,
        };
        let peer = Self {
            session: session.id(),
            part,
            opened: Some(opened),
            agreed: Vec::new(),
            theirs: Holdings::default(),
            cursor: None,
            compared: Position::default(),
            passes_on: true,
            under_way: VecDeque::new(),
            under_way_bytes: 0,
            registers: VecDeque::new(),
            left_out: None,
            floor: None,
            to_acknowledge: BTreeMap::new(),
            paused_until: None,
            told: false,
            gap: false,
            gaps: 0,
            restarts: 0,
        };
        Ok((peer, message))
    }

    /// What they may hear is another than before; whether that is more, so that both must compare anew.
    pub fn restrict(&mut self, part: Part) -> bool {
        if self.part.is_like(&part) {
            return false;
        }
        self.registers.clear();
        let was = std::mem::replace(&mut self.part, part);
        !was.is_whole()
    }

    /// Whether they may hear all of it.
    pub fn hears_all(&self) -> bool {
        self.part.is_whole()
    }

    /// The other side's digest: the same as ours was, or a reason to say what we hold (SYNC-2).
    ///
    /// Both sides compare the two digests that were said, so both find the same, whatever came
    /// meanwhile. A second digest says nothing.
    pub fn on_digest<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
        theirs: [u8; 32],
    ) -> Result<Option<Message>, StoreError> {
        let Some(opened) = self.opened.take() else {
            return Ok(None);
        };
        if opened.summary.digest() != theirs {
            return self.tell_frontier(session, store);
        }
        if self.cursor.is_none() {
            let heads = opened.summary.heads();
            self.theirs = Holdings::ours(heads, session.forks());
            self.cursor = Some(opened.position);
            self.compared = opened.position;
            self.agreed = heads.to_vec();
        }
        Ok(None)
    }

    /// What they hold durably, where the digests just heard were equal: what we held when we said ours, whatever
    /// has come since. Once.
    pub fn agreed(&mut self) -> Vec<HeadEntry> {
        std::mem::take(&mut self.agreed)
    }

    /// Says what we hold, once, and once more for every gap.
    fn tell_frontier<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
    ) -> Result<Option<Message>, StoreError> {
        if self.part.hears_first() || std::mem::replace(&mut self.told, true) {
            return Ok(None);
        }
        let summary = self.part.summed_up(session, store)?;
        Ok(Some(summary::frontier(session, &summary)))
    }

    /// Something that they sent builds on what we lack: says again what we hold (SYNC-6).
    ///
    /// `None` until they have answered, and when that was said too often without use.
    pub fn on_gap<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
    ) -> Result<Option<Message>, StoreError> {
        if self.gap || self.gaps >= MAX_RESTARTS {
            return Ok(None);
        }
        self.gap = true;
        self.gaps += 1;
        self.told = false;
        self.tell_frontier(session, store)
    }

    /// What they hold: from here on we know what they lack.
    ///
    /// Gives our frontier, if they do not have it yet; then [`Self::pump`] gives what they lack.
    /// Where we had begun already they met a gap: an empty [`Message::Have`] tells them that what
    /// follows begins anew.
    pub fn on_frontier<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
        heads: &[HeadEntry],
        versions: &[RegisterEntry],
    ) -> Result<Vec<Message>, StoreError> {
        self.part.note(heads);
        let frontier = self.tell_frontier(session, store)?;
        let mut messages: Vec<Message> = frontier.into_iter().collect();
        if self.cursor.is_some() {
            if self.restarts >= MAX_RESTARTS {
                return Ok(messages);
            }
            self.restarts += 1;
            messages.push(Message::Have(Vec::new()));
        }
        self.under_way.clear();
        self.under_way_bytes = 0;
        let (theirs, first) = Holdings::claimed(session, store, heads, self.part.out())?;
        self.theirs = theirs;
        self.compared = store.last_position(self.session)?;
        self.cursor = Some(first.map_or(self.compared, |first| Position(first.0 - 1)));
        self.registers = match self.part.is_whole() {
            false => VecDeque::new(),
            true => summary::lacking(&store.registers(self.session)?, versions).into(),
        };
        Ok(messages)
    }

    /// The next events that they lack, as far as the window allows (SYNC-4); after the last of them the
    /// registers that they lack. To be called until it gives nothing.
    pub fn pump<S: LogStore>(
        &mut self,
        store: &S,
        now: u64,
    ) -> Result<Option<Message>, StoreError> {
        self.pump_recent(store, None, now)
    }

    /// As [`Self::pump`], without reading back what is at hand.
    pub fn pump_recent<S: LogStore>(
        &mut self,
        store: &S,
        recent: Option<&Recent>,
        now: u64,
    ) -> Result<Option<Message>, StoreError> {
        let Some(cursor) = self.cursor else {
            return Ok(None);
        };
        if self.paused_until.is_some_and(|until| now < until) {
            return Ok(None);
        }
        self.paused_until = None;
        let (mut events, last) = (Vec::new(), self.last());
        let all = match recent.filter(|recent| cursor >= recent.after) {
            Some(recent) => {
                let newer = recent.events.iter();
                let mut newer = newer.filter(|(at, _)| *at > cursor && *at <= last);
                newer.try_fold(true, |all, (position, event)| {
                    Ok(all && self.take(store, *position, event, &mut events)?)
                })?
            }
            None => self.read_back(store, &mut events, now)?,
        };
        if !events.is_empty() {
            return Ok(Some(Message::Events(events)));
        }
        Ok(if all { self.next_registers() } else { None })
    }

    /// Puts under way what is stored after the cursor; whether that is all.
    fn read_back<S: LogStore>(
        &mut self,
        store: &S,
        events: &mut Vec<ByteVec>,
        now: u64,
    ) -> Result<bool, StoreError> {
        const PAGE: usize = 128;
        while let Some(cursor) = self.cursor {
            let page = store.since(self.session, cursor, PAGE)?;
            for stored in &page {
                if stored.position > self.last() {
                    return Ok(true);
                }
                if is_straggler(stored, now) {
                    let from = stored.event.header().time.acceptable_from();
                    self.left_out = self.left_out.max(Some(from));
                    self.cursor = Some(stored.position);
                    continue;
                }
                if !self.take(store, stored.position, &stored.event, events)? {
                    return Ok(false);
                }
            }
            if page.len() < PAGE {
                break;
            }
        }
        Ok(true)
    }

    /// Puts the event at this position under way, unless they have it; `false` if there is no room.
    fn take<S: LogStore>(
        &mut self,
        store: &S,
        position: Position,
        event: &Event,
        events: &mut Vec<ByteVec>,
    ) -> Result<bool, StoreError> {
        if !self.has_room() || events.len() >= MAX_EVENTS_PER_MESSAGE {
            return Ok(false);
        }
        self.cursor = Some(position);
        if self.part.includes(store, event)? && !self.theirs.contain(event) {
            let (author, seq) = (event.author(), event.header().seq);
            let bytes = match self.floor.is_some_and(|floor| event.is_below(floor)) {
                true => event.bare().to_wire(),
                false => event.to_wire(),
            };
            self.under_way_bytes += bytes.len();
            self.under_way.push_back((author, seq, bytes.len()));
            self.theirs.note(author, seq, event.id());
            events.push(ByteVec::from(bytes));
        }
        Ok(true)
    }

    /// Whether what comes new is sent to them, or others see to that (SYNC-4).
    pub fn pass_on(&mut self, passes_on: bool) {
        self.passes_on = passes_on;
    }

    /// Up to where they are sent what they lack; what came after they were compared others may see to.
    fn last(&self) -> Position {
        match self.passes_on {
            true => Position(i64::MAX),
            false => self.compared,
        }
    }

    /// Whether something came that they were not compared with.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_behind<S: LogStore>(&self, store: &S) -> Result<bool, StoreError> {
        let cursor = self.cursor.unwrap_or_default();
        Ok(!self.passes_on && cursor < store.last_position(self.session)?)
    }

    /// From when on what was said is for them, if not all is (ROS-515): what lies below goes without its body
    /// (SYNC-801).
    pub fn withhold_below(&mut self, floor: Option<Hlc>) {
        self.floor = floor;
    }

    /// When to compare anew because of what was left out until then (SYNC-10).
    pub fn left_out(&mut self) -> Option<u64> {
        self.left_out.take()
    }

    /// A register that is new: it goes after all events, for it says nothing to who does not know yet that
    /// its device is in.
    pub fn offer_register(&mut self, register: &Register) {
        if self.part.is_whole() {
            self.registers.push_back(ByteVec::from(register.encode()));
        }
    }

    fn next_registers(&mut self) -> Option<Message> {
        let mut bytes = 0;
        let mut registers = Vec::new();
        while bytes < REGISTERS_BYTES {
            let Some(register) = self.registers.pop_front() else {
                break;
            };
            bytes += register.len();
            registers.push(register);
        }
        (!registers.is_empty()).then_some(Message::Registers(registers))
    }

    fn has_room(&self) -> bool {
        self.under_way_bytes < WINDOW_BYTES && self.under_way.len() < WINDOW_EVENTS
    }

    /// They hold these heads durably: moves the window (SYNC-5).
    pub fn on_have(&mut self, heads: &[HeadEntry]) {
        if heads.is_empty() {
            self.gap = false;
            return;
        }
        let held: BTreeMap<Author, u64> = heads
            .iter()
            .map(|entry| (entry.author, entry.seq))
            .collect();
        let mut freed = 0;
        self.under_way.retain(|(author, seq, bytes)| {
            let arrived = held.get(author).is_some_and(|held| held >= seq);
            freed += if arrived { *bytes } else { 0 };
            !arrived
        });
        self.under_way_bytes = self.under_way_bytes.saturating_sub(freed);
        if freed > 0 {
            self.restarts = 0;
        }
    }

    /// They said that our event is too early by their clock (Unix milliseconds): stop until it is
    /// not. Gives the time, by our clock, at which to compare anew (SYNC-7).
    pub fn on_too_early(&mut self, event_time: Hlc, their_now: u64, now: u64) -> u64 {
        let wait = event_time
            .acceptable_from()
            .saturating_sub(their_now)
            .max(1000);
        let until = now.saturating_add(wait);
        let until = self.paused_until.map_or(until, |other| other.max(until));
        self.paused_until = Some(until);
        until
    }

    /// They hold an event that is in our set, and know that we do.
    pub fn on_held(&mut self, author: Author, seq: u64, id: EventId) {
        if self.theirs.note(author, seq, id) {
            self.gaps = 0;
        }
    }

    /// An event came from them and is in our set (or was already).
    pub fn on_received(&mut self, author: Author, seq: u64, id: EventId) {
        self.on_held(author, seq, id);
        let newest = self.to_acknowledge.entry(author).or_insert((seq, id));
        if newest.0 <= seq {
            *newest = (seq, id);
        }
    }

    /// What to acknowledge once all that was received is durable.
    pub fn acknowledgement(&mut self) -> Option<Message> {
        let rest = match self.to_acknowledge.keys().nth(MAX_HEADS).copied() {
            Some(author) => self.to_acknowledge.split_off(&author),
            None => BTreeMap::new(),
        };
        let heads = std::mem::replace(&mut self.to_acknowledge, rest);
        let entry = |(author, (seq, id))| HeadEntry { author, seq, id };
        let heads: Vec<HeadEntry> = heads.into_iter().map(entry).collect();
        (!heads.is_empty()).then_some(Message::Have(heads))
    }

    /// Whether it is known what they lack.
    pub fn is_compared(&self) -> bool {
        self.cursor.is_some()
    }

    /// How many events, and bytes of them, are under way unacknowledged.
    pub fn under_way(&self) -> (usize, usize) {
        (self.under_way.len(), self.under_way_bytes)
    }

    /// Whether all that is to be sent was sent, and is held durably there.
    pub fn is_caught_up<S: LogStore>(&self, store: &S) -> Result<bool, StoreError> {
        let last = match self.passes_on {
            true => store.last_position(self.session)?,
            false => self.compared,
        };
        Ok(self.under_way.is_empty() && self.cursor == Some(last))
    }
}

/// SYNC-10: whether an event is void, and by our own clock the other side cannot take it yet.
fn is_straggler(stored: &Stored, now: u64) -> bool {
    !stored.standing.counts() && stored.event.header().time.is_too_early(now)
}
