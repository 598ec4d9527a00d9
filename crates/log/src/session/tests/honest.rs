//! Devices that write by the book, on partial views, and one now and then set back in time.

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;

use super::{
    model::Model,
    world::{Device, Node, Person, below, found, pick, rng},
};
use crate::{roster::Op, session::AppendError};

struct World {
    people: [Person; 2],
    /// A node for each device, person by person.
    nodes: Vec<Node>,
    snapshots: Vec<(usize, Node)>,
}

impl World {
    fn new() -> Self {
        let people = [Person::new(1), Person::new(2)];
        let node = Node::open(&found(&[&people[0], &people[1]]));
        Self {
            nodes: vec![node; 6],
            people,
            snapshots: Vec::new(),
        }
    }

    fn step(&mut self, rng: &mut ChaCha20Rng, set_back: bool) {
        let at = below(rng, self.nodes.len());
        match below(rng, 20) {
            0..8 => self.say(at),
            8..12 => self.operate(rng, at),
            12..18 => {
                let from = pick(rng, &self.nodes).clone();
                self.nodes[at].take_all(&from);
            }
            18 => self.snapshots.push((at, self.nodes[at].clone())),
            _ if set_back && !self.snapshots.is_empty() => {
                let (at, node) = pick(rng, &self.snapshots).clone();
                self.nodes[at] = node;
            }
            _ => self.nodes[at] = self.nodes[at].reloaded(),
        }
    }

    fn say(&mut self, at: usize) {
        let device = &self.people[at / 3].devices[at % 3];
        let text = format!("{at} says {}", self.nodes[at].events().len());
        match self.nodes[at].try_say(device, &text) {
            Ok(event) => assert!(self.nodes[at].counts(&event)),
            Err(AppendError::NotOnRoster | AppendError::Forked) => {}
            Err(other) => panic!("{other:?}"),
        }
    }

    fn operate(&mut self, rng: &mut ChaCha20Rng, at: usize) {
        let (person, node) = (&self.people[at / 3], &mut self.nodes[at]);
        let (by, whom) = (&person.devices[at % 3], below(rng, 3));
        let op = operation(rng, node, person, by, whom);
        match node.try_operate(by, &op) {
            Ok(_) | Err(AppendError::NotOnRoster | AppendError::Forked) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

fn operation(rng: &mut ChaCha20Rng, node: &Node, person: &Person, by: &Device, whom: usize) -> Op {
    let target = &person.devices[whom];
    match below(rng, 12) {
        0..5 if !node.is_in(by) => Op::Join(by.card.clone()),
        0..5 => Op::AddDevice(target.card.clone()),
        5..10 if node.is_in(target) => Op::RemoveDevice(node.chain(target)),
        10 => person.revoke(whom),
        11 if below(rng, 4) == 0 => Op::Leave,
        _ => Op::Join(by.card.clone()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn honest_devices_agree_once_they_have_heard_each_other(
        seed: u64, steps in 1..80_usize, set_back: bool
    ) {
        let mut world = World::new();
        let mut rng = rng(seed);
        for _ in 0..steps {
            world.step(&mut rng, set_back);
        }
        let mut all = world.nodes[0].clone();
        for node in &world.nodes[1..] {
            all.take_all(node);
        }
        Model::of(&all).check(&all);
        for node in &mut world.nodes {
            node.take_all(&all);
            prop_assert_eq!(node.picture(), all.picture());
        }
        prop_assert!(set_back || all.session.forks().is_empty());
    }
}
