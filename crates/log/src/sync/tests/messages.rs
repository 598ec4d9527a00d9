//! The bytes of messages and tags.

use data_encoding::HEXLOWER;
use minicbor::bytes::ByteVec;
use proptest::prelude::*;
use tenet_identity::{encoding, keys::DeviceId};

use crate::{
    clock::Hlc,
    ids::{Author, EventId},
    register::Register,
    session::tests::world::{Node, Person, found},
    sync::{
        Direction, HeadEntry, MAX_EVENTS_PER_MESSAGE, Message, MessageError, Objection, Peer,
        RangeEntry, RegisterEntry,
        message::{MAX_HEADS, MAX_REGISTERS},
        tag,
    },
};

#[test]
fn sync_3_message_snapshots() {
    let hex = |message: Message| HEXLOWER.encode(&encoding::encode(&message));
    let id = EventId::from([7; 32]);
    let (device, added_by, name) = ("05".repeat(32), "06".repeat(32), "07".repeat(32));
    let entry = format!("83825820{device}5820{added_by}095820{name}");
    assert_eq!(hex(Message::Digest([7; 32])), format!("8200815820{name}"));
    let version = format!("845820{device}64726561641864 5820{name}").replace(' ', "");
    assert_eq!(
        hex(Message::Frontier(vec![head(9)], vec![register()], None)),
        format!("82018281{entry}81{version}")
    );
    let within = Some(ByteVec::from(vec![5, 9]));
    assert_eq!(
        hex(Message::Frontier(vec![head(9)], vec![], within)),
        format!("82018381{entry}80420509")
    );
    assert_eq!(
        hex(Message::Ranges(vec![range(5)])),
        format!("8207818182055820{name}")
    );
    let events = vec![ByteVec::from(vec![1, 2]), ByteVec::from(vec![])];
    assert_eq!(hex(Message::Events(events)), "8202818242010240");
    let registers = vec![ByteVec::from(vec![3])];
    assert_eq!(hex(Message::Registers(registers)), "820381814103");
    assert_eq!(
        hex(Message::Have(vec![head(9)])),
        format!("82048181{entry}")
    );
    assert_eq!(hex(Message::Have(vec![])), "82048180");
    let object = |objection| hex(Message::Object(id, objection));
    assert_eq!(
        object(Objection::TooEarly(24)),
        format!("8205825820{name}8200811818")
    );
    assert_eq!(
        object(Objection::Invalid),
        format!("8205825820{name}820180")
    );
    assert_eq!(object(Objection::NoRoom), format!("8205825820{name}820280"));
}

#[test]
fn sync_2_digest_snapshot() {
    let ann = Person::new(1);
    let mut node = Node::open(&found(&[&ann]));
    let digest = |node: &Node| match Peer::open(&node.session, &node.store).unwrap() {
        (_, Message::Digest(digest)) => HEXLOWER.encode(&digest),
        (_, other) => panic!("{other:?}"),
    };
    assert_eq!(
        digest(&node),
        "e49cdd0bce44c3377334ee3ff7a4bde10504b89fed8be7e64de155f341779625"
    );
    let (key, session) = (&ann.devices[0].key, node.session.id());
    let register = Register::sign(key, session, "read", Hlc::from_millis(1), vec![]).unwrap();
    node.session
        .put_register(&mut node.store, &register)
        .unwrap();
    assert_eq!(
        digest(&node),
        "9344d5c0e2d41408abfbc1cf6985c04cf2e16db1e21e25f13299884d01efb4bc"
    );
}

#[test]
fn sync_3_limits_hold() {
    let events = |n| Message::Events(vec![ByteVec::from(vec![]); n]).check();
    assert!(events(MAX_EVENTS_PER_MESSAGE).is_ok() && events(MAX_EVENTS_PER_MESSAGE + 1).is_err());
    let have = |n| Message::Have(vec![head(1); n]).check();
    assert!(have(MAX_HEADS).is_ok() && have(MAX_HEADS + 1).is_err());
    let frontier = |heads, registers| {
        Message::Frontier(vec![head(1); heads], vec![register(); registers], None).check()
    };
    assert!(frontier(MAX_HEADS, MAX_REGISTERS).is_ok());
    assert!(matches!(
        frontier(0, MAX_REGISTERS + 1),
        Err(MessageError::Limit("registers"))
    ));
    assert!(matches!(
        frontier(MAX_HEADS + 1, 0),
        Err(MessageError::Limit("heads"))
    ));
    let registers = |n| Message::Registers(vec![ByteVec::from(vec![]); n]).check();
    assert!(registers(MAX_REGISTERS).is_ok() && registers(MAX_REGISTERS + 1).is_err());
    let ranges = |n| Message::Ranges(vec![range(0); n]).check();
    assert!(ranges(256).is_ok() && ranges(257).is_err());
    let within = |n| Message::Frontier(vec![], vec![], Some(vec![0; n].into())).check();
    assert!(within(256).is_ok() && within(257).is_err());
    assert!(Message::Digest([0; 32]).check().is_ok());
}

#[test]
fn sync_1_tag_snapshot() {
    let said = tag(&[1; 32], &[2; 32], Direction::FromDialler);
    assert_eq!(HEXLOWER.encode(&said.0), "b076532388edacee20f27b70b194b511");
    assert_eq!(
        HEXLOWER.encode(&encoding::encode(&said)),
        format!("50{}", HEXLOWER.encode(&said.0))
    );
    let others = [
        tag(&[1; 32], &[2; 32], Direction::FromDialled),
        tag(&[3; 32], &[2; 32], Direction::FromDialler),
        tag(&[1; 32], &[3; 32], Direction::FromDialler),
    ];
    assert!(
        !others.contains(&said),
        "of another direction, session or connection"
    );
}

proptest! {
    #[test]
    fn sync_3_messages_round_trip(seqs in prop::collection::vec(any::<u64>(), 0..9), bytes: Vec<u8>, now: u64) {
        let heads: Vec<HeadEntry> = seqs.into_iter().map(head).collect();
        let some = vec![ByteVec::from(bytes)];
        let id = EventId::from([7; 32]);
        for message in [
            Message::Digest([1; 32]),
            Message::Frontier(heads.clone(), vec![register()], None),
            Message::Frontier(Vec::new(), Vec::new(), Some(vec![0, 255].into())),
            Message::Ranges(vec![range(7); 2]),
            Message::Events(some.clone()),
            Message::Registers(some),
            Message::Have(heads),
            Message::Object(id, Objection::TooEarly(now)),
            Message::Object(id, Objection::Invalid),
        ] {
            let encoded = encoding::encode(&message);
            encoding::check(&encoded).unwrap();
            prop_assert_eq!(encoding::decode::<Message>(&encoded).unwrap(), message);
        }
    }

    #[test]
    fn sync_3_decoding_never_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        at: prop::sample::Index, with: u8, cut: prop::sample::Index,
    ) {
        let _ = encoding::decode::<Message>(&bytes);
        let mut altered = encoding::encode(&Message::Frontier(
            vec![head(3); 2],
            vec![register()],
            Some(vec![5].into()),
        ));
        let len = altered.len();
        altered[at.index(len)] = with;
        altered.truncate(cut.index(len));
        let _ = encoding::decode::<Message>(&altered).map(|message| message.check());
    }
}

fn range(range: u8) -> RangeEntry {
    let digest = [7; 32];
    RangeEntry { range, digest }
}

fn head(seq: u64) -> HeadEntry {
    let author = Author {
        device: DeviceId::from([5; 32]),
        added_by: EventId::from([6; 32]),
    };
    HeadEntry {
        author,
        seq,
        id: EventId::from([7; 32]),
    }
}

fn register() -> RegisterEntry {
    RegisterEntry {
        device: DeviceId::from([5; 32]),
        key: "read".to_owned(),
        time: Hlc::from_raw(100),
        id: EventId::from([7; 32]),
    }
}
