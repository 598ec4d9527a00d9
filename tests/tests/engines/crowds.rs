//! Sessions of more than ten devices: what is said goes by plans, and sync closes the rest.

use std::collections::BTreeMap;

use tenet_delivery::{outbox::Outbox, state::State};
use tenet_log::ids::{EventId, SessionId};
use tenet_sim::{Act, World, machine::BEGINNING, node::Node};

const ANN: usize = 0;
const MINUTE: u64 = 60_000;

/// So many who know Ann, in a session that she founded.
fn company(seed: u64, size: usize) -> (World, SessionId) {
    company_with(seed, size, None)
}

/// The same, of which one may have two devices: the second comes after all others.
fn company_with(seed: u64, size: usize, sisters: Option<usize>) -> (World, SessionId) {
    let nodes = (0..size).map(|number| Node::new(number, 0, BEGINNING));
    let sister = sisters.map(|person| Node::of(person, size, 0, BEGINNING));
    let mut world = World::of(seed, nodes.chain(sister).collect());
    for other in 1..size {
        world.ask(ANN, Act::Invite { to: other });
    }
    if let Some(person) = sisters {
        world.ask(person, Act::Invite { to: size });
    }
    world.rest();
    let with = (1..size).map(|node| world.nodes[node].did());
    let group = world.found(ANN, "walkers", with.collect());
    world.rest();
    world.check_same(&all(size), group);
    (world, group)
}

fn all(size: usize) -> Vec<usize> {
    (0..size).collect()
}

fn pass(world: &mut World, time: u64) {
    let end = world.now + time;
    while world.step_until(end) {}
}

fn texts(world: &World, node: usize, group: SessionId) -> Vec<String> {
    let shown = world.nodes[node].shown_in(group).into_iter();
    let texts = shown.filter_map(|shown| shown.message.text);
    texts.map(|text| text.to_string()).collect()
}

/// Of the last thing that was said its id, and how often each node sent it since.
fn copies(world: &World, group: SessionId) -> (EventId, BTreeMap<usize, usize>) {
    let shown = world.nodes[ANN].shown_in(group);
    let id = shown.last().unwrap().message.id;
    let mut copies = BTreeMap::new();
    for carried in &world.trail {
        if carried.events.contains(&id) {
            *copies.entry(carried.from).or_default() += 1;
        }
    }
    (id, copies)
}

/// NODE-1701: whoever says something sends it to a few, each gets it once, and its author learns who has it.
#[test]
fn what_is_said_goes_by_a_plan() {
    let (mut world, group) = company(1, 40);
    world.watches = true;
    let begun = world.now;
    world.say(7, group, "hello");
    world.until(|world| (0..40).all(|node| texts(world, node, group) == ["hello"]));
    assert!(world.now - begun < 2_000, "{} ms", world.now - begun);
    world.rest();
    let (_, copies) = copies(&world, group);
    assert!(copies[&7] <= 12, "{copies:?}");
    let sum: usize = copies.values().sum();
    assert!((39..=45).contains(&sum), "{copies:?}");
    let shown = world.nodes[7].shown_in(group).pop().unwrap();
    let reach = shown.reach.unwrap();
    assert_eq!((reach.devices, reach.of), (39, 39));
    world.check_same(&all(40), group);
    world.check_peace();
}

/// NODE-1705: who was away while something was said by a plan has it soon after they are back.
#[test]
fn who_was_away_is_brought_it() {
    let (mut world, group) = company(2, 20);
    for away in [3, 11] {
        world.walls.part(away, 1);
    }
    world.divide();
    pass(&mut world, MINUTE);
    world.say(5, group, "while they are away");
    pass(&mut world, MINUTE);
    let has = |world: &World, node| !texts(world, node, group).is_empty();
    let having: Vec<usize> = all(20)
        .into_iter()
        .filter(|node| has(&world, *node))
        .collect();
    let others: Vec<usize> = all(20)
        .into_iter()
        .filter(|it| ![3, 11].contains(it))
        .collect();
    assert_eq!(having, others);
    world.walls.fall();
    world.rest();
    world.check_same(&all(20), group);
    let shown = world.nodes[5].shown_in(group).pop().unwrap();
    let reach = shown.reach.unwrap();
    assert_eq!((reach.devices, reach.of), (19, 19));
    world.check_peace();
}

/// NODE-1704: what was said where nobody was is planned anew once somebody is, and does not wait for one to tell the next.
#[test]
fn what_was_said_alone_goes_by_a_plan_later() {
    let (mut world, group) = company(3, 53);
    world.walls.part(7, 1);
    world.divide();
    pass(&mut world, MINUTE);
    for text in ["one", "two", "three"] {
        world.say(7, group, text);
    }
    pass(&mut world, MINUTE);
    world.walls.fall();
    let all_have = |world: &World| {
        all(53)
            .into_iter()
            .all(|node| texts(world, node, group) == ["one", "two", "three"])
    };
    let took = world.until(all_have);
    // Redialling takes its time, then connections gather.
    assert!(took < 6 * MINUTE, "{took} ms");
    world.rest();
    world.check_same(&all(53), group);
    world.check_peace();
}

/// NODE-1706, NODE-1707: in a session of more than fifty nobody is connected with all, and what is said reaches all;
/// FAN-15: soon after all of them began in the same moment too.
#[test]
fn in_a_large_session_each_has_a_few_neighbours() {
    let (mut world, group) = company(4, 54);
    pass(&mut world, 61 * MINUTE);
    // Four that each dials, and those of Ann, whom all know: not the fifty of each while they were fewer.
    let stand = world.connected().len();
    assert!(stand <= 53 + 4 * 54, "{stand} connections");
    // The first thing that is said in an hour has its plan's connections made.
    world.say(5, group, "hello");
    pass(&mut world, MINUTE);
    world.watches = true;
    world.say(9, group, "hello");
    let took = world.until(|world| {
        all(54)
            .iter()
            .all(|node| texts(world, *node, group) == ["hello"])
    });
    assert!(took < 5_000, "{took} ms");
    world.rest();
    let (_, copies) = copies(&world, group);
    assert!(copies.values().all(|copies| *copies <= 60), "{copies:?}");
    assert!(copies.values().sum::<usize>() <= 53 * 5 / 4, "{copies:?}");
    let shown = world.nodes[9].shown_in(group).pop().unwrap();
    assert_eq!(shown.reach.unwrap().of, 53);
    assert!(shown.reach.unwrap().devices >= 45, "{:?}", shown.reach);
    // Nothing is owed to each by itself.
    for node in &world.nodes {
        assert_eq!(node.disk().waiting().unwrap(), [], "node {}", node.place());
    }
    world.check_same(&all(54), group);
    world.check_peace();

    for node in all(54) {
        world.switch_off(node);
    }
    pass(&mut world, MINUTE);
    for node in all(54) {
        world.switch_on(node);
    }
    pass(&mut world, 5_000);
    world.say(5, group, "good morning");
    let took = world.until(|world| {
        all(54)
            .iter()
            .all(|node| texts(world, *node, group).last().unwrap() == "good morning")
    });
    assert!(took < 1_000, "{took} ms");
}

/// NODE-1703: many speak at once; what comes before what it builds on waits for it, and nobody compares all for that.
#[test]
fn many_speak_at_once() {
    let (mut world, group) = company(5, 30);
    world.weather.delay = 400;
    for round in 0..5 {
        for node in [2, 9, 17, 25] {
            world.say(node, group, &format!("{round} of {node}"));
        }
        pass(&mut world, 150);
    }
    let begun = world.now;
    world.until(|world| {
        all(30)
            .iter()
            .all(|node| texts(world, *node, group).len() == 20)
    });
    assert!(world.now - begun < 10_000, "{} ms", world.now - begun);
    world.rest();
    world.check_same(&all(30), group);
    world.check_peace();
}

/// NODE-1706, DEL-4: what only my own devices have is delivered to nobody.
#[test]
fn in_a_large_session_too_own_devices_do_not_count() {
    let (mut world, group) = company_with(6, 52, Some(7));
    for own in [7, 52] {
        world.walls.part(own, 1);
    }
    world.divide();
    pass(&mut world, MINUTE);
    world.say(7, group, "alone");
    pass(&mut world, 3 * MINUTE);
    assert_eq!(texts(&world, 52, group), ["alone"]);
    let seen = |world: &World, node: usize| {
        let shown = world.nodes[node].shown_in(group).pop().unwrap();
        (
            shown.state,
            shown.reach.map(|reach| (reach.devices, reach.of)),
        )
    };
    let (state, reach) = seen(&world, 7);
    assert_eq!(state, State::Queued);
    assert_eq!(reach, Some((0, 51)));
    world.walls.fall();
    world.rest();
    for own in [7, 52] {
        assert_eq!(seen(&world, own).0, State::Delivered, "{own}");
    }
    world.check_same(&all(53), group);
    world.check_peace();
}

/// NODE-20, NODE-21: once a clock is right again that was a day ahead nobody is dialled in vain for ever: not those either
/// who called, and whose neighbour this device was by the turn of that clock.
#[test]
fn a_clock_that_is_right_again_leaves_nobody_dialled_in_vain() {
    const DAY: u64 = 24 * 60 * MINUTE;
    let (mut world, group) = company(7, 52);
    world.set_clock(9, DAY);
    pass(&mut world, 5 * MINUTE);
    world.say(5, group, "meanwhile");
    pass(&mut world, 5 * MINUTE);
    world.set_clock(9, 0);
    pass(&mut world, 30 * MINUTE);
    world.rest();
    world.check_same(&all(52), group);
    world.check_peace();
}
