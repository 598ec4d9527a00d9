//! Batches, savepoints, readers and other writers (STORE-5, STORE-6, STORE-8).

use tenet_log::{
    ids::{Author, EventId, SessionId},
    store::{Durability, LogStore, StoreError, Transactions},
};

use super::{KEY, Talk, is_whole, open, reader, texts};
use crate::{OpenError, Store, records::Kind};

#[test]
fn undo_takes_back_one_input_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let mut talk = Talk::found(&mut store);
    store.begin().unwrap();
    for text in ["kept", "undone", "kept as well"] {
        store.savepoint().unwrap();
        talk.say(&mut store, text);
        if text == "undone" {
            store.undo().unwrap();
            talk.reload(&store);
        } else {
            store.keep().unwrap();
        }
    }
    store.commit(Durability::Process).unwrap();
    assert_eq!(texts(&store, talk.id()), ["kept", "kept as well"]);
    let heads = store.heads(talk.id()).unwrap();
    assert_eq!(heads.iter().map(|head| head.seq).max(), Some(2));
    assert!(is_whole(&store));
}

#[test]
fn what_is_abandoned_never_was() {
    let mut store = Store::in_memory().unwrap();
    let mut talk = Talk::found(&mut store);
    store.abandon().unwrap();
    store.begin().unwrap();
    talk.say(&mut store, "never");
    store.abandon().unwrap();
    talk.reload(&store);
    talk.commit(&mut store, "said").unwrap();
    assert_eq!(texts(&store, talk.id()), ["said"]);
}

#[test]
fn row_numbers_of_undone_names_are_forgotten() {
    let mut store = Store::in_memory().unwrap();
    let (first, second) = (SessionId::from([1; 32]), SessionId::from([2; 32]));
    let author = |n| Author {
        device: [n; 32].into(),
        added_by: EventId::from([n; 32]),
    };
    store.begin().unwrap();
    store.savepoint().unwrap();
    let row = store.session_row(first).unwrap();
    let of_first = store.author_row(row, author(1)).unwrap();
    store.undo().unwrap();
    assert_eq!(store.find_session(first).unwrap(), None);
    assert_eq!(store.find_author(first, author(1)).unwrap(), None);
    // Another name takes the number that the undone one had.
    let reused = store.session_row(second).unwrap();
    assert_eq!(
        (reused, store.author_row(reused, author(2)).unwrap()),
        (row, of_first)
    );
    let other = store.session_row(first).unwrap();
    assert_ne!(other, reused);
    assert_ne!(store.author_row(other, author(1)).unwrap(), of_first);
    store.abandon().unwrap();
    assert_eq!(store.find_session(second).unwrap(), None);
}

#[test]
fn readers_see_the_last_commit_and_block_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let mut talk = Talk::found(&mut store);
    talk.commit(&mut store, "one").unwrap();
    let beside = reader(folder.path());
    store.begin().unwrap();
    talk.say(&mut store, "two");
    assert_eq!(texts(&beside, talk.id()), ["one"]);
    // In the middle of a read of its own.
    beside
        .db
        .execute_batch("BEGIN; SELECT count(*) FROM event;")
        .unwrap();
    store.commit(Durability::Power).unwrap();
    assert_eq!(texts(&beside, talk.id()), ["one"]);
    store.checkpoint().unwrap();
    talk.commit(&mut store, "three").unwrap();
    beside.db.execute_batch("COMMIT").unwrap();
    assert_eq!(texts(&beside, talk.id()), ["one", "two", "three"]);
    store.checkpoint().unwrap();
    store.shrink().unwrap();
    assert_eq!(texts(&beside, talk.id()), ["one", "two", "three"]);
}

#[test]
fn readers_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let beside = reader(folder.path());
    let refused = beside.put_record(Kind::Port, &[], &[1, 2]);
    assert!(matches!(refused, Err(StoreError::Medium(_))), "{refused:?}");
    let nowhere = folder.path().join("none.db");
    assert!(matches!(
        Store::open_reader(&nowhere, &KEY),
        Err(OpenError::Missing(_))
    ));
    assert!(!nowhere.exists());
}

#[test]
fn a_second_writer_is_refused_while_the_first_writes() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let mut talk = Talk::found(&mut store);
    let mut second = open(folder.path());
    second.db.busy_timeout(std::time::Duration::ZERO).unwrap();
    store.begin().unwrap();
    talk.say(&mut store, "mine");
    let refused = second.begin().unwrap_err().to_string();
    assert!(refused.contains("another"), "{refused}");
    second.abandon().unwrap();
    store.commit(Durability::Power).unwrap();
    second.begin().unwrap();
    second.abandon().unwrap();
    assert_eq!(texts(&second, talk.id()), ["mine"]);
}

#[test]
fn closing_folds_the_log_into_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let mut talk = Talk::found(&mut store);
    talk.commit(&mut store, "one").unwrap();
    drop(store);
    assert!(!folder.path().join("store.db-wal").exists());
    assert_eq!(texts(&open(folder.path()), talk.id()), ["one"]);
}
