//! What the store keeps of what operations come to says what the operations say (LOG-1601, LOG-1602).

use proptest::prelude::*;

use super::{
    convergence::MIXES,
    tangle::Tangle,
    world::{Node, Person, below, found, rng, shuffle},
};
use crate::{
    event::Event,
    roster::Op,
    session::{Receipt, Session},
    store::LogStore,
};

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// At every point a session loaded from what is kept is the one loaded from all operations, also what is asked of those
/// who are out; and it goes on as that one would.
fn at_every_point(seed: u64, steps: usize, mix: usize) {
    let tangle = Tangle::grow(seed, steps, MIXES[mix]);
    let mut rng = rng(seed);
    let mut order: Vec<Event> = tangle.events.clone();
    shuffle(&mut rng, &mut order);
    let mut node = Node::open(&tangle.founding);
    let mut whole = Node::open(&tangle.founding);
    let mut waiting = order;
    while !waiting.is_empty() {
        let mut left = Vec::new();
        for event in waiting {
            let receipt = node.receive(&event);
            assert_eq!(said(&receipt), said(&whole.receive(&event)));
            match receipt {
                Receipt::Lacks(_) => left.push(event),
                _ => check(&node),
            }
            if below(&mut rng, 3) == 0 {
                node = node.reloaded();
                assert!(node.session.is_kept() && node.session.fold.get().is_none());
            }
        }
        if left
            .iter()
            .all(|event| tangle.refused.contains(&event.id()))
        {
            break;
        }
        waiting = left;
    }
    assert_eq!(node.picture(), whole.picture());
}

/// What a receipt says, whatever it costs.
fn said(receipt: &Receipt) -> String {
    match receipt {
        Receipt::Admitted(admitted) => format!(
            "{:?} {:?} {:?} {:?}",
            admitted.standing, admitted.changes, admitted.roster_changed, admitted.forked
        ),
        other => format!("{other:?}"),
    }
}

fn check(node: &Node) {
    let (store, id) = (&node.store, node.session.id());
    let kept = Session::load(store, id).unwrap().unwrap();
    let anew = Session::load_anew(store, id).unwrap().unwrap();
    assert!(kept.is_kept() && !anew.is_kept());
    assert_eq!(kept.outcome, anew.outcome);
    assert_eq!(node.session.outcome, anew.outcome);
    assert_eq!(kept.latest, anew.latest);
    // What is written part by part is what would be written at once.
    let mut other = node.store.clone();
    kept.clone().keep(&mut other).unwrap();
    assert_eq!(rows(store, &anew), rows(&other, &anew));
    // What no outcome has is read from operations.
    let devices = anew.roster().chains.keys().map(|chain| chain.device);
    for device in devices.chain(anew.outsiders().into_keys()) {
        let ends = |session: &Session| {
            let ending = session.ending(store, device).unwrap();
            ending.map(|ending| ending.operations().copied().collect::<Vec<_>>())
        };
        assert_eq!(ends(&kept), ends(&anew));
    }
}

fn rows(store: &impl LogStore, of: &Session) -> Rows {
    let mut rows = Rows::new();
    let mut read = |key: &[u8], value: &[u8]| rows.push((key.to_vec(), value.to_vec()));
    store.outcome(of.id(), &mut read).unwrap();
    rows
}

#[test]
fn log_1601_what_is_kept_says_what_operations_say() {
    for mix in 0..MIXES.len() {
        for seed in 0..6 {
            at_every_point(seed, 40, mix);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn log_1601_of_any_tangle(seed: u64, mix in 0..MIXES.len()) {
        at_every_point(seed, 50, mix);
    }
}

fn scene() -> (Person, Node) {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let mut node = Node::open(&found(&[&ann, &bob]));
    node.join(&bob.devices[0]);
    (bob, node)
}

#[test]
fn log_1601_what_does_not_fit_the_operations_is_made_anew() {
    let (bob, node) = scene();
    let id = node.session.id();
    let whole = node.session.outcome.clone();
    // A row that does not decode, one of a part that nobody knows, none at all, and no head.
    let rows = rows(&node.store, &node.session);
    let mut spoilt = Vec::new();
    for (key, _) in &rows {
        let mut store = node.store.clone();
        store.put_outcome(id, key, Some(&[0xff])).unwrap();
        spoilt.push(store);
    }
    let mut store = node.store.clone();
    store.put_outcome(id, &[200], Some(&[1])).unwrap();
    spoilt.push(store);
    let mut store = node.store.clone();
    store.put_outcome(id, &rows[0].0, None).unwrap();
    spoilt.push(store);
    let mut store = node.store.clone();
    store.forget_outcome(id).unwrap();
    spoilt.push(store);
    // Somebody who keeps nothing took one operation more.
    let mut later = node.clone();
    later.join(&bob.devices[1]);
    let mut store = later.store.clone();
    for (key, value) in &rows {
        store.put_outcome(id, key, Some(value)).unwrap();
    }
    for (store, outcome) in spoilt
        .iter()
        .map(|store| (store, &whole))
        .chain([(&store, &later.session.outcome)])
    {
        let session = Session::load(store, id).unwrap().unwrap();
        assert!(!session.is_kept());
        assert_eq!(session.outcome, *outcome);
        let mut store = store.clone();
        session.clone().keep(&mut store).unwrap();
        let kept = Session::load(&store, id).unwrap().unwrap();
        assert!(kept.is_kept());
        assert_eq!(kept.outcome, *outcome);
    }
}

/// What is kept may be wrong and fit all the same, by a mistake of ours: the next operation finds that.
#[test]
fn log_1602_what_is_wrong_goes_with_the_next_operation() {
    let (bob, node) = scene();
    let id = node.session.id();
    let mut store = node.store.clone();
    let rows = rows(&store, &node.session);
    let person = rows.iter().find(|(key, _)| key[0] == 1).unwrap();
    store.put_outcome(id, &person.0, None).unwrap();
    let mut session = Session::load(&store, id).unwrap().unwrap();
    assert!(session.is_kept(), "nothing shows it");
    assert_ne!(session.outcome, node.session.outcome);
    assert!(
        !Session::is_kept_right(&store, id).unwrap(),
        "but a look at all of it does"
    );
    assert!(Session::is_kept_right(&node.store, id).unwrap());
    let join = Op::Join(bob.devices[1].card.clone());
    let (event, _) = session
        .operate(&mut store, &bob.devices[1].key, &join, super::world::NOW)
        .unwrap();
    let loaded = Session::load(&store, id).unwrap().unwrap();
    assert!(loaded.is_kept());
    let mut honest = node.clone();
    honest.take(&event);
    assert_eq!(loaded.outcome, honest.session.outcome);
}

#[test]
fn log_1602_who_says_something_reads_no_operation() {
    let (bob, node) = scene();
    let mut node = node.reloaded();
    node.say(&bob.devices[0], "a word");
    assert!(node.session.fold.get().is_none());
    node.join(&bob.devices[1]);
    assert!(node.session.fold.get().is_some());
    node.session.rest();
    node.say(&bob.devices[1], "another");
    assert!(node.session.fold.get().is_none());
}
