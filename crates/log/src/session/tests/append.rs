//! What a device writes.

use tenet_identity::keys::DeviceKey;

use super::world::{NOW, Node, Person, Raw, draft, found, rng};
use crate::{
    event::{Event, MAX_BODY_BYTES, MAX_DEPS, MAX_PAYLOAD_BYTES, Unverified},
    roster::Op,
    session::{AppendError, Draft, DraftContent, Receipt},
};

#[test]
fn a_chain_is_linked_and_names_what_was_seen() {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let founding = found(&[&ann, &bob]);
    let mut node = Node::open(&founding);
    let one = node.say(&ann.devices[0], "1");
    let join = node.join(&bob.devices[0]);
    let two = node.say(&ann.devices[0], "2");
    assert_eq!(
        (one.header().seq, one.header().prev),
        (1, Some(founding.id()))
    );
    assert_eq!(one.header().deps, []);
    assert_eq!(join.header().deps, [one.id()]);
    assert_eq!((two.header().seq, two.header().prev), (2, Some(one.id())));
    assert_eq!(two.header().deps, [join.id()]);
    assert!(founding.order() < one.order() && one.order() < join.order());
    assert!(
        join.order() < two.order(),
        "although all were written in one millisecond"
    );
    for event in [&one, &join, &two] {
        Unverified::decode(&event.to_wire())
            .unwrap()
            .verify()
            .unwrap();
    }
}

#[test]
fn who_is_not_in_writes_nothing() {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let mut node = Node::open(&found(&[&ann, &bob]));
    let before = node.state();
    let said = node.try_say(&bob.devices[0], "x");
    assert!(matches!(said, Err(AppendError::NotOnRoster)));
    let left = node
        .session
        .operate(&mut node.store, &bob.devices[0].key, &Op::Leave, NOW);
    assert!(matches!(left, Err(AppendError::NotOnRoster)));
    assert_eq!(node.state(), before);
}

#[test]
fn what_is_too_large_is_not_written() {
    let ann = Person::new(1);
    let mut node = Node::open(&found(&[&ann]));
    let mut append = |content| {
        let draft = Draft {
            content,
            ..draft("")
        };
        let key = &ann.devices[0].key;
        node.session
            .append(&mut node.store, key, draft, NOW, &mut rng(1))
            .map(|(event, _)| event)
    };
    let too_large = |outcome| matches!(outcome, Err(AppendError::TooLarge { .. }));
    assert!(too_large(append(DraftContent::Body(vec![
        0;
        MAX_BODY_BYTES
            + 1
    ]))));
    assert!(too_large(append(DraftContent::Payload(vec![
        0;
        MAX_PAYLOAD_BYTES
            + 1
    ]))));
    for content in [
        DraftContent::Body(vec![0; MAX_BODY_BYTES]),
        DraftContent::Payload(vec![0; MAX_PAYLOAD_BYTES]),
    ] {
        let event = append(content).unwrap();
        Unverified::decode(&event.to_wire())
            .unwrap()
            .verify()
            .unwrap();
    }
}

#[test]
fn of_too_many_tips_those_of_the_own_identity_are_named_first() {
    let people: Vec<Person> = (1..=16)
        .map(|number| Person::with_devices(number, 4))
        .collect();
    let mut node = Node::open(&found(&people.iter().collect::<Vec<_>>()));
    let phone = &people[0].devices[0];
    for person in &people {
        for device in &person.devices {
            if device.key.public() != phone.key.public() {
                node.join(device);
            }
        }
    }
    let base = node.clone();
    let mut said = Vec::new();
    for person in &people {
        for device in &person.devices {
            if device.key.public() != phone.key.public() {
                let event = base.clone().say(device, "all at once");
                node.take(&event);
                said.push(event);
            }
        }
    }
    assert_eq!(node.session.frontier().tips().len(), 63);
    let out = node.operate(phone, &Op::RemoveDevice(node.chain(&people[0].devices[2])));
    assert_eq!(out.header().deps.len(), MAX_DEPS);
    let own: Vec<&Event> = said[..3].iter().collect();
    assert!(
        own.iter()
            .all(|event| out.header().deps.contains(&event.id()))
    );
    assert!(node.counts(own[1]), "the removal had seen it");

    let mut other = base;
    for event in said.iter().rev().chain([&out]) {
        other.take(event);
    }
    assert_eq!(
        other.picture(),
        node.picture(),
        "its past is what it names, for everybody"
    );
    let mut names = 0;
    while node.session.frontier().tips().len() > 1 {
        node.say(phone, "x");
        names += 1;
    }
    assert_eq!(names, 3, "the rest is named soon after");
}

#[test]
fn a_session_is_named_by_its_founding() {
    let ann = Person::new(1);
    let (one, other) = (found(&[&ann]), found(&[&ann, &Person::new(2)]));
    assert_ne!(one.session(), other.session());
    let mut node = Node::open(&one);
    let foreign = Raw::after(&ann.devices[0].key, &other, &[]).say("x");
    assert!(matches!(node.receive(&foreign), Receipt::Refused(_)));
    let nobody = DeviceKey::from_seed([42; 32]);
    let joins = node.session.operate(
        &mut node.store,
        &nobody,
        &Op::Join(ann.devices[1].card.clone()),
        NOW,
    );
    assert!(
        matches!(joins, Err(AppendError::Op(_))),
        "with somebody else's card"
    );
}
