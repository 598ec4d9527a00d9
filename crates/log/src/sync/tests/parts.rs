//! What is told to a device that may not hear everything.

use crate::{
    event::Event,
    session::tests::world::{NOW, Node, Person, found},
    sync::{HeadEntry, Message, Named, Part, Peer},
};

/// SYNC-12: no event, no register, and of what it names only whether that is here.
#[test]
fn sync_12_who_is_nobody_hears_which_of_what_it_named_is_here() {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let mut node = Node::open(&found(&[&ann, &bob]));
    node.join(&bob.devices[0]);
    let said: Vec<_> = (0..5)
        .map(|number| node.say(&ann.devices[0], &format!("{number}")))
        .collect();
    let store = &node.store;
    let nobody = Part::Named(Named::default());
    let (mut peer, _) = Peer::open_to(&node.session, store, nobody).unwrap();
    let waits = peer.on_digest(&node.session, store, [7; 32]).unwrap();
    let nothing = Some(Message::Ranges(Vec::new()));
    assert_eq!(
        waits, nothing,
        "it is told nothing before it has named anything"
    );
    let here = name(&said[2]);
    // Nobody learns by guessing how much is here.
    let guessed = HeadEntry {
        seq: 1000,
        ..name(&said[4])
    };
    let named = [here, guessed];
    let claim = peer.claim(named.to_vec(), Vec::new(), None);
    let answer = peer.on_frontier(&node.session, store, &claim).unwrap();
    assert_eq!(answer, [Message::Frontier(vec![here], vec![], None)]);
    assert_eq!(peer.pump(store, NOW).unwrap(), None);
    // Once it is in, all of it.
    assert!(peer.restrict(Part::Whole), "both compare anew");
}

/// SYNC-12: a chain that is here as far as it goes there does not come again.
#[test]
fn sync_12_what_is_here_does_not_come_again() {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let mut theirs = Node::open(&found(&[&ann, &bob]));
    theirs.say(&ann.devices[0], "heard by all");
    let here = theirs.clone();
    let join = theirs.join(&bob.devices[0]);
    let nobody = Part::Named(Named::default());
    let (mut peer, digest) = Peer::open_to(&here.session, &here.store, nobody).unwrap();
    let (mut other, _) = Peer::open(&theirs.session, &theirs.store).unwrap();
    let Message::Digest(digest) = digest else {
        panic!("{digest:?}")
    };
    let frontier = other
        .on_digest(&theirs.session, &theirs.store, digest)
        .unwrap();
    let Some(Message::Frontier(heads, _, None)) = frontier else {
        panic!("{frontier:?}")
    };
    let claim = peer.claim(heads, Vec::new(), None);
    let answer = peer.on_frontier(&here.session, &here.store, &claim);
    let answer = answer.unwrap();
    let [Message::Frontier(heads, _, None)] = &answer[..] else {
        panic!("{answer:?}")
    };
    let claim = other.claim(heads.clone(), Vec::new(), None);
    let answer = other.on_frontier(&theirs.session, &theirs.store, &claim);
    assert_eq!(answer.unwrap(), [], "it has said what it holds");
    let sent = other.pump(&theirs.store, NOW).unwrap();
    assert_eq!(sent, Some(Message::Events(vec![join.to_wire().into()])));
}

fn name(event: &Event) -> HeadEntry {
    HeadEntry {
        author: event.author(),
        seq: event.header().seq,
        id: event.id(),
    }
}
