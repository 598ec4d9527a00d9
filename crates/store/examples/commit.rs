//! What one sent message costs the store: the baseline that the node is measured against.
//!
//! Does exactly the writes that the engine does for one message in a direct session (event, head,
//! message, dispatch, outbox), on really signed events that were made before the clock starts.
//!
//! ```text
//! commit FOLDER [--count N] [--history H]             one message a durable commit
//! commit FOLDER [--count N] [--history H] --batch B   B messages a durable commit, then acknowledged
//! commit … --receive                                  the other side: event, head, message
//! ```
//!
//! Prints one line of JSON. Times are in microseconds; `rows_us` is what a commit takes without
//! `COMMIT` and its flush, `cpu_us` what a message takes of a processor, acknowledgement included.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tenet_apps::chat::{
    Action,
    fold::{self, Entry},
    text::Text,
};
use tenet_delivery::outbox::{Outbox, Outgoing, Recipient};
use tenet_identity::{
    card,
    keys::{DeviceId, DeviceKey, IdentityId, IdentityKey},
};
use tenet_log::{
    event::Event,
    frontier::Head,
    roster::SessionKind,
    session::Session,
    standing::Standing,
    store::{Durability, LogStore, Position, Transactions},
};
use tenet_store::Store;

const NOW: u64 = 1_800_000_000_000;

struct Options {
    folder: PathBuf,
    count: usize,
    history: usize,
    batch: Option<usize>,
    receive: bool,
}

impl Options {
    fn parse() -> Option<Self> {
        let mut given = std::env::args().skip(1);
        let folder = given.next()?.into();
        let mut options = Self {
            folder,
            count: 2000,
            history: 0,
            batch: None,
            receive: false,
        };
        while let Some(name) = given.next() {
            match name.as_str() {
                "--count" => options.count = given.next()?.parse().ok()?,
                "--history" => options.history = given.next()?.parse().ok()?,
                "--batch" => options.batch = Some(given.next()?.parse().ok().filter(|b| *b > 0)?),
                "--receive" => options.receive = true,
                _ => return None,
            }
        }
        Some(options)
    }
}

fn main() {
    let Some(options) = Options::parse() else {
        eprintln!("commit FOLDER [--count N] [--history H] [--batch B] [--receive]");
        std::process::exit(2);
    };
    let (founding, history, events) = conversation(options.history, options.count);
    let path = options.folder.join("commit.db");
    let mut bench = Bench {
        store: Store::open(&path, &[7; 32]).unwrap(),
        identity: person().0.public(),
        other: DeviceKey::from_seed([4; 32]).public(),
        receive: options.receive,
    };
    bench.found(&founding);
    for chunk in history.chunks(1000) {
        bench.commit(chunk);
        bench.acknowledge(chunk);
    }
    bench.store.checkpoint().unwrap();
    match options.batch {
        None => one_by_one(&mut bench, &events),
        Some(batch) => in_batches(&mut bench, &events, batch),
    }
}

fn one_by_one(bench: &mut Bench, events: &[Event]) {
    let mut times: Vec<(Duration, Duration)> = Vec::with_capacity(events.len());
    for event in events {
        let began = Instant::now();
        let rows = bench.commit(std::slice::from_ref(event));
        times.push((began.elapsed(), rows));
    }
    let mut whole: Vec<f64> = times.iter().map(|(whole, _)| micros(*whole)).collect();
    let mut rows: Vec<f64> = times.iter().map(|(_, rows)| micros(*rows)).collect();
    println!(
        r#"{{"commits":{},"p50_us":{:.1},"p99_us":{:.1},"rows_us":{:.1}}}"#,
        events.len(),
        percentile(&mut whole, 50),
        percentile(&mut whole, 99),
        percentile(&mut rows, 50),
    );
}

fn in_batches(bench: &mut Bench, events: &[Event], batch: usize) {
    let (began, start) = (Instant::now(), processor_time());
    for chunk in events.chunks(batch) {
        bench.commit(chunk);
        if !bench.receive {
            bench.acknowledge(chunk);
        }
    }
    let count = events.len() as f64;
    println!(
        r#"{{"messages":{},"batch":{batch},"messages_per_s":{:.0},"cpu_us":{:.1}}}"#,
        events.len(),
        count / began.elapsed().as_secs_f64(),
        micros(processor_time() - start) / count,
    );
}

struct Bench {
    store: Store,
    identity: IdentityId,
    other: DeviceId,
    receive: bool,
}

impl Bench {
    fn found(&mut self, founding: &Event) {
        self.store.begin().unwrap();
        Session::open(&mut self.store, founding).unwrap();
        self.store.commit(Durability::Power).unwrap();
    }

    /// One batch, an input each; gives how long it took until `COMMIT`.
    fn commit(&mut self, events: &[Event]) -> Duration {
        let began = Instant::now();
        self.store.begin().unwrap();
        for event in events {
            self.store.savepoint().unwrap();
            self.write(event);
            self.store.keep().unwrap();
        }
        let rows = began.elapsed();
        self.store.commit(Durability::Power).unwrap();
        rows
    }

    fn write(&mut self, event: &Event) {
        let position = self.store.insert(event, Standing::Counted).unwrap();
        let head = Head {
            author: event.author(),
            branch: 0,
            seq: event.header().seq,
            id: event.id(),
            time: event.header().time,
            tip: true,
        };
        self.store.put_head(event.session(), &head).unwrap();
        let entry = Entry {
            event,
            position,
            identity: self.identity,
            counts: true,
        };
        fold::fold(&mut self.store, &entry).unwrap();
        if !self.receive {
            let recipient = Recipient {
                device: self.other,
                receiver: true,
            };
            self.store
                .queue(&outgoing(event, position), &[recipient])
                .unwrap();
        }
    }

    /// The other device says that it has them all.
    fn acknowledge(&mut self, events: &[Event]) {
        let Some(last) = events.last() else { return };
        self.store.begin().unwrap();
        self.store.savepoint().unwrap();
        let seq = last.header().seq;
        self.store
            .acknowledge(last.session(), last.author(), seq, self.other)
            .unwrap();
        self.store.keep().unwrap();
        self.store.commit(Durability::Process).unwrap();
    }
}

fn outgoing(event: &Event, position: Position) -> Outgoing {
    Outgoing {
        position,
        session: event.session(),
        author: event.author(),
        seq: event.header().seq,
        event: event.id(),
    }
}

/// A founding and texts after it, written in memory.
fn conversation(history: usize, count: usize) -> (Event, Vec<Event>, Vec<Event>) {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let (identity, device) = person();
    let card = card::issue(&identity, device.public(), "bench", NOW).unwrap();
    let friend = IdentityKey::from_seed([3; 32]).public();
    let mut store = Store::in_memory().unwrap();
    let kind = SessionKind::Direct;
    let (mut session, founding) =
        Session::found(&mut store, &device, &card, kind, &[friend], NOW, &mut rng).unwrap();
    let mut texts = Vec::with_capacity(history + count);
    for n in 0..history + count {
        let text = Text::new(
            format!("message {n}: see you at the station at seven"),
            None,
        );
        let draft = Action::Text(text.unwrap()).draft().unwrap();
        let now = NOW + n as u64;
        let (event, _) = session
            .append(&mut store, &device, draft, now, &mut rng)
            .unwrap();
        texts.push(event);
    }
    let events = texts.split_off(history);
    (founding, texts, events)
}

fn person() -> (IdentityKey, DeviceKey) {
    (
        IdentityKey::from_seed([1; 32]),
        DeviceKey::from_seed([2; 32]),
    )
}

fn percentile(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times
        .get(times.len() * percent / 100)
        .copied()
        .unwrap_or(f64::NAN)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// What this process has used of a processor, to a few milliseconds; zero where the system does not say it.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = stat
        .split_whitespace()
        .next()
        .and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
