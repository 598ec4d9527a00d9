//! Wrong keys, damaged files (STORE-2, STORE-4), other formats (STORE-12): said clearly, and nothing
//! is changed.

use std::path::{Path, PathBuf};

use tenet_log::{session::Session, store::LogStore};

use super::{KEY, Talk, open, texts};
use crate::{OpenError, Store};

const PAGE: usize = 4096;

/// A closed store of some pages; its folder, its path, its bytes.
fn closed() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let mut talk = Talk::found(&mut store);
    for n in 0..40 {
        talk.commit(&mut store, &format!("message {n} {}", "long ".repeat(100)))
            .unwrap();
    }
    drop(store);
    let path = folder.path().join("store.db");
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.len() > 8 * PAGE);
    (folder, path, bytes)
}

fn is_unreadable(opened: &Result<Store, OpenError>) -> bool {
    matches!(opened, Err(OpenError::Unreadable(_)))
}

#[test]
fn a_wrong_key_opens_nothing_and_changes_nothing() {
    let (_folder, path, bytes) = closed();
    for key in [[0; 32], [8; 32]] {
        assert!(is_unreadable(&Store::open(&path, &key)));
        assert!(is_unreadable(&Store::open_reader(&path, &key)));
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    Store::open(&path, &KEY).unwrap();
}

#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    let (_folder, path, whole) = closed();
    for page in 0..whole.len() / PAGE {
        // Salt or first bytes, content, IV, authentication code.
        for place in [3, 100, 2000, PAGE - 40, PAGE - 10] {
            let mut bytes = whole.clone();
            bytes[page * PAGE + place] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            expect_damage(&path, &bytes, page * PAGE + place);
        }
    }
}

fn expect_damage(path: &Path, bytes: &[u8], place: usize) {
    // The first page, and the table of contents, are read by opening.
    match Store::open_reader(path, &KEY) {
        Err(OpenError::Unreadable(_)) => {}
        Ok(store) => {
            let named = store.check_integrity();
            assert!(
                !matches!(&named, Ok(lines) if lines.is_empty()),
                "byte {place}"
            );
        }
        Err(other) => panic!("byte {place}: {other}"),
    }
    let left = std::fs::read(path).unwrap();
    assert!(left == bytes, "byte {place}: the file was changed");
}

#[test]
fn a_truncated_file_is_found() {
    let (_folder, path, whole) = closed();
    for left in [
        1,
        16,
        PAGE - 1,
        PAGE,
        3 * PAGE,
        3 * PAGE + 7,
        whole.len() - PAGE,
    ] {
        std::fs::write(&path, &whole[..left]).unwrap();
        expect_damage(&path, &whole[..left], left);
    }
}

#[test]
fn damage_in_the_log_file_ends_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let mut talk = Talk::found(&mut store);
    store.checkpoint().unwrap();
    for n in 0..10 {
        talk.commit(&mut store, &format!("message {n}")).unwrap();
    }
    let log = std::fs::read(folder.path().join("store.db-wal")).unwrap();
    let database = std::fs::read(folder.path().join("store.db")).unwrap();
    // As a crash leaves it, and with one bit flipped.
    for place in (40..log.len()).step_by(1999) {
        let copy = tempfile::tempdir().unwrap();
        let mut damaged = log.clone();
        damaged[place] ^= 1;
        std::fs::write(copy.path().join("store.db"), &database).unwrap();
        std::fs::write(copy.path().join("store.db-wal"), &damaged).unwrap();
        let store = open(copy.path());
        assert_eq!(
            store.check_integrity().unwrap(),
            Vec::<String>::new(),
            "byte {place}"
        );
        // A beginning of what was committed, whole batches only.
        let kept = match store.sessions().unwrap().first() {
            Some(session) => texts(&store, *session),
            None => Vec::new(),
        };
        let said: Vec<String> = (0..kept.len()).map(|n| format!("message {n}")).collect();
        assert_eq!(kept, said, "byte {place}");
    }
}

#[test]
fn a_newer_format_is_left_alone() {
    let (_folder, path, _) = closed();
    let store = Store::open(&path, &KEY).unwrap();
    let known: i64 = store
        .db
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    store
        .db
        .pragma_update(None, "user_version", known + 1)
        .unwrap();
    drop(store);
    let bytes = std::fs::read(&path).unwrap();
    for _ in 0..2 {
        let Err(OpenError::Newer { found, known: ours }) = Store::open(&path, &KEY) else {
            panic!("opened");
        };
        assert_eq!((found, ours), (known + 1, known));
    }
    assert!(matches!(
        Store::open_reader(&path, &KEY),
        Err(OpenError::Newer { .. })
    ));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

/// STORE-1601, STORE-301
#[test]
fn what_is_kept_of_a_session_is_held_against_its_operations() {
    let (_folder, path, _) = closed();
    let mut store = Store::open(&path, &KEY).unwrap();
    assert!(store.audit().unwrap().is_well());
    let id = store.sessions().unwrap()[0];
    let mut keys = Vec::new();
    store
        .outcome(id, &mut |key, _| keys.push(key.to_vec()))
        .unwrap();
    // The first is the head, and of it nobody takes half for the whole.
    store.put_outcome(id, &keys[1], None).unwrap();
    assert_eq!(store.audit().unwrap().miskept, [id]);
    let mut session = Session::load_anew(&store, id).unwrap().unwrap();
    session.keep(&mut store).unwrap();
    assert!(store.audit().unwrap().is_well());
}
