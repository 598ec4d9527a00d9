//! Two engines converse in one thread under virtual time, and are killed at every commit point.
//!
//! One seed: `TENET_SEED=17 cargo test -p tenet-tests --test engines random_days`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use tenet_tests::world::{
    Kill, Moment, Script, World, errors,
    script::{
        After::{Contact, Message, Nothing},
        Deed::{Confirm, Edit, Invite, React, Read, Reply, Send, Unreact, Unsend},
        Line,
    },
};

const ANN: usize = 0;
const BERT: usize = 1;

/// Everything that two people can do, several things at a time where that is possible.
const DAY: &[Line] = &[
    Line(ANN, Nothing, Invite(BERT)),
    Line(ANN, Contact(BERT), Send(BERT, "good morning")),
    Line(ANN, Contact(BERT), Send(BERT, "did you sleep well?")),
    Line(ANN, Contact(BERT), Send(BERT, "I did nto")),
    Line(ANN, Message("I did nto"), Edit("I did nto", "I did not")),
    Line(ANN, Message("yes"), React("yes", "👍")),
    Line(ANN, Message("bad joke"), Reply(BERT, "bad joke", "hm")),
    Line(ANN, Message("hm"), Read(BERT)),
    Line(ANN, Message("hm"), Unreact("yes", "👍")),
    Line(ANN, Message("hm"), Confirm(BERT)),
    Line(BERT, Contact(ANN), Send(ANN, "hello")),
    Line(BERT, Message("did you sleep well?"), Reply(ANN, "did you sleep well?", "yes")),
    Line(BERT, Message("good morning"), React("good morning", "☀")),
    Line(BERT, Message("good morning"), Send(ANN, "bad joke")),
    Line(BERT, Message("hm"), Unsend("bad joke")),
    Line(BERT, Message("hm"), Confirm(ANN)),
    Line(BERT, Message("hm"), Read(ANN)),
];

/// Plays the day with these kills; gives the world at rest.
fn day(seed: u64, kills: &[Kill]) -> World {
    let (world, errors) = errors::during(|| {
        let mut world = World::new(seed, &[0, 0]);
        world.kills = kills.to_vec();
        world.play(&mut Script::new(DAY));
        world.check_pair(ANN, BERT);
        world.check_peace();
        world
    });
    assert!(errors.is_empty(), "logged as errors: {errors:?}");
    world
}

#[test]
fn two_engines_converse() {
    let world = day(1, &[]);
    assert_eq!(world.model.messages.len(), 7);
    assert_eq!(world.model.confirmed.len(), 2);
    assert!(world.model.lost.is_empty());
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(day(7, &[]).trace, day(7, &[]).trace);
    assert_ne!(day(7, &[]).trace, day(8, &[]).trace);
}

#[test]
fn an_engine_may_die_at_any_commit() {
    const SEED: u64 = 3;
    let whole = day(SEED, &[]);
    for node in [ANN, BERT] {
        for batch in 0..whole.nodes[node].batches {
            for moment in [Moment::Before, Moment::After(0), Moment::After(1)] {
                let kill = Kill { node, batch, moment };
                let story = std::panic::catch_unwind(|| drop(day(SEED, &[kill])));
                assert!(story.is_ok(), "after {kill:?}");
            }
        }
    }
}

/// A random day of this seed, with all checks.
fn random_day(seed: u64) {
    let ((), errors) = errors::during(|| {
        let mut world = World::new(seed, &[0, 0]);
        world.random_day(60);
        world.check_pair(ANN, BERT);
        world.check_peace();
    });
    assert!(errors.is_empty(), "logged as errors: {errors:?}");
}

#[test]
fn random_days() {
    let seeds = match std::env::var("TENET_SEED") {
        Ok(seed) => {
            let seed: u64 = seed.parse().unwrap();
            seed..seed + 1
        }
        Err(_) => 0..200,
    };
    for seed in seeds {
        let day = std::panic::catch_unwind(|| random_day(seed));
        assert!(
            day.is_ok(),
            "to see it again: TENET_SEED={seed} cargo test -p tenet-tests --test engines random_days"
        );
    }
}
