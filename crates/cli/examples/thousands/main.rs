//! A member's node in a group of 10,000 members with 15,000 devices: opening it, sending in it, its memory.
//!
//! Each figure comes from a process of its own, with the engine or the whole node on a real store.
//!
//! ```text
//! thousands make FOLDER      writes the group; the others need that
//! thousands read FOLDER      the session from the store: roster and members
//! thousands engine FOLDER    the engine on it, and what one operation more costs it
//! thousands send FOLDER      messages, to the neighbours that are connected
//! thousands node FOLDER      the whole node
//! ```
//!
//! Each prints one line of JSON.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench measures time, and may fail"
)]

#[path = "../common/mod.rs"]
mod common;
mod send;
mod world;

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use tenet_cli::host::{Node, Options, checks::Beside};
use tenet_identity::keys::IdentityKey;
use tenet_log::{
    roster::{Addition, Op, Role},
    session::Session,
    store::LogStore,
};
use tenet_node::{
    Engine, Own,
    command::{Command, Reply},
    input::{Input, Output, Ticket},
};
use tenet_rpc::{api, server::ask};
use tenet_store::Store;

use common::{resident, vault_key};
use world::{Device, MEMBERS, NAME, NOW};

/// Whose device it is: a member like most.
const ME: usize = 5_000;
/// How often a store is opened by a process that has done so before.
const ROUNDS: usize = 5;

fn main() {
    let mut given = std::env::args().skip(1);
    let what = given.next().unwrap_or_default();
    let folder: PathBuf = given.next().expect("thousands WHAT FOLDER").into();
    let path = folder.join("store.db");
    match what.as_str() {
        "make" => make(&path),
        "read" => read(&path),
        "engine" => engine(&path),
        "send" => send::send(&path),
        "node" => node(&folder),
        what => panic!("no part `{what}`"),
    }
}

fn make(path: &Path) {
    let begin = Instant::now();
    let operations = world::write(path);
    let mut store = Store::open(path, vault_key().as_bytes()).unwrap();
    Device::new(ME).own(&mut store);
    // What is new in a store the first start writes; it is not the first that is measured.
    let engine = Engine::open(store, own(ME), [1; 32], NOW).unwrap();
    engine.into_store().unwrap().checkpoint().unwrap();
    let megabytes = std::fs::metadata(path).unwrap().len() as f64 / 1e6;
    println!(
        "{{\"operations\":{operations},\"made_s\":{:.1},\"store_mb\":{megabytes:.1}}}",
        begin.elapsed().as_secs_f64()
    );
}

/// From opening the store to the members with their roles: in a process that has just begun, and again.
fn read(path: &Path) {
    let mut walls = Vec::new();
    let mut processors = Vec::new();
    for _ in 0..=ROUNDS {
        let clock = Clock::start();
        let store = Store::open(path, vault_key().as_bytes()).unwrap();
        let sessions = store.sessions().unwrap().into_iter();
        let mut sessions = sessions.filter_map(|id| Session::load(&store, id).unwrap());
        let group = sessions.find(|one| !one.roster().kind.is_closed()).unwrap();
        let members: Vec<_> = group.roster().members.iter().collect();
        assert_eq!(members.len(), MEMBERS);
        let (wall, processor) = clock.stop();
        walls.push(wall);
        processors.push(processor);
    }
    let best = |all: &[f64]| all[1..].iter().copied().fold(f64::INFINITY, f64::min);
    println!(
        "{{\"cold_ms\":{:.1},\"cold_cpu_ms\":{:.1},\"warm_ms\":{:.1},\"warm_cpu_ms\":{:.1}}}",
        walls[0],
        processors[0],
        best(&walls),
        best(&processors),
    );
}

/// The engine's start, its list of members, and what operations cost that come later.
fn engine(path: &Path) {
    let clock = Clock::start();
    let store = Store::open(path, vault_key().as_bytes()).unwrap();
    let mut engine = Engine::open(store, own(ME), [1; 32], NOW).unwrap();
    engine.check_with(Box::<Beside>::default());
    let (opened, opened_cpu) = clock.stop();
    let opened_mb = resident();
    let clock = Clock::start();
    let who = NAME.to_owned();
    let listed = command(&mut engine, Command::Members { who });
    let (listed_ms, _) = clock.stop();
    assert!(matches!(listed, Reply::Members { members, .. } if members.len() == MEMBERS));
    let [first, second] = operations(engine.into_store().unwrap());
    println!(
        "{{\"open_ms\":{opened:.1},\"open_cpu_ms\":{opened_cpu:.1},\"open_mb\":{opened_mb:.1},\
         \"members_ms\":{listed_ms:.1},\"first_ms\":{first:.1},\"second_ms\":{second:.1},\
         \"operated_mb\":{:.1}}}",
        resident(),
    );
}

/// What it takes the session to let somebody in: the first time after it was loaded, and again.
fn operations(mut store: Store) -> [f64; 2] {
    use tenet_log::store::Transactions;
    let ids = store.sessions().unwrap().into_iter();
    let mut sessions = ids.filter_map(|id| Session::load(&store, id).unwrap());
    let mut group = sessions.find(|one| !one.roster().kind.is_closed()).unwrap();
    let moderator = Device::new(1);
    [1, 2].map(|number| {
        let clock = Clock::start();
        store.begin().unwrap();
        let op = Op::Add(Addition {
            identity: IdentityKey::from_seed([number; 32]).public(),
            role: Role::Member,
            floor: None,
        });
        let done = group.operate(&mut store, &moderator.key, &op, NOW + 100_000);
        assert!(done.unwrap().1.standing.counts());
        store.abandon().unwrap();
        clock.stop().0
    })
}

/// The node as it runs: engine, store, reader, network.
fn node(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let clock = Clock::start();
        let options = Options {
            network: true,
            listen: vec![([127, 0, 0, 1], 0).into()],
            ..Options::default()
        };
        let node = Node::open(folder, vault_key(), options).await.unwrap();
        let (opened, _) = clock.stop();
        let handler = node.handler();
        let group = NAME.to_owned();
        let clock = Clock::start();
        let listed = ask(&*handler, api::GroupMembers { group }).await.unwrap();
        let (listed_ms, _) = clock.stop();
        assert_eq!(listed.members.len(), MEMBERS);
        // Long enough for whatever it does after its start, and for tidying up.
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        println!(
            "{{\"open_ms\":{opened:.1},\"members_ms\":{listed_ms:.1},\"mb\":{:.1}}}",
            resident()
        );
        node.close().await;
    });
}

fn own(number: usize) -> Own {
    let device = Device::new(number);
    Own {
        card: device.card(),
        endpoint: device.met_at(),
        key: device.key,
        name: "somebody".into(),
        linked: false,
    }
}

fn command(engine: &mut Engine<Store>, command: Command) -> Reply {
    let ticket = Ticket(1);
    let input = Input::Command { ticket, command };
    engine.handle(NOW, input).unwrap();
    let replies = engine.commit(NOW).into_iter();
    let mut replies = replies.filter_map(|output| match output {
        Output::Reply { result, .. } => Some(result.unwrap()),
        _ => None,
    });
    replies.next().unwrap()
}

/// Measures a time, and how much of it this thread was on a processor.
struct Clock(Instant, f64);

impl Clock {
    fn start() -> Self {
        Self(Instant::now(), on_processor())
    }

    /// Both in milliseconds.
    fn stop(self) -> (f64, f64) {
        let wall = self.0.elapsed().as_secs_f64() * 1e3;
        (wall, on_processor() - self.1)
    }
}

/// For how many milliseconds this thread has been on a processor, where the system says so.
fn on_processor() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next();
    let nanoseconds = nanoseconds.and_then(|word| word.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e6
}
