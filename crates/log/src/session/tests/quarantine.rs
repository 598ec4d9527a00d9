//! Events from the future.

use super::world::{NOW, Node, Person, Raw, found};
use crate::{
    clock::MAX_AHEAD_MS,
    event::Event,
    session::{MAX_HELD, Receipt},
    store::LogStore,
};

/// How far ahead the events of these stories are dated, in milliseconds.
const AHEAD: u64 = MAX_AHEAD_MS + 5_000;

#[test]
fn log_8_what_is_too_early_waits_and_comes_in_later() {
    let (mut node, events) = (Person::new(1), Vec::<Event>::new());
    let (ann, _) = (&mut node, events);
    let founding = found(&[ann]);
    let mut node = Node::open(&founding);
    let early = ahead(ann, &founding, AHEAD);
    let before = node.picture();
    for _ in 0..2 {
        let Receipt::Held {
            acceptable_from, ..
        } = node.receive_at(&early, NOW)
        else {
            panic!()
        };
        assert_eq!(acceptable_from, NOW + AHEAD - MAX_AHEAD_MS);
    }
    assert_eq!(
        node.picture(),
        before,
        "not in the set, the frontier or the digest"
    );
    assert!(node.store.event(early.id()).unwrap().is_none());
    assert_eq!(node.store.held_count(founding.session()).unwrap(), 1);

    let child = Raw::after(&ann.devices[0].key, &early, &[]).say("child");
    assert!(matches!(node.receive_at(&child, NOW), Receipt::Held { .. }));

    assert!(node.store.due(NOW, 9).unwrap().is_empty());
    let due = node.store.next_due().unwrap().unwrap();
    assert_eq!(due, NOW + AHEAD - MAX_AHEAD_MS);
    let later = due + 1;
    for held in node.store.due(later, 9).unwrap() {
        node.store.release(held.event.id()).unwrap();
        assert!(matches!(
            node.receive_at(&held.event, later),
            Receipt::Admitted(_)
        ));
    }
    assert!(node.counts(&early) && node.counts(&child));
    assert_eq!(node.store.next_due().unwrap(), None);
}

#[test]
fn log_8_the_quarantine_is_bounded_and_who_finds_it_full_is_told_the_same() {
    let ann = Person::new(1);
    let founding = found(&[&ann]);
    let mut node = Node::open(&founding);
    let events: Vec<Event> = (0..MAX_HELD as u64 + 5)
        .map(|n| ahead(&ann, &founding, AHEAD + n))
        .collect();
    for event in &events {
        assert!(matches!(node.receive_at(event, NOW), Receipt::Held { .. }));
    }
    assert_eq!(node.store.held_count(founding.session()).unwrap(), MAX_HELD);
    let last = events.last().unwrap();
    assert!(matches!(
        node.receive_at(last, NOW + 2 * AHEAD),
        Receipt::Admitted(_)
    ));
}

#[test]
fn log_8_a_stranger_is_refused_before_he_is_held() {
    let (ann, eve) = (Person::new(1), Person::new(3));
    let founding = found(&[&ann]);
    let mut node = Node::open(&founding);
    let raw = Raw {
        later_by: AHEAD << 16,
        added_by: Some(founding.id()),
        prev: None,
        ..Raw::after(&eve.devices[0].key, &founding, &[])
    };
    assert!(matches!(
        node.receive_at(&raw.say("x"), NOW),
        Receipt::Refused(_)
    ));
    assert_eq!(node.store.held_count(founding.session()).unwrap(), 0);
}

fn ahead(ann: &Person, founding: &Event, millis: u64) -> Event {
    let raw = Raw::after(&ann.devices[0].key, founding, &[]);
    let later_by = millis << 16;
    Raw { later_by, ..raw }.say("early")
}
