#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::keys::{DeviceKey, IdentityKey};
use data_encoding::HEXLOWER;
use proptest::prelude::*;

const NOW: u64 = 1_800_000_000_000;
const NONCE: [u8; 32] = [0x33; 32];

#[test]
fn knock_snapshot() {
    assert_eq!(
        HEXLOWER.encode(&Message::Knock(knock()).to_bytes()),
        "8200a500504444444444444444444444444444444401825865a60001015820ed4928c628d1c2c6eae9033890\
        5995612959273a5c63f93636c14614ac8737d1025820ca93ac1705187071d67b83c7ff0efe8108e8ec453057\
        5d7726879333dbdabe7c03666c6170746f70041b000001a31335f400051b000001aa6ae720005840726da849\
        68520669694e7e7b1c6c4a98927fa664ca82bbd790f3bd973f7e0faddab62ca5085d888c625616502494bc5e\
        44d15f0d4567a8f885b1a59b3f2ccc0d026342656e035820742c32bf445f7781edb2d07ff538a26475415372\
        9602a89daef1e102a30467ae045820dfeadea136b6fef7623bac1ffada61ae7d53d0dd4c63699d1a875fb5e5\
        e2b351"
    );
}

#[test]
fn answer_snapshot() {
    assert_eq!(
        HEXLOWER.encode(&Message::Answer(answer()).to_bytes()),
        "8201a500825865a600010158208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f\
        5c0258208139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b39403666c6170746f70\
        041b000001a31335f400051b000001aa6ae72000584098459f7edd165121547b935b777b2aec52a1c2960a06\
        8c89da1f52f9dde605fc94ba8774d971b145019fc705b540ed309dda293382ee220fe8ee3cd53b37aa0a0164\
        416e6e6102582055555555555555555555555555555555555555555555555555555555555555550345666f75\
        6e640458203b86c97a47c42e5e6a39e43da44ad93530646e9b8a7a0d91865bddbb2dba3309"
    );
}

#[test]
fn other_messages_snapshot() {
    let open = Message::Open(Open::new(NONCE, vec![0xee; 3]).unwrap());
    assert_eq!(
        HEXLOWER.encode(&open.to_bytes()),
        "8202a200582033333333333333333333333333333333333333333333333333333333333333330143eeeeee"
    );
    assert_eq!(HEXLOWER.encode(&Message::Done.to_bytes()), "8203a0");
    let reasons = [
        Reason::Unknown,
        Reason::Expired,
        Reason::Used,
        Reason::Revoked,
        Reason::TooMany,
        Reason::Busy,
        Reason::Waiting,
        Reason::Rejected,
        Reason::Question,
        Reason::Other(99),
    ];
    let refused = [
        "8204a10000",
        "8204a10001",
        "8204a10002",
        "8204a10003",
        "8204a10004",
        "8204a10005",
        "8204a10006",
        "8204a10007",
        "8204a10008",
        "8204a1001863",
    ];
    for (reason, hex) in reasons.into_iter().zip(refused) {
        let message = Message::Refused(reason.into());
        assert_eq!(HEXLOWER.encode(&message.to_bytes()), hex);
        assert_eq!(Message::from_bytes(&message.to_bytes()).unwrap(), message);
    }
    let rejected = Message::Refused(Refusal {
        reason: Reason::Rejected,
        remark: Some("no".into()),
    });
    assert_eq!(HEXLOWER.encode(&rejected.to_bytes()), "8204a2000701626e6f");
    assert_eq!(resent(rejected.clone()), rejected);
}

/// KNOCK-101: what is said to a person stands under the proof, after what every knock says.
#[test]
fn plea_snapshot() {
    let secret = Secret::from([7; 16]);
    let knock = Knock::new(&bond(&secret), invite(), &pleading()).unwrap();
    let bytes = HEXLOWER.encode(&Message::Knock(knock.clone()).to_bytes());
    assert!(bytes.starts_with("8200a700504444"), "{bytes}");
    assert!(
        bytes.ends_with(
            "045820d536784f1f0635157abc39f348418410e37a96b2f5e23e805b564152e9a24576056268690682467f00\
             0001005052000000000000000000000000000000010050"
        ),
        "{bytes}"
    );
    assert_eq!(
        resent(Message::Knock(knock.clone())),
        Message::Knock(knock.clone())
    );
    assert_eq!(knock.check(&bond(&secret)).unwrap(), pleading());
}

/// KNOCK-101.
#[test]
fn a_plea_keeps_its_limits_and_cannot_be_changed() {
    let secret = Secret::from([7; 16]);
    let bond = bond(&secret);
    let changes: [fn(&mut Knock); 4] = [
        |knock| knock.remark = Some("ho".into()),
        |knock| knock.remark = None,
        |knock| knock.addresses = None,
        |knock| (knock.remark, knock.addresses) = (None, None),
    ];
    for change in changes {
        let mut knock = Knock::new(&bond, invite(), &pleading()).unwrap();
        change(&mut knock);
        assert!(matches!(knock.check(&bond), Err(Error::Proof)));
    }
    let with = |plea: Plea| Knocker { plea, ..knocker() };
    for remark in ["x".repeat(281), "two\nlines".into()] {
        let plea = Plea {
            remark: Some(remark.clone()),
            addresses: vec![],
        };
        assert!(matches!(
            Knock::new(&bond, invite(), &with(plea)),
            Err(Error::Name(_))
        ));
        let refused = Message::Refused(Refusal {
            reason: Reason::Question,
            remark: Some(remark),
        });
        assert!(matches!(
            Message::from_bytes(&refused.to_bytes()),
            Err(Error::Name(_))
        ));
    }
    let plea = Plea {
        remark: None,
        addresses: vec!["10.0.0.1:1".parse().unwrap(); 17],
    };
    assert!(matches!(
        Knock::new(&bond, invite(), &with(plea)),
        Err(Error::Addresses { got: 17 })
    ));
}

#[test]
fn two_people_become_contacts() {
    let secret = Secret::from([7; 16]);
    let bond = bond(&secret);
    let Message::Knock(knock) = resent(Message::Knock(knock())) else {
        panic!("no knock")
    };
    assert_eq!(knock.invite(), invite());
    let knocker = knock.check(&bond).unwrap();
    assert_eq!(knocker, self::knocker());
    let Message::Answer(answer) = resent(Message::Answer(answer())) else {
        panic!("no answer")
    };
    assert_eq!(answer.check(&bond, &knocker).unwrap(), answerer());
    let open = Open::new(NONCE, b"join".to_vec()).unwrap();
    let Message::Open(open) = resent(Message::Open(open)) else {
        panic!("no opening")
    };
    assert_eq!(open.check(&knocker).unwrap(), (NONCE, b"join".to_vec()));
}

/// KNOCK-1, KNOCK-2.
#[test]
fn a_proof_needs_the_secret_and_holds_in_one_connection_only() {
    let (secret, other) = (Secret::from([7; 16]), Secret::from([8; 16]));
    let bonds = [
        Bond {
            secret: &other,
            ..bond(&secret)
        },
        Bond {
            exporter: [9; 32],
            ..bond(&secret)
        },
        Bond {
            inviter: IdentityId::from([9; 32]),
            ..bond(&secret)
        },
        Bond {
            endpoint: EndpointId::from([9; 32]),
            ..bond(&secret)
        },
    ];
    for bond in bonds {
        assert!(matches!(knock().check(&bond), Err(Error::Proof)));
        assert!(matches!(
            answer().check(&bond, &knocker()),
            Err(Error::Proof)
        ));
    }
}

/// KNOCK-1, KNOCK-2.
#[test]
fn a_proof_covers_all_that_is_said() {
    let secret = Secret::from([7; 16]);
    let bond = bond(&secret);
    let knocks: [fn(&mut Knock); 4] = [
        |knock| knock.name = "Mallory".into(),
        |knock| knock.commitment = [9; 32],
        |knock| knock.card = card(5, 6).to_unverified(),
        |knock| knock.mac[31] ^= 1,
    ];
    for change in knocks {
        let mut knock = knock();
        change(&mut knock);
        assert!(matches!(knock.check(&bond), Err(Error::Proof)));
    }
    let answers: [fn(&mut Answer); 5] = [
        |answer| answer.name = "Mallory".into(),
        |answer| answer.nonce = [9; 32],
        |answer| answer.founding.push(0),
        |answer| answer.card = card(1, 6).to_unverified(),
        |answer| answer.mac[0] ^= 1,
    ];
    for change in answers {
        let mut answer = answer();
        change(&mut answer);
        assert!(matches!(answer.check(&bond, &knocker()), Err(Error::Proof)));
    }
    let other = Knocker {
        commitment: [9; 32],
        ..knocker()
    };
    assert!(matches!(answer().check(&bond, &other), Err(Error::Proof)));
    let other = Knocker {
        card: card(5, 6),
        ..knocker()
    };
    assert!(matches!(answer().check(&bond, &other), Err(Error::Proof)));
}

/// KNOCK-3.
#[test]
fn nobody_knocks_at_their_own_link_or_answers_for_another() {
    let secret = Secret::from([7; 16]);
    let bond = bond(&secret);
    let own = Knocker {
        card: card(1, 6),
        ..knocker()
    };
    assert!(matches!(
        Knock::new(&bond, invite(), &own),
        Err(Error::Oneself)
    ));
    let stranger = Answerer {
        card: card(5, 6),
        ..answerer()
    };
    assert!(matches!(
        Answer::new(&bond, &knocker(), &stranger),
        Err(Error::Stranger)
    ));
    // A stranger who knows the secret can make a right proof, but not the inviter's card.
    let mut forged = answer();
    forged.card = stranger.card.to_unverified();
    forged.mac = bond.answer_mac(&knocker(), &forged);
    assert!(matches!(
        forged.check(&bond, &knocker()),
        Err(Error::Stranger)
    ));
}

/// KNOCK-4.
#[test]
fn the_nonce_is_the_committed_one_of_this_device() {
    let other = Open::new([9; 32], vec![]).unwrap();
    assert!(matches!(other.check(&knocker()), Err(Error::Commitment)));
    let elsewhere = Knocker {
        card: card(3, 9),
        ..knocker()
    };
    let open = Open::new(NONCE, vec![]).unwrap();
    assert!(matches!(open.check(&elsewhere), Err(Error::Commitment)));
}

/// KNOCK-5.
#[test]
fn keeps_its_limits() {
    let secret = Secret::from([7; 16]);
    let bond = bond(&secret);
    let long = Knocker {
        name: "x".repeat(65),
        ..knocker()
    };
    assert!(matches!(
        Knock::new(&bond, invite(), &long),
        Err(Error::Name(_))
    ));
    let long = Answerer {
        name: "x\n".into(),
        ..answerer()
    };
    assert!(matches!(
        Answer::new(&bond, &knocker(), &long),
        Err(Error::Name(_))
    ));
    let over = vec![0; MAX_EVENT_BYTES + 1];
    let large = Answerer {
        founding: over.clone(),
        ..answerer()
    };
    assert!(matches!(
        Answer::new(&bond, &knocker(), &large),
        Err(Error::TooLarge { .. })
    ));
    assert!(matches!(
        Open::new(NONCE, over.clone()),
        Err(Error::TooLarge { .. })
    ));
    let open = Open {
        nonce: NONCE,
        join: over,
    };
    assert!(matches!(
        open.check(&knocker()),
        Err(Error::TooLarge { .. })
    ));
    let largest = Answerer {
        founding: vec![0; MAX_EVENT_BYTES],
        name: "x".repeat(64),
        ..answerer()
    };
    let largest = Message::Answer(Answer::new(&bond, &knocker(), &largest).unwrap());
    assert_eq!(resent(largest.clone()), largest);
    let over = Message::from_bytes(&[0; MAX_BYTES + 1]);
    assert!(matches!(over, Err(Error::TooLarge { .. })));
    for unknown in ["8205a0", "8203", "8303a000", "83", "a0", "8203f6"] {
        let unknown = HEXLOWER.decode(unknown.as_bytes()).unwrap();
        assert!(matches!(
            Message::from_bytes(&unknown),
            Err(Error::Encoding(_))
        ));
    }
    assert_eq!(
        Message::from_bytes(&[0x82, 3, 0xa1, 9, 9]).unwrap(),
        Message::Done
    );
}

proptest! {
    #[test]
    fn round_trips(
        name in "[a-zä李 ]{0,16}", nonce in any::<[u8; 32]>(),
        event in prop::collection::vec(any::<u8>(), 0..300), exporter in any::<[u8; 32]>(),
    ) {
        let secret = Secret::from([7; 16]);
        let bond = Bond { exporter, ..bond(&secret) };
        let device = card(3, 4).device();
        let knocker =
            Knocker { card: card(3, 4), name: name.clone(), commitment: commitment(&nonce, device), plea: Plea { remark: Some(name.clone()), addresses: vec![] } };
        let knock = Message::Knock(Knock::new(&bond, invite(), &knocker).unwrap());
        prop_assert_eq!(resent(knock.clone()), knock);
        let answerer = Answerer { card: card(1, 2), name, nonce, founding: event.clone() };
        let answer = Message::Answer(Answer::new(&bond, &knocker, &answerer).unwrap());
        prop_assert_eq!(resent(answer.clone()), answer);
        let open = Message::Open(Open::new(nonce, event).unwrap());
        prop_assert_eq!(resent(open.clone()), open);
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..100), at in 0..300_usize) {
        let mut altered = Message::Answer(answer()).to_bytes();
        let last = altered.len() - 1;
        altered[at.min(last)] ^= bytes.first().copied().unwrap_or_default();
        let secret = Secret::from([7; 16]);
        for bytes in [bytes.clone(), [&[0x82, 0], &bytes[..]].concat(), altered] {
            match Message::from_bytes(&bytes) {
                Ok(Message::Knock(knock)) => drop(knock.check(&bond(&secret))),
                Ok(Message::Answer(answer)) => drop(answer.check(&bond(&secret), &knocker())),
                Ok(Message::Open(open)) => drop(open.check(&knocker())),
                _ => {}
            }
        }
    }
}

fn resent(message: Message) -> Message {
    Message::from_bytes(&message.to_bytes()).unwrap()
}

fn bond(secret: &Secret) -> Bond<'_> {
    Bond {
        exporter: [0x11; 32],
        secret,
        inviter: IdentityKey::from_seed([1; 32]).public(),
        endpoint: EndpointId::from([0x22; 32]),
    }
}

fn invite() -> InviteId {
    InviteId::from([0x44; 16])
}

fn card(identity: u8, device: u8) -> DeviceCard {
    let device = DeviceKey::from_seed([device; 32]).public();
    card::issue(
        &IdentityKey::from_seed([identity; 32]),
        device,
        "laptop",
        NOW,
    )
    .unwrap()
}

fn knocker() -> Knocker {
    let card = card(3, 4);
    let commitment = commitment(&NONCE, card.device());
    Knocker {
        card,
        name: "Ben".into(),
        commitment,
        plea: Plea::default(),
    }
}

fn pleading() -> Knocker {
    let plea = Plea {
        remark: Some("hi".into()),
        addresses: vec!["127.0.0.1:80".parse().unwrap(), "[::1]:80".parse().unwrap()],
    };
    Knocker { plea, ..knocker() }
}

fn knock() -> Knock {
    Knock::new(&bond(&Secret::from([7; 16])), invite(), &knocker()).unwrap()
}

fn answerer() -> Answerer {
    Answerer {
        card: card(1, 2),
        name: "Anna".into(),
        nonce: [0x55; 32],
        founding: b"found".to_vec(),
    }
}

fn answer() -> Answer {
    Answer::new(&bond(&Secret::from([7; 16])), &knocker(), &answerer()).unwrap()
}
