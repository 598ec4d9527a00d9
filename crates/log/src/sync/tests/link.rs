//! Two nodes joined by a pipe that loses nothing until it is cut.

use std::collections::{BTreeMap, VecDeque};

use minicbor::bytes::ByteVec;
use rand_chacha::ChaCha20Rng;
use tenet_identity::encoding;

use crate::{
    event::{Event, Unverified},
    ids::EventId,
    register::{self, Register},
    session::{
        Receipt,
        tests::world::{NOW, Node, below},
    },
    store::LogStore,
    sync::{Message, Objection, Peer, Summary, WINDOW_BYTES, WINDOW_EVENTS},
};

/// One end: a node, its view of the other, and what is on its way to the other.
pub(super) struct End {
    pub(super) node: Node,
    pub(super) peer: Peer,
    pub(super) out: VecDeque<Vec<u8>>,
    /// This end's clock.
    pub(super) now: u64,
    /// Digests of ours that were not answered.
    unanswered: usize,
    /// When to compare anew.
    pub(super) resume: Option<u64>,
    /// What was sent since the connection began.
    pub(super) sent: BTreeMap<EventId, usize>,
    /// What was sent and not acknowledged, with its bytes.
    under_way: Vec<(Event, usize)>,
    /// Whether to compare anew when a fork becomes known (SYNC-8).
    pub(super) reopens: bool,
    /// Up to how many names it says all at once, if not as usual (SYNC-1701).
    pub(super) at_once: Option<usize>,
    /// How often it heard ranges.
    pub(super) ranges: usize,
}

/// Two ends.
pub(super) struct Link {
    pub(super) ends: [End; 2],
}

impl Link {
    pub(super) fn new(one: Node, other: Node) -> Self {
        let ends = [one, other].map(|node| {
            let (peer, _) = Peer::open(&node.session, &node.store).unwrap();
            End {
                node,
                peer,
                out: VecDeque::new(),
                now: NOW * 2,
                unanswered: 0,
                resume: None,
                sent: BTreeMap::new(),
                under_way: Vec::new(),
                reopens: true,
                at_once: None,
                ranges: 0,
            }
        });
        let mut link = Self { ends };
        link.reconnect();
        link
    }

    /// Loses all that is on its way, and begins a new connection.
    pub(super) fn reconnect(&mut self) {
        for end in &mut self.ends {
            end.out.clear();
            end.sent.clear();
            end.under_way.clear();
            end.unanswered = 0;
            end.resume = None;
            end.compare();
        }
    }

    /// Delivers one message, if there is one that way.
    pub(super) fn deliver(&mut self, to: usize) -> bool {
        let Some(bytes) = self.ends[1 - to].out.pop_front() else {
            return false;
        };
        let message: Message = encoding::decode(&bytes).unwrap();
        message.check().unwrap();
        self.ends[to].hear(message);
        self.ends[to].flush();
        true
    }

    /// Delivers in any order of the two directions, until all is said.
    pub(super) fn run(&mut self, rng: &mut ChaCha20Rng) {
        let mut turns = 0;
        while self.ends.iter().any(|end| !end.out.is_empty()) {
            self.deliver(below(rng, 2));
            turns += 1;
            assert!(turns < 100_000, "it never ends");
        }
    }

    /// Both hold the same, and both know that.
    pub(super) fn assert_equal(&self) {
        let [one, other] = &self.ends;
        assert_eq!(one.node.picture(), other.node.picture());
        let registers = |end: &End| end.node.store.registers(end.node.session.id()).unwrap();
        assert_eq!(registers(one), registers(other));
        for end in &self.ends {
            let kept = end.node.session.summed_up(&end.node.store).unwrap();
            let anew = Summary::whole(&end.node.session, &registers(end));
            assert_eq!(kept.digest(), anew.digest(), "what is kept in short is all");
            assert!(end.peer.is_caught_up(&end.node.store).unwrap());
            assert!(end.under_way.is_empty(), "all is acknowledged");
        }
    }
}

impl End {
    /// Begins a comparison.
    pub(super) fn compare(&mut self) {
        let (peer, digest) = Peer::open(&self.node.session, &self.node.store).unwrap();
        self.peer = peer;
        self.peer.at_once = self.at_once.unwrap_or(self.peer.at_once);
        self.under_way.clear();
        self.unanswered += 1;
        self.say(digest);
    }

    pub(super) fn say(&mut self, message: Message) {
        if let Message::Events(events) = &message {
            for bytes in events {
                let event = Unverified::decode(bytes).unwrap().verify().unwrap();
                *self.sent.entry(event.id()).or_default() += 1;
                self.under_way.push((event, bytes.len()));
            }
            let bytes: usize = self.under_way.iter().map(|(_, bytes)| bytes).sum();
            let largest = self.under_way.iter().map(|(_, bytes)| *bytes).max();
            assert!(
                bytes < WINDOW_BYTES + largest.unwrap_or(0),
                "the window is respected"
            );
            assert!(self.under_way.len() <= WINDOW_EVENTS);
        }
        self.out.push_back(encoding::encode(&message));
    }

    /// Acknowledges what came, and sends what the window allows.
    pub(super) fn flush(&mut self) {
        if let Some(message) = self.peer.acknowledgement() {
            self.say(message);
        }
        while let Some(message) = self.peer.pump(&self.node.store, self.now).unwrap() {
            self.say(message);
        }
    }

    /// Says something in the session of its own.
    pub(super) fn write(&mut self, event: &Event) {
        self.node.take(event);
        self.flush();
    }

    pub(super) fn hear(&mut self, message: Message) {
        let (session, store) = (&self.node.session, &self.node.store);
        match message {
            Message::Digest(theirs) => {
                match self.unanswered.checked_sub(1) {
                    Some(left) => self.unanswered = left,
                    None => {
                        self.compare();
                        self.unanswered -= 1;
                    }
                }
                let (session, store) = (&self.node.session, &self.node.store);
                let answer = self.peer.on_digest(session, store, theirs).unwrap();
                answer.into_iter().for_each(|message| self.say(message));
            }
            Message::Ranges(ranges) => {
                self.ranges += 1;
                let answer = self.peer.on_ranges(session, store, &ranges).unwrap();
                answer.into_iter().for_each(|message| self.say(message));
            }
            Message::Frontier(heads, versions, within) => {
                let claim = self.peer.claim(heads, versions, within.as_ref());
                let answers = self.peer.on_frontier(session, store, &claim).unwrap();
                if answers.contains(&Message::Have(Vec::new())) {
                    self.under_way.clear();
                }
                answers.into_iter().for_each(|message| self.say(message));
            }
            Message::Events(events) => self.hear_events(&events),
            Message::Registers(registers) => {
                for bytes in registers {
                    let register = register::Unverified::decode(&bytes).unwrap();
                    self.put(&register.verify().unwrap());
                }
            }
            Message::Have(heads) => {
                self.peer.on_have(&heads);
                self.under_way.retain(|(event, _)| {
                    !heads
                        .iter()
                        .any(|head| head.author == event.author() && head.seq >= event.header().seq)
                });
            }
            Message::Object(id, Objection::TooEarly(theirs)) => {
                let time = store.event(id).unwrap().unwrap().event.header().time;
                let until = self.peer.on_too_early(time, theirs, self.now);
                self.resume = Some(until);
            }
            Message::Object(..) | Message::Want(_) => panic!("{message:?}"),
        }
    }

    fn hear_events(&mut self, events: &[ByteVec]) {
        for bytes in events {
            let event = Unverified::decode(bytes).unwrap().verify().unwrap();
            let (author, seq, id) = (event.author(), event.header().seq, event.id());
            match self.node.receive_at(&event, self.now) {
                Receipt::Admitted(admitted) => {
                    self.peer.on_received(author, seq, id);
                    if admitted.forked && self.reopens {
                        self.compare();
                    }
                }
                Receipt::Known => self.peer.on_received(author, seq, id),
                Receipt::Held { .. } => {
                    self.say(Message::Object(id, Objection::TooEarly(self.now)));
                    return;
                }
                Receipt::Lacks(_) => {
                    let (session, store) = (&self.node.session, &self.node.store);
                    let answer = self.peer.on_gap(session, store).unwrap();
                    answer.into_iter().for_each(|message| self.say(message));
                    return;
                }
                Receipt::Refused(refusal) => panic!("{refusal}"),
            }
        }
    }

    /// Takes a register, if an operation adds its device and it is newer.
    pub(super) fn put(&mut self, register: &Register) {
        let device = register.device();
        if !self.node.session.has_seen(device) {
            return;
        }
        let known = self
            .node
            .store
            .register(register.session(), device, register.key())
            .unwrap();
        if known.is_none_or(|known| known.version() < register.version()) {
            let Node { session, store, .. } = &mut self.node;
            session.put_register(store, register).unwrap();
        }
    }
}
