//! Hours of virtual time: two people do at random what people do, a third comes and goes, all are killed and
//! cut off at random, and nothing grows but what they said.
//!
//! A whole day, with its curves:
//! `TENET_HOURS=24 cargo test -p tenet-tests --test day -- --nocapture`; another one with `TENET_SEED=7`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing
)]

use tenet_log::store::LogStore;
use tenet_sim::{World, errors};

const ANN: usize = 0;
const BERT: usize = 1;
const CLEO: usize = 2;
const HOUR: u64 = 60 * 60 * 1000;

/// What is done in an hour.
const DEEDS: u64 = 60;

/// How much one node keeps at the end of an hour.
#[derive(Clone, Debug)]
struct Kept {
    sessions: usize,
    events: usize,
    bytes: u64,
    free: u64,
    memory: Vec<(&'static str, usize)>,
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn a_day_leaks_nothing() {
    let (hours, seed) = (number("TENET_HOURS", 3), number("TENET_SEED", 1));
    let ((), errors) = errors::during(|| day(seed, hours));
    assert!(errors.is_empty(), "logged as errors: {errors:?}");
}

fn day(seed: u64, hours: u64) {
    let mut world = World::new(seed, &[0, 60_000, 5_000]);
    world.estranges = true;
    world.random_day(4);
    let mut curves: Vec<[Kept; 2]> = Vec::new();
    for hour in 1..=hours {
        world.random_hour(hour, HOUR, DEEDS);
        world.check_pair(ANN, BERT);
        world.check_acquainted(ANN, CLEO);
        world.check_living(ANN, BERT);
        world.check_peace();
        let kept = [ANN, BERT].map(|node| keeps(&world, node));
        for (name, kept) in ["ann", "bert"].iter().zip(&kept) {
            println!("hour {hour:>2} {name:<4} {}", shown(kept));
        }
        println!(
            "hour {hour:>2} the process, with all that the story notes: {} KiB",
            resident()
        );
        curves.push(kept);
    }
    for node in [ANN, BERT] {
        grows_with_what_is_said(
            &curves
                .iter()
                .map(|kept| kept[node].clone())
                .collect::<Vec<_>>(),
        );
    }
}

/// What this process has in memory, in KiB; nothing where the system does not say.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse::<u64>().ok());
    pages.unwrap_or(0) * 4
}

fn keeps(world: &World, node: usize) -> Kept {
    let store = world.nodes[node].disk();
    let sessions = store.sessions().unwrap();
    let count = |session| {
        store
            .since(session, Default::default(), 1 << 20)
            .unwrap()
            .len()
    };
    let many = sessions.len();
    let events = sessions.into_iter().map(count).sum();
    let (bytes, free) = store.store().size().unwrap();
    Kept {
        sessions: many,
        events,
        bytes,
        free,
        memory: world.nodes[node].engine().unwrap().sizes().to_vec(),
    }
}

fn shown(kept: &Kept) -> String {
    let memory: Vec<_> = kept
        .memory
        .iter()
        .filter(|(_, many)| *many > 0)
        .map(|(name, many)| format!("{name} {many}"))
        .collect();
    format!(
        "{:>6} events {:>6} KiB ({} free), in memory: {}",
        kept.events,
        kept.bytes / 1024,
        kept.free / 1024,
        memory.join(", ")
    )
}

/// Disk by events; memory not at all.
fn grows_with_what_is_said(curve: &[Kept]) {
    let (first, last) = (&curve[0], &curve[curve.len() - 1]);
    assert!(last.events > first.events, "something was said");
    for kept in curve {
        // A short event with its rows, indexes, words and receipts, and what a new store has anyway.
        let expected = 200 * 1024 + kept.events as u64 * 4096 + kept.sessions as u64 * 8192;
        assert!(kept.bytes - kept.free < expected, "{}", shown(kept));
        // Whoever meets again has another session; the one before is kept, and shown.
        let met = kept.sessions - first.sessions;
        for ((name, then), (_, now)) in first.memory.iter().zip(&kept.memory) {
            let more = if *name == "sessions" { met } else { 2 };
            assert!(*now <= then + more, "{name}: {then}, then {}", shown(kept));
        }
    }
}
