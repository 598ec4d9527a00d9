//! Thousands of devices, the ways between them, and what it costs.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::crowd::{Crowd, mix};

/// The shortest and the longest way from one device to another, in microseconds; each two have their own.
const WAYS: (u64, u64) = (10_000, 100_000);

/// A mean round trip, in microseconds: what times are given in.
pub const ROUND_TRIP: u64 = WAYS.0 + WAYS.1;

/// What a home sends, in bytes a second: 10 Mbit/s.
const UPLINK: u64 = 1_250_000;

/// What a message costs beside itself, in bytes: IP and UDP headers, QUIC's short header and tag, the frame's length
/// and the session's tag.
pub const PACKET: usize = 28 + 30 + 4 + 22;

/// What a new connection costs, in bytes: two packets of 1,280 each way for a handshake with ML-KEM keys, two hellos, two
/// lists of tags. An estimate from those parts.
pub const CONNECTION: usize = 7_000;

/// What trying to reach somebody who is offline costs, in bytes: three first packets of 1,280.
const VAIN: usize = 3 * 1_280;

/// When it is given up, in microseconds.
const GIVEN_UP: u64 = 3_000_000;

/// When it is noticed that the other end of a connection is dead, in microseconds: `NET-6`.
const SILENCE: u64 = 20_000_000;

/// A protocol at one device.
pub trait Speaker {
    /// What it says.
    type Message: Clone;

    /// Takes what happened, and does what follows.
    fn handle(&mut self, input: Input<Self::Message>, moment: Moment<'_>)
    -> Actions<Self::Message>;
}

/// When something happens, and with whom the device has connections.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// In microseconds.
    pub now: u64,
    /// The others.
    pub here: &'a BTreeSet<usize>,
}

/// What happens to a device.
#[derive(Clone, Debug)]
pub enum Input<M> {
    /// It is to say the event.
    Say,
    /// Another device said something.
    Heard(usize, M),
    /// A time that it asked for has come.
    Wake,
    /// Somebody cannot be reached, or not any more.
    Lost(usize),
}

/// What a device does.
#[derive(Clone, Debug)]
pub struct Actions<M> {
    /// Messages to devices: their lengths in bytes, and whether they are the event itself.
    pub send: Vec<(usize, M, usize, bool)>,
    /// When it is to be woken.
    pub wake: Option<u64>,
    /// Whether the event is here now.
    pub has: bool,
}

/// What came of one event.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Who has it, and when they got it, in microseconds after it was said.
    pub had: BTreeMap<usize, u64>,
    /// Of those who are online to the end how many have it, and how many there are; the author left out.
    pub reached: usize,
    /// See above.
    pub living: usize,
    /// Everything that was sent, in bytes.
    pub bytes: usize,
    /// Of that for new connections, and for such as did not come about.
    pub connecting: usize,
    /// New connections.
    pub connections: usize,
    /// Messages.
    pub messages: usize,
    /// How often the event itself was sent, and how often to who had it.
    pub copies: usize,
    /// See above.
    pub duplicates: usize,
    /// The most copies that one device sent.
    pub most_copies: usize,
    /// Messages and bytes that the author heard.
    pub author_heard: (usize, usize),
}

struct Happening<M> {
    to: usize,
    input: Input<M>,
    copy: bool,
}

/// The devices and the ways between them.
pub struct Network<'a, S: Speaker> {
    /// Who is there.
    pub crowd: &'a Crowd,
    /// Each device's protocol.
    pub speakers: Vec<S>,
    /// Whether those who are to die do so.
    pub deadly: bool,
    /// Microseconds since the beginning.
    pub now: u64,
    /// Those of each device.
    pub connections: Vec<BTreeSet<usize>>,
    dead: Vec<bool>,
    /// When each device's uplink is free.
    free: Vec<u64>,
    woken: Vec<u64>,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    happenings: BTreeMap<u64, Happening<S::Message>>,
    number: u64,
    rng: ChaCha20Rng,
    outcome: Outcome,
    began: u64,
    sent: Vec<usize>,
}

impl<'a, S: Speaker> Network<'a, S> {
    /// All of a crowd, with no connection.
    pub fn new(crowd: &'a Crowd, speakers: Vec<S>) -> Self {
        let devices = speakers.len();
        Self {
            crowd,
            speakers,
            deadly: false,
            now: 0,
            connections: vec![BTreeSet::new(); devices],
            dead: vec![false; devices],
            free: vec![0; devices],
            woken: vec![u64::MAX; devices],
            queue: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            number: 0,
            rng: ChaCha20Rng::seed_from_u64(crowd.setting().seed ^ 0x0064_6561_7468),
            outcome: Outcome::default(),
            began: 0,
            sent: vec![0; devices],
        }
    }

    /// A device says the event; what came of it after so many seconds.
    pub fn say(&mut self, author: usize, seconds: u64) -> Outcome {
        self.outcome = Outcome::default();
        self.sent.fill(0);
        self.began = self.now;
        self.happen(author, Input::Say, false);
        self.run(self.now + seconds * 1_000_000, author);
        let mut outcome = std::mem::take(&mut self.outcome);
        let living: Vec<usize> = self.crowd.living().filter(|it| *it != author).collect();
        outcome.living = living.len();
        outcome.reached = living
            .iter()
            .filter(|it| outcome.had.contains_key(it))
            .count();
        outcome.most_copies = self.sent.iter().copied().max().unwrap_or_default();
        outcome
    }

    /// Whatever happens until then.
    pub fn run(&mut self, until: u64, author: usize) {
        while let Some(Reverse((at, number))) = self.queue.peek().copied() {
            if at > until {
                break;
            }
            self.queue.pop();
            self.now = at;
            let Happening { to, input, copy } = self.happenings.remove(&number).expect("queued");
            if self.is_there(to) {
                if let (Input::Heard(..), true) = (&input, to == author) {
                    self.outcome.author_heard.0 += 1;
                }
                self.happen(to, input, copy);
            }
        }
        self.now = until;
    }

    /// Whether a device is online and not dead.
    pub fn is_there(&self, device: usize) -> bool {
        self.crowd.online[device] && !self.dead[device]
    }

    /// Something happens to a device.
    pub fn happen(&mut self, to: usize, input: Input<S::Message>, copy: bool) {
        if matches!(input, Input::Wake) {
            if self.woken[to] != self.now {
                return;
            }
            self.woken[to] = u64::MAX;
        }
        let had = self.outcome.had.contains_key(&to);
        if copy && had {
            self.outcome.duplicates += 1;
        }
        let moment = Moment {
            now: self.now,
            here: &self.connections[to],
        };
        let mut actions = self.speakers[to].handle(input, moment);
        let news = actions.has && !had;
        if news {
            self.outcome.had.insert(to, self.now - self.began);
        }
        let dies = news && self.deadly && self.crowd.dying[to];
        if dies {
            // Anywhere between before the first word and before the last.
            let left = self.rng.next_u64() % (actions.send.len() as u64).max(1);
            actions.send.truncate(left as usize);
        }
        for (other, message, bytes, copy) in actions.send {
            self.send(to, other, message, bytes, copy);
        }
        if dies {
            self.die(to);
        } else if let Some(at) = actions.wake.map(|at| at.max(self.now)) {
            self.wake(to, at);
        }
    }

    fn wake(&mut self, device: usize, at: u64) {
        if at < self.woken[device] {
            self.woken[device] = at;
            self.later(at, device, Input::Wake, false);
        }
    }

    fn die(&mut self, device: usize) {
        self.dead[device] = true;
        for other in self.connections[device].clone() {
            self.later(self.now + SILENCE, other, Input::Lost(device), false);
        }
    }

    fn send(&mut self, from: usize, to: usize, message: S::Message, bytes: usize, copy: bool) {
        let way = self.way(from, to);
        let mut leaves = self.free[from].max(self.now);
        if !self.connections[from].contains(&to) {
            if !self.is_there(to) {
                self.outcome.bytes += VAIN;
                self.outcome.connecting += VAIN;
                return self.later(self.now + GIVEN_UP, from, Input::Lost(to), false);
            }
            self.connect(from, to);
            self.outcome.bytes += CONNECTION;
            self.outcome.connecting += CONNECTION;
            self.outcome.connections += 1;
            // QUIC's handshake, and both hellos.
            leaves = leaves.max(self.now + 4 * way);
        }
        let bytes = bytes + PACKET;
        self.outcome.bytes += bytes;
        self.outcome.messages += 1;
        if copy {
            self.outcome.copies += 1;
            self.sent[from] += 1;
        }
        if from != 0 && to == 0 {
            self.outcome.author_heard.1 += bytes;
        }
        let takes = bytes as u64 * 1_000_000 / UPLINK;
        self.free[from] = self.free[from].max(self.now) + takes;
        self.later(leaves + takes + way, to, Input::Heard(from, message), copy);
    }

    /// Two devices are connected from now on.
    pub fn connect(&mut self, one: usize, other: usize) {
        self.connections[one].insert(other);
        self.connections[other].insert(one);
    }

    fn later(&mut self, at: u64, to: usize, input: Input<S::Message>, copy: bool) {
        self.number += 1;
        self.queue.push(Reverse((at, self.number)));
        self.happenings
            .insert(self.number, Happening { to, input, copy });
    }

    fn way(&self, one: usize, other: usize) -> u64 {
        let (smaller, larger) = (one.min(other) as u64, one.max(other) as u64);
        let mixed = mix(self.crowd.setting().seed ^ mix(smaller) ^ mix(larger).rotate_left(9));
        WAYS.0 + mixed % (WAYS.1 - WAYS.0)
    }
}

impl Outcome {
    /// How many of a hundred who are online to the end have it.
    pub fn share(&self) -> f64 {
        self.reached as f64 / self.living.max(1) as f64
    }

    /// When so many of a hundred who have it had it, in mean round trips.
    pub fn round_trips(&self, percent: usize) -> f64 {
        let mut times: Vec<u64> = self.had.values().copied().collect();
        times.sort_unstable();
        let at = (times.len() * percent).div_ceil(100).max(1) - 1;
        times.get(at).copied().unwrap_or_default() as f64 / ROUND_TRIP as f64
    }
}
