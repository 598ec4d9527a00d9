//! What may enter the set, and what no honest device sends.

use super::world::{Node, Person, Raw, found};
use crate::{
    clock::Hlc,
    event::{Event, Header},
    ids::{EventId, SessionId},
    roster::Op,
    session::{Receipt, Refusal},
};

#[test]
fn log_6_an_event_comes_in_once_and_after_what_it_builds_on() {
    let ann = Person::new(1);
    let founding = found(&[&ann]);
    let mut node = Node::open(&founding);
    let key = &ann.devices[0].key;
    let one = Raw::after(key, &founding, &[]).say("1");
    let two = Raw::after(key, &one, &[]).say("2");
    assert!(matches!(node.receive(&two), Receipt::Lacks(id) if id == one.id()));
    assert!(matches!(node.receive(&one), Receipt::Admitted(_)));
    assert!(matches!(node.receive(&two), Receipt::Admitted(_)));
    for event in [&founding, &one, &two] {
        assert!(matches!(node.receive(event), Receipt::Known));
    }
}

#[test]
fn log_6_a_chain_comes_after_what_began_it() {
    let ann = Person::new(1);
    let founding = found(&[&ann]);
    let (mut one, mut other) = (Node::open(&founding), Node::open(&founding));
    let add = one.operate(&ann.devices[0], &Op::AddDevice(ann.devices[1].card.clone()));
    // It does not name what added it: that it builds on it goes without saying.
    let raw = Raw {
        added_by: Some(add.id()),
        prev: None,
        ..Raw::after(&ann.devices[1].key, &founding, &[&add])
    };
    let first = altered(&raw.say("x"), &ann, |header| {
        header.deps = vec![founding.id()]
    });
    assert!(matches!(other.receive(&first), Receipt::Lacks(id) if id == add.id()));
    other.take(&add);
    assert!(matches!(other.receive(&first), Receipt::Admitted(_)));
    assert_eq!(
        other.session.frontier().tips().len(),
        1,
        "the addition is no tip any more"
    );
}

#[test]
fn log_6_a_chain_that_nothing_began_is_refused() {
    let (ann, eve) = (Person::new(1), Person::new(3));
    let founding = found(&[&ann]);
    let mut node = Node::open(&founding);
    let text = node.say(&ann.devices[0], "x");
    let key = &eve.devices[0].key;
    let begun_by = |added_by: &Event| Raw {
        added_by: Some(added_by.id()),
        prev: None,
        ..Raw::after(key, &founding, &[&founding, &text])
    };
    let by_itself = Raw {
        added_by: None,
        ..begun_by(&founding)
    };
    for event in [
        begun_by(&founding).say("1"),
        begun_by(&text).say("2"),
        by_itself.say("3"),
    ] {
        let receipt = node.receive(&event);
        assert!(
            matches!(receipt, Receipt::Refused(Refusal::NotOnRoster)),
            "{receipt:?}"
        );
    }
}

#[test]
fn log_6_what_no_honest_device_sends_is_refused() {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let founding = found(&[&ann, &bob]);
    let mut node = Node::open(&founding);
    let join = node.join(&bob.devices[0]);
    let text = node.say(&ann.devices[0], "x");
    let good = Raw::after(&ann.devices[0].key, &text, &[]).say("y");
    let refusal = |node: &mut Node, change: &dyn Fn(&mut Header)| {
        let event = altered(&good, &ann, change);
        match node.receive(&event) {
            Receipt::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        }
    };
    let time = text.header().time;
    let foreign = refusal(&mut node, &|h| h.session = Some(SessionId::from([9; 32])));
    assert!(matches!(foreign, Refusal::ForeignSession));
    let backwards = refusal(&mut node, &|h| h.time = time);
    assert!(matches!(backwards, Refusal::TimeRunsBackwards));
    let jump = refusal(&mut node, &|h| h.seq += 1);
    assert!(matches!(jump, Refusal::Chain));
    let crossing = refusal(&mut node, &|h| h.prev = Some(join.id()));
    assert!(matches!(crossing, Refusal::Chain));
    let malformed = refusal(&mut node, &|h| {
        h.kind = crate::event::Kind::new("roster.join").unwrap();
    });
    assert!(matches!(malformed, Refusal::Op(_)));
    node.take(&good);
}

#[test]
fn log_6_nothing_but_a_founding_builds_on_nothing() {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let founding = found(&[&ann, &bob]);
    let mut node = Node::open(&founding);
    let raw = Raw {
        session: founding.session(),
        key: &bob.devices[0].key,
        added_by: None,
        prev: None,
        deps: Vec::new(),
        later_by: 1,
    };
    let join = raw.operate(&Op::Join(bob.devices[0].card.clone()));
    assert!(matches!(
        node.receive(&join),
        Receipt::Refused(Refusal::Chain)
    ));
}

/// The same event, signed by Ann's phone (or laptop, where it is the laptop's) after a change.
fn altered(event: &Event, ann: &Person, change: impl Fn(&mut Header)) -> Event {
    let mut header = event.header().clone();
    change(&mut header);
    let signs = ann
        .devices
        .iter()
        .find(|device| device.key.public() == header.device);
    let event = Event::sign(&signs.unwrap().key, header, event.body().cloned());
    assert!(event.header().time > Hlc::default() && event.id() != EventId::from([0; 32]));
    event
}
