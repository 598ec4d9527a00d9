//! What is said of a device that is one's own no more.

use tenet_apps::chat::told::Told;
use tenet_identity::keys::DeviceId;
use tenet_log::{
    ids::SessionId,
    session::Session,
    store::{LogStore, Position},
};
use tenet_sim::{Act, World, machine::BEGINNING, node::Node};

use super::{
    ANN, BERT,
    devices::{TABLET, pass, restored},
};

const WATCH: usize = 3;

/// Ann on a phone, a tablet and a watch; Bert founded three groups with her.
fn groups(seed: u64) -> (World, Vec<SessionId>) {
    let mut nodes: Vec<Node> = [ANN, BERT]
        .map(|number| Node::new(number, 0, BEGINNING))
        .into();
    nodes.extend([TABLET, WATCH].map(|place| Node::of(ANN, place, 0, BEGINNING)));
    let mut world = World::of(seed, nodes);
    for guest in [BERT, TABLET, WATCH] {
        world.ask(ANN, Act::Invite { to: guest });
        world.rest();
    }
    let found = |name| {
        let with = vec![world.nodes[ANN].did()];
        let group = world.found(BERT, name, with);
        world.rest();
        group
    };
    let groups = ["walkers", "singers", "readers"].map(found);
    (world, groups.into())
}

/// How often a session is told that a device was revoked.
fn told(world: &World, session: SessionId) -> usize {
    let all = world.nodes[BERT].disk();
    let all = all.since(session, Position::default(), usize::MAX).unwrap();
    let told = all.iter().filter_map(|stored| Told::of(&stored.event));
    told.filter(|told| matches!(told, Told::DeviceRevoked(..)))
        .count()
}

/// NODE-604: a device that hears of it in one session leaves it to who revoked to say so in the others.
#[test]
fn a_revocation_is_said_once_in_each_session() {
    for seed in 0..8 {
        let (mut world, groups) = groups(seed);
        world.revoke(ANN, ANN, WATCH);
        pass(&mut world);
        for group in groups {
            assert_eq!(told(&world, group), 1, "{seed}");
        }
    }
}

/// NODE-604: also in a session of which whoever revokes it has not heard yet, and where that one ends meanwhile.
#[test]
fn a_revoked_device_is_out_of_what_it_entered_alone() {
    for ends in [false, true] {
        let mut world = restored(9, &[]);
        let tablet = world.nodes[TABLET].own().device();
        world.switch_off(ANN);
        let with = vec![world.nodes[ANN].did()];
        let group = world.found(BERT, "walkers", with);
        pass(&mut world);
        let is_in = |world: &World, node: usize, device: DeviceId| {
            let session = Session::load(world.nodes[node].disk(), group).unwrap();
            session.is_some_and(|session| session.roster().author(device).is_some())
        };
        assert!(is_in(&world, BERT, tablet), "it was brought it");
        world.switch_off(TABLET);
        world.switch_off(BERT);
        world.switch_on(ANN);
        world.revoke(ANN, ANN, TABLET);
        pass(&mut world);
        world.switch_on(BERT);
        let phone = world.nodes[ANN].own().device();
        while !is_in(&world, ANN, phone) {
            assert!(world.step());
        }
        if ends {
            let soon = world.now + 20_000;
            while world.step_until(soon) {}
            world.kill(ANN);
            // It may not live long this time either.
            let soon = world.now + 5_000;
            while world.step_until(soon) {}
        } else {
            pass(&mut world);
        }
        assert!(!is_in(&world, BERT, tablet), "revoked, ends: {ends}");
    }
}
