//! Each rule of the roster, told once.

use super::world::{Device, NOW, Node, Person, Raw, found, rng, shuffle};
use crate::{
    event::Event,
    roster::{MAX_DEVICES_PER_IDENTITY, Op, SessionKind},
    session::{OpenError, Receipt, Refusal, Session},
    standing::Standing,
};

#[test]
fn ros_1_a_session_begins_with_its_founding() {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let founding = found(&[&ann, &bob]);
    let node = Node::open(&founding);
    let roster = node.session.roster();
    assert_eq!(roster.kind, SessionKind::Direct);
    assert_eq!(roster.members.len(), 2);
    assert!(node.is_in(&ann.devices[0]));
    assert!(!node.is_in(&ann.devices[1]) && !node.is_in(&bob.devices[0]));

    let other = found(&[&bob, &ann]);
    let mut node = node;
    let second = node.receive(&other);
    assert!(matches!(second, Receipt::Refused(Refusal::ForeignSession)));

    let mut store = crate::memory::MemoryStore::default();
    let text = Raw::after(&ann.devices[0].key, &founding, &[]).say("x");
    let opened = Session::open(&mut store, &text);
    assert!(matches!(opened, Err(OpenError::Refused(Refusal::Founding))));
}

#[test]
fn ros_2_a_device_joins_by_itself_when_its_identity_is_a_member() {
    let (ann, bob, eve) = (Person::new(1), Person::new(2), Person::new(3));
    let founding = found(&[&ann, &bob]);
    let mut node = Node::open(&founding);
    let join = node.join(&bob.devices[1]);
    assert!(node.holds(&join) && node.is_in(&bob.devices[1]));
    let says = node.say(&bob.devices[1], "here");
    assert!(node.counts(&says));

    let raw = |by: &Device, card: &Device| {
        let raw = Raw {
            session: founding.session(),
            key: &by.key,
            added_by: None,
            prev: None,
            deps: vec![&founding],
            later_by: 1,
        };
        raw.operate(&Op::Join(card.card.clone()))
    };
    let stranger = node.receive(&raw(&eve.devices[0], &eve.devices[0]));
    assert!(matches!(stranger, Receipt::Refused(Refusal::NotOnRoster)));
    let borrowed = node.receive(&raw(&eve.devices[0], &bob.devices[0]));
    assert!(matches!(borrowed, Receipt::Refused(Refusal::Op(_))));
}

#[test]
fn ros_3_a_device_adds_and_takes_out_devices_of_its_own_identity() {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let mut node = Node::open(&found(&[&ann, &bob]));
    let [phone, laptop, _] = &ann.devices[..] else {
        panic!()
    };
    let add = node.operate(phone, &Op::AddDevice(laptop.card.clone()));
    assert!(node.holds(&add));
    let says = node.say(laptop, "from the laptop");
    assert_eq!((says.header().seq, says.header().prev), (0, None));
    assert_eq!(says.author().added_by, add.id());

    let foreign = node.operate(phone, &Op::AddDevice(bob.devices[0].card.clone()));
    assert!(!node.holds(&foreign) && !node.is_in(&bob.devices[0]));
    node.join(&bob.devices[0]);
    let theirs = node.operate(phone, &Op::RemoveDevice(node.chain(&bob.devices[0])));
    assert!(!node.holds(&theirs) && node.is_in(&bob.devices[0]));

    let out = node.operate(laptop, &Op::RemoveDevice(node.chain(phone)));
    assert!(node.holds(&out) && !node.is_in(phone) && node.is_in(laptop));
    assert!(node.counts(&says), "whoever was added stays");
    let itself = node.operate(laptop, &Op::RemoveDevice(node.chain(laptop)));
    assert!(node.holds(&itself) && !node.is_in(laptop));
}

#[test]
fn ros_3_a_device_that_is_in_twice_is_taken_out_chain_by_chain() {
    let ann = Person::new(1);
    let mut one = Node::open(&found(&[&ann]));
    let [phone, laptop, tablet] = &ann.devices[..] else {
        panic!()
    };
    one.operate(phone, &Op::AddDevice(laptop.card.clone()));
    let mut other = one.clone();
    let adds = [
        one.operate(phone, &Op::AddDevice(tablet.card.clone())),
        other.operate(laptop, &Op::AddDevice(tablet.card.clone())),
    ];
    let early = other.say(tablet, "on one chain");
    one.take_all(&other);
    other.take_all(&one);
    assert_eq!(one.picture(), other.picture());
    let chain = one.chain(tablet);
    let out = one.operate(phone, &Op::RemoveDevice(chain));
    assert!(one.holds(&out) && one.is_in(tablet) && one.counts(&early));
    let rest = one.chain(tablet);
    assert!(rest != chain && adds.iter().any(|add| add.id() == rest.added_by));
    one.operate(phone, &Op::RemoveDevice(rest));
    assert!(!one.is_in(tablet));
    one.join(tablet);
    assert!(one.is_in(tablet), "only a revocation is for good");
    let again = one.join(tablet);
    assert!(one.holds(&again));
}

#[test]
fn ros_4_a_revocation_ends_a_device_for_good_whoever_hands_it_in() {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let mut node = Node::open(&found(&[&ann, &bob]));
    let [phone, laptop, _] = &ann.devices[..] else {
        panic!()
    };
    node.operate(phone, &Op::AddDevice(laptop.card.clone()));
    node.join(&bob.devices[0]);
    let before = node.say(laptop, "seen");
    let mut apart = node.clone();
    let unheard = apart.say(laptop, "not seen");
    let readded = apart.operate(phone, &Op::AddDevice(laptop.card.clone()));
    let revoke = node.operate(&bob.devices[0], &ann.revoke(1));
    assert!(node.holds(&revoke) && !node.is_in(laptop));
    assert!(node.session.roster().revoked.contains(&laptop.key.public()));
    node.take_all(&apart);
    assert!(node.counts(&before) && !node.counts(&unheard));
    assert!(
        !node.holds(&readded),
        "an addition that the revocation had not seen"
    );
    let after = node.operate(phone, &Op::AddDevice(laptop.card.clone()));
    assert!(!node.holds(&after), "and one that had seen the revocation");
    let rejoined = node.join(laptop);
    assert!(!node.holds(&rejoined) && !node.is_in(laptop));

    let foreign = node.operate(&bob.devices[0], &Person::new(3).revoke(0));
    assert!(!node.holds(&foreign), "a stranger's");
}

#[test]
fn ros_5_leaving_ends_all_devices_and_none_comes_in_again() {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let mut node = Node::open(&found(&[&ann, &bob]));
    let [one, two, three] = &bob.devices[..] else {
        panic!()
    };
    node.join(one);
    node.join(two);
    let mut apart = node.clone();
    let unheard = apart.join(three);
    let says = apart.say(two, "still here");
    let leave = node.operate(one, &Op::Leave);
    node.take_all(&apart);
    assert!(node.holds(&leave));
    assert!(bob.devices.iter().all(|device| !node.is_in(device)));
    assert!(
        !node
            .session
            .roster()
            .members
            .contains_key(&bob.key.public())
    );
    assert!(!node.counts(&says) && !node.holds(&unheard));
    let back = node.join(two);
    assert!(!node.holds(&back));
    assert!(node.is_in(&ann.devices[0]));
}

#[test]
fn ros_6_a_removal_voids_what_it_had_not_seen_and_nothing_that_it_had() {
    let ann = Person::new(1);
    let mut node = Node::open(&found(&[&ann]));
    let [phone, laptop, tablet] = &ann.devices[..] else {
        panic!()
    };
    node.operate(phone, &Op::AddDevice(laptop.card.clone()));
    let seen = node.say(laptop, "seen");
    let mut apart = node.clone();
    let unseen = apart.say(laptop, "not seen");
    let adds = apart.operate(laptop, &Op::AddDevice(tablet.card.clone()));
    let guest = apart.say(tablet, "added by the removed");
    let out = node.operate(phone, &Op::RemoveDevice(node.chain(laptop)));
    node.take_all(&apart);
    assert!(node.holds(&out) && node.counts(&seen));
    assert_eq!(node.standing(&unseen), Standing::OffRoster);
    assert!(!node.holds(&adds), "an operation of the removed");
    assert_eq!(node.standing(&guest), Standing::OffRoster);

    apart.take_all(&node);
    assert_eq!(apart.picture(), node.picture(), "whoever heard it late");
    let goes_on = Raw::after(&laptop.key, &adds, &[&out]).say("I did not hear");
    assert_eq!(node.take(&goes_on).standing, Standing::OffRoster);
}

#[test]
fn ros_6_what_one_of_several_removals_had_seen_counts() {
    let ann = Person::new(1);
    let mut early = Node::open(&found(&[&ann]));
    let [phone, laptop, tablet] = &ann.devices[..] else {
        panic!()
    };
    early.operate(phone, &Op::AddDevice(laptop.card.clone()));
    early.operate(phone, &Op::AddDevice(tablet.card.clone()));
    let mut late = early.clone();
    let month = late.say(laptop, "a month of work");
    let work = late.operate(laptop, &Op::AddDevice(laptop.card.clone()));
    let chain = early.chain(laptop);
    let stale = early.operate(tablet, &Op::RemoveDevice(chain));
    let fresh = late.operate(phone, &Op::RemoveDevice(chain));
    let after = Raw::after(&laptop.key, &work, &[]).say("after both");
    late.take(&after);
    early.take_all(&late);
    assert!(early.holds(&stale) && early.holds(&fresh));
    assert!(
        early.counts(&month) && early.holds(&work),
        "a stale removal cannot wipe it"
    );
    assert!(!early.counts(&after));
    let again = early.operate(phone, &Op::RemoveDevice(chain));
    assert!(early.holds(&again));
    assert!(
        !early.counts(&after),
        "removing once more does not bring back what was void"
    );
}

#[test]
fn ros_6_what_does_not_count_voids_nothing() {
    let ann = Person::new(1);
    let mut node = Node::open(&found(&[&ann]));
    let [phone, laptop, tablet] = &ann.devices[..] else {
        panic!()
    };
    node.operate(phone, &Op::AddDevice(laptop.card.clone()));
    node.operate(phone, &Op::AddDevice(tablet.card.clone()));
    let mut apart = node.clone();
    let void = apart.operate(laptop, &Op::RemoveDevice(apart.chain(tablet)));
    node.operate(phone, &Op::RemoveDevice(node.chain(laptop)));
    let says = node.say(tablet, "still in");
    node.take_all(&apart);
    assert!(!node.holds(&void) && node.is_in(tablet) && node.counts(&says));
}

#[test]
fn ros_7_of_two_that_remove_each_other_the_first_counts() {
    let ann = Person::new(1);
    let mut one = Node::open(&found(&[&ann]));
    let [phone, laptop, _] = &ann.devices[..] else {
        panic!()
    };
    one.operate(phone, &Op::AddDevice(laptop.card.clone()));
    let mut other = one.clone();
    let mine = one.operate(phone, &Op::RemoveDevice(one.chain(laptop)));
    let theirs = other.operate(laptop, &Op::RemoveDevice(other.chain(phone)));
    one.take_all(&other);
    other.take_all(&one);
    assert_eq!(one.picture(), other.picture());
    let first = if mine.order() < theirs.order() {
        &mine
    } else {
        &theirs
    };
    assert_eq!(one.holds(&mine), mine.id() == first.id());
    assert_eq!(one.holds(&theirs), theirs.id() == first.id());
}

#[test]
fn ros_7_a_longer_circle_is_cut_at_its_first() {
    let ann = Person::with_devices(1, 4);
    let mut base = Node::open(&found(&[&ann]));
    let [phone, a, b, c] = &ann.devices[..] else {
        panic!()
    };
    for device in [a, b, c] {
        base.operate(phone, &Op::AddDevice(device.card.clone()));
    }
    let removes = |by: &Device, whom: &Device| {
        let mut node = base.clone();
        node.operate(by, &Op::RemoveDevice(base.chain(whom)))
    };
    let circle = [removes(a, b), removes(b, c), removes(c, a)];
    let mut node = base.clone();
    for event in &circle {
        node.take(event);
    }
    let first = circle.iter().min_by_key(|event| event.order()).unwrap();
    for event in &circle {
        assert_eq!(node.holds(event), event.id() == first.id());
    }
    assert!(node.is_in(phone));
}

#[test]
fn ros_7_nobody_is_saved_by_what_rests_on_himself() {
    let ann = Person::new(1);
    let mut node = Node::open(&found(&[&ann]));
    let [phone, stolen, helper] = &ann.devices[..] else {
        panic!()
    };
    node.operate(phone, &Op::AddDevice(stolen.card.clone()));
    let mut apart = node.clone();
    let out = node.operate(phone, &Op::RemoveDevice(node.chain(stolen)));
    // Having been removed, it adds another, which "removes" it having seen that addition.
    let add = apart.operate(stolen, &Op::AddDevice(helper.card.clone()));
    let save = apart.operate(helper, &Op::RemoveDevice(apart.chain(stolen)));
    node.take_all(&apart);
    assert!(node.holds(&out) && !node.holds(&add) && !node.holds(&save));
    assert!(!node.is_in(stolen) && !node.is_in(helper));
}

#[test]
fn ros_8_a_seventeenth_device_waits_for_room() {
    let ann = Person::with_devices(1, 18);
    let mut node = Node::open(&found(&[&ann]));
    let (phone, last) = (&ann.devices[0], &ann.devices[17]);
    for device in &ann.devices[1..MAX_DEVICES_PER_IDENTITY] {
        node.operate(phone, &Op::AddDevice(device.card.clone()));
    }
    node.join(&ann.devices[3]);
    assert_eq!(
        node.session.roster().active().count(),
        17,
        "a device in twice is one device"
    );
    let add = node.operate(phone, &Op::AddDevice(last.card.clone()));
    assert!(node.holds(&add) && !node.is_in(last));
    assert!(matches!(
        node.try_say(last, "x"),
        Err(crate::session::AppendError::NotOnRoster)
    ));
    let raw = Raw {
        session: add.session(),
        key: &last.key,
        added_by: Some(add.id()),
        prev: None,
        deps: vec![&add],
        later_by: 1,
    };
    let waits = raw.say("I wait");
    assert_eq!(node.take(&waits).standing, Standing::OffRoster);
    let out = Op::RemoveDevice(node.chain(&ann.devices[5]));
    node.operate(phone, &out);
    assert!(node.is_in(last) && node.counts(&waits));

    let mut events = node.events();
    events.remove(0);
    shuffle(&mut rng(5), &mut events);
    let mut other = Node::open(&node.events()[0]);
    while !events.is_empty() {
        events.retain(|event| matches!(other.receive(event), Receipt::Lacks(_)));
    }
    assert_eq!(other.picture(), node.picture());
}

#[test]
fn operations_of_later_versions_change_nothing_and_are_kept() {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let founding = found(&[&ann, &bob]);
    let mut node = Node::open(&founding);
    let raw = |added_by, prev, deps| Raw {
        session: founding.session(),
        key: &bob.devices[0].key,
        added_by,
        prev,
        deps,
        later_by: 1,
    };
    let come = super::tangle::unknown_operation(raw(None, None, vec![&founding]));
    assert_eq!(node.take(&come).standing, Standing::OffRoster);
    let says = raw(Some(come.id()), Some(&come), vec![]).say("from a later version");
    assert_eq!(node.take(&says).standing, Standing::OffRoster);
    let text: Event = node.say(&ann.devices[0], "I build on it");
    assert_eq!(text.header().deps, [says.id()]);
    assert!(text.header().time.millis() >= NOW);
    assert_eq!(node.reloaded().state(), node.state());
}
