//! Events are found by their ids wherever these wait (STORE-1101).

use tenet_apps::chat::store::ChatStore;
use tenet_log::{
    ids::EventId,
    store::{Durability, LogStore, Transactions},
};

use super::{Talk, is_whole, open, reader};
use crate::{Store, places::MANY};

#[test]
fn events_are_found_from_memory_and_from_the_table_also_by_readers() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let mut talk = Talk::found(&mut store);
    let beside = reader(folder.path());
    let mut said = vec![talk.commit(&mut store, "one").unwrap()];
    is_found(&beside, &said);
    store.checkpoint().unwrap();
    assert_eq!(rows(&store), 2, "the founding and a text");
    said.push(talk.commit(&mut store, "two").unwrap());
    for store in [&store, &beside, &reader(folder.path())] {
        is_found(store, &said);
    }
    // Nothing is written for it until there is much, or a pause.
    assert_eq!(rows(&store), 2);
    drop(beside);
    drop(store);
    let store = open(folder.path());
    is_found(&store, &said);
    store.checkpoint().unwrap();
    is_found(&store, &said);
    assert_eq!(rows(&store), 3);
    assert!(is_whole(&store));
}

#[test]
fn much_is_written_with_its_batch_and_undone_with_it() {
    let mut store = Store::in_memory().unwrap();
    let mut talk = Talk::found(&mut store);
    store.begin().unwrap();
    let said: Vec<EventId> = (0..MANY)
        .map(|n| talk.say(&mut store, &n.to_string()))
        .collect();
    store.commit(Durability::Process).unwrap();
    assert_eq!(rows(&store), MANY + 1);
    is_found(&store, &said[..10]);
    store.begin().unwrap();
    store.savepoint().unwrap();
    let gone = talk.say(&mut store, "undone");
    store.undo().unwrap();
    talk.reload(&store);
    let stays = talk.say(&mut store, "said");
    store.commit(Durability::Process).unwrap();
    assert!(store.event(gone).unwrap().is_none());
    is_found(&store, &[said[MANY - 1], stays]);
    store.begin().unwrap();
    let lost = talk.say(&mut store, "abandoned");
    store.abandon().unwrap();
    assert!(store.event(lost).unwrap().is_none());
    is_found(&store, &[said[0], stays]);
}

/// By their whole ids, and by what these begin with.
fn is_found(store: &Store, said: &[EventId]) {
    for id in said {
        assert_eq!(store.event(*id).unwrap().unwrap().event.id(), *id);
        assert_eq!(store.message(*id).unwrap().unwrap().id, *id);
        assert_eq!(store.messages_between(*id, *id, 9).unwrap(), [*id]);
    }
    let ends = [[0; 32], [255; 32]].map(EventId::from);
    let mut all = store.messages_between(ends[0], ends[1], usize::MAX >> 1);
    let all = all.as_mut().unwrap();
    assert!(all.is_sorted() && said.iter().all(|id| all.contains(id)));
    assert_eq!(
        store.messages_between(ends[0], ends[1], 1).unwrap(),
        all[..1]
    );
}

fn rows(store: &Store) -> usize {
    let count: Option<i64> = store
        .one("SELECT count(*) FROM place", [], |row| row.get(0))
        .unwrap();
    count.unwrap() as usize
}
