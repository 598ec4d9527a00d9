//! One person on several devices, and sessions of many: whoever has a place is brought what there is.

use tenet_identity::keys::IdentityId;
use tenet_log::roster::{Addition, Op, Role};
use tenet_tests::world::{Act, Kill, Moment, World, errors, machine::BEGINNING, node::Node};

const ANN: usize = 0;
const BERT: usize = 1;
/// Ann's second device, which knows the phrase and nothing else.
const TABLET: usize = 2;

/// Ann and Bert, and a second device of Ann's.
fn three(seed: u64) -> World {
    let tablet = Node::of(ANN, TABLET, 0, BEGINNING);
    let nodes = vec![
        Node::new(ANN, 0, BEGINNING),
        Node::new(BERT, 0, BEGINNING),
        tablet,
    ];
    World::of(seed, nodes)
}

fn send(world: &mut World, from: usize, to: usize, text: &str) {
    let text = text.to_owned();
    let reply = None;
    world.ask(from, Act::Send { to, text, reply });
}

/// Ann and Bert have met and talked.
fn talked(seed: u64) -> World {
    let mut world = three(seed);
    world.ask(ANN, Act::Invite { to: BERT });
    world.rest();
    for (from, to, text) in [(ANN, BERT, "before the tablet"), (BERT, ANN, "hello")] {
        send(&mut world, from, to, text);
        world.rest();
    }
    world
}

/// Then Ann's tablet takes a link of her phone.
fn restored(seed: u64, kills: &[Kill]) -> World {
    let mut world = talked(seed);
    world.ask(ANN, Act::Invite { to: TABLET });
    world.kills = kills.to_vec();
    while world.step() {}
    world.rest_after_kills();
    world
}

fn identity(world: &World, node: usize) -> IdentityId {
    world.nodes[node].identity()
}

fn texts(world: &World, node: usize, with: usize) -> Vec<String> {
    let shown = world.nodes[node].history(identity(world, with));
    let texts = shown.into_iter().filter_map(|shown| shown.message.text);
    texts.map(|text| text.to_string()).collect()
}

/// NODE-32 to NODE-37: with nothing but the phrase and a link of another own device.
#[test]
fn a_restored_device_is_brought_everything() {
    let mut world = restored(1, &[]);
    assert_eq!(texts(&world, TABLET, BERT), ["before the tablet", "hello"]);
    send(&mut world, TABLET, BERT, "from the tablet");
    send(&mut world, BERT, ANN, "where are you?");
    world.rest();
    assert_eq!(texts(&world, ANN, BERT).len(), 4);
    check(&world);
    let own = world.nodes[ANN].engine().unwrap().own_sessions();
    assert_eq!(own.len(), 2, "the tablet had founded one of its own");
}

/// All three hold and show the same, and nobody complains.
fn check(world: &World) {
    let all = texts(world, ANN, BERT);
    assert_eq!(texts(world, BERT, ANN), all);
    assert_eq!(texts(world, TABLET, BERT), all);
    for session in world.nodes[ANN].sessions_with(identity(world, BERT)) {
        world.check_same(&[ANN, BERT, TABLET], session);
    }
    let own = |node: usize| world.nodes[node].engine().unwrap().own_sessions();
    assert_eq!(own(ANN), own(TABLET));
    for session in own(ANN) {
        world.check_same(&[ANN, TABLET], session);
    }
    world.check_peace();
}

/// NODE-17: whichever process ends at whichever commit.
#[test]
fn a_device_is_restored_whatever_dies() {
    let (before, calm) = (talked(1), restored(1, &[]));
    for node in [ANN, BERT, TABLET] {
        for batch in before.nodes[node].batches..calm.nodes[node].batches {
            for moment in [Moment::Before, Moment::After(0), Moment::After(1)] {
                let kill = Kill {
                    node,
                    batch,
                    moment,
                };
                let (world, errors) = errors::during(|| restored(1, &[kill]));
                assert!(errors.is_empty(), "{kill:?}: {errors:?}");
                assert_eq!(texts(&world, ANN, BERT).len(), 2, "{kill:?}");
                check(&world);
            }
        }
    }
}

/// Lets an hour pass: who is lost is dialled for ever.
fn pass(world: &mut World) {
    let end = world.now + 60 * 60 * 1000;
    while world.step_until(end) {}
}

/// NODE-32: nobody of Ann's devices is left; Bert has what was said, whoever takes whose link.
#[test]
fn a_contact_brings_what_was_said() {
    for (inviter, guest) in [(TABLET, BERT), (BERT, TABLET)] {
        let mut world = three(2);
        world.ask(ANN, Act::Invite { to: BERT });
        world.rest();
        send(&mut world, BERT, ANN, "keep this");
        world.rest();
        world.nodes[ANN].lost = true;
        world.kill(ANN);
        world.ask(inviter, Act::Invite { to: guest });
        pass(&mut world);
        assert_eq!(texts(&world, TABLET, BERT), ["keep this"]);
        send(&mut world, TABLET, BERT, "I have it again");
        pass(&mut world);
        assert_eq!(texts(&world, BERT, ANN).len(), 2);
        for session in world.nodes[TABLET].sessions_with(identity(&world, BERT)) {
            world.check_same(&[BERT, TABLET], session);
        }
        world.check_peace();
    }
}

/// NODE-502, NODE-32: whoever is named comes in, whoever is added later too, with all their devices.
#[test]
fn a_group_is_founded_and_grows() {
    let (cleo, dora) = (3, 4);
    let mut nodes: Vec<Node> = [ANN, BERT]
        .map(|number| Node::new(number, 0, BEGINNING))
        .into();
    nodes.push(Node::of(ANN, TABLET, 0, BEGINNING));
    nodes.extend([cleo, dora].map(|number| Node::of(number - 1, number, 0, BEGINNING)));
    let mut world = World::of(3, nodes);
    for (inviter, guest) in [(ANN, BERT), (ANN, cleo), (ANN, TABLET), (BERT, dora)] {
        world.ask(inviter, Act::Invite { to: guest });
        world.rest();
    }
    let with = vec![world.nodes[BERT].did(), world.nodes[cleo].did()];
    let group = world.found(ANN, "walkers", with);
    world.rest();
    world.check_same(&[ANN, BERT, TABLET, cleo], group);
    let added = Op::Add(Addition {
        identity: identity(&world, dora),
        role: Role::Member,
        floor: None,
    });
    world.operate(ANN, group, added);
    world.rest();
    // Dora knows Bert alone; he brings her in, and from then on she knows all.
    let all = [ANN, BERT, TABLET, cleo, dora];
    world.check_same(&all, group);
    for node in all {
        world.say(node, group, &format!("{node} is here"));
    }
    world.rest();
    world.check_same(&all, group);
    for node in all {
        let shown = world.nodes[node].shown_in(group);
        assert_eq!(shown.len(), all.len(), "{node}");
    }
    world.check_peace();
}
