//! A hundred real nodes over real sockets on this machine: how soon all have a message, and how many a second.
//!
//! Each is the whole shell, as in the program: engine, store on disk, reader, network. They share as many threads as the
//! machine has processors, each with a runtime of the kind that the program has. That all have a message is seen as a
//! person's program sees it: by the events of each node, which come after its commit.
//!
//! ```text
//! hundred FOLDER [COUNT]     prints one line of JSON
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench measures time, and may fail"
)]

#[path = "../common/mod.rs"]
mod common;
mod group;

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;
use tenet_cli::host::{Node, Options};
use tenet_rpc::{
    api,
    server::{Delivery, Handler, Subscription, ask},
};
use tokio::{runtime::Runtime, sync::watch, time::sleep};

use common::{resident, vault_key};
use group::{NAME, Person};

/// How many messages are timed one after the other.
const SINGLE: usize = 50;
/// How many come together, from so many speakers.
const TOGETHER: usize = 1_000;
const SPEAKERS: usize = 10;
/// How long anything may take: far longer than it does.
const PATIENCE: Duration = Duration::from_secs(240);

fn main() {
    let mut given = std::env::args().skip(1);
    let folder = given.next().expect("hundred FOLDER [COUNT]");
    let count = given.next().map_or(100, |count| count.parse().unwrap());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap().as_millis() as u64;
    let people = group::make(Path::new(&folder), count, now);
    let (stop, stopped) = watch::channel(false);
    let (handlers, begun) = mpsc::channel();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut shares: Vec<Vec<Person>> = (0..threads).map(|_| Vec::new()).collect();
    for (number, person) in people.into_iter().enumerate() {
        shares[number % threads].push(person);
    }
    let running: Vec<_> = shares
        .into_iter()
        .map(|share| {
            let (handlers, stopped) = (handlers.clone(), stopped.clone());
            thread::spawn(move || runtime().block_on(run(share, handlers, stopped)))
        })
        .collect();
    drop(handlers);
    let handlers: Vec<_> = begun.iter().take(count).collect();
    assert_eq!(handlers.len(), count, "all begin");
    runtime().block_on(measure(&handlers));
    drop(handlers);
    stop.send_replace(true);
    running.into_iter().for_each(|one| one.join().unwrap());
}

fn runtime() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

type Handlers = mpsc::Sender<Arc<dyn Handler>>;

/// Some of the nodes, until they are stopped.
async fn run(share: Vec<Person>, handlers: Handlers, mut stopped: watch::Receiver<bool>) {
    let mut nodes = Vec::new();
    for person in share {
        let options = Options {
            network: true,
            listen: vec![person.address],
            ..Options::default()
        };
        let node = Node::open(&person.folder, vault_key(), options).await;
        let node = node.unwrap();
        handlers.send(node.handler()).unwrap();
        nodes.push(node);
    }
    drop(handlers);
    stopped.wait_for(|stopped| *stopped).await.unwrap();
    for node in nodes {
        node.close().await;
    }
}

async fn measure(all: &[Arc<dyn Handler>]) {
    let begin = Instant::now();
    let connected = connected(all).await;
    let meeting = begin.elapsed().as_secs_f64();
    let memory = resident();
    tell("connected", begin);
    // What begins with a connection ends first.
    sleep(Duration::from_secs(10)).await;
    let mut feeds: Vec<Subscription> = all.iter().map(|one| one.subscribe(None).unwrap()).collect();
    let before = carried();
    let mut times = Vec::new();
    for number in 0..SINGLE {
        let speaker = number % SPEAKERS;
        let begin = Instant::now();
        let id = say(&all[speaker], number).await;
        for (_, feed) in feeds
            .iter_mut()
            .enumerate()
            .filter(|(at, _)| *at != speaker)
        {
            hear(feed, BTreeSet::from([id.clone()])).await;
        }
        times.push(begin.elapsed().as_secs_f64() * 1e3);
        sleep(Duration::from_millis(100)).await;
    }
    tell("one after the other", begin);
    // The first of each has its plan's connections made.
    let mut later = times.split_off(SPEAKERS);
    times.sort_by(f64::total_cmp);
    later.sort_by(f64::total_cmp);
    let alone = carried() - before;
    drop(feeds);
    let (rate, missing, together) = together(all).await;
    tell("together", begin);
    let least = connected.iter().min().copied().unwrap_or(0);
    let most = connected.iter().max().copied().unwrap_or(0);
    println!(
        "{{\"nodes\":{},\"least_connected\":{least},\"most_connected\":{most},\
         \"meeting_s\":{meeting:.1},\"mb\":{memory:.0},\"first_ms\":{:.1},\"p50_ms\":{:.1},\
         \"max_ms\":{:.1},\"kb_alone\":{:.0},\"rate\":{rate:.1},\"missing\":{missing},\"kb_together\":{:.0}}}",
        all.len(),
        times[SPEAKERS / 2],
        later[later.len() / 2],
        later[later.len() - 1],
        alone / 1e3 / SINGLE as f64,
        together / 1e3 / TOGETHER as f64,
    );
}

/// Says how far it is.
fn tell(done: &str, begin: Instant) {
    let seconds = begin.elapsed().as_secs_f64();
    eprintln!("hundred: {done} after {seconds:.1} s");
}

/// Waits until each is connected with all others, or nothing changes any more; with how many each is.
async fn connected(all: &[Arc<dyn Handler>]) -> Vec<u64> {
    let (begin, mut last, mut since) = (Instant::now(), Vec::new(), Instant::now());
    loop {
        let mut now = Vec::new();
        for one in all {
            now.push(ask(&**one, api::Status {}).await.unwrap().connected);
        }
        let whole = now.iter().all(|count| *count + 1 == all.len() as u64);
        if now != last {
            (last, since) = (now, Instant::now());
        }
        let settled = since.elapsed() > Duration::from_secs(20) && last.iter().all(|one| *one > 0);
        if whole || settled || begin.elapsed() > PATIENCE {
            return last;
        }
        sleep(Duration::from_millis(250)).await;
    }
}

async fn say(by: &Arc<dyn Handler>, number: usize) -> String {
    let send = api::Send {
        who: NAME.to_owned(),
        text: format!("message {number} to all the others, of a usual length"),
        ..api::Send::default()
    };
    ask(&**by, send).await.unwrap().id
}

/// Waits until a node has told of all these messages.
async fn hear(feed: &mut Subscription, mut ids: BTreeSet<String>) {
    let until = Instant::now() + PATIENCE;
    while !ids.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        let next = tokio::time::timeout(left, feed.next()).await;
        match next.expect("all hear it in time").expect("the node runs") {
            Delivery::Event(line) => {
                let event: Value = serde_json::from_str(&line).unwrap();
                if event.get("event").and_then(Value::as_str) == Some("message") {
                    let id = event.get("id").or_else(|| event.pointer("/message/id"));
                    ids.remove(id.and_then(Value::as_str).unwrap_or_default());
                }
            }
            Delivery::Gap(gap) => panic!("events were lost: {gap:?}"),
        }
    }
}

/// Many messages at once: how many a second until all have all, how many are missing somewhere, and how many bytes
/// went over the machine's own network.
async fn together(all: &[Arc<dyn Handler>]) -> (f64, usize, f64) {
    let (before, begin) = (carried(), Instant::now());
    let speakers = all.iter().take(SPEAKERS).cloned().map(|by| {
        tokio::spawn(async move {
            let mut said = BTreeSet::new();
            for number in 0..TOGETHER / SPEAKERS {
                said.insert(say(&by, number).await);
            }
            said
        })
    });
    let speakers: Vec<_> = speakers.collect();
    let mut said = BTreeSet::new();
    for speaker in speakers {
        said.extend(speaker.await.unwrap());
    }
    assert_eq!(said.len(), TOGETHER);
    let mut missing = usize::MAX;
    while missing > 0 && begin.elapsed() < PATIENCE {
        missing = 0;
        for one in all {
            missing += said.len() - history(one).await.intersection(&said).count();
            if missing > 0 {
                sleep(Duration::from_millis(100)).await;
                break;
            }
        }
    }
    let rate = TOGETHER as f64 / begin.elapsed().as_secs_f64();
    (rate, missing, carried() - before)
}

/// The messages that a node has.
async fn history(of: &Arc<dyn Handler>) -> BTreeSet<String> {
    let (mut ids, mut before) = (BTreeSet::new(), None);
    loop {
        let wanted = api::History {
            who: NAME.to_owned(),
            limit: Some(1_000),
            before,
            forwards: false,
            after: None,
        };
        let page = ask(&**of, wanted).await.unwrap();
        before = page.messages.first().map(|message| message.id.clone());
        ids.extend(page.messages.into_iter().map(|message| message.id));
        if !page.more || before.is_none() {
            return ids;
        }
    }
}

/// How many bytes the machine's own network has carried, in all and for all, where the system says so.
fn carried() -> f64 {
    let told = std::fs::read_to_string("/proc/self/net/dev").unwrap_or_default();
    let line = told
        .lines()
        .find_map(|line| line.trim().strip_prefix("lo:"));
    let bytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    bytes.unwrap_or(f64::NAN)
}
