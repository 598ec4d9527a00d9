//! What a failing disk spoilt comes again from the other side.

use tenet_log::{
    ids::{EventId, SessionId},
    store::LogStore,
    sync::{EncodedEvent, Message},
};
use tenet_node::{frame::Frame, input::Notice};
use tenet_sim::{
    Act, Script, World,
    rogue::{Bench, Rogue},
    script::{
        After::{Contact, Message as Said, Nothing},
        Deed::{Edit, Invite, React, Send},
        Line,
    },
};
use tenet_store::Spoil;

const ANN: usize = 0;
const BERT: usize = 1;

/// Two who have talked, and are connected.
fn talked() -> World {
    let mut world = World::new(11, &[0, 0]);
    world.play(&mut Script::new(&[
        Line(ANN, Nothing, Invite(BERT)),
        Line(ANN, Contact(BERT), Send(BERT, "one")),
        Line(ANN, Contact(BERT), Send(BERT, "tow")),
        Line(ANN, Said("tow"), Edit("tow", "two")),
        Line(BERT, Said("one"), React("one", "👍")),
        Line(BERT, Contact(ANN), Send(ANN, "three")),
    ]));
    world
}

fn session(world: &World) -> SessionId {
    world.nodes[ANN].sessions_with(world.nodes[BERT].identity())[0]
}

fn events(world: &World, node: usize) -> Vec<(EventId, bool)> {
    let all = world.nodes[node]
        .disk()
        .since(session(world), Default::default(), 100);
    let all = all.unwrap().into_iter();
    all.map(|stored| (stored.event.id(), stored.event.body().is_some()))
        .collect()
}

/// Spoils everything that can be spoilt of these events.
fn spoil(world: &World, node: usize, ids: &[(EventId, bool)]) {
    let store = world.nodes[node].disk().store();
    for (number, (id, has_body)) in ids.iter().enumerate() {
        let what = match number % 3 {
            0 => Spoil::Signature,
            1 if *has_body => Spoil::Body,
            _ => Spoil::Header,
        };
        store.spoil(*id, what).unwrap();
    }
}

fn mend(world: &mut World, node: usize) {
    let events = world.nodes[node].disk().store().audit().unwrap().damaged;
    world.ask(node, Act::Mend { events });
}

/// NODE-305, STORE-301: events of both sides are spoilt on one of them.
#[test]
fn what_was_spoilt_comes_again_from_the_other_side() {
    for node in [ANN, BERT] {
        let mut world = talked();
        let whole = world.nodes[node].disk().store().audit().unwrap();
        assert!(whole.is_well() && whole.events >= 7, "{whole:?}");
        let ids = events(&world, node);
        spoil(&world, node, &ids);
        let audit = world.nodes[node].disk().store().audit().unwrap();
        assert_eq!(
            audit.damaged.len(),
            ids.len(),
            "each is found, and no other"
        );
        assert!(audit.missing.is_empty());
        mend(&mut world, node);
        world.rest();
        let audit = world.nodes[node].disk().store().audit().unwrap();
        assert_eq!(audit, whole, "all is as it was");
        world.check_pair(ANN, BERT);
    }
}

/// Whoever is not there is asked when it comes.
#[test]
fn what_was_spoilt_comes_with_the_next_connection() {
    let mut world = talked();
    let ids = events(&world, ANN);
    spoil(&world, ANN, &ids[3..5]);
    world.cut_one();
    mend(&mut world, ANN);
    world.rest();
    assert!(world.nodes[ANN].disk().store().audit().unwrap().is_well());
    world.check_pair(ANN, BERT);
}

/// Where both lost it, it stays lost, and all else goes on.
#[test]
fn what_nobody_has_whole_stays_as_it_is() {
    let mut world = talked();
    let ids = events(&world, ANN);
    spoil(&world, ANN, &ids[3..4]);
    spoil(&world, BERT, &ids[3..4]);
    mend(&mut world, ANN);
    world.rest();
    let audit = world.nodes[ANN].disk().store().audit().unwrap();
    assert_eq!(audit.damaged.len(), 1);
    for node in &world.nodes {
        let bad = |notice: &Notice| matches!(notice, Notice::Misbehaved { .. });
        assert!(!node.notices.iter().any(bad), "nobody is blamed for it");
    }
}

/// SYNC-301: what is wanted and what is given is bounded, and of that session only.
#[test]
fn only_events_of_the_session_are_given() {
    let (mut bench, mut rogue) = (Bench::new(0), Rogue::new(1));
    let link = bench.link(false);
    let line = rogue.befriend(&mut bench, &link);
    let own = bench.engine.own_session().unwrap();
    let secret = bench
        .engine
        .store()
        .since(own, Default::default(), 1)
        .unwrap();
    let shared = rogue.session.as_ref().unwrap().id();
    let known = bench
        .engine
        .store()
        .since(shared, Default::default(), 9)
        .unwrap();
    let wanted = vec![
        secret[0].event.id(),
        known[0].event.id(),
        EventId::from([9; 32]),
    ];
    let done = bench.frame(line, &rogue.sync(line, Message::Want(wanted)));
    let given: Vec<EncodedEvent> = done
        .said
        .into_iter()
        .filter_map(|frame| match frame {
            Frame::Sync(_, Message::Events(events)) => Some(events),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(given, [EncodedEvent::from(known[0].event.to_wire())]);
    let many = vec![EventId::from([9; 32]); 33];
    let done = bench.frame(line, &rogue.sync(line, Message::Want(many)));
    assert!(done.reason(line).is_some());
}
