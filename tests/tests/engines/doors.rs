//! Doors: whether anybody may ask who knows a DID.

use tenet_apps::contacts::store::ContactStore;
use tenet_identity::{
    hello::Role,
    meeting::{
        door::{self, Place},
        invite::{InviteId, Secret},
        knock::{Message, Reason},
        link::Link,
    },
};
use tenet_node::{
    command::{Command, CommandError},
    frame::Frame,
    input::CloseReason,
};
use tenet_sim::{
    Act, World,
    rogue::{Bench, Rogue},
};

use super::{
    ANN, BERT,
    requests::{accepts, are_contacts, is_requested, requests},
};

fn opens(with: usize) -> Act {
    Act::Do {
        with,
        command: |_| Command::OpenDoor { question: None },
    }
}

fn shuts(with: usize) -> Act {
    Act::Do {
        with,
        command: |_| Command::CloseDoor,
    }
}

/// What Bert works out from Ann's DID and where she is.
fn door_of(world: &World, node: usize) -> Act {
    let node = &world.nodes[node];
    let place = Place {
        endpoint: node.endpoint(),
        addresses: vec![node.address],
    };
    let link = Box::new(door::link(node.identity(), place).unwrap());
    Act::Accept { link }
}

/// CON-106, DOOR-101.
#[test]
fn at_an_open_door_anybody_may_ask_who_knows_the_did() {
    let mut world = World::new(1, &[0, 0]);
    world.ask(ANN, opens(BERT));
    world.until(|world| !world.nodes[ANN].disk().invites().unwrap().is_empty());
    let door = door_of(&world, ANN);
    world.ask(BERT, door);
    world.until(|world| is_requested(&world.nodes[BERT]));
    // Shutting it changes nothing for who is waiting.
    world.ask(ANN, shuts(BERT));
    let later = world.now + 60 * 60 * 1000;
    while world.step_until(later) {}
    assert!(is_requested(&world.nodes[BERT]));
    assert_eq!(requests(&world.nodes[ANN]).len(), 1);
    world.ask(ANN, accepts(BERT));
    world.until(are_contacts);
    world.rest();
    world.check_pair(ANN, BERT);
    world.check_peace();
}

/// CON-101: two who both want it need no door to stay open, and nobody is asked.
#[test]
fn two_who_knock_at_each_others_doors_meet() {
    let mut world = World::new(2, &[0, 0]);
    for (one, other) in [(ANN, BERT), (BERT, ANN)] {
        world.ask(one, opens(other));
    }
    world.until(|world| {
        let mut nodes = world.nodes.iter();
        nodes.all(|node| node.engine().is_some() && !node.disk().invites().unwrap().is_empty())
    });
    for (one, other) in [(ANN, BERT), (BERT, ANN)] {
        let door = door_of(&world, other);
        world.ask(one, door);
    }
    world.until(are_contacts);
    world.rest();
    world.check_pair(ANN, BERT);
    assert_eq!(requests(&world.nodes[ANN]), []);
    assert_eq!(requests(&world.nodes[BERT]), []);
}

/// CON-9: a request that waits does not keep another link of the same person from being taken.
#[test]
fn a_link_is_taken_while_a_request_waits() {
    let mut world = World::new(3, &[0, 0]);
    world.ask(ANN, opens(BERT));
    world.until(|world| !world.nodes[ANN].disk().invites().unwrap().is_empty());
    let door = door_of(&world, ANN);
    world.ask(BERT, door);
    world.until(|world| is_requested(&world.nodes[BERT]));
    world.ask(ANN, Act::Invite { to: BERT });
    let took = world.until(are_contacts);
    assert!(took < 5_000, "{took} ms");
    // The door leads to the same contact, without a word.
    world.rest();
    world.check_pair(ANN, BERT);
    assert_eq!(requests(&world.nodes[ANN]), []);
}

fn door(bench: &Bench) -> Link {
    let place = Place {
        endpoint: bench.engine.own().endpoint,
        addresses: vec!["10.0.0.1:4000".parse().unwrap()],
    };
    door::link(bench.engine.own().identity(), place).unwrap()
}

/// What a stranger hears who knocks, and what became of its connection.
fn knocks(
    bench: &mut Bench,
    rogue: &Rogue,
    id: InviteId,
    secret: &Secret,
) -> (Vec<Vec<u8>>, Option<CloseReason>) {
    let (line, _) = bench.connect(rogue, Role::Dialled);
    bench.frame(line, &rogue.hello(bench, line));
    let done = bench.frame(line, &rogue.knock(bench, line, id, secret));
    let reason = done.reason(line);
    (done.said.iter().map(Frame::encode).collect(), reason)
}

/// CON-106, NODE-6: a door that is shut cannot be told from one that never was.
#[test]
fn a_shut_door_is_no_door() {
    let (mut bench, rogue) = (Bench::new(0), Rogue::new(1));
    let link = door(&bench);
    let (id, secret) = (link.invite().id(), &link.ext().secret);
    let unknown = knocks(&mut bench, &rogue, InviteId::from([9; 16]), secret);
    let refused = Message::Refused(Reason::Unknown.into());
    assert_eq!(unknown.0, [tenet_sim::rogue::said(&refused).encode()]);
    assert_eq!(
        knocks(&mut bench, &rogue, id, secret),
        unknown,
        "never opened"
    );
    bench.ask(Command::OpenDoor { question: None }).unwrap();
    bench.ask(Command::CloseDoor).unwrap();
    let before = bench.engine.store().invite(id).unwrap();
    assert_eq!(knocks(&mut bench, &rogue, id, secret), unknown, "shut");
    assert_eq!(bench.engine.store().invite(id).unwrap(), before);
    assert_eq!(bench.engine.store().requests().unwrap(), []);
    bench.ask(Command::OpenDoor { question: None }).unwrap();
    assert_ne!(knocks(&mut bench, &rogue, id, secret), unknown, "open");
    assert_eq!(bench.engine.store().requests().unwrap().len(), 1);
    // It is no link: it is shut, not revoked.
    let id = id.to_string();
    let revoked = bench.ask(Command::RevokeInvite { id });
    assert!(matches!(revoked, Err(CommandError::NotFound(_))));
}

#[test]
fn a_door_may_ask_something_first() {
    let (mut bench, rogue) = (Bench::new(0), Rogue::new(1));
    let question = Some("Who sent you?".to_owned());
    bench.ask(Command::OpenDoor { question }).unwrap();
    let link = door(&bench);
    let (id, secret) = (link.invite().id(), &link.ext().secret);
    let (said, _) = knocks(&mut bench, &rogue, id, secret);
    let Frame::Knock(bytes) = Frame::decode(&said[0]).unwrap() else {
        panic!("{said:?}")
    };
    let Message::Refused(refusal) = Message::from_bytes(&bytes).unwrap() else {
        panic!()
    };
    assert_eq!(refusal.reason, Reason::Question);
    assert_eq!(refusal.remark.as_deref(), Some("Who sent you?"));
    assert_eq!(bench.engine.store().requests().unwrap(), []);
}
