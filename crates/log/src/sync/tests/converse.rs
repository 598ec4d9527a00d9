//! Whatever two devices hold, and whenever the connection is cut: in the end they hold the same.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;

use super::link::Link;
use crate::{
    clock::Hlc,
    event::Event,
    ids::EventId,
    register::Register,
    session::tests::{
        model::Model,
        tangle::{Mix, Tangle},
        world::{Node, below, rng},
    },
};

const CALM: Mix = Mix {
    forks: 0,
    operations: 25,
    many: false,
};
const FORKED: Mix = Mix {
    forks: 15,
    operations: 25,
    many: false,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Without forks each event is sent once, to who lacks it.
    #[test]
    fn sync_4_what_is_lacking_is_sent_once(seed: u64, steps in 1..60_usize) {
        let (tangle, mut rng) = (Tangle::grow(seed, steps, CALM), rng(seed));
        let mut link = scatter(&tangle, &mut rng);
        let before = link.ends.each_ref().map(|end| held(&end.node));
        link.run(&mut rng);
        link.assert_equal();
        for (end, theirs) in link.ends.iter().zip([&before[1], &before[0]]) {
            prop_assert!(end.sent.values().all(|times| *times == 1));
            prop_assert!(end.sent.keys().all(|id| !theirs.contains(id)));
        }
        Model::of(&link.ends[0].node).check(&link.ends[0].node);
        let writers = write_registers(&mut link, &mut rng);
        link.reconnect();
        link.run(&mut rng);
        link.assert_equal();
        prop_assert!(writers == 0 || link.ends.iter().all(|end| end.sent.is_empty()));
    }

    /// While they talk both go on writing; what is written is sent once.
    #[test]
    fn sync_4_what_is_written_meanwhile_is_sent_once(seed: u64, steps in 2..60_usize) {
        let (tangle, mut rng) = (Tangle::grow(seed, steps, CALM), rng(seed));
        let mut link = scatter(&tangle, &mut rng);
        let mut rest: Vec<Event> = tangle.events.clone();
        while !rest.is_empty() || link.ends.iter().any(|end| !end.out.is_empty()) {
            let at = below(&mut rng, 2);
            if below(&mut rng, 3) == 0 {
                write_next(&mut link, at, &mut rest, &tangle);
            } else {
                link.deliver(at);
            }
        }
        link.assert_equal();
        for end in &link.ends {
            prop_assert!(end.sent.values().all(|times| *times == 1));
        }
    }

    /// Forks and all, on one connection.
    #[test]
    fn sync_8_forked_histories_converge(seed: u64, steps in 1..60_usize) {
        let (tangle, mut rng) = (Tangle::grow(seed, steps, FORKED), rng(seed));
        let mut link = scatter(&tangle, &mut rng);
        link.run(&mut rng);
        link.assert_equal();
        Model::of(&link.ends[1].node).check(&link.ends[1].node);
    }

    /// Whoever does not compare anew when a fork shows is up to date after the next connection.
    #[test]
    fn sync_8_forked_histories_converge_at_the_next_connection(seed: u64, steps in 1..40_usize) {
        let (tangle, mut rng) = (Tangle::grow(seed, steps, FORKED), rng(seed));
        let mut link = scatter(&tangle, &mut rng);
        for end in &mut link.ends {
            end.reopens = false;
        }
        for _ in 0..2 {
            link.run(&mut rng);
            link.reconnect();
        }
        link.run(&mut rng);
        link.assert_equal();
    }

    /// Nothing is remembered across connections, and nothing needs to be.
    #[test]
    fn sync_1_a_cut_at_any_point_loses_nothing(
        seed: u64, steps in 1..50_usize, forked: bool, cuts in prop::collection::vec(0..40_usize, 1..6)
    ) {
        let mix = if forked { FORKED } else { CALM };
        let (tangle, mut rng) = (Tangle::grow(seed, steps, mix), rng(seed));
        let mut link = scatter(&tangle, &mut rng);
        let mut rest: Vec<Event> = tangle.events.clone();
        for cut in cuts {
            for _ in 0..cut {
                let at = below(&mut rng, 2);
                if below(&mut rng, 4) == 0 {
                    write_next(&mut link, at, &mut rest, &tangle);
                }
                link.deliver(at);
            }
            link.reconnect();
        }
        link.run(&mut rng);
        link.assert_equal();
    }
}

/// Two nodes, each with about half of the events and some registers.
fn scatter(tangle: &Tangle, rng: &mut ChaCha20Rng) -> Link {
    let mut nodes = [Node::open(&tangle.founding), Node::open(&tangle.founding)];
    for node in &mut nodes {
        tangle.part(rng, node);
    }
    let [one, other] = nodes;
    let mut link = Link::new(one, other);
    write_registers(&mut link, rng);
    for end in &mut link.ends {
        end.at_once = [None, Some(0), Some(4)][below(rng, 3)];
    }
    link.reconnect();
    link
}

/// Writes a few registers of devices that a node knows; gives how many.
fn write_registers(link: &mut Link, rng: &mut ChaCha20Rng) -> usize {
    let mut written = 0;
    for end in &mut link.ends {
        let session = end.node.session.id();
        for device in Tangle::devices() {
            let known = end.node.session.has_seen(device.key.public());
            if known && below(rng, 2) == 0 {
                let time = Hlc::from_millis(1 + below(rng, 5) as u64);
                let key = if below(rng, 2) == 0 {
                    "read"
                } else {
                    "endpoint"
                };
                let value = vec![below(rng, 250) as u8];
                let register = Register::sign(&device.key, session, key, time, value).unwrap();
                end.put(&register);
                written += 1;
            }
        }
    }
    written
}

/// One end writes the next event that nobody has and for which it has all.
fn write_next(link: &mut Link, at: usize, rest: &mut Vec<Event>, tangle: &Tangle) {
    let held = link.ends.each_ref().map(|end| held(&end.node));
    rest.retain(|event| {
        !held.iter().any(|held| held.contains(&event.id())) && !tangle.refused.contains(&event.id())
    });
    let next = rest
        .iter()
        .position(|event| event.parents().all(|parent| held[at].contains(&parent)));
    if let Some(next) = next {
        let event = rest.remove(next);
        link.ends[at].write(&event);
    }
}

fn held(node: &Node) -> BTreeSet<EventId> {
    node.events().iter().map(Event::id).collect()
}
