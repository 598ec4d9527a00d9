//! Devices that write two histories.

use super::world::{Device, Node, Person, Raw, found, pick, rng, shuffle};
use crate::{
    event::Event,
    roster::Op,
    session::{AppendError, Receipt},
    standing::Standing,
};

/// Ann with two devices and Bob with one, all of which know each other.
struct Scene {
    ann: Person,
    bob: Person,
    node: Node,
}

impl Scene {
    fn new() -> Self {
        let (ann, bob) = (Person::new(1), Person::new(2));
        let mut node = Node::open(&found(&[&ann, &bob]));
        node.operate(&ann.devices[0], &Op::AddDevice(ann.devices[1].card.clone()));
        node.join(&bob.devices[0]);
        Self { ann, bob, node }
    }

    fn forker(&self) -> &Device {
        &self.bob.devices[0]
    }
}

#[test]
fn fork_1_only_what_others_built_upon_in_good_faith_counts() {
    let scene = Scene::new();
    let [phone, laptop, _] = &scene.ann.devices[..] else {
        panic!()
    };
    let (mut one, mut other) = (scene.node.clone(), scene.node.clone());
    let shared = one.say(scene.forker(), "before");
    other.take(&shared);
    let said = one.say(scene.forker(), "to the phone");
    let ours = one.say(phone, "answer");
    let later = one.say(scene.forker(), "nobody answered this");
    let twin = Raw::after(&scene.forker().key, &shared, &[]).say("to the laptop");
    other.take(&twin);
    let theirs = other.say(laptop, "another answer");
    one.take_all(&other);
    other.take_all(&one);
    assert_eq!(one.picture(), other.picture());
    assert!(
        [&shared, &said, &ours, &twin, &theirs]
            .iter()
            .all(|event| one.counts(event))
    );
    assert_eq!(one.standing(&later), Standing::Forked);
    assert!(
        one.session
            .forked_devices()
            .contains(&scene.forker().key.public())
    );

    let more = Raw::after(&scene.forker().key, &later, &[]).say("more");
    assert_eq!(one.take(&more).standing, Standing::Forked);
    let knowing = one.say(phone, "I know of the fork");
    assert!(
        !knowing.header().deps.contains(&more.id()),
        "and build no more on it"
    );
    assert_eq!(one.standing(&more), Standing::Forked);
    assert_eq!(one.reloaded().state(), one.state());
}

#[test]
fn fork_1_a_fork_further_back_is_found_later() {
    let scene = Scene::new();
    let mut node = scene.node.clone();
    let chain: Vec<Event> = (0..4).map(|_| node.say(scene.forker(), "x")).collect();
    let answered = node.say(&scene.ann.devices[0], "answer");
    let tail: Vec<Event> = (0..3).map(|_| node.say(scene.forker(), "y")).collect();
    let high = Raw::after(&scene.forker().key, &tail[1], &[]).say("fork");
    assert_eq!(node.take(&high).changes, [(tail[2].id(), Standing::Forked)]);
    let low = Raw::after(&scene.forker().key, &tail[0], &[]).say("deeper fork");
    let changes = node.take(&low).changes;
    assert_eq!(changes, [(tail[1].id(), Standing::Forked)]);
    let lowest = Raw::after(&scene.forker().key, &chain[0], &[]).say("deepest fork");
    let changes = node.take(&lowest).changes;
    assert_eq!(
        changes,
        [(tail[0].id(), Standing::Forked)],
        "what was answered counts"
    );
    assert!(node.counts(&chain[3]) && node.counts(&answered));
    assert_eq!(node.reloaded().state(), node.state());
}

/// LOG-10: where nothing that counts is a tip, a new device names what counts below; else it would come in by nothing.
#[test]
fn a_new_device_comes_in_where_every_tip_is_forked() {
    let scene = Scene::new();
    let mut node = scene.node.clone();
    let base = node.say(scene.forker(), "base");
    let one = Raw::after(&scene.forker().key, &base, &[]).say("one");
    let two = Raw::after(&scene.forker().key, &base, &[]).say("two");
    node.take(&one);
    node.take(&two);
    let tablet = &scene.bob.devices[1];
    let join = node.join(tablet);
    assert_eq!(join.parents().collect::<Vec<_>>(), [base.id()]);
    assert!(node.is_in(tablet));
    assert_eq!(node.standing(&one), Standing::Forked);
}

/// LOG-10: what only a forked event builds on is named in its stead, and once; so what a revocation takes from a
/// device is what it says later.
#[test]
fn what_only_a_forker_built_on_was_seen() {
    let scene = Scene::new();
    let [phone, laptop, _] = &scene.ann.devices[..] else {
        panic!()
    };
    let mut node = scene.node.clone();
    let base = node.say(scene.forker(), "base");
    let said = node.say(laptop, "said in time");
    for text in ["one", "two"] {
        node.take(&Raw::after(&scene.forker().key, &base, &[&said]).say(text));
    }
    let knowing = node.say(phone, "I know of the fork");
    assert!(knowing.header().deps.contains(&said.id()));
    node.operate(phone, &Op::RemoveDevice(node.chain(laptop)));
    assert!(node.counts(&said));
    let again = node.say(phone, "again");
    assert!(again.header().deps.is_empty(), "it was named before");
    assert_eq!(node.reloaded().state(), node.state());
}

#[test]
fn fork_1_what_does_not_count_upholds_nothing() {
    let scene = Scene::new();
    let [phone, laptop, _] = &scene.ann.devices[..] else {
        panic!()
    };
    let mut node = scene.node.clone();
    let base = node.say(scene.forker(), "base");
    let before = node.clone();
    let said = node.say(scene.forker(), "one");
    let answer = Raw::after(&phone.key, &last(&node, phone), &[&said]).say("void answer");
    let mut apart = before.clone();
    let out = apart.operate(laptop, &Op::RemoveDevice(apart.chain(phone)));
    let twin = Raw::after(&scene.forker().key, &base, &[]).say("two");
    for event in [&answer, &twin, &out] {
        node.take(event);
    }
    assert_eq!(node.standing(&answer), Standing::OffRoster);
    assert_eq!(node.standing(&said), Standing::Forked);
}

#[test]
fn fork_1_what_is_upheld_upholds_in_turn() {
    let scene = Scene::new();
    let [phone, laptop, _] = &scene.ann.devices[..] else {
        panic!()
    };
    let mut node = scene.node.clone();
    let theirs = node.say(scene.forker(), "theirs");
    let ours = node.say(laptop, "ours");
    // The laptop forks, Bob's device forks and builds on that; then the laptop, added once more,
    // builds on Bob's.
    let one = Raw::after(&laptop.key, &ours, &[]).say("one");
    let two = Raw::after(&laptop.key, &ours, &[]).say("two");
    let three = Raw::after(&scene.forker().key, &theirs, &[&one]).say("three");
    let four = Raw::after(&scene.forker().key, &theirs, &[]).say("four");
    let branches = [&one, &two, &three, &four];
    for event in branches {
        node.take(event);
    }
    assert!(
        branches
            .iter()
            .all(|event| node.standing(event) == Standing::Forked)
    );
    let again = node.operate(phone, &Op::AddDevice(laptop.card.clone()));
    let raw = Raw {
        added_by: Some(again.id()),
        prev: None,
        ..Raw::after(&laptop.key, &ours, &[&again, &three])
    };
    let five = node.take(&raw.say("five"));
    let mut expected = [one.id(), three.id()];
    expected.sort_unstable();
    assert_eq!(five.changes, expected.map(|id| (id, Standing::Counted)));
    assert_eq!(node.standing(&two), Standing::Forked);
    super::model::Model::of(&node).check(&node);
}

#[test]
fn fork_4_a_device_that_forked_writes_no_more() {
    let scene = Scene::new();
    let mut node = scene.node.clone();
    let mut restored = node.clone();
    node.say(scene.forker(), "one");
    let twin = restored.say(scene.forker(), "two");
    node.take(&twin);
    let refused = node.try_say(scene.forker(), "three");
    assert!(matches!(refused, Err(AppendError::Forked)));
}

#[test]
fn fork_2_every_branch_is_taken() {
    let scene = Scene::new();
    let (mut one, mut other) = (scene.node.clone(), scene.node.clone());
    let base = one.say(scene.forker(), "base");
    other.take(&base);
    let branches: Vec<Event> = (0..40)
        .map(|n| Raw::after(&scene.forker().key, &base, &[]).say(&format!("branch {n}")))
        .collect();
    for (n, branch) in branches.iter().enumerate() {
        let node = if n % 2 == 0 { &mut one } else { &mut other };
        node.take(branch);
        if n < 2 {
            node.say(&scene.ann.devices[n], "I build on the first that I see");
        }
    }
    one.take_all(&other);
    other.take_all(&one);
    assert_eq!(one.picture(), other.picture());
    let counted: Vec<bool> = branches.iter().map(|branch| one.counts(branch)).collect();
    assert!(counted[0] && counted[1] && !counted[2..].contains(&true));
}

#[test]
fn fork_3_a_removed_device_does_not_come_back_by_a_fork() {
    let ann = Person::new(1);
    let mut node = Node::open(&found(&[&ann]));
    let [phone, stolen, helper] = &ann.devices[..] else {
        panic!()
    };
    let add = node.operate(phone, &Op::AddDevice(stolen.card.clone()));
    let first = node.say(stolen, "0");
    for _ in 0..5 {
        node.say(stolen, "seen");
    }
    let out = node.operate(phone, &Op::RemoveDevice(node.chain(stolen)));
    let twin = Raw::after(&stolen.key, &first, &[]).operate(&Op::AddDevice(helper.card.clone()));
    let text = Raw::after(&stolen.key, &first, &[]).say("beside what the removal had seen");
    node.take(&twin);
    node.take(&text);
    assert!(node.holds(&out) && !node.holds(&twin) && !node.is_in(helper));
    assert_eq!(node.standing(&text), Standing::OffRoster);

    let mut events = node.events();
    let founding = events.remove(0);
    for seed in 0..20 {
        shuffle(&mut rng(seed), &mut events);
        let mut other = Node::open(&founding);
        let mut open = events.clone();
        while !open.is_empty() {
            open.retain(|event| matches!(other.receive(event), Receipt::Lacks(_)));
        }
        assert_eq!(other.picture(), node.picture());
    }
    assert!(pick(&mut rng(1), &[add]).header().kind.is_roster());
}

#[test]
fn fork_3_operations_of_a_forked_device_are_its_own_matter() {
    let scene = Scene::new();
    let mut node = scene.node.clone();
    let base = node.say(scene.forker(), "base");
    let [_, two, three] = &scene.bob.devices[..] else {
        panic!()
    };
    let adds = [two, three].map(|device| {
        Raw::after(&scene.forker().key, &base, &[]).operate(&Op::AddDevice(device.card.clone()))
    });
    for add in &adds {
        node.take(add);
    }
    assert!(adds.iter().all(|add| node.holds(add)));
    assert!(node.is_in(two) && node.is_in(three));
}

/// The last event of a device's chain.
fn last(node: &Node, device: &Device) -> Event {
    let chain = node.chain(device);
    let mut events = node.events();
    events.retain(|event| event.author() == chain);
    events.pop().unwrap()
}
