//! What is told to a device that may not hear everything.

use crate::{
    session::tests::world::{NOW, Node, Person, found},
    sync::{HeadEntry, Message, Named, Part, Peer},
};

/// SYNC-12: no event, no register, no chain that they did not name, and none further than they named it.
#[test]
fn sync_12_who_is_nobody_hears_how_much_of_what_it_named_is_here() {
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
    assert_eq!(
        waits, None,
        "it is told nothing before it has named anything"
    );
    let name = |at: usize| HeadEntry {
        author: said[at].author(),
        seq: said[at].header().seq,
        id: said[at].id(),
    };
    let answer = peer
        .on_frontier(&node.session, store, &[name(2)], &[])
        .unwrap();
    assert_eq!(answer, [Message::Frontier(vec![name(2)], vec![])]);
    assert_eq!(peer.pump(store, NOW).unwrap(), None);
    // Once it is in, all of it.
    assert!(peer.restrict(Part::Whole), "both compare anew");
}

/// SYNC-12: of a chain that is behind here it is said how far it is here, so that nothing comes twice.
#[test]
fn sync_12_what_is_lacking_is_all_that_comes() {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let mut theirs = Node::open(&found(&[&ann, &bob]));
    let here = theirs.clone();
    let said = theirs.say(&ann.devices[0], "after that");
    let nobody = Part::Named(Named::default());
    let (mut peer, digest) = Peer::open_to(&here.session, &here.store, nobody).unwrap();
    let (mut other, _) = Peer::open(&theirs.session, &theirs.store).unwrap();
    let Message::Digest(digest) = digest else {
        panic!("{digest:?}")
    };
    let frontier = other
        .on_digest(&theirs.session, &theirs.store, digest)
        .unwrap();
    let Some(Message::Frontier(heads, _)) = frontier else {
        panic!("{frontier:?}")
    };
    let answer = peer
        .on_frontier(&here.session, &here.store, &heads, &[])
        .unwrap();
    let [Message::Frontier(heads, _)] = &answer[..] else {
        panic!("{answer:?}")
    };
    other
        .on_frontier(&theirs.session, &theirs.store, heads, &[])
        .unwrap();
    let sent = other.pump(&theirs.store, NOW).unwrap();
    assert_eq!(sent, Some(Message::Events(vec![said.to_wire().into()])));
}
