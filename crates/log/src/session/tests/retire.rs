//! A chain that a clock far ahead has written is given up.

use proptest::prelude::*;

use super::{
    model::Model,
    world::{NOW, Node, Person, below, found, rng, shuffle},
};
use crate::{
    clock::{FAR_AHEAD_MS, MAX_AHEAD_MS},
    event::{Event, Header},
    session::{Receipt, Retired},
    standing::Standing,
};

const MINUTE: u64 = 60 * 1000;
const THREE_DAYS: u64 = 3 * FAR_AHEAD_MS;

/// Two people, and how each sees their session: both hold what both have said.
struct Talk {
    ann: Person,
    bob: Person,
    anns: Node,
    bobs: Node,
}

impl Talk {
    fn new() -> Self {
        let (ann, bob) = (Person::new(1), Person::new(2));
        let mut anns = Node::open(&found(&[&ann, &bob]));
        anns.say(&ann.devices[0], "on time");
        anns.join(&bob.devices[0]);
        let bobs = anns.clone();
        Self {
            ann,
            bob,
            anns,
            bobs,
        }
    }

    fn ann_says(&mut self, text: &str, now: u64) -> Event {
        self.anns.say_at(&self.ann.devices[0], text, now)
    }

    fn bob_says(&mut self, text: &str, now: u64) -> Event {
        self.bobs.say_at(&self.bob.devices[0], text, now)
    }

    fn retire(&mut self, now: u64) -> Retired {
        self.anns.retire(&self.ann.devices[0], now).unwrap()
    }
}

#[test]
fn log_14_what_was_written_in_the_future_is_void_and_the_rest_stays() {
    let mut talk = Talk::new();
    let answer = talk.bob_says("and I", NOW + MINUTE);
    talk.anns.take(&answer);
    let near = talk.ann_says("a little early", NOW + MAX_AHEAD_MS);
    let late = ["one", "two"].map(|text| talk.ann_says(text, NOW + THREE_DAYS));
    let retired = talk.retire(NOW);
    assert_eq!(retired.from, late[0].header().seq);
    assert!(talk.anns.counts(&near));
    for event in &late {
        assert_eq!(talk.anns.standing(event), Standing::OffRoster);
    }
    assert_ne!(talk.anns.chain(&talk.ann.devices[0]), retired.chain);

    let again = talk.ann_says("one", NOW + 2 * MINUTE);
    // Bob's clock takes all of it at once, and none of the rest.
    let fresh = retired.operations.iter().map(|(event, _)| event);
    for event in [&near].into_iter().chain(fresh).chain([&again]) {
        let receipt = talk.bobs.receive_at(event, NOW + MINUTE);
        assert!(matches!(receipt, Receipt::Admitted(_)), "{receipt:?}");
        assert!(talk.bobs.counts(event));
    }
    let receipt = talk.bobs.receive_at(&late[0], NOW + 3 * MINUTE);
    assert!(matches!(receipt, Receipt::Held { .. }));
    // When their time has come they are void, and all is the same on both sides.
    talk.bobs.take_all(&talk.anns);
    assert_eq!(talk.bobs.picture(), talk.anns.picture());
    assert!(!talk.bobs.counts(&late[1]));
}

/// Both branches go back to the same event, and the store takes only what it can read again.
#[test]
fn log_14_what_lies_below_two_histories_from_the_future_is_named_once() {
    let mut talk = Talk::new();
    let below = talk.bob_says("on time", NOW);
    talk.anns.take(&below);
    let mut elsewhere = talk.bobs.clone();
    let bob = &talk.bob.devices[0];
    let branches = [
        talk.bobs.say_at(bob, "one", NOW + THREE_DAYS),
        elsewhere.say_at(bob, "another", NOW + THREE_DAYS),
    ];
    for event in &branches {
        talk.anns.receive_at(event, NOW + THREE_DAYS);
    }
    talk.ann_says("late", NOW + THREE_DAYS);
    let retired = talk.retire(NOW);
    let (join, _) = &retired.operations[0];
    assert!(join.header().deps.contains(&below.id()));
    for (event, _) in &retired.operations {
        Header::decode(event.encoded_header()).unwrap();
    }
}

/// The first chain was ended by the second, and would stand again with that void.
#[test]
fn log_14_all_chains_from_the_future_are_given_up() {
    let mut talk = Talk::new();
    let first = talk.ann_says("first", NOW + 2 * THREE_DAYS);
    talk.retire(NOW + THREE_DAYS);
    let second = talk.ann_says("second", NOW + THREE_DAYS);
    talk.retire(NOW);
    for event in [&first, &second] {
        assert!(!talk.anns.counts(event), "{event:?}");
    }
    let third = talk.ann_says("third", NOW + MINUTE);
    assert!(talk.anns.counts(&third));
    let author = talk
        .anns
        .session
        .roster()
        .author(talk.ann.devices[0].key.public());
    assert_eq!(author, Some(third.author()));
}

#[test]
fn log_10_nothing_is_built_on_what_is_void_and_too_early() {
    let mut talk = Talk::new();
    let late = talk.ann_says("late", NOW + THREE_DAYS);
    talk.retire(NOW);
    let one = talk.ann_says("one", NOW + MINUTE);
    assert_eq!(one.header().deps, []);
    assert!(!one.header().time.is_too_early(NOW + MINUTE));
    // Once it is not too early it is a tip as any other.
    let two = talk.ann_says("two", NOW + THREE_DAYS);
    assert_eq!(two.header().deps, [late.id()]);
}

#[test]
fn log_10_what_counts_and_is_too_early_is_built_upon_until_the_own_chain_is_given_up() {
    let mut talk = Talk::new();
    let question = talk.ann_says("question", NOW + THREE_DAYS);
    // Bob's clock was as wrong then.
    talk.bobs.receive_at(&question, NOW + THREE_DAYS);
    let answer = talk.bob_says("answer", NOW);
    assert_eq!(answer.header().deps, [question.id()]);
    assert!(answer.order() > question.order());
    talk.bobs.retire(&talk.bob.devices[0], NOW).unwrap();
    let again = talk.bob_says("answer", NOW);
    assert!(talk.bobs.counts(&question));
    assert_eq!(again.header().deps, []);
    assert!(!again.header().time.is_too_early(NOW));
}

#[test]
fn log_14_a_chain_that_is_a_little_ahead_is_kept() {
    let mut talk = Talk::new();
    let device = &talk.ann.devices[0];
    talk.anns.say_at(device, "tomorrow", NOW + FAR_AHEAD_MS);
    assert!(talk.anns.retire(device, NOW).is_none());
    talk.anns.say_at(device, "after", NOW + FAR_AHEAD_MS + 1);
    assert!(talk.anns.retire(device, NOW).is_some());
    assert!(talk.anns.retire(device, NOW).is_none(), "it is done");
}

#[test]
fn log_14_a_chain_that_was_begun_in_the_future_is_given_up() {
    let mut talk = Talk::new();
    let laptop = &talk.ann.devices[1];
    let joined = talk.anns.join_at(laptop, NOW + THREE_DAYS);
    let said = talk.anns.say_at(laptop, "too early", NOW + THREE_DAYS);
    let retired = talk.anns.retire(laptop, NOW).unwrap();
    assert_eq!(retired.from, 0);
    assert!(
        ![joined.clone(), said]
            .iter()
            .any(|event| talk.anns.counts(event))
    );
    let again = talk.anns.say_at(laptop, "on time", NOW);
    // With the clock of others only the new chain comes; the old one is void also where it comes later.
    for event in retired
        .operations
        .iter()
        .map(|(event, _)| event)
        .chain([&again])
    {
        talk.bobs.receive_at(event, NOW);
        assert!(talk.bobs.counts(event));
    }
    talk.bobs.take_all(&talk.anns);
    assert!(!talk.bobs.counts(&joined));
    assert_eq!(talk.bobs.picture(), talk.anns.picture());
    assert_eq!(talk.bobs.reloaded().state(), talk.bobs.state());
}

#[test]
fn log_14_a_session_that_is_in_the_future_as_a_whole_is_let_be() {
    let mut talk = Talk::new();
    let long_ago = NOW - THREE_DAYS;
    let device = &talk.ann.devices[0];
    assert!(
        talk.anns
            .session
            .is_far_ahead(device.key.public(), long_ago)
    );
    assert!(talk.anns.retire(device, long_ago).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever was said before, meanwhile and after, and in whatever order it comes: all make the
    /// same of it, and what counts is what was not too early.
    #[test]
    fn log_14_any_order_of_arrival_gives_the_same(seed: u64, steps in 1..30_usize) {
        let mut talk = Talk::new();
        let mut rng = rng(seed);
        let mut early = Vec::new();
        for step in 0..steps as u64 {
            let now = NOW + step * MINUTE;
            match below(&mut rng, 6) {
                0 | 1 => drop(talk.ann_says("on time", now)),
                2 => early.push(talk.ann_says("too early", now + THREE_DAYS)),
                3 => drop(talk.bob_says("and I", now)),
                4 => for event in talk.bobs.events() {
                    talk.anns.receive_at(&event, now);
                },
                _ => for event in talk.anns.events() {
                    talk.bobs.receive_at(&event, now);
                },
            }
        }
        let now = NOW + steps as u64 * MINUTE;
        let retired = talk.anns.retire(&talk.ann.devices[0], now);
        prop_assert_eq!(retired.is_some(), !early.is_empty());
        let after = talk.ann_says("after all", now + 1);
        prop_assert!(!after.header().time.is_too_early(now + 1));
        prop_assert!(talk.anns.counts(&after));
        for event in &early {
            prop_assert!(!talk.anns.counts(event));
        }
        // What is due comes now, what is void later; then both hold the same.
        for event in talk.anns.events() {
            talk.bobs.receive_at(&event, now);
        }
        prop_assert!(talk.bobs.counts(&after));
        talk.bobs.take_all(&talk.anns);
        talk.anns.take_all(&talk.bobs);
        let picture = talk.anns.picture();
        prop_assert_eq!(talk.bobs.picture(), picture);
        prop_assert_eq!(talk.anns.reloaded().state(), talk.anns.state());
        Model::of(&talk.anns).check(&talk.anns);

        let mut open = talk.anns.events();
        let founding = open.remove(0);
        for turn in 0..3 {
            shuffle(&mut rng, &mut open);
            let mut node = Node::open(&founding);
            let mut left = open.clone();
            while !left.is_empty() {
                let before = left.len();
                left.retain(|event| !matches!(node.receive(event), Receipt::Admitted(_)));
                prop_assert!(left.len() < before, "turn {} is stuck", turn);
            }
            prop_assert_eq!(node.picture(), talk.anns.picture());
        }
    }
}
