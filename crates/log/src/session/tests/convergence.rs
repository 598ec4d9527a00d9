//! Whatever way events come, those who hold the same make the same of it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tenet_identity::keys::DeviceKey;

use super::{
    model::Model,
    tangle::{Mix, Tangle, members},
    world::{Node, Person, Raw, below, found_on, rng, shuffle},
};
use crate::{
    event::Event,
    ids::{EventId, SessionId},
    roster::{Member, Op, Policy, Role, Setting},
    session::Receipt,
};

pub(super) const MIXES: [Mix; 7] = [
    Mix {
        forks: 0,
        operations: 40,
        many: false,
    },
    Mix {
        forks: 15,
        operations: 0,
        many: false,
    },
    Mix {
        forks: 12,
        operations: 40,
        many: false,
    },
    Mix {
        forks: 30,
        operations: 80,
        many: false,
    },
    Mix {
        forks: 0,
        operations: 60,
        many: true,
    },
    Mix {
        forks: 0,
        operations: 95,
        many: true,
    },
    Mix {
        forks: 12,
        operations: 60,
        many: true,
    },
];

/// How many of them, from the first on, are of sessions of two.
const OF_TWO: usize = 4;

/// Any causal order of arrival gives the same set, roster, standings, order and digest.
fn in_any_order(seed: u64, steps: usize, mix: usize) {
    let tangle = Tangle::grow(seed, steps, MIXES[mix]);
    let mut first = Node::open(&tangle.founding);
    deliver_all(&mut first, &tangle, &tangle.events);
    Model::of(&first).check(&first);
    let mut order: Vec<Event> = tangle.events.clone();
    for turn in 0..3 {
        shuffle(&mut rng(seed ^ turn), &mut order);
        let mut node = Node::open(&tangle.founding);
        deliver_all(&mut node, &tangle, &order);
        assert_eq!(node.picture(), first.picture());
    }
}

/// A restart at any point changes nothing, and all that changes is told as it happens.
fn with_restarts(seed: u64, steps: usize, mix: usize) {
    let tangle = Tangle::grow(seed, steps, MIXES[mix]);
    let mut node = Node::open(&tangle.founding);
    let mut rng = rng(seed);
    let mut open = tangle.events.clone();
    shuffle(&mut rng, &mut open);
    while let Some(event) = next(&mut node, &mut open) {
        node.picture();
        if below(&mut rng, 4) == 0 {
            let reloaded = node.reloaded();
            assert_eq!(reloaded.state(), node.state());
            node = reloaded;
        }
        assert!(matches!(node.receive(&event), Receipt::Known));
    }
    Model::of(&node).check(&node);
}

/// Two who hold different parts of it agree at every point where they hold the same.
fn in_parts(seed: u64, steps: usize, mix: usize) {
    let tangle = Tangle::grow(seed, steps, MIXES[mix]);
    let mut rng = rng(seed);
    let mut nodes = [Node::open(&tangle.founding), Node::open(&tangle.founding)];
    for node in &mut nodes {
        tangle.part(&mut rng, node);
        Model::of(node).check(node);
    }
    let [one, other] = &mut nodes;
    one.take_all(other);
    other.take_all(one);
    assert_eq!(one.picture(), other.picture());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_order_of_arrival_gives_the_same(seed: u64, steps in 1..60_usize, mix in 0..OF_TWO) {
        in_any_order(seed, steps, mix);
    }

    #[test]
    fn a_restart_changes_nothing(seed: u64, steps in 1..40_usize, mix in 0..OF_TWO) {
        with_restarts(seed, steps, mix);
    }

    #[test]
    fn parts_grow_together(seed: u64, steps in 1..40_usize, mix in 0..OF_TWO) {
        in_parts(seed, steps, mix);
    }
}

/// The same where many are in it, by their roles. Other tangles, as many as one likes:
/// `TENET_SEED=1000 TENET_TANGLES=5000 cargo test --release -p tenet-log many_agree`.
#[test]
fn many_agree() {
    let given = |name, usual| std::env::var(name).map_or(usual, |given| given.parse().unwrap());
    let (from, tangles) = (given("TENET_SEED", 0), given("TENET_TANGLES", 40));
    for seed in from..from + tangles {
        for mix in OF_TWO..MIXES.len() {
            let steps = usize::try_from(seed * 7 % 39).unwrap() + 1;
            let all = || {
                in_any_order(seed, steps + 20, mix);
                with_restarts(seed, steps, mix);
                in_parts(seed, steps, mix);
            };
            let agreed = std::panic::catch_unwind(all);
            assert!(agreed.is_ok(), "seed {seed}, {steps} steps, mix {mix}");
        }
    }
}

/// Tangles that once came out otherwise.
#[test]
fn what_once_differed_agrees() {
    for (seed, steps, mix) in [
        (11_038_442_636_186_077_065, 8, 5),
        (8_933_155_856_769_004_340, 11, 2),
        (403_904_854_673_006_595, 17, 3),
        (18_022_115_290_217_720_847, 26, 6),
        (9_505_032_503_373_364_550, 17, 6),
        (14_290_662_929_936_132_079, 12, 4),
        (1_203_734_797_214_068_986, 10, 6),
        (12_115_623_581_444_895_635, 44, 6),
        (3_273_739_256_495_463_358, 38, 5),
        (1_002_732, 42, 6),
    ] {
        in_any_order(seed, steps, mix);
    }
    in_parts(1_640_637_961_317_404_529, 44, 4);
    with_restarts(2_212_422_977_536_728_354, 22, 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// ROS-511: whoever refuses an operation because so many before it were in vain refuses it
    /// whatever else was heard, and in whatever order.
    #[test]
    fn the_limit_of_operations_in_vain_converges(seed: u64, length in 60..200_usize) {
        let people: Vec<Person> = (1..=3).map(Person::new).collect();
        let founding = found_on(&people[0], &members(&people), Policy::default());
        let (owner, other) = (&people[0].devices[0], &people[2].devices[0]);
        let session = founding.session();
        let mut rng = rng(seed);
        let join = after(session, &other.key, None, None, vec![&founding]);
        let join = join.operate(&Op::Join(other.card.clone()));
        // The owner lets the other one up and down, who tries the same again and again and hears of
        // that now and then.
        let (mut ups, mut tries) = (vec![founding.clone()], vec![join.clone()]);
        for turn in 0..length {
            if below(&mut rng, 30) == 0 {
                let identity = people[2].key.public();
                let op = match ups.len() % 2 {
                    1 => Op::Promote(Member { identity, role: Role::Moderator }),
                    _ => Op::Demote(Member { identity, role: Role::Member }),
                };
                let last = ups.last().unwrap();
                let up = after(session, &owner.key, Some(founding.id()), Some(last), vec![tries.last().unwrap()]);
                let up = up.operate(&op);
                ups.push(up);
            }
            let heard = if below(&mut rng, 20) == 0 { ups.last() } else { None };
            let last = tries.last().unwrap();
            let op = Op::Set(Setting { key: "name".into(), value: vec![turn as u8] });
            let next = after(session, &other.key, Some(join.id()), Some(last), heard.into_iter().collect());
            let next = next.operate(&op);
            tries.push(next);
        }
        let mut events: Vec<Event> = ups[1..].iter().chain(&tries).cloned().collect();
        let mut pictures = Vec::new();
        for _ in 0..3 {
            shuffle(&mut rng, &mut events);
            events.sort_by_cached_key(|event| event.header().time.raw() + below(&mut rng, 40) as u64);
            let (mut node, mut open) = (Node::open(&founding), events.clone());
            let mut refused = BTreeSet::new();
            loop {
                let before = open.len();
                open.retain(|event| match node.receive(event) {
                    Receipt::Lacks(_) => true,
                    Receipt::Refused(_) => {
                        refused.insert(event.id());
                        false
                    }
                    _ => false,
                });
                if open.len() == before {
                    break;
                }
            }
            refused.extend(open.iter().map(Event::id));
            pictures.push((node.picture(), refused));
        }
        prop_assert!(pictures.iter().all(|one| *one == pictures[0]));
    }
}

/// What follows an event on its chain.
fn after<'a>(
    session: SessionId,
    key: &'a DeviceKey,
    added_by: Option<EventId>,
    prev: Option<&'a Event>,
    deps: Vec<&'a Event>,
) -> Raw<'a> {
    Raw {
        session,
        key,
        added_by,
        prev,
        deps,
        later_by: 1,
    }
}

/// Offers events until none of the rest can be taken; checks that what may not enter does not.
fn deliver_all(node: &mut Node, tangle: &Tangle, order: &[Event]) {
    let mut open = order.to_vec();
    while next(node, &mut open).is_some() {}
    let left: BTreeSet<EventId> = open.iter().map(Event::id).collect();
    assert_eq!(left, tangle.refused);
}

/// Offers events in their order until one is taken, and takes it out.
pub(super) fn next(node: &mut Node, open: &mut Vec<Event>) -> Option<Event> {
    let held: BTreeSet<EventId> = node.events().iter().map(Event::id).collect();
    for at in 0..open.len() {
        let lacks = open[at].parents().any(|parent| !held.contains(&parent));
        match node.receive(&open[at]) {
            Receipt::Admitted(_) => {
                assert!(!lacks);
                return Some(open.remove(at));
            }
            Receipt::Lacks(id) => assert!(lacks && !held.contains(&id)),
            Receipt::Refused(_) => {}
            other => panic!("{other:?}"),
        }
    }
    None
}
