//! What every store of fetches does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use tenet_log::{
    ids::{BlobId, SessionId},
    store::Position,
};

use crate::fetch::{Fetch, FetchState, Fetches};

/// Runs the suite, each story on a store of its own.
///
/// # Panics
/// Where the store does something else.
pub fn fetches_conformance<F: Fetches>(mut make: impl FnMut() -> F) {
    the_last_state_stands(&mut make());
    contents_are_found_by_state(&mut make());
    namings_are_a_set(&mut make());
    what_takes_room_is_counted(&mut make());
    what_a_session_names_is_listed_latest_first(&mut make());
}

fn fetch(byte: u8, state: FetchState) -> Fetch {
    Fetch {
        blob: BlobId::from([byte; 32]),
        size: u64::MAX >> 1,
        state,
    }
}

fn the_last_state_stands(store: &mut impl Fetches) {
    assert_eq!(store.fetch(BlobId::from([1; 32])).unwrap(), None);
    for state in FetchState::ALL {
        let fetch = fetch(1, state);
        store.put_fetch(&fetch).unwrap();
        assert_eq!(store.fetch(fetch.blob).unwrap(), Some(fetch));
        assert_eq!(FetchState::from_code(state.code()), Some(state));
    }
}

fn contents_are_found_by_state(store: &mut impl Fetches) {
    let wanted = [fetch(1, FetchState::Wanted), fetch(3, FetchState::Wanted)];
    let others = [fetch(2, FetchState::Whole), fetch(4, FetchState::Offered)];
    for fetch in wanted.iter().rev().chain(&others) {
        store.put_fetch(fetch).unwrap();
    }
    assert_eq!(store.fetches(FetchState::Wanted).unwrap(), wanted);
    assert_eq!(store.fetches(FetchState::Paused).unwrap(), []);
    let id = |byte| BlobId::from([byte; 32]);
    let between = |first, last, limit| store.fetches_between(id(first), id(last), limit).unwrap();
    assert_eq!(between(2, 3, 9), [id(2), id(3)]);
    assert_eq!(between(0, 9, 2), [id(1), id(2)]);
    assert_eq!(between(5, 9, 2), []);
}

fn namings_are_a_set(store: &mut impl Fetches) {
    let (blob, other) = (BlobId::from([1; 32]), BlobId::from([2; 32]));
    let [one, two] = [SessionId::from([1; 32]), SessionId::from([2; 32])];
    for (session, position) in [(two, 9), (one, 5), (one, 5), (one, 7)] {
        store.name_blob(blob, session, Position(position)).unwrap();
    }
    let namings = [(one, Position(5)), (one, Position(7)), (two, Position(9))];
    assert_eq!(store.namings(blob).unwrap(), namings);
    assert_eq!(store.namings(other).unwrap(), []);
    store.forget_naming(blob, Position(7)).unwrap();
    store.forget_naming(other, Position(5)).unwrap();
    assert_eq!(store.namings(blob).unwrap(), [namings[0], namings[2]]);
}

fn what_takes_room_is_counted(store: &mut impl Fetches) {
    assert_eq!(store.reserved().unwrap(), 0);
    for (byte, state) in (1..).zip(FetchState::ALL) {
        let size = 1 << byte;
        store
            .put_fetch(&Fetch {
                size,
                ..fetch(byte, state)
            })
            .unwrap();
    }
    assert_eq!(store.reserved().unwrap(), (1 << 2) + (1 << 3) + (1 << 4));
    store.forget_fetch(BlobId::from([3; 32])).unwrap();
    store.forget_fetch(BlobId::from([9; 32])).unwrap();
    assert_eq!(store.fetch(BlobId::from([3; 32])).unwrap(), None);
    assert_eq!(store.reserved().unwrap(), (1 << 2) + (1 << 4));
    // What a peer says of a size may be anything, and is never less than nothing.
    let size = u64::MAX;
    store
        .put_fetch(&Fetch {
            size,
            ..fetch(9, FetchState::Wanted)
        })
        .unwrap();
    assert!(store.reserved().unwrap() >= i64::MAX as u64);
}

fn what_a_session_names_is_listed_latest_first(store: &mut impl Fetches) {
    let [one, two] = [SessionId::from([1; 32]), SessionId::from([2; 32])];
    let blobs = [1, 2, 3].map(|byte| BlobId::from([byte; 32]));
    for (blob, session, position) in [
        (0, one, 5),
        (1, one, 8),
        (2, two, 6),
        (2, one, 9),
        (0, one, 9),
    ] {
        store
            .name_blob(blobs[blob], session, Position(position))
            .unwrap();
    }
    let at = |blob: usize, position| (blobs[blob], Position(position));
    let all = [at(2, 9), at(0, 9), at(1, 8), at(0, 5)];
    assert_eq!(store.named_in(one, None, 9).unwrap(), all);
    assert_eq!(store.named_in(one, None, 3).unwrap(), all[..3]);
    assert_eq!(store.named_in(one, Some(Position(9)), 9).unwrap(), all[2..]);
    assert_eq!(
        store.named_in(SessionId::from([3; 32]), None, 9).unwrap(),
        []
    );
}
