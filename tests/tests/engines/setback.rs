//! A device is set back to an earlier state of its store: it notices, goes on under another key, and nothing that was
//! said is lost.

use tenet_identity::keys::DeviceId;
use tenet_node::{command::CommandError, input::Notice};
use tenet_sim::{Act, World, machine::BEGINNING, node::Node};

const ANN: usize = 0;
const BERT: usize = 1;

/// Longer than the longest wait of a redial.
const SOON: u64 = 20 * 60 * 1000;

fn pass(world: &mut World) {
    let end = world.now + SOON;
    while world.step_until(end) {}
}

fn send(world: &mut World, from: usize, text: &str) {
    let (to, text, reply) = (ANN + BERT - from, text.to_owned(), None);
    world.ask(from, Act::Send { to, text, reply });
    pass(world);
}

fn texts(world: &World, node: usize) -> Vec<String> {
    let other = world.nodes[ANN + BERT - node].identity();
    let shown = world.nodes[node].history(other).into_iter();
    let texts = shown.filter_map(|shown| shown.message.text);
    texts.map(|text| text.to_string()).collect()
}

/// Ann's device is set back to before her second message, and is then the only one that runs.
fn set_back(seed: u64) -> World {
    let nodes = [ANN, BERT].map(|number| Node::new(number, 0, BEGINNING));
    let mut world = World::of(seed, nodes.into());
    world.ask(ANN, Act::Invite { to: BERT });
    world.rest();
    send(&mut world, ANN, "one");
    world.nodes[ANN].copy();
    send(&mut world, ANN, "two");
    send(&mut world, BERT, "two it is");
    send(&mut world, ANN, "three");
    world.walls.part(BERT, 1);
    world.divide();
    world.set_back(ANN);
    pass(&mut world);
    assert_eq!(texts(&world, ANN), ["one"]);
    world
}

fn meet(world: &mut World) {
    world.walls.fall();
    pass(world);
}

fn noticed(world: &World) -> usize {
    let told = world.nodes[ANN].notices.iter();
    told.filter(|notice| matches!(notice, Notice::SetBack))
        .count()
}

/// What the shell does when it is told.
fn go_on(world: &mut World) -> DeviceId {
    let former = world.nodes[ANN].own().device();
    world.kill(ANN);
    let now = world.now;
    world.nodes[ANN].rekey(ANN, 77, now);
    pass(world);
    former
}

fn revoke_former(world: &mut World) {
    world.revoke_former(ANN, ANN);
    pass(world);
}

fn check(world: &World, former: DeviceId) {
    let bert = world.nodes[BERT].identity();
    for session in world.nodes[ANN].sessions_with(bert) {
        world.check_same(&[ANN, BERT], session);
    }
    assert_eq!(texts(world, BERT), texts(world, ANN));
    let told = &world.nodes[BERT].notices;
    let revoked = |notice: &&Notice| matches!(notice, Notice::DeviceRevoked { device, .. } if *device == former);
    assert_eq!(told.iter().filter(revoked).count(), 1);
}

/// BACK-1 to BACK-5: it said nothing meanwhile, so nothing is void.
#[test]
fn a_device_that_was_set_back_goes_on_under_another_key() {
    let mut world = set_back(1);
    meet(&mut world);
    assert_eq!(noticed(&world), 1);
    assert_eq!(texts(&world, ANN), ["one", "two", "two it is", "three"]);
    // Until it has another key it writes nothing, and says why.
    send(&mut world, ANN, "lost?");
    assert!(
        matches!(world.refused.pop(), Some((_, CommandError::Refused(why))) if why.contains("set back"))
    );
    let former = go_on(&mut world);
    send(&mut world, ANN, "four");
    revoke_former(&mut world);
    assert_eq!(
        texts(&world, BERT),
        ["one", "two", "two it is", "three", "four"]
    );
    check(&world, former);
    world.check_peace();
}

/// BACK-4: what it said before it noticed does not count, and is said again.
#[test]
fn what_was_said_in_two_histories_is_said_again() {
    let mut world = set_back(2);
    send(&mut world, ANN, "is anybody there?");
    let id = world.nodes[ANN].history(world.nodes[BERT].identity())[1]
        .message
        .id;
    world.ask(
        ANN,
        Act::Edit {
            id,
            text: "is Bert there?".into(),
        },
    );
    meet(&mut world);
    assert_eq!(noticed(&world), 1);
    let former = go_on(&mut world);
    revoke_former(&mut world);
    let mut all = texts(&world, BERT);
    all.sort();
    assert_eq!(all, ["is Bert there?", "one", "three", "two", "two it is"]);
    check(&world, former);
}

/// BACK-5: what comes of a former key after its revocation is said again as well.
#[test]
fn what_comes_late_of_a_former_key_is_said_again() {
    let mut world = set_back(3);
    // By hand, and before Bert was met.
    let former = world.nodes[ANN].own().device();
    world.kill(ANN);
    let now = world.now;
    world.nodes[ANN].rekey(ANN, 77, now);
    pass(&mut world);
    world.revoke_by_id(ANN, ANN, former.to_string());
    pass(&mut world);
    send(&mut world, ANN, "it is me");
    meet(&mut world);
    let mut all = texts(&world, ANN);
    all.sort();
    assert_eq!(all, ["it is me", "one", "three", "two", "two it is"]);
    check(&world, former);
    world.check_peace();
}
