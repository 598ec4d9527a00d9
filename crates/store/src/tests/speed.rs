//! Reads stay cheap in a large store. Bounds are generous: they catch scans, not slow machines.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use tenet_apps::chat::{
    search::{Filter, Query, SearchStore, index},
    store::ChatStore,
};
use tenet_delivery::outbox::Outbox;
use tenet_identity::keys::DeviceId;
use tenet_log::{
    session::Session,
    store::{Durability, Position, Transactions},
};

use super::{Talk, open, reader};
use crate::chat::{between_sql, history_sql};

const MESSAGES: usize = 100_000;

#[test]
fn a_hundred_thousand_messages_open_and_show_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let talk = fill(folder.path());
    let (store, opening) = timed(|| reader(folder.path()));
    let (session, loading) = timed(|| Session::load(&store, talk.id()).unwrap().unwrap());
    assert_eq!(
        session.frontier().heads().map(|head| head.seq).max(),
        Some(MESSAGES as u64)
    );
    let (last, history) = timed(|| store.history(&[talk.id()], None, 50).unwrap());
    let (before, paging) = timed(|| {
        store
            .history(&[talk.id()], Some(&last[0].order), 50)
            .unwrap()
    });
    assert_eq!((last.len(), before.len()), (50, 50));
    let (pending, owing) = timed(|| {
        store
            .pending(DeviceId::from([9; 32]), Position(0), 100)
            .unwrap()
    });
    let (open, undelivered) = timed(|| store.undelivered(talk.id(), Position(0), 100).unwrap());
    assert_eq!((pending.len(), open.len()), (10, 10));
    let (found, by_id) = timed(|| store.message(before[7].id).unwrap());
    assert_eq!(found, Some(before[7]));
    eprintln!(
        "open {opening:?}, load {loading:?}, last 50 {history:?}, 50 before {paging:?}, \
         pending {owing:?}, undelivered {undelivered:?}, by id {by_id:?}"
    );
    assert!(
        opening + loading < Duration::from_millis(100),
        "{opening:?} + {loading:?}"
    );
    for (what, took) in [
        ("history", history),
        ("paging", paging),
        ("pending", owing),
        ("by id", by_id),
    ] {
        assert!(took < Duration::from_millis(20), "{what}: {took:?}");
    }
    // Only when somebody joins: walks all own messages, but only their small rows.
    assert!(undelivered < Duration::from_millis(500), "{undelivered:?}");
}

/// A sentence of some words that are everywhere, some that are common, and one that is rare.
fn text(n: usize) -> String {
    let letter = char::from(b'a' + u8::try_from(n % 26).unwrap());
    format!(
        "message {n} is about the {letter}thing number {} again, or so",
        n % 1000
    )
}

/// Words are kept in batches beside everything else, and found at once.
#[test]
fn a_hundred_thousand_messages_are_searched_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let talk = fill(folder.path());
    let mut store = open(folder.path());
    let size = |store: &crate::Store| -> i64 {
        store
            .db
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap()
    };
    let (before, mut longest, mut whole) = (size(&store), Duration::ZERO, Duration::ZERO);
    let mut more = true;
    while more {
        let took = timed(|| {
            store.begin().unwrap();
            more = index::follow(&mut store, 256).unwrap();
            store.commit(Durability::Process).unwrap();
        });
        longest = longest.max(took.1);
        whole += took.1;
    }
    eprintln!(
        "indexed in {whole:?}, a batch {longest:?} at most, {} KiB",
        (size(&store) - before) * 4
    );
    let store = reader(folder.path());
    let session = Filter {
        sessions: vec![talk.id()],
        ..Filter::default()
    };
    let day = Filter {
        since: Some(super::NOW),
        until: Some(super::NOW + 1_000_000_000),
        ..Filter::default()
    };
    let none = Filter::default();
    for (typed, filter, found) in [
        ("77777", &none, 1),
        ("the", &none, 50),
        ("mes", &none, 50),
        ("777", &none, 50),
        ("zth", &none, 50),
        ("nothi", &none, 0),
        ("\"is about the\"", &none, 50),
        ("\"so message\"", &none, 0),
        ("message again so zthing", &none, 50),
        ("the", &session, 50),
        ("the", &day, 50),
    ] {
        let query = Query::new(typed, filter).unwrap();
        let (positions, took) = timed(|| store.find(&query, filter, None, 50).unwrap());
        eprintln!("{typed}: {took:?}");
        assert_eq!(positions.len(), found, "{typed}");
        assert!(took < Duration::from_millis(200), "{typed}: {took:?}");
    }
}

/// Says it all, and has all but the last ten acknowledged.
fn fill(folder: &Path) -> Talk {
    let mut store = open(folder);
    let mut talk = Talk::found(&mut store);
    for first in (0..MESSAGES).step_by(5_000) {
        store.begin().unwrap();
        for n in first..first + 5_000 {
            talk.say(&mut store, &text(n));
        }
        store.commit(Durability::Process).unwrap();
    }
    let author = talk.session.roster().author(talk.key.public()).unwrap();
    store.begin().unwrap();
    store
        .acknowledge(
            talk.id(),
            author,
            MESSAGES as u64 - 10,
            DeviceId::from([9; 32]),
        )
        .unwrap();
    store.commit(Durability::Process).unwrap();
    talk
}

#[test]
fn history_walks_its_index_backwards() {
    let store = crate::Store::in_memory().unwrap();
    for sql in [history_sql(false), history_sql(true)] {
        let mut statement = store
            .db
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get(3).unwrap();
            assert!(!step.contains("SCAN"), "{step}");
            // Messages of one instant are sorted among themselves, never all of a session.
            assert!(
                !step.contains("TEMP B-TREE") || step.contains("LAST"),
                "{step}"
            );
        }
    }
}

#[test]
fn a_beginning_of_ids_is_found_by_its_index() {
    let store = crate::Store::in_memory().unwrap();
    let plan = format!("EXPLAIN QUERY PLAN {}", between_sql());
    let mut statement = store.db.prepare(&plan).unwrap();
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get::<_, String>(3).unwrap());
    }
    let first = steps.first().unwrap();
    assert!(
        first.contains("place USING PRIMARY KEY (start>? AND start<?)"),
        "{steps:?}"
    );
    assert!(!steps.iter().any(|step| step.contains("SCAN")), "{steps:?}");
}

fn timed<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let value = what();
    (value, began.elapsed())
}
