//! What was said before somebody came is not for them: they hold its place, and not what it says.

use tenet_log::{
    event::Event,
    ids::SessionId,
    roster::{Addition, History, Op, Policy, Removal, Role},
    store::LogStore,
};
use tenet_sim::{World, machine::BEGINNING, node::Node};

const ANN: usize = 0;
const BERT: usize = 1;
const CLEO: usize = 2;
/// Another device of one of them.
const TABLET: usize = 3;

/// Ann has a group with Bert, in which both have spoken; Cleo is known to Ann and not in it. The tablet is Cleo's.
fn before(seed: u64) -> (World, SessionId) {
    before_with_tablet_of(seed, CLEO)
}

fn before_with_tablet_of(seed: u64, owner: usize) -> (World, SessionId) {
    let mut nodes: Vec<Node> = [ANN, BERT, CLEO]
        .map(|number| Node::new(number, 0, BEGINNING))
        .into();
    nodes.push(Node::of(owner, TABLET, 0, BEGINNING));
    let mut world = World::of(seed, nodes);
    for guest in [BERT, CLEO] {
        world.ask(ANN, tenet_sim::Act::Invite { to: guest });
        world.rest();
    }
    let with = vec![world.nodes[BERT].did()];
    let group = world.found(ANN, "walkers", with);
    world.rest();
    for node in [ANN, BERT] {
        world.say(node, group, "not for Cleo");
        world.rest();
    }
    (world, group)
}

fn add_cleo(world: &mut World, group: SessionId) {
    let added = Op::Add(Addition {
        identity: world.nodes[CLEO].identity(),
        role: Role::Member,
        floor: None,
    });
    world.operate(ANN, group, added);
    a_minute(world);
}

/// Long enough for all that can come, where somebody who is away is dialled for ever.
fn a_minute(world: &mut World) {
    let end = world.now + 60_000;
    while world.step_until(end) {}
}

fn texts(world: &World, node: usize, group: SessionId) -> Vec<String> {
    let shown = world.nodes[node].shown_in(group).into_iter();
    let texts = shown.map(|shown| shown.message.text.map(|text| text.to_string()));
    texts.map(Option::unwrap_or_default).collect()
}

fn held(world: &World, node: usize, group: SessionId) -> Vec<Event> {
    let all = world.nodes[node]
        .disk()
        .since(group, Default::default(), 1000);
    all.unwrap()
        .into_iter()
        .map(|stored| stored.event)
        .collect()
}

/// SYNC-801 to SYNC-803, ROS-515: on whichever of her devices, and after a restart.
#[test]
fn who_comes_later_does_not_get_what_was_said_before() {
    let (mut world, group) = before(11);
    add_cleo(&mut world, group);
    for node in [ANN, BERT, CLEO] {
        world.say(node, group, "for all");
        world.rest();
    }
    world.ask(CLEO, tenet_sim::Act::Invite { to: TABLET });
    world.rest();
    world.say(TABLET, group, "for all");
    world.rest();
    // Nothing of what the set is made of is withheld.
    world.check_same(&[ANN, BERT, CLEO, TABLET], group);
    for node in [ANN, BERT] {
        assert_eq!(texts(&world, node, group).len(), 6, "{node}");
    }
    for node in [CLEO, TABLET] {
        assert_eq!(texts(&world, node, group), ["for all"; 4], "{node}");
        let bare = held(&world, node, group);
        assert_eq!(bare.iter().filter(|event| event.is_bare()).count(), 2);
        let lacking = world.nodes[node].disk().lacking_sessions().unwrap();
        assert!(lacking.is_empty(), "nobody is asked for it");
    }
    world.check_peace();
}

/// NODE-31: who reaches nobody that has a body gets it from who was asked for it and got it later. Cleo is in anew, from
/// later on: she has the event without it, and the others know her.
#[test]
fn what_comes_bare_comes_whole_from_whoever_gets_it_first() {
    let (mut world, group) = before_with_tablet_of(15, BERT);
    world.ask(BERT, tenet_sim::Act::Invite { to: TABLET });
    world.rest();
    add_cleo(&mut world, group);
    let absent = [BERT, TABLET];
    absent.iter().for_each(|node| world.switch_off(*node));
    world.switch_off(CLEO);
    world.say(ANN, group, "for Bert");
    let removed = Op::Remove(Removal {
        identity: world.nodes[CLEO].identity(),
        shut_out: false,
    });
    world.operate(ANN, group, removed);
    add_cleo(&mut world, group);
    world.switch_on(CLEO);
    a_minute(&mut world);
    world.switch_off(ANN);
    absent.iter().for_each(|node| world.switch_on(*node));
    a_minute(&mut world);
    for node in absent {
        assert_eq!(texts(&world, node, group).last().unwrap(), "", "{node}");
    }
    world.walls.bar(ANN, TABLET);
    world.walls.bar(TABLET, ANN);
    world.switch_on(ANN);
    a_minute(&mut world);
    assert!(!world.connected().contains(&(ANN, TABLET)));
    for node in absent {
        let shown = texts(&world, node, group);
        assert_eq!(shown.last().unwrap(), "for Bert", "{node}");
    }
}

/// SYNC-803: what was passed over is asked for once it turns out to be for oneself.
#[test]
fn where_all_is_for_newcomers_they_get_all() {
    let (mut world, group) = before(12);
    let all = Policy {
        history: History::All,
        ..Policy::default()
    };
    world.operate(ANN, group, Op::Policy(all));
    world.rest();
    add_cleo(&mut world, group);
    world.check_same(&[ANN, BERT, CLEO], group);
    assert_eq!(texts(&world, CLEO, group), ["not for Cleo"; 2]);
    assert!(
        held(&world, CLEO, group)
            .iter()
            .all(|event| !event.is_bare())
    );
    world.check_peace();
}

/// SYNC-801: what nobody has heard yet is not delivered by being brought to whom it is not for.
#[test]
fn what_is_withheld_is_not_delivered() {
    let mut nodes: Vec<Node> = [ANN, BERT]
        .map(|number| Node::new(number, 0, BEGINNING))
        .into();
    nodes.truncate(2);
    let mut world = World::of(13, nodes);
    world.ask(ANN, tenet_sim::Act::Invite { to: BERT });
    world.rest();
    let group = world.found(ANN, "walkers", Vec::new());
    world.say(ANN, group, "to nobody");
    world.rest();
    let added = Op::Add(Addition {
        identity: world.nodes[BERT].identity(),
        role: Role::Member,
        floor: None,
    });
    world.operate(ANN, group, added);
    world.rest();
    world.say(ANN, group, "to Bert");
    world.rest();
    assert_eq!(texts(&world, BERT, group), ["to Bert"]);
    let shown = world.nodes[ANN].shown_in(group);
    let states: Vec<_> = shown.iter().map(|shown| shown.state).collect();
    assert_ne!(states[0], states[1]);
}
