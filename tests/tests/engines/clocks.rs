//! A clock that is days ahead for a while, and then right again (LOG-14, NODE-21).

use tenet_delivery::state::State;
use tenet_node::input::Notice;
use tenet_sim::{
    Kill, Moment, Script, World, errors,
    script::{
        After::{Contact, Message, Nothing},
        Deed::{Edit, Invite, React, Read, Reply, Send, Unsend},
        Line,
    },
};

use super::{ANN, BERT};

const THREE_DAYS: u64 = 3 * 24 * 60 * 60 * 1000;

/// How long all takes once the clock is right.
const A_MINUTE: u64 = 60 * 1000;

/// What Bert writes while his clock is ahead.
const MEANWHILE: &[Line] = &[
    Line(BERT, Nothing, Send(ANN, "first")),
    Line(BERT, Nothing, Send(ANN, "secnod")),
    Line(BERT, Message("secnod"), Edit("secnod", "second")),
    Line(BERT, Nothing, Reply(ANN, "first", "third")),
    Line(BERT, Nothing, Send(ANN, "a mistake")),
    Line(BERT, Nothing, Unsend("a mistake")),
    Line(BERT, Nothing, React("hello", "👍")),
    Line(BERT, Nothing, Read(ANN)),
    Line(ANN, Nothing, Send(BERT, "are you there?")),
];

/// Two who are contacts, whose clocks are now so far ahead.
fn friends(seed: u64, ahead: [u64; 2]) -> World {
    let mut world = World::new(seed, &[0, 0]);
    world.play(&mut Script::new(&[
        Line(ANN, Nothing, Invite(BERT)),
        Line(ANN, Contact(BERT), Send(BERT, "hello")),
        Line(BERT, Contact(ANN), Send(ANN, "on time")),
    ]));
    for (node, ahead) in ahead.into_iter().enumerate() {
        world.set_clock(node, ahead);
    }
    world
}

/// Plays lines for so long.
fn play_for(world: &mut World, time: u64, lines: &[Line]) {
    let (mut script, end) = (Script::new(lines), world.now + time);
    script.go_on(world);
    while world.step_until(end) {
        script.go_on(world);
    }
    assert_eq!(script.left().len(), 0, "{}", world.state());
}

/// What somebody sees of the other's, `-` where it was taken back.
fn texts(world: &World, node: usize) -> Vec<String> {
    let with = world.nodes[ANN + BERT - node].identity();
    let shown = world.nodes[node].history(with);
    let texts = shown.into_iter().map(|shown| shown.message.text);
    texts.map(|text| text.unwrap_or("-".into())).collect()
}

/// Bert's clock is days ahead, and right again, with these kills from then on. Gives the world a
/// minute later, and in how many batches of Bert's all was mended.
fn a_day_of_berts(seed: u64, restarts: bool, kills: &[Kill], after: &[Line]) -> (World, [u64; 2]) {
    let mut world = friends(seed, [0, THREE_DAYS]);
    play_for(&mut world, 60 * A_MINUTE, MEANWHILE);
    assert_eq!(texts(&world, ANN).len(), 3, "what is in the future waits");
    world.set_clock(BERT, 0);
    if restarts {
        world.kill(BERT);
    }
    let begun = world.nodes[BERT].batches;
    let kills = kills.iter().map(|kill| Kill {
        batch: begun + kill.batch,
        ..*kill
    });
    world.kills = kills.collect();
    play_for(&mut world, A_MINUTE, after);
    let batches = [begun, world.nodes[BERT].batches];
    (world, batches)
}

/// All is there, once, and in the same order on both sides.
fn check_texts(world: &World, late: &[&str]) {
    assert_eq!(texts(world, ANN), texts(world, BERT));
    let mut bert = texts(world, ANN);
    bert.retain(|text| !["hello", "on time", "are you there?", "now?"].contains(&text.as_str()));
    // Of what was taken back before anybody had it, nothing is said again.
    assert_eq!(bert, [&["first", "second", "third"], late].concat());
    for (node, with) in [(ANN, BERT), (BERT, ANN)] {
        for shown in world.nodes[node].history(world.nodes[with].identity()) {
            assert!(shown.state.reaches(State::Delivered), "{shown:?}");
            assert!(shown.message.time <= world.now, "{shown:?}");
        }
    }
}

#[test]
fn what_a_clock_days_ahead_has_dated_is_said_again_when_it_is_right() {
    for seed in 0..40 {
        let ((), errors) = errors::during(|| {
            let more = ["fourth", "fifth"].map(|text| Line(BERT, Nothing, Send(ANN, text)));
            let (mut world, _) = a_day_of_berts(seed, seed % 2 == 0, &[], &more);
            check_texts(&world, &["fourth", "fifth"]);
            let again = |notice: &&Notice| matches!(notice, Notice::WrittenAgain { .. });
            let again = world.nodes[BERT].notices.iter().filter(again).count();
            assert!((4..=6).contains(&again), "{again}");
            // The void rest comes when its time has come, and changes nothing.
            let corrected = world.now;
            world.patience = 2 * THREE_DAYS;
            world.rest();
            assert!(world.now > corrected + THREE_DAYS / 2);
            world.check_pair(ANN, BERT);
        });
        assert!(errors.is_empty(), "logged as errors: {errors:?}");
    }
}

/// NODE-29: Ann holds it until its time has come; by then it was taken back, and the chain that said both given up.
#[test]
fn what_was_taken_back_is_not_kept_by_who_held_it_for_later() {
    let mut world = friends(4, [0, THREE_DAYS]);
    let mistake = Line(BERT, Nothing, Send(ANN, "a mistake"));
    play_for(&mut world, A_MINUTE, &[mistake]);
    let taken_back = Line(BERT, Nothing, Unsend("a mistake"));
    play_for(&mut world, A_MINUTE, &[taken_back]);
    world.set_clock(BERT, 0);
    world.patience = 2 * THREE_DAYS;
    play_for(
        &mut world,
        A_MINUTE,
        &[Line(BERT, Nothing, Send(ANN, "now"))],
    );
    world.rest();
    assert_eq!(texts(&world, ANN).last().unwrap(), "now");
    world.check_pair(ANN, BERT);
}

/// NODE-17.
#[test]
fn the_process_may_end_at_any_commit_meanwhile() {
    let asks = &[Line(ANN, Nothing, Send(BERT, "now?"))];
    let [from, to] = a_day_of_berts(3, false, &[], asks).1;
    assert!(to > from + 5);
    for batch in 0..to - from {
        for moment in [Moment::Before, Moment::After(0), Moment::After(1)] {
            let kill = Kill {
                node: BERT,
                batch,
                moment,
            };
            let ((), errors) = errors::during(|| {
                let (world, _) = a_day_of_berts(3, false, &[kill], asks);
                check_texts(&world, &[]);
            });
            assert!(errors.is_empty(), "after {kill:?}: {errors:?}");
        }
    }
}

/// Both clocks were wrong, and each took what the other said.
#[test]
fn two_whose_clocks_were_days_ahead_go_on_when_both_are_right() {
    for seed in 0..20 {
        let ((), errors) = errors::during(|| {
            let mut world = friends(seed, [THREE_DAYS; 2]);
            let lines = [
                Line(ANN, Nothing, Send(BERT, "from the future")),
                Line(BERT, Message("from the future"), Send(ANN, "and back")),
            ];
            play_for(&mut world, A_MINUTE, &lines);
            assert_eq!(texts(&world, ANN).len(), 4);
            (0..world.nodes.len()).for_each(|node| world.set_clock(node, 0));
            let lines = [
                Line(BERT, Nothing, Send(ANN, "right again")),
                Line(ANN, Message("right again"), Send(BERT, "here too")),
            ];
            play_for(&mut world, A_MINUTE, &lines);
            assert_eq!(texts(&world, ANN), texts(&world, BERT));
            assert_eq!(texts(&world, ANN).len(), 6);
            world.patience = 2 * THREE_DAYS;
            world.rest();
            world.check_pair(ANN, BERT);
        });
        assert!(errors.is_empty(), "logged as errors: {errors:?}");
    }
}
