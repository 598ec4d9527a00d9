//! Sessions of many: whoever was let in is heard also where nobody has heard of it yet.

use tenet_log::{
    ids::SessionId,
    roster::{Addition, Op, Role},
};
use tenet_sim::{Act, World, machine::BEGINNING, node::Node};

const ANN: usize = 0;
const BERT: usize = 1;
const CLEO: usize = 2;

/// Longer than the longest wait of a redial.
const SOON: u64 = 20 * 60 * 1000;

/// Three who know each other, two of whom are in a session that Ann founded.
fn two_of_three(seed: u64) -> (World, SessionId) {
    let nodes = (0..3).map(|number| Node::new(number, 0, BEGINNING));
    let mut world = World::of(seed, nodes.collect());
    for (one, other) in [(ANN, BERT), (ANN, CLEO), (BERT, CLEO)] {
        world.ask(one, Act::Invite { to: other });
        world.rest();
    }
    let with = vec![world.nodes[BERT].did()];
    let group = world.found(ANN, "walkers", with);
    world.rest();
    (world, group)
}

/// Who is away is dialled for ever, so there is no rest.
fn only_without(world: &mut World, away: usize) {
    world.walls.fall();
    world.walls.part(away, 1);
    world.divide();
    let end = world.now + SOON;
    while world.step_until(end) {}
}

fn add(world: &World, node: usize) -> Op {
    Op::Add(Addition {
        identity: world.nodes[node].identity(),
        role: Role::Member,
        floor: None,
    })
}

fn texts(world: &World, node: usize, group: SessionId) -> Vec<String> {
    let shown = world.nodes[node].shown_in(group).into_iter();
    let texts = shown.filter_map(|shown| shown.message.text);
    texts.map(|text| text.to_string()).collect()
}

/// NODE-38, SYNC-12: Ann adds Cleo and is gone before Bert hears of it; Cleo shows him.
#[test]
fn who_was_added_shows_it_to_whoever_has_not_heard() {
    let (mut world, group) = two_of_three(1);
    only_without(&mut world, BERT);
    let addition = add(&world, CLEO);
    world.operate(ANN, group, addition);
    only_without(&mut world, BERT);
    only_without(&mut world, ANN);
    world.say(CLEO, group, "hello");
    world.say(BERT, group, "who are you?");
    only_without(&mut world, ANN);
    world.check_same(&[BERT, CLEO], group);
    for node in [BERT, CLEO] {
        let mut texts = texts(&world, node, group);
        texts.sort();
        assert_eq!(texts, ["hello", "who are you?"]);
    }
}
