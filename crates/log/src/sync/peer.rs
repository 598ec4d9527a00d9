//! One session with one connected device: what it holds, what it lacks, what is under way.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use minicbor::bytes::ByteVec;

use super::{
    HeadEntry, MAX_EVENTS_PER_MESSAGE, Message, compare::AT_ONCE, holdings::Holdings,
    message::MAX_HEADS, part::Part, recent::Recent, summary::Summary, window::Window,
};
use crate::{
    clock::Hlc,
    event::Event,
    ids::{Author, EventId, SessionId},
    register::Register,
    session::Session,
    store::{LogStore, Position, StoreError, Stored},
};

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
    pub(super) session: SessionId,
    /// What they may hear.
    pub(super) part: Part,
    /// What we held when we said our digest, until they have said theirs.
    pub(super) opened: Option<Opened>,
    /// That, while it is being compared with what they hold.
    pub(super) said: Option<Arc<Summary>>,
    /// Up to how many names are all said at once (SYNC-1701).
    pub(super) at_once: usize,
    /// What both held when they compared, if that was the same.
    pub(super) agreed: Vec<HeadEntry>,
    pub(super) theirs: Holdings,
    pub(super) cursor: Option<Position>,
    /// Where what we held ended when it became known what they lack.
    pub(super) compared: Position,
    /// Whether what came since is sent too (SYNC-4).
    passes_on: bool,
    pub(super) window: Window,
    pub(super) registers: VecDeque<ByteVec>,
    left_out: Option<u64>,
    floor: Option<Hlc>,
    to_acknowledge: BTreeMap<Author, (u64, EventId)>,
    paused_until: Option<u64>,
    pub(super) told: bool,
    /// We lack something, said so, and what comes was sent before they heard it.
    pub(super) gap: bool,
    /// How often we said so since something new came.
    pub(super) gaps: u8,
    /// How often they said so since they acknowledged something.
    pub(super) restarts: u8,
}

/// What we held when we said our digest.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    pub(super) summary: Arc<Summary>,
    /// Where the last event came.
    pub(super) position: Position,
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
            said: None,
            at_once: AT_ONCE,
            agreed: Vec::new(),
            theirs: Holdings::default(),
            cursor: None,
            compared: Position::default(),
            passes_on: true,
            window: Window::default(),
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
            // What came since others see to.
            None if cursor >= last => true,
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
        if !self.window.has_room() || events.len() >= MAX_EVENTS_PER_MESSAGE {
            return Ok(false);
        }
        self.cursor = Some(position);
        if self.part.includes(store, event)? && !self.theirs.contain(event) {
            let (author, seq) = (event.author(), event.header().seq);
            let bytes = match self.floor.is_some_and(|floor| event.is_below(floor)) {
                true => event.bare().to_wire(),
                false => event.to_wire(),
            };
            self.window.sent(author, seq, bytes.len());
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

    /// They hold these heads durably: moves the window (SYNC-5).
    pub fn on_have(&mut self, heads: &[HeadEntry]) {
        if heads.is_empty() {
            self.gap = false;
            return;
        }
        if self.window.arrived(heads) {
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
        self.window.size()
    }

    /// Whether all that is to be sent was sent, and is held durably there.
    pub fn is_caught_up<S: LogStore>(&self, store: &S) -> Result<bool, StoreError> {
        let last = match self.passes_on {
            true => store.last_position(self.session)?,
            false => self.compared,
        };
        Ok(self.window.size().0 == 0 && self.cursor == Some(last))
    }
}

/// SYNC-10: whether an event is void, and by our own clock the other side cannot take it yet.
fn is_straggler(stored: &Stored, now: u64) -> bool {
    !stored.standing.counts() && stored.event.header().time.is_too_early(now)
}
