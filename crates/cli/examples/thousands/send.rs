//! Sending in it: the sender's engine, and those of its neighbours, each on a store of its own.

use std::{collections::VecDeque, path::Path};

use tenet_delivery::fanout::message::Message as Spread;
use tenet_identity::hello::Role;
use tenet_log::sync::Message;
use tenet_node::{
    Engine,
    command::Command,
    frame::Frame,
    input::{ConnId, Input, Output, Ticket},
};
use tenet_store::Store;

use crate::{
    Clock, ME, own,
    world::{DEVICES, Device, NAME, NOW, vault_key},
};

/// How many devices are connected with the sender.
const NEIGHBOURS: usize = 16;
const MESSAGES: usize = 50;

/// What one message takes the sender, from the command until it is committed and all copies are handed out.
pub(crate) fn send(path: &Path) {
    let mut ring = Ring::new(path);
    ring.connect();
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
    spent.sort_by(f64::total_cmp);
    println!(
        "{{\"neighbours\":{NEIGHBOURS},\"messages\":{MESSAGES},\"copies\":{:.1},\
         \"p50_cpu_ms\":{:.2},\"max_cpu_ms\":{:.2}}}",
        copies as f64 / MESSAGES as f64,
        spent[MESSAGES / 2],
        spent[MESSAGES - 1],
    );
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
            engines: engines.collect(),
            waiting: devices.iter().map(|_| VecDeque::new()).collect(),
            devices,
            now: NOW,
        }
    }

    /// The sender with each of the others.
    fn connect(&mut self) {
        for other in 1..self.engines.len() {
            for (at, peer, role) in [(other, 0, Role::Dialler), (0, other, Role::Dialled)] {
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

    fn carry(&mut self, from: usize, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { conn, frame } => {
                    let to = if from == 0 { conn.0 as usize } else { 0 };
                    self.waiting[to].push_back((conn, frame));
                }
                Output::Close { reason, .. } => panic!("closed: {reason:?}"),
                _ => {}
            }
        }
    }
}
