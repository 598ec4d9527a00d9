#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use data_encoding::HEXLOWER;
use minicbor::Encoder;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tenet_identity::{
    domain::derive,
    keys::{DeviceId, DeviceKey, Signature},
};

use super::*;
use crate::{
    clock::Hlc,
    domain::{EVENT_ID, EVENT_SIGNATURE},
    ids::{EventId, SessionId},
};

#[test]
fn log_3_header_snapshot() {
    let all = Header {
        expires: Some(1_900_000_000_000),
        ..header(Content::Body {
            hash: [7; 32],
            bucket: 5,
        })
    };
    assert_eq!(
        HEXLOWER.encode(&all.encode()),
        "ab01582003030303030303030303030303030303030303030303030303030303030303030258208139770ea8\
         7d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b3940358200404040404040404040404040404\
         0404040404040404040404040404040404040407055820050505050505050505050505050505050505050505\
         0505050505050505050505068258200606060606060606060606060606060606060606060606060606060606\
         06060658200808080808080808080808080808080808080808080808080808080808080808071b01a3185c50\
         0000000869636861742e74657874095820070707070707070707070707070707070707070707070707070707\
         07070707070a050c1b000001ba60d33800"
    );
    let founding = Header {
        session: None,
        added_by: None,
        seq: 0,
        prev: None,
        deps: Vec::new(),
        ..header(Content::Payload(vec![1, 2, 3]))
    };
    assert_eq!(
        HEXLOWER.encode(&founding.encode()),
        "a60258208139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b39404000680071b01a3\
         185c500000000869636861742e746578740b43010203"
    );
}

#[test]
fn log_2_event_snapshot() {
    let event = said(b"hello");
    assert_eq!(
        event.id().to_string(),
        "ddd20cc70dabd6b84ea54e7114f7939ba55a7c33c07c1ea0346406acd5970a99"
    );
    assert_eq!(
        HEXLOWER.encode(&event.to_wire()),
        "8459010faa015820030303030303030303030303030303030303030303030303030303030303030302582081\
         39770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b39403582004040404040404040404\
         0404040404040404040404040404040404040404040404070558200505050505050505050505050505050505\
         0505050505050505050505050505050682582006060606060606060606060606060606060606060606060606\
         0606060606060658200808080808080808080808080808080808080808080808080808080808080808071b01\
         a3185c500000000869636861742e74657874095820223335611238ea79331a60dbd9ee9409ed6aaf572dbb28\
         0c516cc66abe94c8cc0a03584078092089eb8e05dbcda60667451df4fb6e7299097ed59339e81647a670b1bc\
         c72440c03aef5e7c204648117ab5bf7276ce07d53b7096b1da5db9e2d0e95078045820010101010101010101\
         01010101010101010101010101010101010101010101014568656c6c6f"
    );
    let event = Event::sign(&key(), header(Content::Payload(vec![9])), None);
    assert_eq!(
        HEXLOWER.encode(&event.to_wire()),
        "8258eda901582003030303030303030303030303030303030303030303030303030303030303030258208139\
         770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b3940358200404040404040404040404\
         0404040404040404040404040404040404040404040407055820050505050505050505050505050505050505\
         0505050505050505050505050505068258200606060606060606060606060606060606060606060606060606\
         06060606060658200808080808080808080808080808080808080808080808080808080808080808071b01a3\
         185c500000000869636861742e746578740b41095840621d3b89ff4666e836f32093f6da1d267b594e651df1\
         492df2ff002e92c37e78de355ba40b5016ea0f4265697fec67fd71b298de475d3c2bbedb67073b73830d"
    );
    let founding = Header {
        session: None,
        added_by: None,
        seq: 0,
        prev: None,
        deps: Vec::new(),
        ..header(Content::Payload(vec![1, 2, 3]))
    };
    let founding = Event::sign(&key(), founding, None);
    assert_eq!(
        founding.session().to_string(),
        "4908af43a00bc1217fb970e4cfc361278dddb3c2a73774c2332c168e9b0edc54"
    );
    assert_eq!(founding.author().added_by, founding.id());
}

#[test]
fn log_4_body_snapshot() {
    let body = Body {
        salt: [1; 32],
        bytes: b"hello".to_vec(),
    };
    assert_eq!(
        HEXLOWER.encode(&body.hash()),
        "223335611238ea79331a60dbd9ee9409ed6aaf572dbb280c516cc66abe94c8cc"
    );
    let buckets = [0, 1, 2, 3, 4, 255, 256, MAX_BODY_BYTES].map(size_bucket);
    assert_eq!(buckets, [0, 1, 2, 2, 3, 8, 9, 17]);
}

#[test]
fn log_1_unknown_fields_stay_signed_and_are_passed_on() {
    let known = header(Content::Payload(vec![1]));
    let mut encoded = known.encode();
    // Eleven fields become thirteen: one with a greater number, one with a name.
    assert_eq!(encoded[0], 0xa0 | 9);
    encoded[0] = 0xa0 | 11;
    let mut more = Encoder::new(encoded);
    more.u32(99)
        .unwrap()
        .array(2)
        .unwrap()
        .u8(1)
        .unwrap()
        .null()
        .unwrap();
    more.str("later").unwrap().bool(true).unwrap();
    let encoded = more.into_writer();
    let wire = wire(&encoded);
    let event = Unverified::decode(&wire).unwrap().verify().unwrap();
    assert_eq!(event.header(), &known);
    assert_eq!(event.encoded_header(), encoded);
    assert_eq!(event.id(), EventId::from(derive(EVENT_ID, &[&encoded])));
    assert_ne!(event.id(), Event::sign(&key(), known, None).id());
    assert_eq!(event.to_wire(), wire);
    let stored = Event::trusted(encoded, *event.signature(), None).unwrap();
    assert_eq!((stored.id(), stored.to_wire()), (event.id(), wire));
}

#[test]
fn log_2_is_believed_only_as_it_was_signed() {
    let wire = said(b"hello").to_wire();
    Unverified::decode(&wire).unwrap().verify().unwrap();
    for at in 0..wire.len() {
        let mut altered = wire.clone();
        altered[at] ^= 1;
        let believed = Unverified::decode(&altered).and_then(Unverified::verify);
        assert!(believed.is_err(), "byte {at}");
    }
    for end in 0..wire.len() {
        assert!(Unverified::decode(&wire[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn log_2_a_batch_is_judged_like_each_alone() {
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let mut events: Vec<Unverified> = (0..9_u8)
        .map(|n| Unverified::decode(&said(&[n]).to_wire()).unwrap())
        .collect();
    let judge = |rng: &mut ChaCha20Rng, events: &[Unverified]| {
        let judged = verify_all(&mut AtOnce, rng, events.to_vec());
        judged.map(|one| one.is_ok()).collect::<Vec<_>>()
    };
    assert_eq!(judge(&mut rng, &events), [true; 9]);
    assert_eq!(judge(&mut rng, &events[..1]), [true]);
    assert_eq!(judge(&mut rng, &[]), [false; 0]);
    let header = header(Content::Payload(vec![4])).encode();
    let forged = with_signature(&header, &Signature::from([4; 64]));
    events[4] = Unverified::decode(&forged).unwrap();
    let judged = judge(&mut rng, &events);
    assert_eq!(judged.iter().filter(|valid| !**valid).count(), 1);
    assert!(!judged[4]);
    assert_eq!(judge(&mut rng, &events[4..5]), [false]);
}

#[test]
fn log_4_a_body_is_the_one_that_the_header_commits_to() {
    let event = said(b"hello");
    let refused = |header: &[u8], body: Option<(&[u8], &[u8])>| {
        let mut out = Encoder::new(Vec::new());
        out.array(if body.is_some() { 4 } else { 2 }).unwrap();
        out.bytes(header)
            .unwrap()
            .bytes(event.signature().as_bytes())
            .unwrap();
        if let Some((salt, bytes)) = body {
            out.bytes(salt).unwrap().bytes(bytes).unwrap();
        }
        matches!(
            Unverified::decode(&out.into_writer()),
            Err(EventError::Body)
        )
    };
    let header_bytes = event.encoded_header();
    assert!(!refused(header_bytes, Some((&[1; 32], b"hello"))));
    assert!(refused(header_bytes, Some((&[1; 32], b"hullo"))));
    assert!(refused(header_bytes, Some((&[2; 32], b"hello"))));
    assert!(refused(header_bytes, Some((&[1; 31], b"hello"))));
    let payload = header(Content::Payload(vec![1])).encode();
    assert!(
        refused(&payload, Some((&[1; 32], b"hello"))),
        "and without one that it has not"
    );
    let Content::Body { hash, .. } = event.header().content else {
        panic!()
    };
    let wrong_bucket = header(Content::Body { hash, bucket: 4 }).encode();
    assert!(refused(&wrong_bucket, Some((&[1; 32], b"hello"))));
}

#[test]
fn log_3_limits_hold() {
    let decode = |header: &Header| Header::decode(&header.encode());
    let good = header(Content::Payload(vec![0; MAX_PAYLOAD_BYTES]));
    decode(&good).unwrap();
    let payload = header(Content::Payload(vec![0; MAX_PAYLOAD_BYTES + 1]));
    assert!(matches!(decode(&payload), Err(HeaderError::Limit(_))));
    let deps = |count: usize| Header {
        deps: (0..count).map(|n| EventId::from([n as u8; 32])).collect(),
        ..good.clone()
    };
    decode(&deps(MAX_DEPS)).unwrap();
    assert!(matches!(
        decode(&deps(MAX_DEPS + 1)),
        Err(HeaderError::Limit(_))
    ));
    let mut encoded = good.encode();
    encoded[0] += 1;
    let mut more = Encoder::new(encoded);
    more.u32(99).unwrap().bytes(&[0; MAX_HEADER_BYTES]).unwrap();
    assert!(matches!(
        Header::decode(&more.into_writer()),
        Err(HeaderError::Limit(_))
    ));
    let wire = vec![0; MAX_HEADER_BYTES + MAX_BODY_BYTES + 257];
    assert!(matches!(
        Unverified::decode(&wire),
        Err(EventError::TooLarge(_))
    ));
    let large = said(&[0; MAX_BODY_BYTES]).to_wire();
    Unverified::decode(&large).unwrap();
    let too_large = said(&[0; MAX_BODY_BYTES + 1]).to_wire();
    assert!(matches!(
        Unverified::decode(&too_large),
        Err(EventError::TooLarge(_))
    ));
}

#[test]
fn log_3_contradictions_are_refused() {
    let good = header(Content::Payload(vec![1]));
    let refused = |change: &dyn Fn(&mut Header)| {
        let mut header = good.clone();
        change(&mut header);
        let decoded = Header::decode(&header.encode());
        assert!(matches!(decoded, Err(HeaderError::Field(_))), "{decoded:?}");
    };
    refused(&|h| h.seq = 0);
    refused(&|h| h.prev = None);
    refused(&|h| h.added_by = None);
    refused(&|h| h.deps = vec![EventId::from([2; 32]), EventId::from([1; 32])]);
    refused(&|h| h.deps = vec![EventId::from([1; 32]); 2]);
    // Fields left out, or both a body and a payload.
    let only = |fields: &dyn Fn(&mut Encoder<Vec<u8>>)| {
        let mut out = Encoder::new(Vec::new());
        fields(&mut out);
        Header::decode(&out.into_writer())
    };
    let nothing = only(&|out| _ = out.map(0).unwrap());
    assert!(matches!(nothing, Err(HeaderError::Field(_))));
    let no_map = only(&|out| _ = out.u8(1).unwrap());
    assert!(matches!(no_map, Err(HeaderError::Shape(_))));
    let both = only(&|out| {
        out.map(2).unwrap().u32(9).unwrap().bytes(&[0; 32]).unwrap();
        out.u32(11).unwrap().bytes(&[]).unwrap();
    });
    assert!(matches!(both, Err(HeaderError::Field("content"))));
    let unsorted = only(&|out| {
        out.map(2).unwrap().u32(11).unwrap().bytes(&[]).unwrap();
        out.u32(9).unwrap().bytes(&[0; 32]).unwrap();
    });
    assert!(matches!(unsorted, Err(HeaderError::Encoding(_))));
}

#[test]
fn log_3_kinds_are_short_and_plain() {
    for good in ["a", "chat.text", "roster.add-device", &"x".repeat(32)] {
        assert_eq!(Kind::new(good).unwrap().as_str(), good);
    }
    for bad in ["", "Chat", "a b", "a_b", "é", &"x".repeat(33)] {
        assert!(matches!(Kind::new(bad), Err(HeaderError::Kind)), "{bad}");
    }
    assert!(Kind::new("roster.join").unwrap().is_roster());
    assert!(!Kind::new("rosters").unwrap().is_roster());
}

#[test]
fn nothing_that_was_said_is_printed() {
    let event = said(b"a secret");
    let unverified = Unverified::decode(&event.to_wire()).unwrap();
    let payload = header(Content::Payload(b"a secret".to_vec()));
    let shown = format!("{event:?} {unverified:?} {:?} {payload:?}", event.body());
    assert!(
        !shown.contains("secret") && !shown.contains("97, 32, 115"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn log_1_headers_round_trip(header in any_header()) {
        let encoded = header.encode();
        tenet_identity::encoding::check(&encoded).unwrap();
        prop_assert_eq!(Header::decode(&encoded).unwrap(), header);
    }

    #[test]
    fn log_1_events_round_trip(header in any_header(), bytes in any_bytes(), seed in any::<[u8; 32]>()) {
        let key = DeviceKey::from_seed(seed);
        let body = Body { salt: seed, bytes };
        let with_body = matches!(header.content, Content::Body { .. });
        let content = match with_body {
            true => Content::Body { hash: body.hash(), bucket: size_bucket(body.bytes.len()) },
            false => header.content.clone(),
        };
        let header = Header { device: key.public(), content, ..header };
        let event = Event::sign(&key, header, with_body.then_some(body));
        let wire = event.to_wire();
        prop_assert!(wire.len() <= event.wire_len());
        let back = Unverified::decode(&wire).unwrap();
        prop_assert_eq!((back.id(), back.session()), (event.id(), event.session()));
        let back = back.verify().unwrap();
        prop_assert_eq!(back.to_wire(), wire);
        prop_assert_eq!(back.header(), event.header());
        prop_assert_eq!(back.order(), event.order());
        let encoded = event.encoded_header().to_vec();
        let stored = Event::trusted(encoded, *event.signature(), event.body().cloned()).unwrap();
        prop_assert_eq!(stored.to_wire(), back.to_wire());
    }

    #[test]
    fn log_1_decoders_never_panic(bytes in any_bytes(), at: prop::sample::Index, with: u8, cut: prop::sample::Index) {
        let _ = Header::decode(&bytes);
        let _ = Unverified::decode(&bytes);
        let _ = Event::trusted(bytes, Signature::from([0; 64]), None);
        for good in [said(b"hello").to_wire(), header(Content::Payload(vec![1])).encode()] {
            let mut altered = good.clone();
            altered[at.index(good.len())] = with;
            altered.truncate(1 + cut.index(good.len()));
            let _ = Header::decode(&altered);
            let _ = Unverified::decode(&altered).map(Unverified::verify);
        }
    }
}

fn any_header() -> impl Strategy<Value = Header> {
    let names = any::<([u8; 32], [u8; 32], [u8; 32], [u8; 32])>();
    let deps = prop::collection::btree_set(any::<[u8; 32]>(), 0..=MAX_DEPS);
    let content = prop_oneof![
        (any::<[u8; 32]>(), any::<u8>()).prop_map(|(hash, bucket)| Content::Body { hash, bucket }),
        any_bytes().prop_map(Content::Payload),
    ];
    let numbers = (any::<u64>(), any::<u64>(), any::<Option<u64>>());
    let shape = (any::<bool>(), any::<bool>(), "[a-z0-9.-]{1,32}");
    (names, deps, content, numbers, shape).prop_map(
        |((session, device, added_by, prev), deps, content, (seq, time, expires), shape)| {
            let (founds, adds_itself, kind) = shape;
            let seq = if adds_itself { 0 } else { seq };
            Header {
                session: (!founds).then(|| SessionId::from(session)),
                device: DeviceId::from(device),
                added_by: (!adds_itself).then(|| EventId::from(added_by)),
                seq,
                prev: (seq > 0).then(|| EventId::from(prev)),
                deps: deps.into_iter().map(EventId::from).collect(),
                time: Hlc::from_raw(time),
                kind: Kind::new(&kind).unwrap(),
                content,
                expires,
            }
        },
    )
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..400)
}

fn header(content: Content) -> Header {
    Header {
        session: Some(SessionId::from([3; 32])),
        device: key().public(),
        added_by: Some(EventId::from([4; 32])),
        seq: 7,
        prev: Some(EventId::from([5; 32])),
        deps: vec![EventId::from([6; 32]), EventId::from([8; 32])],
        time: Hlc::from_millis(1_800_000_000_000),
        kind: Kind::new("chat.text").unwrap(),
        content,
        expires: None,
    }
}

fn said(bytes: &[u8]) -> Event {
    let body = Body {
        salt: [1; 32],
        bytes: bytes.to_vec(),
    };
    let content = Content::Body {
        hash: body.hash(),
        bucket: size_bucket(bytes.len()),
    };
    Event::sign(&key(), header(content), Some(body))
}

/// A header's bytes, signed by hand.
fn wire(encoded: &[u8]) -> Vec<u8> {
    let id = derive(EVENT_ID, &[encoded]);
    with_signature(encoded, &key().sign(EVENT_SIGNATURE, &id))
}

fn with_signature(encoded: &[u8], signature: &Signature) -> Vec<u8> {
    let mut out = Encoder::new(Vec::new());
    out.array(2)
        .unwrap()
        .bytes(encoded)
        .unwrap()
        .bytes(signature.as_bytes())
        .unwrap();
    out.into_writer()
}

fn key() -> DeviceKey {
    DeviceKey::from_seed([2; 32])
}
