use std::rc::Rc;

use tenet_delivery::fanout::shape::MAX_COPIES;

use super::{Crowd, Network, Outcome, Setting, planned::World, sync};

/// A fifth offline, a fifth of the others dying, nobody connected; how it went, and how many had it after sync.
fn said(setting: Setting, rounds: usize) -> (Outcome, usize) {
    let crowd = Crowd::new(setting);
    let world = World::new(&crowd);
    let mut network = Network::new(&crowd, world.devices(rounds));
    network.deadly = true;
    let outcome = network.say(0, 60);
    let mut after = outcome.clone();
    sync::close(&network, &mut after, world.event.len());
    (outcome, after.reached)
}

fn holds(devices: usize, seeds: u64) {
    let (mut living, mut alone, mut again) = (0, 0, 0);
    for seed in 0..seeds {
        for rounds in [0, 1] {
            let (outcome, after) = said(Setting::hard(devices, seed), rounds);
            assert!(outcome.most_copies <= MAX_COPIES);
            assert_eq!(
                after, outcome.living,
                "seed {seed}: not all have it after sync"
            );
            match rounds {
                0 => alone += outcome.reached,
                _ => again += outcome.reached,
            }
            living += outcome.living / 2;
        }
    }
    let share = |reached: usize| reached as f64 / living as f64;
    assert!(share(alone) >= 0.99, "{}", share(alone));
    assert!(share(again) >= 0.999, "{}", share(again));
}

/// FAN-3, FAN-4, FAN-9, FAN-10.
#[test]
fn fifty_are_reached() {
    holds(50, 40);
}

/// FAN-3, FAN-4, FAN-9, FAN-10.
#[test]
fn two_and_a_half_thousand_are_reached() {
    holds(2_500, 1);
}

/// The same seed gives the same run.
#[test]
fn it_follows_from_the_seed() {
    let run = || said(Setting::hard(300, 7), 1).0;
    let (one, other) = (run(), run());
    assert_eq!(one.had, other.had);
    assert_eq!((one.bytes, one.messages), (other.bytes, other.messages));
}

/// FAN-11: the author of an event to 2,500 hears some 50 answers and reports of it, and no more.
#[test]
fn the_author_does_not_drown() {
    let mut setting = Setting::hard(2_500, 1);
    (setting.dying, setting.stale, setting.missed) = (0, 0, 0);
    let crowd = Crowd::new(setting);
    let world: Rc<World> = World::new(&crowd);
    let mut network = Network::new(&crowd, world.devices(1));
    let outcome = network.say(0, 60);
    assert_eq!(outcome.reached, outcome.living);
    assert!(outcome.author_heard.0 <= 60, "{:?}", outcome.author_heard);
    assert_eq!(network.speakers[0].spread.reached(), outcome.living);
}
