//! What counted once ceases to only by a stated rule, which is named.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    convergence::{MIXES, next},
    model::Model,
    tangle::Tangle,
    world::{Node, rng, shuffle},
};
use crate::{event::Event, ids::EventId, roster::Op, standing::Standing};

/// Why an event does not count, as a rule's id; `None` where no rule says so.
fn cause(node: &Node, model: &Model, event: &Event) -> Option<&'static str> {
    if model.operation(event.id()).is_some() {
        return of_operation(model, event.id());
    }
    let begun_by = event.author().added_by;
    match node.standing(event) {
        Standing::Counted => None,
        Standing::Forked => model.is_forked(event).then_some("FORK-1"),
        Standing::Silenced => {
            let [by_role, by_mutes] = model.silenced(event);
            by_role
                .then_some("ROS-513")
                .or(by_mutes.then_some("ROS-514"))
        }
        // ROS-512: its chain was not rightly begun,
        Standing::OffRoster => match model.operation(begun_by) {
            Some(_) if !model.counted(begun_by) => of_operation(model, begun_by),
            // waits for another device to go,
            Some(_) if is_surplus(node, event) => Some("ROS-8"),
            // or was ended by what had not seen the event.
            Some(_) => model.end(event).map(|op| match op {
                Op::RemoveDevice(_) => "ROS-3",
                Op::Revoke(_) => "ROS-4",
                Op::Leave => "ROS-5",
                _ => "ROS-6",
            }),
            None => None,
        },
    }
}

fn is_surplus(node: &Node, event: &Event) -> bool {
    let chains = &node.session.roster().chains;
    chains
        .get(&event.author())
        .is_some_and(|chain| chain.surplus)
}

fn of_operation(model: &Model, id: EventId) -> Option<&'static str> {
    if model.counted(id) {
        None
    } else if !model.is_rightful(id) {
        // What gave its author the right, or the chain, has gone before.
        Some("ROS-505")
    } else if model.is_outranked(id) {
        Some("ROS-510")
    } else if model.is_void(id) {
        Some("ROS-6")
    } else {
        model.is_lost_in_circle(id).then_some("ROS-7")
    }
}

/// Takes the events of a tangle in any order; for each that ceased to count the rule, none of which held
/// of it before.
fn ceased(seed: u64, steps: usize, mix: usize) -> BTreeMap<&'static str, usize> {
    let tangle = Tangle::grow(seed, steps, MIXES[mix]);
    let mut open = tangle.events.clone();
    shuffle(&mut rng(seed), &mut open);
    let mut node = Node::open(&tangle.founding);
    let mut rules = BTreeMap::new();
    loop {
        let before = counted(&node);
        let then = node.clone();
        let Some(new) = next(&mut node, &mut open) else {
            return rules;
        };
        let after = counted(&node);
        let gone: Vec<&EventId> = before.difference(&after).collect();
        if gone.is_empty() {
            continue;
        }
        let (was, is) = (Model::of(&then), Model::of(&node));
        for id in gone {
            let event = is.event(*id);
            assert_eq!(cause(&then, &was, event), None, "it counted, {seed}");
            let Some(rule) = cause(&node, &is, event) else {
                panic!("no rule lets {new:?} take {event:?} away: {seed}, {steps}, {mix}");
            };
            *rules.entry(rule).or_default() += 1;
        }
    }
}

fn counted(node: &Node) -> BTreeSet<EventId> {
    let all = node.events().into_iter();
    let counted = all.filter(|event| node.counts(event));
    counted.map(|event| event.id()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_ceases_to_count_without_a_rule(seed: u64, steps in 1..50_usize, mix in 0..MIXES.len()) {
        ceased(seed, steps, mix);
    }
}

/// Most rules that can take something away do so in some tangle: so the property above asks something. Of the
/// others (ROS-8, ROS-510, ROS-514) the tests are told one by one.
#[test]
fn every_rule_takes_something_away() {
    let mut rules = BTreeMap::new();
    for seed in 0..300 {
        let mix = 1 + usize::try_from(seed).unwrap() % (MIXES.len() - 1);
        for (rule, count) in ceased(seed, 30, mix) {
            *rules.entry(rule).or_insert(0) += count;
        }
    }
    let found: BTreeSet<&str> = rules.keys().copied().collect();
    let expected = [
        "FORK-1", "ROS-3", "ROS-4", "ROS-5", "ROS-505", "ROS-513", "ROS-6", "ROS-7",
    ];
    for rule in expected {
        assert!(found.contains(rule), "{rule}: {rules:?}");
    }
}
