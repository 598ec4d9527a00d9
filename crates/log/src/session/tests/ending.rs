//! What a device may hear that is out.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::DeviceId;

use super::{
    tangle::{Mix, Tangle},
    world::Node,
};
use crate::{event::Event, ids::EventId, roster::Op, store::LogStore};

const MIX: Mix = Mix {
    forks: 10,
    operations: 40,
    many: true,
};

fn grown(seed: u64) -> Node {
    let tangle = Tangle::grow(seed, 60, MIX);
    let mut node = Node::open(&tangle.founding);
    let taken = tangle.events.iter();
    for event in taken.filter(|event| !tangle.refused.contains(&event.id())) {
        node.take(event);
    }
    node
}

/// All that these build on, with themselves.
fn with_ancestors(events: &BTreeMap<EventId, Event>, ids: &[EventId]) -> BTreeSet<EventId> {
    let (mut all, mut open) = (BTreeSet::new(), ids.to_vec());
    while let Some(id) = open.pop() {
        if all.insert(id) {
            open.extend(events[&id].parents());
        }
    }
    all
}

/// SYNC-11: the operations that ended it and all that these had seen; of chains without forks nothing else, and of
/// all nothing that builds on what is kept back.
#[test]
fn an_ending_is_what_ended_it_and_all_that_this_had_seen() {
    let (mut out, mut forked) = (0, 0);
    for seed in 0..120 {
        let node = grown(seed);
        let events = node.events().into_iter();
        let events: BTreeMap<EventId, Event> = events.map(|event| (event.id(), event)).collect();
        let chains = node.session.roster().chains.keys();
        let devices: BTreeSet<DeviceId> = chains.map(|chain| chain.device).collect();
        for device in devices {
            let Some(mut ending) = node.session.ending(&node.store, device).unwrap() else {
                assert!(!node.session.is_out(device));
                continue;
            };
            out += 1;
            let ends: Vec<EventId> = ending.operations().map(|end| end.id).collect();
            let seen = with_ancestors(&events, &ends);
            let mut told = BTreeSet::new();
            for event in events.values() {
                let stored = node.store.event(event.id()).unwrap().unwrap();
                if ending.includes(&node.store, &stored.event).unwrap() {
                    told.insert(event.id());
                }
            }
            assert!(told.is_superset(&seen), "seed {seed}");
            for id in &told {
                let event = &events[id];
                let closed = event.parents().all(|parent| told.contains(&parent));
                assert!(closed, "seed {seed}");
                let is_forked = node.session.forks().contains_key(&event.author());
                forked += usize::from(is_forked && !seen.contains(id));
                assert!(is_forked || seen.contains(id), "seed {seed}: {event:?}");
            }
        }
    }
    assert!(out > 20, "only {out} were out");
    assert!(forked > 0, "no fork was looked at");
}

/// Who did is told nothing of it.
fn used_a_link_in_vain(node: &Node, all: &[Event], device: DeviceId) -> bool {
    let own = all.iter().filter(|event| event.header().device == device);
    let mut operations = own.filter_map(|event| Some((event.id(), Op::of(event).ok()??)));
    let counted = node.session.fold(&node.store).unwrap().counted();
    operations.any(|(id, op)| matches!(op, Op::JoinLink(_)) && !counted.contains(&id))
}

/// SYNC-11: with what it is told a device that was out, or came in in vain, finds that it is, whatever else it holds.
#[test]
fn an_ending_shows_a_device_that_it_is_out() {
    let (mut ended, mut in_vain) = (0, 0);
    for seed in (0..160).chain([2774]) {
        let node = grown(seed);
        let all: Vec<Event> = node.events();
        let events: BTreeMap<EventId, Event> = all
            .iter()
            .map(|event| (event.id(), event.clone()))
            .collect();
        let outsiders = node.session.outsiders().into_keys();
        for device in outsiders.filter(|device| !used_a_link_in_vain(&node, &all, *device)) {
            let was_in = node.session.roster().chains_of(device).next().is_some();
            *(if was_in { &mut ended } else { &mut in_vain }) += 1;
            let Some(mut ending) = node.session.ending(&node.store, device).unwrap() else {
                panic!("seed {seed}: nothing tells {device:?}");
            };
            let told = all
                .iter()
                .filter(|event| ending.includes(&node.store, event).unwrap());
            let told: BTreeSet<EventId> = told.map(Event::id).collect();
            let own = all.iter().filter(|event| event.header().device == device);
            let own: Vec<EventId> = own.map(Event::id).collect();
            for held in all.iter().step_by(3) {
                let mut known = with_ancestors(&events, &own);
                known.extend(with_ancestors(&events, &[held.id()]));
                known.extend(&told);
                let mut theirs = Node::open(&all[0]);
                let taken = all.iter().skip(1);
                for event in taken.filter(|event| known.contains(&event.id())) {
                    theirs.take(event);
                }
                let author = theirs.session.roster().author(device);
                assert_eq!(author, None, "seed {seed}, was in: {was_in}, held {held:?}");
            }
        }
    }
    assert!(
        ended > 20 && in_vain > 20,
        "{ended} ended, {in_vain} came in in vain"
    );
}
