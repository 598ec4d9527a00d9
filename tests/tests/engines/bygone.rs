//! Sessions that a person is out of, on a device that comes later (NODE-109).

use tenet_delivery::{
    outbox::Outbox,
    state::{Failure, State},
};
use tenet_log::{
    ids::SessionId,
    roster::{Addition, Member, Op, Removal, Role},
    session::Session,
};
use tenet_node::command::CommandError;
use tenet_sim::{Act, Kill, World, errors, machine::BEGINNING, node::Node};

use super::{
    ANN, BERT,
    devices::{TABLET, identity, kills, pass},
};

const CLEO: usize = 3;

/// Ann, Bert and Cleo in a group that Bert founded, with something said. Ann's tablet is not linked yet.
fn talked(seed: u64) -> (World, SessionId) {
    talked_with(seed, &[])
}

/// And further ones whom nobody knows, as persons and places.
fn talked_with(seed: u64, further: &[(usize, usize)]) -> (World, SessionId) {
    let people = [(ANN, ANN), (BERT, BERT), (ANN, TABLET), (2, CLEO)];
    let people = people.iter().chain(further);
    let nodes = people.map(|(person, place)| Node::of(*person, *place, 0, BEGINNING));
    let mut world = World::of(seed, nodes.collect());
    for guest in [ANN, CLEO] {
        world.ask(BERT, Act::Invite { to: guest });
        world.rest();
    }
    let with = [ANN, CLEO].map(|node| world.nodes[node].did());
    let group = world.found(BERT, "walkers", with.into());
    world.rest();
    for (node, text) in [(ANN, "when?"), (BERT, "at nine"), (CLEO, "too early")] {
        world.say(node, group, text);
        world.rest();
    }
    (world, group)
}

fn link_the_tablet(world: &mut World) {
    world.ask(ANN, Act::Invite { to: TABLET });
    world.rest();
}

/// The tablet has all that the phone has, and nobody else has ever heard of it there.
fn check(world: &World, group: SessionId) {
    world.check_same(&[ANN, TABLET], group);
    let texts = |node: usize| -> Vec<_> {
        let shown = world.nodes[node].shown_in(group).into_iter();
        shown.map(|shown| shown.message.text).collect()
    };
    assert!(texts(ANN).len() >= 3);
    assert_eq!(texts(TABLET), texts(ANN));
    let tablet = world.nodes[TABLET].own().device();
    for node in [ANN, BERT, CLEO, TABLET] {
        let session = Session::load(world.nodes[node].disk(), group).unwrap();
        assert!(!session.unwrap().has_seen(tablet), "node {node}");
    }
    assert_eq!(world.nodes[TABLET].disk().waiting().unwrap(), []);
    world.check_peace();
}

#[test]
fn a_new_device_is_brought_what_was_left() {
    for seed in 0..10 {
        let (mut world, group) = talked(seed);
        world.operate(ANN, group, Op::Leave);
        world.rest();
        link_the_tablet(&mut world);
        check(&world, group);
    }
}

/// DEL-6: what others have built on is with them, and of the rest nobody says that it failed for want of people.
#[test]
fn a_new_device_knows_what_arrived_as_far_as_it_can() {
    let (mut world, group) = talked(1);
    world.say(ANN, group, "then without me");
    world.operate(ANN, group, Op::Leave);
    world.rest();
    link_the_tablet(&mut world);
    let shown = world.nodes[TABLET].shown_in(group).into_iter();
    let mine = shown.filter(|shown| shown.message.identity == identity(&world, ANN));
    let states: Vec<State> = mine.map(|shown| shown.state).collect();
    assert_eq!(states, [State::Delivered, State::Failed(Failure::NotKnown)]);
}

#[test]
fn a_new_device_says_why_nothing_can_be_said_there() {
    let (mut world, group) = talked(1);
    world.operate(ANN, group, Op::Leave);
    world.rest();
    link_the_tablet(&mut world);
    world.say(TABLET, group, "are you there?");
    world.rest();
    let refused = world.refused.pop();
    assert!(
        matches!(&refused, Some((_, CommandError::Refused(why))) if why.contains("you left it")),
        "{refused:?}"
    );
}

#[test]
fn a_new_device_is_brought_what_one_was_removed_from_and_joins_once_let_in_again() {
    let (mut world, group) = talked(1);
    let removal = Removal {
        identity: identity(&world, ANN),
        shut_out: false,
    };
    world.operate(BERT, group, Op::Remove(removal));
    world.rest();
    world.say(BERT, group, "among us");
    world.rest();
    link_the_tablet(&mut world);
    check(&world, group);

    let addition = Addition {
        identity: identity(&world, ANN),
        role: Role::Member,
        floor: None,
    };
    world.operate(BERT, group, Op::Add(addition));
    world.rest();
    world.say(TABLET, group, "we are back");
    world.rest();
    world.check_same(&[ANN, BERT, CLEO, TABLET], group);
    world.check_peace();
}

/// NODE-17: whichever process ends, nobody joins by the half that is there.
#[test]
fn a_device_that_died_with_half_of_it_does_not_join() {
    let left = |kills: &[Kill]| {
        let (mut world, group) = talked(1);
        world.operate(ANN, group, Op::Leave);
        world.rest();
        world.kills = kills.to_vec();
        (world, group)
    };
    let story = |kills: &[Kill]| {
        let (mut world, group) = left(kills);
        world.ask(ANN, Act::Invite { to: TABLET });
        while world.step() {}
        world.rest_after_kills();
        check(&world, group);
        world
    };
    for kill in kills(&[TABLET], &left(&[]).0, &story(&[])) {
        let (_, errors) = errors::during(|| story(&[kill]));
        assert!(errors.is_empty(), "{kill:?}: {errors:?}");
    }
}

/// NODE-109: what came bare while one of them did not know yet that they are out is shown by neither.
#[test]
fn what_came_bare_before_one_heard_of_it_is_shown_on_none() {
    const DORA: usize = 4;
    let (mut world, group) = talked_with(1, &[(3, DORA)]);
    link_the_tablet(&mut world);
    for host in [ANN, BERT] {
        world.ask(host, Act::Invite { to: DORA });
        world.rest();
    }
    let owner = Member {
        identity: identity(&world, CLEO),
        role: Role::Owner,
    };
    world.operate(BERT, group, Op::Promote(owner));
    world.rest();

    part(&mut world, &[(ANN, 1), (CLEO, 1), (TABLET, 2)]);
    world.say(BERT, group, "before Dora came");
    let addition = Addition {
        identity: identity(&world, DORA),
        role: Role::Member,
        floor: None,
    };
    world.operate(BERT, group, Op::Add(addition));
    let removal = Removal {
        identity: identity(&world, ANN),
        shut_out: false,
    };
    world.operate(CLEO, group, Op::Remove(removal));
    pass(&mut world);
    part(&mut world, &[(DORA, 2)]);
    world.say(DORA, group, "hello");
    pass(&mut world);
    assert_eq!(lacking(&world, TABLET, group), 1);
    world.walls.fall();
    pass(&mut world);
    for node in [ANN, TABLET] {
        assert_eq!(lacking(&world, node, group), 0, "node {node}");
    }
    world.check_same(&[ANN, TABLET], group);
    world.check_same(&[BERT, CLEO, DORA], group);
    world.check_peace();
}

/// Of how many messages what they say is shown as lacking.
fn lacking(world: &World, node: usize, group: SessionId) -> usize {
    let shown = world.nodes[node].shown_in(group).into_iter();
    shown.filter(|shown| shown.message.missing).count()
}

fn part(world: &mut World, sides: &[(usize, u8)]) {
    for (node, side) in sides {
        world.walls.part(*node, *side);
    }
    world.divide();
    pass(world);
}
