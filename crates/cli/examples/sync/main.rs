//! Two devices, one of which was away: how soon it has 100,000 messages, against checking their signatures alone.
//!
//! Real engines with real stores on disk, one after the other; frames pass from one to the other at once. Each
//! engine's time is counted for itself, by the clock, as each has a machine of its own elsewhere; each has signatures
//! checked by a thread beside it, as in the program. Checking alone is what one processor does. At the end, apart from
//! that, what a meeting over a session of a thousand authors costs that has nothing new.
//!
//! ```text
//! sync FOLDER [--count N]    prints one line of JSON
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench measures time, and may fail"
)]

mod crowd;

use std::{
    collections::VecDeque,
    path::Path,
    time::{Duration, Instant},
};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tenet_apps::contacts::store::ContactStore;
use tenet_cli::host::checks::Beside;
use tenet_identity::{
    card, did,
    hello::Role,
    keys::{DeviceKey, EndpointId, IdentityId, IdentityKey},
};
use tenet_log::{
    event::{self, AtOnce, Unverified},
    ids::SessionId,
    store::{LogStore, Position},
    sync::Message,
};
use tenet_node::{
    Engine, Own,
    command::{Command, Reply},
    frame::Frame,
    input::{ConnId, Input, Output, Ticket},
};
use tenet_store::Store;

const NOW: u64 = 1_800_000_000_000;
/// How many frames that wait are taken into one batch.
const BATCH: usize = 16;

fn main() {
    let mut given = std::env::args().skip(1);
    let folder = given.next().expect("sync FOLDER [--count N]");
    let count = match given.next().as_deref() {
        Some("--count") => given.next().unwrap().parse().unwrap(),
        _ => 100_000,
    };
    let mut pair = Pair::new(Path::new(&folder));
    pair.meet();
    let session = pair.session();
    pair.part();
    pair.write(count);
    let held = |pair: &Pair| pair.ends[1].engine.store().last_position(session).unwrap();
    let (before, resident) = (held(&pair), peak());

    // Half of it, then the connection breaks with whatever is under way.
    pair.reset();
    pair.connect();
    while (held(&pair).0 - before.0) < (count / 2) as i64 {
        assert!(pair.step(), "it stands still");
    }
    pair.take(0);
    pair.part();
    pair.connect();
    pair.settle();
    let events = events(&pair, session);
    assert!(events.len() > count, "all of it came");
    let [sender, receiver] = pair.ends.each_ref().map(|end| end.spent.as_secs_f64());
    let (sent, memory) = (pair.events_sent, peak() - resident);

    // Nothing is new.
    pair.part();
    pair.reset();
    pair.connect();
    pair.settle();
    let (quiet, sync) = (pair.bytes, pair.sync_bytes);

    let check = checking(&events);
    let count = count as f64;
    println!(
        "{{\"events\":{count},\"rate\":{:.0},\"rate_of_both\":{:.0},\"sender_us\":{:.2},\
         \"receiver_us\":{:.2},\"check_us\":{check:.2},\"repeated\":{:.5},\"memory_mb\":{memory:.1},\
         \"quiet_bytes\":{quiet},\"quiet_sync_bytes\":{sync},\"authors\":{},\"crowd_bytes\":{}}}",
        count / sender.max(receiver),
        count / (sender + receiver),
        sender / count * 1e6,
        receiver / count * 1e6,
        (sent as f64 - count) / count,
        crowd::AUTHORS,
        crowd::meeting(),
    );
}

/// Checks signatures as they come in frames, and nothing else; how many microseconds one takes.
fn checking(events: &[Vec<u8>]) -> f64 {
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let chunks: Vec<Vec<Unverified>> = events
        .chunks(tenet_log::sync::MAX_EVENTS_PER_MESSAGE)
        .map(|chunk| {
            let decoded = chunk.iter().map(|bytes| Unverified::decode(bytes).unwrap());
            decoded.collect()
        })
        .collect();
    let begin = Instant::now();
    for chunk in chunks {
        let mut valid = event::verify_all(&mut AtOnce, &mut rng, chunk);
        assert!(valid.all(|one| one.is_ok()));
    }
    begin.elapsed().as_secs_f64() * 1e6 / events.len() as f64
}

/// All that the second holds, as it travels.
fn events(pair: &Pair, session: SessionId) -> Vec<Vec<u8>> {
    let store = pair.ends[1].engine.store();
    let (mut all, mut at) = (Vec::new(), Position::default());
    loop {
        let page = store.since(session, at, 1000).unwrap();
        let Some(last) = page.last() else { return all };
        at = last.position;
        all.extend(page.iter().map(|stored| stored.event.to_wire()));
    }
}

/// The most memory that this process had, in MB, where the system says so.
fn peak() -> f64 {
    let told = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = told.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) * 1024.0 / 1e6
}

struct End {
    engine: Engine<Store>,
    endpoint: EndpointId,
    identity: IdentityId,
    waiting: VecDeque<Vec<u8>>,
    spent: Duration,
}

struct Pair {
    ends: [End; 2],
    conn: u64,
    now: u64,
    tickets: u64,
    events_sent: usize,
    bytes: usize,
    sync_bytes: usize,
}

impl Pair {
    fn new(folder: &Path) -> Self {
        Self {
            ends: [End::new(folder, 1), End::new(folder, 2)],
            conn: 0,
            now: NOW,
            tickets: 0,
            events_sent: 0,
            bytes: 0,
            sync_bytes: 0,
        }
    }

    /// They become contacts.
    fn meet(&mut self) {
        for at in 0..2 {
            let addresses = vec![std::net::SocketAddr::from(([10, 0, 0, at as u8 + 1], 4000))];
            self.tell(at, Input::AddressesChanged { addresses });
        }
        let invite = Command::Invite {
            name: None,
            reusable: false,
            lasts_ms: 1_000_000,
            question: None,
        };
        let Some(Reply::Invited { link, .. }) = self.ask(0, invite) else {
            panic!("no link")
        };
        let accept = Command::Accept {
            link,
            name: None,
            remark: None,
        };
        self.ask(1, accept);
        self.connect();
        self.settle();
    }

    fn session(&self) -> SessionId {
        let other = self.ends[1].identity;
        let contact = self.ends[0].engine.store().contact(other).unwrap();
        *contact.unwrap().sessions.first().unwrap()
    }

    /// The first writes, a thousand a batch.
    fn write(&mut self, count: usize) {
        let who = did::encode(&self.ends[1].identity);
        for from in (0..count).step_by(1000) {
            self.now += 1000;
            for number in from..count.min(from + 1000) {
                self.tickets += 1;
                let command = Command::Send {
                    who: who.clone(),
                    text: format!("message {number} of all that was said while the other was away"),
                    reply: None,
                    files: Vec::new(),
                };
                let ticket = Ticket(self.tickets);
                let input = Input::Command { ticket, command };
                self.ends[0].engine.handle(self.now, input).unwrap();
            }
            self.commit(0);
        }
    }

    fn connect(&mut self) {
        self.conn += 1;
        self.now += 1000;
        let endpoints = [self.ends[0].endpoint, self.ends[1].endpoint];
        for (at, role) in [(1, Role::Dialler), (0, Role::Dialled)] {
            let connected = Input::Connected {
                conn: ConnId(self.conn),
                peer: endpoints[1 - at],
                role,
                exporter: [self.conn as u8; 32],
            };
            self.tell(at, connected);
        }
    }

    /// The connection is gone with what was under way.
    fn part(&mut self) {
        for at in 0..2 {
            self.ends[at].waiting.clear();
            let conn = ConnId(self.conn);
            self.tell(at, Input::Closed { conn });
        }
    }

    fn settle(&mut self) {
        while self.step() {}
    }

    /// Each takes what waits for it; whether anything did.
    fn step(&mut self) -> bool {
        let taken = [self.take(0), self.take(1)];
        taken.contains(&true)
    }

    /// One takes what waits for it, in one batch; whether anything did.
    fn take(&mut self, at: usize) -> bool {
        let waiting = &mut self.ends[at].waiting;
        let frames: Vec<Vec<u8>> = waiting.drain(..waiting.len().min(BATCH)).collect();
        if frames.is_empty() {
            return false;
        }
        let begin = Instant::now();
        for bytes in frames {
            let conn = ConnId(self.conn);
            let input = Input::Frame { conn, bytes };
            self.ends[at].engine.handle(self.now, input).unwrap();
        }
        self.ends[at].spent += begin.elapsed();
        self.commit(at);
        true
    }

    fn ask(&mut self, at: usize, command: Command) -> Option<Reply> {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.tell(at, Input::Command { ticket, command })
    }

    fn tell(&mut self, at: usize, input: Input) -> Option<Reply> {
        self.ends[at].engine.handle(self.now, input).unwrap();
        self.commit(at)
    }

    fn commit(&mut self, at: usize) -> Option<Reply> {
        let begin = Instant::now();
        let outputs = self.ends[at].engine.commit(self.now);
        self.ends[at].spent += begin.elapsed();
        let mut reply = None;
        for output in outputs {
            match output {
                Output::Send { conn, frame } if conn == ConnId(self.conn) => {
                    self.bytes += frame.len();
                    if let Frame::Sync(_, said) = Frame::decode(&frame).unwrap() {
                        self.sync_bytes += frame.len();
                        if let Message::Events(events) = said {
                            self.events_sent += events.len();
                        }
                    }
                    self.ends[1 - at].waiting.push_back(frame);
                }
                Output::Reply { result, .. } => reply = Some(result.unwrap()),
                Output::Close { reason, .. } => panic!("closed: {reason:?}"),
                _ => {}
            }
        }
        reply
    }

    fn reset(&mut self) {
        (self.events_sent, self.bytes, self.sync_bytes) = (0, 0, 0);
        for end in &mut self.ends {
            end.spent = Duration::ZERO;
        }
    }
}

impl End {
    fn new(folder: &Path, number: u8) -> Self {
        let path = folder.join(format!("{number}.db"));
        let store = Store::open(&path, &[number; 32]).unwrap();
        let identity = IdentityKey::from_seed([number; 32]);
        let key = DeviceKey::from_seed([number + 10; 32]);
        let endpoint = DeviceKey::from_seed([number + 20; 32]).public();
        let endpoint = EndpointId::from(*endpoint.as_bytes());
        let own = Own {
            card: card::issue(&identity, key.public(), "phone", NOW).unwrap(),
            key,
            endpoint,
            name: format!("person {number}"),
            linked: false,
        };
        let mut engine = Engine::open(store, own, [number; 32], NOW).unwrap();
        engine.check_with(Box::<Beside>::default());
        Self {
            engine,
            endpoint,
            identity: identity.public(),
            waiting: VecDeque::new(),
            spent: Duration::ZERO,
        }
    }
}
