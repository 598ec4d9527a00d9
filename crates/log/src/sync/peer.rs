//! One session with one connected device: what it holds, what it lacks, what is under way.

use std::collections::{BTreeMap, VecDeque};

use minicbor::bytes::ByteVec;
use tenet_identity::{domain::derive, encoding, keys::DeviceId};

use super::{HeadEntry, MAX_EVENTS_PER_MESSAGE, Message, RegisterEntry};
use crate::{
    clock::Hlc,
    domain::DIGEST,
    event::Event,
    frontier::Frontier,
    ids::{Author, EventId, SessionId},
    register::Register,
    session::Session,
    store::{LogStore, Position, StoreError},
};

/// How many bytes of events may be under way unacknowledged.
///
/// A guess between two needs: 512 KiB fill 50 ms of a 10 MB/s line, and a peer that stalls holds
/// no more memory than this.
pub const WINDOW_BYTES: usize = 512 * 1024;
/// How many events may be under way unacknowledged.
pub const WINDOW_EVENTS: usize = 2048;

/// One session with one connected device.
///
/// A passive machine: each method takes what happened and gives the messages to send; what it reads
/// it reads from the given store. Every message that it makes may be lost with the connection.
#[derive(Clone, Debug)]
pub struct Peer {
    session: SessionId,
    theirs: BTreeMap<Author, u64>,
    cursor: Option<Position>,
    under_way: VecDeque<(Author, u64, usize)>,
    under_way_bytes: usize,
    to_acknowledge: BTreeMap<Author, (u64, EventId)>,
    paused_until: Option<u64>,
    told: bool,
    restarts: u8,
}

/// The events of a session that came last, so that nobody needs to read them back to pass them on.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    /// Just before the first of them.
    pub after: Position,
    /// All that came since, in the order in which they came.
    pub events: Vec<(Position, Event)>,
}

impl Recent {
    /// From now on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin<S: LogStore>(store: &S, session: SessionId) -> Result<Self, StoreError> {
        Ok(Self {
            after: store.last_position(session)?,
            events: Vec::new(),
        })
    }

    /// Lets go of the events: whoever still lacks them reads them back.
    pub fn forget(&mut self) {
        if let Some((last, _)) = self.events.last() {
            self.after = *last;
        }
        self.events.clear();
    }
}

impl Peer {
    /// Begins: says our digest.
    ///
    /// # Errors
    /// [`StoreError`], as for every method here that reads.
    pub fn open<S: LogStore>(session: &Session, store: &S) -> Result<(Self, Message), StoreError> {
        let peer = Self {
            session: session.id(),
            theirs: BTreeMap::new(),
            cursor: None,
            under_way: VecDeque::new(),
            under_way_bytes: 0,
            to_acknowledge: BTreeMap::new(),
            paused_until: None,
            told: false,
            restarts: 0,
        };
        let digest = digest(session.frontier(), &store.registers(session.id())?);
        Ok((peer, Message::Digest(digest)))
    }

    /// The other side's digest: the same as ours, or a reason to say what we hold.
    pub fn on_digest<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
        theirs: [u8; 32],
    ) -> Result<Option<Message>, StoreError> {
        let registers = store.registers(self.session)?;
        if digest(session.frontier(), &registers) == theirs {
            for head in session.frontier().heads() {
                self.note(head.author, head.seq);
            }
            self.cursor = Some(store.last_position(self.session)?);
            return Ok(None);
        }
        Ok(self.tell_frontier(session, &registers))
    }

    /// Says what we hold, once a connection and a few times more if the other side got lost.
    fn tell_frontier(&mut self, session: &Session, registers: &[Register]) -> Option<Message> {
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        Some(Message::Frontier(
            entries(session.frontier()),
            register_entries(registers),
        ))
    }

    /// Something that they sent builds on what we lack: says again what we hold.
    ///
    /// `None` when that was said too often: the other side does not listen.
    pub fn on_gap<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
    ) -> Result<Option<Message>, StoreError> {
        const MAX_RESTARTS: u8 = 8;
        self.restarts = self.restarts.saturating_add(1);
        if self.restarts > MAX_RESTARTS {
            return Ok(None);
        }
        self.told = false;
        Ok(self.tell_frontier(session, &store.registers(self.session)?))
    }

    /// What they hold: from here on we know what they lack.
    ///
    /// Gives our frontier, if they do not have it yet, and the registers that they lack; then
    /// [`Self::pump`] gives events.
    pub fn on_frontier<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
        heads: &[HeadEntry],
        versions: &[RegisterEntry],
    ) -> Result<Vec<Message>, StoreError> {
        let registers = store.registers(self.session)?;
        let mut messages: Vec<Message> = self
            .tell_frontier(session, &registers)
            .into_iter()
            .collect();
        self.theirs.clear();
        self.under_way.clear();
        self.under_way_bytes = 0;
        for entry in heads {
            self.note(entry.author, entry.seq);
        }
        for author in disputed(session.frontier(), store, self.session, heads)? {
            // Two histories: the other side may lack any part of ours, so the chain is offered
            // from its beginning. Only a device that broke its word causes this.
            self.theirs.remove(&author);
        }
        self.cursor = Some(self.first_missing(session.frontier(), store)?);
        let lacking = lacking_registers(&registers, versions);
        if !lacking.is_empty() {
            messages.push(Message::Registers(lacking));
        }
        Ok(messages)
    }

    /// Just before the first event that they lack, in the order in which events came here.
    fn first_missing<S: LogStore>(
        &self,
        frontier: &Frontier,
        store: &S,
    ) -> Result<Position, StoreError> {
        let mut first: Option<Position> = None;
        for head in frontier.heads() {
            let next = self.theirs.get(&head.author).map_or(0, |seq| seq + 1);
            if next > head.seq {
                continue;
            }
            if let Some(position) = store.position(self.session, head.author, next)? {
                first = Some(first.map_or(position, |first| first.min(position)));
            }
        }
        match first {
            Some(position) => Ok(Position(position.0 - 1)),
            None => store.last_position(self.session),
        }
    }

    /// The next events that they lack, as far as the window allows.
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
        let mut events = Vec::new();
        match recent.filter(|recent| cursor >= recent.after) {
            Some(recent) => {
                for (position, event) in recent.events.iter().filter(|(at, _)| *at > cursor) {
                    if !self.take(*position, event, &mut events) {
                        break;
                    }
                }
            }
            None => self.read_back(store, &mut events)?,
        }
        Ok((!events.is_empty()).then_some(Message::Events(events)))
    }

    fn read_back<S: LogStore>(
        &mut self,
        store: &S,
        events: &mut Vec<ByteVec>,
    ) -> Result<(), StoreError> {
        const PAGE: usize = 128;
        while let Some(cursor) = self.cursor {
            let page = store.since(self.session, cursor, PAGE)?;
            for stored in &page {
                if !self.take(stored.position, &stored.event, events) {
                    return Ok(());
                }
            }
            if page.len() < PAGE {
                break;
            }
        }
        Ok(())
    }

    /// Puts the event at this position under way, unless they have it; `false` if there is no room.
    fn take(&mut self, position: Position, event: &Event, events: &mut Vec<ByteVec>) -> bool {
        if !self.has_room() || events.len() >= MAX_EVENTS_PER_MESSAGE {
            return false;
        }
        self.cursor = Some(position);
        let (author, seq) = (event.author(), event.header().seq);
        let theirs = self.theirs.get(&author);
        if theirs.is_none_or(|theirs| *theirs < seq) {
            let bytes = event.to_wire();
            self.under_way_bytes += bytes.len();
            self.under_way.push_back((author, seq, bytes.len()));
            self.note(author, seq);
            events.push(ByteVec::from(bytes));
        }
        true
    }

    fn has_room(&self) -> bool {
        self.under_way_bytes < WINDOW_BYTES && self.under_way.len() < WINDOW_EVENTS
    }

    /// They hold these heads durably: moves the window.
    pub fn on_have(&mut self, heads: &[HeadEntry]) {
        for entry in heads {
            self.note(entry.author, entry.seq);
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
    }

    /// They said that our event is too early by their clock (Unix milliseconds): stop until it is
    /// not, then offer the same events again. Gives the time to come back, by our clock.
    pub fn on_too_early(&mut self, event_time: Hlc, their_now: u64, now: u64) -> u64 {
        let wait = event_time
            .acceptable_from()
            .saturating_sub(their_now)
            .max(1000);
        let until = now.saturating_add(wait);
        self.paused_until = Some(until);
        until
    }

    /// The wait after [`Self::on_too_early`] is over: ask what they hold and go on from there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn resume<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
    ) -> Result<Message, StoreError> {
        self.paused_until = None;
        self.told = false;
        self.cursor = None;
        Ok(Message::Digest(digest(
            session.frontier(),
            &store.registers(self.session)?,
        )))
    }

    /// An event came from them and is in our set (or was already).
    pub fn on_received(&mut self, author: Author, seq: u64, id: EventId) {
        self.note(author, seq);
        let newest = self.to_acknowledge.entry(author).or_insert((seq, id));
        if newest.0 <= seq {
            *newest = (seq, id);
        }
    }

    /// What to acknowledge once all that was received is durable.
    pub fn acknowledgement(&mut self) -> Option<Message> {
        if self.to_acknowledge.is_empty() {
            return None;
        }
        let heads = std::mem::take(&mut self.to_acknowledge);
        let entry = |(author, (seq, id))| HeadEntry { author, seq, id };
        Some(Message::Have(heads.into_iter().map(entry).collect()))
    }

    /// Whether all that we hold was sent.
    pub fn is_caught_up<S: LogStore>(&self, store: &S) -> Result<bool, StoreError> {
        Ok(self.under_way.is_empty() && self.cursor == Some(store.last_position(self.session)?))
    }

    fn note(&mut self, author: Author, seq: u64) {
        let held = self.theirs.entry(author).or_insert(seq);
        *held = (*held).max(seq);
    }
}

/// Authors of whom the two sides hold different histories.
fn disputed<S: LogStore>(
    frontier: &Frontier,
    store: &S,
    session: SessionId,
    heads: &[HeadEntry],
) -> Result<Vec<Author>, StoreError> {
    let mut disputed = Vec::new();
    for entry in heads {
        let ours = frontier.branches(entry.author);
        if ours.iter().any(|head| head.id == entry.id) && ours.len() == 1 {
            continue;
        }
        let at_their_seq = store.chain(session, entry.author, entry.seq, 1)?;
        let contradicts = at_their_seq
            .first()
            .is_some_and(|stored| stored.event.header().seq == entry.seq)
            && store.event(entry.id)?.is_none();
        if contradicts || ours.len() > 1 {
            disputed.push(entry.author);
        }
    }
    Ok(disputed)
}

fn lacking_registers(registers: &[Register], versions: &[RegisterEntry]) -> Vec<ByteVec> {
    let theirs: BTreeMap<(DeviceId, &str), (Hlc, EventId)> = versions
        .iter()
        .map(|entry| ((entry.device, entry.key.as_str()), (entry.time, entry.id)))
        .collect();
    registers
        .iter()
        .filter(|register| {
            let version = theirs.get(&(register.device(), register.key()));
            version.is_none_or(|version| *version < register.version())
        })
        .map(|register| ByteVec::from(register.encode()))
        .collect()
}

fn entries(frontier: &Frontier) -> Vec<HeadEntry> {
    let mut entries: Vec<HeadEntry> = frontier
        .heads()
        .map(|head| HeadEntry {
            author: head.author,
            seq: head.seq,
            id: head.id,
        })
        .collect();
    entries.sort_by_key(|entry| (entry.author, entry.seq, entry.id));
    entries
}

fn register_entries(registers: &[Register]) -> Vec<RegisterEntry> {
    let mut entries: Vec<RegisterEntry> = registers
        .iter()
        .map(|register| {
            let (time, id) = register.version();
            RegisterEntry {
                device: register.device(),
                key: register.key().to_owned(),
                time,
                id,
            }
        })
        .collect();
    entries.sort_by(|a, b| (a.device, &a.key).cmp(&(b.device, &b.key)));
    entries
}

fn digest(frontier: &Frontier, registers: &[Register]) -> [u8; 32] {
    let held = (entries(frontier), register_entries(registers));
    derive(DIGEST, &[&encoding::encode(&held)])
}
