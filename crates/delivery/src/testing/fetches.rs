//! What every store of fetches does.
#![allow(clippy::unwrap_used)]

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
}
