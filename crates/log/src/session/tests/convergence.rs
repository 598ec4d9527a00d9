//! Whatever way events come, those who hold the same make the same of it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    model::Model,
    tangle::{Mix, Tangle},
    world::{Node, below, rng, shuffle},
};
use crate::{event::Event, ids::EventId, session::Receipt};

const MIXES: [Mix; 7] = [
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Any causal order of arrival gives the same set, roster, standings, order and digest.
    #[test]
    fn any_order_of_arrival_gives_the_same(seed: u64, steps in 1..60_usize, mix in 0..MIXES.len()) {
        let tangle = Tangle::grow(seed, steps, MIXES[mix]);
        let mut first = Node::open(&tangle.founding);
        deliver_all(&mut first, &tangle, &tangle.events);
        Model::of(&first).check(&first);
        let mut order: Vec<Event> = tangle.events.clone();
        for turn in 0..3 {
            shuffle(&mut rng(seed ^ turn), &mut order);
            let mut node = Node::open(&tangle.founding);
            deliver_all(&mut node, &tangle, &order);
            prop_assert_eq!(node.picture(), first.picture());
        }
    }

    /// A restart at any point changes nothing, and all that changes is told as it happens.
    #[test]
    fn a_restart_changes_nothing(seed: u64, steps in 1..40_usize, mix in 0..MIXES.len()) {
        let tangle = Tangle::grow(seed, steps, MIXES[mix]);
        let mut node = Node::open(&tangle.founding);
        let mut rng = rng(seed);
        let mut open = tangle.events.clone();
        shuffle(&mut rng, &mut open);
        while let Some(event) = next(&mut node, &mut open) {
            node.picture();
            if below(&mut rng, 4) == 0 {
                let reloaded = node.reloaded();
                prop_assert_eq!(reloaded.state(), node.state());
                node = reloaded;
            }
            prop_assert!(matches!(node.receive(&event), Receipt::Known));
        }
        Model::of(&node).check(&node);
    }

    /// Two who hold different parts of it agree at every point where they hold the same.
    #[test]
    fn parts_grow_together(seed: u64, steps in 1..40_usize, mix in 0..MIXES.len()) {
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
        prop_assert_eq!(one.picture(), other.picture());
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
fn next(node: &mut Node, open: &mut Vec<Event>) -> Option<Event> {
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
