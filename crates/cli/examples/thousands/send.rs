//! Sending in it: the sender's engine, and those of its neighbours, each on a store of its own.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
};

use tenet_delivery::fanout::{
    line::{Hope, Line, Member},
    message::Message as Spread,
    point::{Point, Span},
    presence::{PERIOD_MS, Word},
};
use tenet_identity::hello::Role;
use tenet_log::{
    ids::SessionId,
    session::Session,
    store::LogStore,
    sync::{Message, Tag},
};
use tenet_node::{
    Engine,
    command::Command,
    frame::Frame,
    input::{ConnId, Input, Output, Ticket},
};
use tenet_store::Store;

use crate::{
    Clock, ME,
    common::vault_key,
    own,
    world::{DEVICES, Device, NAME, NOW},
};

/// How many devices are connected with the sender.
const NEIGHBOURS: usize = 16;
const MESSAGES: usize = 50;
const MINUTE_MS: u64 = 60 * 1_000;
const QUIET_MINUTES: u64 = 50;

/// What one message takes the sender, from the command until it is committed and all copies are handed out.
pub(crate) fn send(path: &Path) {
    let mut ring = Ring::new(path);
    ring.connect();
    ring.pass(1_000);
    ring.most_are_online();
    let mut spent = Vec::new();
    let mut copies = 0;
    for number in 0..MESSAGES {
        ring.now += 1000;
        let command = Command::Send {
            who: NAME.to_owned(),
            text: format!("message {number} to ten thousand"),
            reply: None,
            files: Vec::new(),
        };
        let ticket = Ticket(number as u64);
        let clock = Clock::start();
        let input = Input::Command { ticket, command };
        ring.engines[0].handle(ring.now, input).unwrap();
        let outputs = ring.engines[0].commit(ring.now);
        spent.push(clock.stop().1);
        copies += outputs.iter().filter(|one| carries_event(one)).count();
        ring.carry(0, outputs);
        ring.settle();
    }
    // Until what was said is compared; then quiet, up to the end of the hour, when neighbours change.
    ring.pass(3 * MINUTE_MS);
    (ring.bytes, ring.dials) = (0, 0);
    ring.pass(QUIET_MINUTES * MINUTE_MS);
    spent.sort_by(f64::total_cmp);
    println!(
        "{{\"neighbours\":{NEIGHBOURS},\"messages\":{MESSAGES},\"copies\":{:.1},\
         \"p50_cpu_ms\":{:.2},\"max_cpu_ms\":{:.2},\"idle_kb\":{:.1},\"idle_dials\":{},\
         \"idle_neighbours\":{}}}",
        copies as f64 / MESSAGES as f64,
        spent[MESSAGES / 2],
        spent[MESSAGES - 1],
        ring.bytes as f64 / 1e3 * 60.0 / QUIET_MINUTES as f64,
        ring.dials,
        ring.neighbours,
    );
}

fn group(store: &Store) -> SessionId {
    let sessions = store.sessions().unwrap().into_iter();
    let mut sessions = sessions.filter_map(|id| Session::load(store, id).unwrap());
    let group = sessions.find(|one| !one.roster().kind.is_closed());
    group.unwrap().id()
}

fn carries_event(output: &Output) -> bool {
    let Output::Send { frame, .. } = output else {
        return false;
    };
    matches!(
        Frame::decode(frame),
        Ok(Frame::Sync(_, Message::Events(_)) | Frame::Spread(_, Spread::Give(..)))
    )
}

/// The sender, which is the first, and its neighbours.
struct Ring {
    /// In frames that the sender sent and was sent.
    bytes: usize,
    /// How many are connected with it.
    neighbours: usize,
    /// How often the sender dialled somebody.
    dials: usize,
    /// What a neighbour calls the group on its connection.
    tags: BTreeMap<ConnId, Tag>,
    engines: Vec<Engine<Store>>,
    devices: Vec<usize>,
    waiting: Vec<VecDeque<(ConnId, Vec<u8>)>>,
    now: u64,
}

impl Ring {
    fn new(path: &Path) -> Self {
        let others = (1..=NEIGHBOURS).map(|number| ME + number * (DEVICES / 2 / NEIGHBOURS));
        let devices: Vec<usize> = std::iter::once(ME).chain(others).collect();
        let engines = devices.iter().map(|number| {
            let copy = path.with_file_name(format!("{number}.db"));
            std::fs::copy(path, &copy).unwrap();
            let store = Store::open(&copy, vault_key().as_bytes()).unwrap();
            Engine::open(store, own(*number), [*number as u8; 32], NOW).unwrap()
        });
        Self {
            bytes: 0,
            dials: 0,
            neighbours: NEIGHBOURS,
            tags: BTreeMap::new(),
            engines: engines.collect(),
            waiting: devices.iter().map(|_| VecDeque::new()).collect(),
            devices,
            now: NOW,
        }
    }

    /// The sender with each of the others: whom it dialled and gave something it keeps for the hour.
    fn connect(&mut self) {
        for other in 1..self.engines.len() {
            for (at, peer, role) in [(0, other, Role::Dialler), (other, 0, Role::Dialled)] {
                let connected = Input::Connected {
                    conn: ConnId(other as u64),
                    peer: Device::new(self.devices[peer]).met_at(),
                    role,
                    exporter: [other as u8; 32],
                };
                self.engines[at].handle(self.now, connected).unwrap();
                let outputs = self.engines[at].commit(self.now);
                self.carry(at, outputs);
            }
        }
        self.settle();
    }

    /// A neighbour tells the sender that four fifths of all are online.
    fn most_are_online(&mut self) {
        let (conn, tag) = self.tags.first_key_value().expect("who meets tells");
        let session = group(self.engines[0].store());
        let member = |number| Member {
            point: Point::of(session, Device::new(number).key.public()),
            hope: Hope::Away,
        };
        let word = Word {
            period: self.now / PERIOD_MS,
            heard: Line::new((0..DEVICES).map(member)).mark(Span::ALL, |point| point.0 % 5 != 0),
        };
        let bytes = Frame::Spread(*tag, Spread::Present(word)).encode();
        let frame = Input::Frame { conn: *conn, bytes };
        self.engines[0].handle(self.now, frame).unwrap();
        let outputs = self.engines[0].commit(self.now);
        self.carry(0, outputs);
        self.settle();
    }

    /// Time passes, and nobody says anything; whoever is not a neighbour is not there.
    fn pass(&mut self, time: u64) {
        let until = self.now + time;
        loop {
            let times = self.engines.iter().enumerate();
            let times = times.filter_map(|(at, engine)| Some((engine.deadline()?, at)));
            let Some((due, at)) = times.min().filter(|(due, _)| *due <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(due);
            self.engines[at].handle(self.now, Input::Tick).unwrap();
            let outputs = self.engines[at].commit(self.now);
            self.carry(at, outputs);
            self.settle();
        }
    }

    /// Until nothing is under way.
    fn settle(&mut self) {
        while self.waiting.iter().any(|waiting| !waiting.is_empty()) {
            for at in 0..self.engines.len() {
                if self.waiting[at].is_empty() {
                    continue;
                }
                for (conn, bytes) in std::mem::take(&mut self.waiting[at]) {
                    let frame = Input::Frame { conn, bytes };
                    self.engines[at].handle(self.now, frame).unwrap();
                }
                let outputs = self.engines[at].commit(self.now);
                self.carry(at, outputs);
            }
        }
    }

    fn close(&mut self, conn: ConnId) {
        for at in [0, conn.0 as usize] {
            self.waiting[at].retain(|(of, _)| *of != conn);
            let closed = Input::Closed { conn };
            self.engines[at].handle(self.now, closed).unwrap();
            let outputs = self.engines[at].commit(self.now);
            self.carry(at, outputs);
        }
        self.tags.remove(&conn);
        self.neighbours -= 1;
    }

    fn carry(&mut self, from: usize, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Dial { peer, .. } => {
                    self.dials += usize::from(from == 0);
                    let failed = Input::DialFailed { peer };
                    self.engines[from].handle(self.now, failed).unwrap();
                    let outputs = self.engines[from].commit(self.now);
                    self.carry(from, outputs);
                }
                Output::Send { conn, frame } => {
                    if let Ok(Frame::Spread(tag, _)) = Frame::decode(&frame)
                        && from != 0
                    {
                        self.tags.insert(conn, tag);
                    }
                    self.bytes += frame.len();
                    let to = if from == 0 { conn.0 as usize } else { 0 };
                    self.waiting[to].push_back((conn, frame));
                }
                // Whom no plan names is no neighbour for long.
                Output::Close { conn, .. } => self.close(conn),
                _ => {}
            }
        }
    }
}
