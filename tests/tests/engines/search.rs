//! The words of messages are kept a moment after the messages, and never lost.

use tenet_apps::chat::search::SearchStore;
use tenet_sim::{
    Act, Script, World,
    script::{
        After::{Contact, Nothing},
        Deed::{Invite, Send},
        Line,
    },
};

use super::{ANN, BERT};

fn friends(seed: u64) -> World {
    let mut world = World::new(seed, &[0, 0]);
    world.play(&mut Script::new(&[
        Line(ANN, Nothing, Invite(BERT)),
        Line(ANN, Contact(BERT), Send(BERT, "the first")),
    ]));
    world
}

fn kept(world: &World, node: usize) -> bool {
    let disk = world.nodes[node].disk();
    !disk.has_after(disk.indexed_to().unwrap()).unwrap()
}

/// NODE-201: the lag is under a second, and there is one.
#[test]
fn words_are_kept_within_a_second() {
    let mut world = friends(1);
    let send = |text: &str| Act::Send {
        to: BERT,
        text: text.to_owned(),
        reply: None,
    };
    world.ask(ANN, send("one"));
    world.ask(ANN, send("two"));
    while world.nodes[BERT].history(world.nodes[ANN].identity()).len() < 3 {
        assert!(world.step());
    }
    let here = world.now;
    assert!(!kept(&world, ANN) && !kept(&world, BERT));
    while !(kept(&world, ANN) && kept(&world, BERT)) {
        assert!(world.step());
    }
    assert!(world.now - here < 1_000, "{} ms", world.now - here);
    world.rest();
    world.check_pair(ANN, BERT);
}

/// NODE-201: what a process that ended had not come to is taken up by the next.
#[test]
fn a_new_process_goes_on_where_the_old_one_was() {
    let mut world = friends(2);
    for number in 0..300 {
        world.ask(
            ANN,
            Act::Send {
                to: BERT,
                text: format!("number {number}"),
                reply: None,
            },
        );
    }
    while world.nodes[ANN].history(world.nodes[BERT].identity()).len() < 301 {
        assert!(world.step());
    }
    assert!(!kept(&world, ANN));
    world.kill(ANN);
    world.rest();
    world.check_pair(ANN, BERT);
    world.check_peace();
}
