//! What was taken out does not stay in the pages (STORE-13, NODE-203).

use tenet_apps::chat::search::{SearchStore, index::Indexed};
use tenet_identity::keys::IdentityId;
use tenet_log::store::{Durability, LogStore, Position, Transactions};

use super::{Talk, open};
use crate::Store;

fn put(store: &mut Store, talk: &Talk, position: i64, words: String) {
    let indexed = Indexed {
        position: Position(position),
        session: talk.id(),
        identity: IdentityId::from([1; 32]),
        millis: 0,
        files: false,
        words,
    };
    store.put_words(&indexed).unwrap();
}

/// In how many pages of the index these letters are, found or not.
fn in_pages(store: &Store, letters: &str) -> i64 {
    let sql = "SELECT count(*) FROM word_data WHERE instr(block, CAST(?1 AS BLOB)) > 0";
    let count = store.db.query_row(sql, [letters], |row| row.get(0));
    count.unwrap()
}

#[test]
fn words_leave_the_pages_step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let talk = Talk::found(&mut store);
    for batch in 0..20 {
        store.begin().unwrap();
        for number in 0..100 {
            let position = batch * 100 + number;
            let last = if position % 50 == 7 { "zebra" } else { "horse" };
            let rest = (0..20).map(|word| format!("w{word}x{position}"));
            let words = rest.chain([format!("{position}{last}")]);
            let words: Vec<String> = words.collect();
            put(&mut store, &talk, position, words.join(" "));
        }
        store.commit(Durability::Process).unwrap();
    }
    assert!(!store.has_words_to_forget().unwrap() && !store.forget_words().unwrap());
    store.begin().unwrap();
    for position in 0..2000 {
        if position % 50 == 7 {
            store.remove_words(Position(position)).unwrap();
        }
    }
    store.commit(Durability::Process).unwrap();
    assert!(in_pages(&store, "zebra") > 0, "only marked so far");
    let mut steps = 0;
    loop {
        store.begin().unwrap();
        let more = store.forget_words().unwrap();
        store.commit(Durability::Process).unwrap();
        steps += 1;
        if !more {
            break;
        }
        assert!(store.has_words_to_forget().unwrap());
    }
    assert!(steps > 2, "{steps}");
    assert!(!store.has_words_to_forget().unwrap());
    assert_eq!(in_pages(&store, "zebra"), 0);
    assert!(in_pages(&store, "horse") > 0);
    // What was never there leaves nothing to forget.
    store.remove_words(Position(7)).unwrap();
    assert!(!store.has_words_to_forget().unwrap());
}

/// STORE-13: a long body lies in pages of its own, which nothing else would write again.
#[test]
fn the_pages_of_an_erased_body_are_written_over() {
    const PAGE: usize = 4096;
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let mut talk = Talk::found(&mut store);
    let long = "secret".repeat(10_000);
    talk.commit(&mut store, &long).unwrap();
    let file = |store: &Store| {
        store.checkpoint().unwrap();
        std::fs::read(folder.path().join("store.db")).unwrap()
    };
    let before = file(&store);
    let last = store.since(talk.id(), Position::default(), 9).unwrap();
    store.begin().unwrap();
    store.erase(last.last().unwrap().event.id()).unwrap();
    store.commit(Durability::Power).unwrap();
    let after = file(&store);
    let pages = before.chunks(PAGE).zip(after.chunks(PAGE));
    let written = pages.filter(|(before, after)| before != after).count();
    assert!(written >= long.len() / PAGE, "{written} pages");
    assert!(
        store.audit().unwrap().is_well(),
        "a bare event is no damage"
    );
}
