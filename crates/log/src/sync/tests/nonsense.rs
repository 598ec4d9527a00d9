//! A device that is in the session and says what it likes.

use minicbor::bytes::ByteVec;
use proptest::prelude::*;
use tenet_identity::keys::DeviceId;

use crate::{
    clock::Hlc,
    ids::{Author, EventId},
    session::tests::world::{Device, NOW, Node, Person, found},
    sync::{Claim, HeadEntry, Message, Objection, Peer, RangeEntry, RegisterEntry, WINDOW_BYTES},
};

fn node() -> (Person, Node) {
    let ann = Person::new(1);
    let mut node = Node::open(&found(&[&ann]));
    for _ in 0..200 {
        say(&mut node, &ann.devices[0]);
    }
    (ann, node)
}

fn say(node: &mut Node, device: &Device) {
    node.say(device, &"x".repeat(1000));
}

/// The bytes that a node sends when it hears a message, and what it sends of its own accord.
fn answer(node: &Node, peer: &mut Peer, message: &Message) -> usize {
    let (session, store) = (&node.session, &node.store);
    let mut said: Vec<Message> = match message {
        Message::Digest(theirs) => peer
            .on_digest(session, store, *theirs)
            .unwrap()
            .into_iter()
            .collect(),
        Message::Ranges(ranges) => peer
            .on_ranges(session, store, ranges)
            .unwrap()
            .into_iter()
            .collect(),
        Message::Frontier(heads, versions, within) => {
            let claim = peer.claim(heads.clone(), versions.clone(), within.as_ref());
            peer.on_frontier(session, store, &claim).unwrap()
        }
        Message::Have(heads) => {
            peer.on_have(heads);
            Vec::new()
        }
        Message::Object(_, Objection::TooEarly(theirs)) => {
            peer.on_too_early(Hlc::from_millis(NOW), *theirs, NOW);
            Vec::new()
        }
        _ => peer.on_gap(session, store).unwrap().into_iter().collect(),
    };
    while let Some(message) = peer.pump(store, NOW).unwrap() {
        said.push(message);
    }
    said.iter()
        .map(|message| tenet_identity::encoding::encode(message).len())
        .sum()
}

#[test]
fn sync_9_asking_again_and_again_is_answered_a_few_times() {
    let (_, node) = node();
    let (mut peer, _) = Peer::open(&node.session, &node.store).unwrap();
    let ask = [
        Message::Digest([1; 32]),
        Message::Frontier(Vec::new(), Vec::new(), None),
        Message::Ranges(Vec::new()),
        Message::Registers(Vec::new()),
    ];
    let bytes: usize = (0..1000)
        .map(|n| answer(&node, &mut peer, &ask[n % ask.len()]))
        .sum();
    assert!(bytes < 10 * (WINDOW_BYTES + 1000), "{bytes}");
}

#[test]
fn sync_9_acknowledging_what_was_never_sent_frees_nothing() {
    let (ann, mut node) = node();
    let (mut peer, _) = Peer::open(&node.session, &node.store).unwrap();
    let (session, store) = (&node.session, &node.store);
    peer.on_digest(session, store, [0; 32]).unwrap();
    peer.on_frontier(session, store, &Claim::default()).unwrap();
    for n in 0..1000_u64 {
        let author = Author {
            device: DeviceId::from([1; 32]),
            added_by: EventId::from([(n % 251) as u8; 32]),
        };
        let id = EventId::from([3; 32]);
        peer.on_have(&[HeadEntry {
            author,
            seq: u64::MAX,
            id,
        }]);
    }
    let mut sent = 0;
    while let Some(message) = peer.pump(&node.store, NOW).unwrap() {
        if let Message::Events(events) = message {
            sent += events.len();
        }
    }
    assert_eq!(sent, 201, "what it did not name is offered all the same");
    say(&mut node, &ann.devices[0]);
    assert!(!peer.is_caught_up(&node.store).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sync_9_nothing_that_is_said_panics_or_costs_without_bound(
        said in prop::collection::vec(any_message(), 1..60),
        at_once in 0..3_usize,
    ) {
        let (ann, mut node) = node();
        let (mut peer, _) = Peer::open(&node.session, &node.store).unwrap();
        peer.at_once = at_once;
        let mut bytes = 0;
        for message in &said {
            bytes += answer(&node, &mut peer, message);
            peer.acknowledgement();
            say(&mut node, &ann.devices[0]);
        }
        prop_assert!(bytes < 20 * (WINDOW_BYTES + 100_000));
    }
}

fn any_message() -> impl Strategy<Value = Message> {
    // Now and then a chain that there is.
    let (_, node) = (Person::new(1), Node::open(&found(&[&Person::new(1)])));
    let author = node.events()[0].author();
    let authors = prop_oneof![
        Just(author),
        any::<([u8; 32], [u8; 32])>().prop_map(|(device, added_by)| Author {
            device: device.into(),
            added_by: added_by.into(),
        })
    ];
    let seqs = prop_oneof![0..300_u64, any::<u64>()];
    let heads = (authors, seqs, any::<[u8; 32]>()).prop_map(|(author, seq, id)| HeadEntry {
        author,
        seq,
        id: id.into(),
    });
    let heads = prop::collection::vec(heads, 0..6);
    let versions = (any::<[u8; 32]>(), ".{0,9}", any::<u64>(), any::<[u8; 32]>()).prop_map(
        |(device, key, time, id)| RegisterEntry {
            device: device.into(),
            key,
            time: Hlc::from_raw(time),
            id: id.into(),
        },
    );
    let versions = prop::collection::vec(versions, 0..4);
    let within = prop::option::of(prop::collection::vec(any::<u8>(), 0..4));
    let ranges = any::<(u8, [u8; 32])>().prop_map(|(range, digest)| RangeEntry { range, digest });
    let ranges = prop::collection::vec(ranges, 0..4);
    prop_oneof![
        any::<[u8; 32]>().prop_map(Message::Digest),
        (heads.clone(), versions, within).prop_map(|(heads, versions, within)| Message::Frontier(
            heads,
            versions,
            within.map(Into::into)
        )),
        ranges.prop_map(Message::Ranges),
        heads.prop_map(Message::Have),
        any::<u64>()
            .prop_map(|now| Message::Object(EventId::from([1; 32]), Objection::TooEarly(now))),
        Just(Message::Events(vec![ByteVec::from(vec![1])])),
    ]
}
