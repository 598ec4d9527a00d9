//! Two engines converse in one thread under virtual time, and are killed at every commit point.
//!
//! One seed: `TENET_SEED=17 cargo test -p tenet-tests --test engines random_days`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use tenet_delivery::state::State;
use tenet_node::input::Notice;
use tenet_sim::{
    Failing, How, Kill, Moment, Script, World, errors,
    script::{
        After::{Contact, Message, Nothing},
        Deed::{Confirm, Edit, Invite, React, Read, Reply, Send, Unreact, Unsend},
        Line,
    },
};

#[path = "engines/answers.rs"]
mod answers;
#[path = "engines/bygone.rs"]
mod bygone;
#[path = "engines/claims.rs"]
mod claims;
#[path = "engines/clocks.rs"]
mod clocks;
#[path = "engines/crowds.rs"]
mod crowds;
#[path = "engines/devices.rs"]
mod devices;
#[path = "engines/doors.rs"]
mod doors;
#[path = "engines/erasure.rs"]
mod erasure;
#[path = "engines/files.rs"]
mod files;
#[path = "engines/floods.rs"]
mod floods;
#[path = "engines/floors.rs"]
mod floors;
#[path = "engines/links.rs"]
mod links;
#[path = "engines/members.rs"]
mod members;
#[path = "engines/mending.rs"]
mod mending;
#[path = "engines/own.rs"]
mod own;
#[path = "engines/partings.rs"]
mod partings;
#[path = "engines/removals.rs"]
mod removals;
#[path = "engines/requests.rs"]
mod requests;
#[path = "engines/revocations.rs"]
mod revocations;
#[path = "engines/rogues.rs"]
mod rogues;
#[path = "engines/search.rs"]
mod search;
#[path = "engines/setback.rs"]
mod setback;
#[path = "engines/strangers.rs"]
mod strangers;
#[path = "engines/typing.rs"]
mod typing;
#[path = "engines/views.rs"]
mod views;

const ANN: usize = 0;
const BERT: usize = 1;

/// Everything that two people can do, several things at a time where that is possible.
const DAY: &[Line] = &[
    Line(ANN, Nothing, Invite(BERT)),
    Line(ANN, Contact(BERT), Send(BERT, "good morning📎")),
    Line(ANN, Contact(BERT), Send(BERT, "did you sleep well?")),
    Line(ANN, Contact(BERT), Send(BERT, "I did nto")),
    Line(ANN, Message("I did nto"), Edit("I did nto", "I did not")),
    Line(ANN, Message("yes"), React("yes", "👍")),
    Line(ANN, Message("bad joke"), Reply(BERT, "bad joke", "hm")),
    Line(ANN, Message("hm"), Read(BERT)),
    Line(ANN, Message("hm"), Unreact("yes", "👍")),
    Line(ANN, Message("hm"), Confirm(BERT)),
    Line(BERT, Contact(ANN), Send(ANN, "hello📎")),
    Line(
        BERT,
        Message("did you sleep well?"),
        Reply(ANN, "did you sleep well?", "yes"),
    ),
    Line(
        BERT,
        Message("good morning📎"),
        React("good morning📎", "☀"),
    ),
    Line(BERT, Message("good morning📎"), Send(ANN, "bad joke")),
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

/// NODE-5: both start at once, so both dial, and of two connections one stays.
#[test]
fn nobody_seems_gone_while_two_connections_become_one() {
    let mut replaced = 0;
    for seed in 0..30 {
        let mut world = day(seed, &[]);
        let told = [ANN, BERT].map(|node| {
            world.kill(node);
            world.nodes[node].notices.len()
        });
        world.rest();
        for (node, told) in world.nodes.iter().zip(told) {
            let conns: Vec<_> = node.notices[told..]
                .iter()
                .filter_map(|notice| match notice {
                    Notice::Connection { conn, .. } => Some(*conn),
                    _ => None,
                })
                .collect();
            assert!(conns.iter().all(Option::is_some), "seed {seed}: {conns:?}");
            assert!(conns.is_sorted_by(|a, b| a != b), "seed {seed}: {conns:?}");
            replaced += usize::from(conns.len() > 1);
        }
    }
    assert!(replaced > 0, "no two connections ever crossed");
}

/// NODE-20: whoever calls and becomes a contact by that is not dialled as well.
#[test]
fn two_who_become_contacts_have_one_connection() {
    for seed in 0..30 {
        for node in day(seed, &[]).nodes {
            let connections = node.notices.iter();
            let connections = connections.filter(|it| matches!(it, Notice::Connection { .. }));
            assert_eq!(connections.count(), 1, "seed {seed}: {}", node.name);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(day(7, &[]).trace, day(7, &[]).trace);
    assert_ne!(day(7, &[]).trace, day(8, &[]).trace);
}

/// NODE-17.
#[test]
fn an_engine_may_die_at_any_commit() {
    const SEED: u64 = 3;
    let whole = day(SEED, &[]);
    for node in [ANN, BERT] {
        for batch in 0..whole.nodes[node].batches {
            for moment in [Moment::Before, Moment::After(0), Moment::After(1)] {
                let kill = Kill {
                    node,
                    batch,
                    moment,
                };
                let story = std::panic::catch_unwind(|| drop(day(SEED, &[kill])));
                assert!(story.is_ok(), "after {kill:?}");
            }
        }
    }
}

/// A random day of this seed, with all checks.
fn random_day(seed: u64) {
    let ((), errors) = errors::during(|| {
        // Clocks that differ by less than what is accepted change nothing.
        let mut world = World::new(seed, &[0, seed % 4 * 2 * 60 * 1000]);
        world.random_day(40);
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

/// Somebody whose clock is ahead by more than is accepted.
const TWENTY_MINUTES: u64 = 20 * 60 * 1000;

#[test]
fn messages_from_the_future_arrive_when_their_time_has_come() {
    let ((), errors) = errors::during(|| {
        let mut world = World::new(5, &[0, 0]);
        world.play(&mut Script::new(&[
            Line(ANN, Nothing, Invite(BERT)),
            Line(ANN, Contact(BERT), Send(BERT, "on time")),
        ]));
        world.set_clock(BERT, TWENTY_MINUTES);
        let begun = world.now;
        let texts = ["first", "second", "third", "fourth"];
        let lines = texts.map(|text| Line(BERT, Contact(ANN), Send(ANN, text)));
        let read = Line(BERT, Contact(ANN), Read(ANN));
        let answer = Line(ANN, Nothing, Send(BERT, "I am here"));
        let mut script = Script::new(&[lines.as_slice(), &[read, answer]].concat());
        while world.now < begun + TWENTY_MINUTES / 4 {
            script.go_on(&mut world);
            if !world.step_until(begun + TWENTY_MINUTES / 4) {
                break;
            }
        }
        let ann = world.nodes[BERT].identity();
        let shown = world.nodes[ANN].history(ann);
        assert_eq!(shown.len(), 2, "only what is on time is shown");
        let told = |notice: &Notice| matches!(notice, Notice::TooEarly { .. });
        assert!(
            world.nodes[BERT].notices.iter().any(told),
            "Bert is told about his clock"
        );
        world.rest();
        assert!(world.now - begun <= TWENTY_MINUTES, "{}", world.state());
        world.check_pair(ANN, BERT);
        let shown = world.nodes[ANN].history(ann);
        let bert: Vec<_> = shown
            .iter()
            .filter(|shown| shown.message.identity == ann)
            .collect();
        let bert: Vec<_> = bert
            .iter()
            .map(|shown| shown.message.text.clone().unwrap())
            .collect();
        assert_eq!(bert, texts);
        let message = world.model.by_label("on time").unwrap();
        let at_ann = world.nodes[ANN].history(ann);
        let on_time = at_ann
            .iter()
            .find(|shown| shown.message.id == message)
            .unwrap();
        assert_eq!(
            on_time.state,
            State::Read,
            "a read position from the future came too"
        );
    });
    assert!(errors.is_empty(), "logged as errors: {errors:?}");
}

#[test]
fn people_meet_although_a_clock_is_ahead() {
    for ahead in [[0, TWENTY_MINUTES], [TWENTY_MINUTES, 0]] {
        let ((), errors) = errors::during(|| {
            let mut world = World::new(6, &ahead);
            // Every answer waits for ten minutes.
            world.patience = 10 * TWENTY_MINUTES;
            world.play(&mut Script::new(DAY));
            world.check_pair(ANN, BERT);
            let bad = |notice: &Notice| matches!(notice, Notice::Misbehaved { .. });
            assert!(!world.nodes.iter().any(|node| node.notices.iter().any(bad)));
        });
        assert!(errors.is_empty(), "logged as errors: {errors:?}");
    }
}

/// The day with writes of one node that fail; gives the world at rest.
fn day_with_failing_disk(node: usize, failing: Failing) {
    let (world, _) = errors::during(|| {
        let mut world = World::new(9, &[0, 0]);
        world.nodes[node].fail(failing);
        world.play(&mut Script::new(DAY));
        world
    });
    world.check_pair(ANN, BERT);
    assert!(world.refused.is_empty(), "refused: {:?}", world.refused);
    assert_eq!(world.model.messages.len(), 7, "a message was lost");
    let bad = |notice: &Notice| matches!(notice, Notice::Misbehaved { .. } | Notice::Forked { .. });
    assert!(!world.nodes.iter().any(|node| node.notices.iter().any(bad)));
}

/// NODE-18.
#[test]
fn any_write_may_fail() {
    let whole = {
        let mut world = World::new(9, &[0, 0]);
        world.play(&mut Script::new(DAY));
        world
    };
    for node in [ANN, BERT] {
        for from in whole.nodes[node].written_at_start..whole.nodes[node].disk().writes() {
            // One that fails for a moment, and a disk that stays full for a while.
            let how = [How::Medium, How::Full, How::GaveUp][from as usize % 3];
            let failing = Failing {
                from,
                many: [1, 6][from as usize % 2],
                how,
            };
            let story = std::panic::catch_unwind(|| day_with_failing_disk(node, failing));
            assert!(story.is_ok(), "node {node}, {failing:?}");
        }
    }
}
