#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use data_encoding::HEXLOWER;
use proptest::prelude::*;
use tenet_identity::keys::{DeviceId, DeviceKey, IdentityKey, InviteKey};

use super::*;
use crate::{
    clock::Hlc,
    event::{Header, Kind},
    ids::{EventId, SessionId},
    roster::{History, SessionKind},
};

const NOW: u64 = 1_800_000_000_000;

#[test]
fn operation_snapshots() {
    let hex = |op: Op| HEXLOWER.encode(&op.payload());
    let card = HEXLOWER.encode(&encoding::encode(&card().to_unverified()));
    let founding = hex(Op::Found(founding()));
    assert_eq!(
        founding,
        "a40001015820090909090909090909090909090909090909090909090909090909090909090902825865a600\
         010158208a875fff1eb38451577acd5afee405456568dd7c89e090863a0557bc7af49f170258208139770ea8\
         7d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b39403666c6170746f70041b000001a31335f4\
         00051b000001aa6ae720005840cdf315473e98d83ec848be6e956a23160705ece2594d9c0ecec975188e8f9c\
         854623d12b5e21d75e9cdbd5ace05f383e41fcabbfacdcbcdb750ac93c9d9e5c000382a20058208a875fff1e\
         b38451577acd5afee405456568dd7c89e090863a0557bc7af49f170100a2005820ea4a6c63e29c520abef550\
         7b132ec5f9954776aebebe7b92421eea691446d22c0100"
    );
    assert_eq!(hex(Op::Join(self::card())), card);
    assert_eq!(hex(Op::AddDevice(self::card())), card);
    let (device, added_by) = ("0a".repeat(32), "0b".repeat(32));
    assert_eq!(hex(remove()), format!("825820{device}5820{added_by}"));
    let revocation = Revocation::issue(&identity(), device_key().public(), NOW).unwrap();
    let stated = HEXLOWER.encode(&revocation.to_bytes());
    assert_eq!(hex(Op::Revoke(revocation)), stated);
    assert_eq!(hex(Op::Leave), "");
}

#[test]
fn snapshots_of_operations_of_many() {
    let identity = HEXLOWER.encode(identity().public().as_bytes());
    let (id, key) = ("0b".repeat(32), "0c".repeat(32));
    let card = HEXLOWER.encode(&encoding::encode(&card().to_unverified()));
    let Op::JoinLink(joining) = joining() else {
        panic!()
    };
    let proof = HEXLOWER.encode(joining.proof.as_bytes());
    let expected = [
        format!("a3005820{identity}0102021903e8"),
        format!("a3005825{}015820{id}025840{proof}", &card[4..]),
        format!("a2005820{identity}0101"),
        format!("a2005820{identity}0103"),
        format!("a2005820{identity}01f5"),
        format!("a2005820{identity}011907d0"),
        format!("a1005820{identity}"),
        format!("a3005820{key}0102021907d0"),
        format!("a4005820{key}010204f5056477 68793f").replace(' ', ""),
        format!("a1005820{identity}"),
        format!("a3005820{identity}010702626e6f"),
        format!("a1005820{id}"),
        "a200020582010a".to_owned(),
        "a200646e616d65014401020304".to_owned(),
        format!(
            "a3005820{identity}015820{}0264{}",
            "0d".repeat(32),
            "7370616d"
        ),
        String::new(),
    ];
    let of_many = of_many();
    assert_eq!(of_many.len(), expected.len());
    for (op, expected) in of_many.iter().zip(expected) {
        let payload = HEXLOWER.encode(&op.payload());
        if matches!(op, Op::JoinLink(_)) {
            assert!(payload.contains(&card) && payload.ends_with(&format!("025840{proof}")));
            continue;
        }
        assert_eq!(payload, expected, "{op:?}");
    }
    let usual = Op::Policy(Policy::default());
    assert_eq!(HEXLOWER.encode(&usual.payload()), "a0");
    for (history, hex) in [(History::None, "a0"), (History::All, "a1058102")] {
        let policy = Policy {
            history,
            ..Policy::default()
        };
        assert_eq!(HEXLOWER.encode(&Op::Policy(policy).payload()), hex);
    }
}

#[test]
fn operations_come_back_from_their_events() {
    let revocation = Revocation::issue(&identity(), device_key().public(), NOW).unwrap();
    let mut policed = founding();
    policed.policy.write = Role::Moderator;
    let ops = [
        Op::Found(founding()),
        Op::Found(policed),
        Op::Join(card()),
        Op::AddDevice(card()),
        remove(),
        Op::Revoke(revocation),
        Op::Leave,
    ];
    for op in ops.into_iter().chain(of_many()) {
        let event = event(op.kind(), op.payload());
        assert_eq!(Op::of(&event).unwrap(), Some(op.clone()));
        assert!(kind::is_known(op.kind()));
        let begins = matches!(
            op,
            Op::Found(_) | Op::Join(_) | Op::AddDevice(_) | Op::JoinLink(_)
        );
        assert_eq!(op.card().is_some(), begins);
    }
    let later = event("roster.rename", vec![]);
    assert_eq!(Op::of(&later).unwrap(), None);
    let ordinary = event("chat.unsend", vec![]);
    assert_eq!(Op::of(&ordinary).unwrap(), None);
}

#[test]
fn a_founding_names_its_founder_and_as_many_as_its_kind_needs() {
    let other = Member {
        identity: IdentityKey::from_seed([8; 32]).public(),
        role: Role::Member,
    };
    let me = founding().members[0];
    let check = |kind, members: &[Member]| {
        let mut founding = founding();
        founding.kind = kind;
        founding.members = members.to_vec();
        let op = Op::Found(founding);
        Op::of(&event(kind::FOUND, op.payload())).is_ok()
    };
    assert!(check(SessionKind::Own, &[me]) && !check(SessionKind::Own, &[me, other]));
    assert!(check(SessionKind::Direct, &[me, other]) && !check(SessionKind::Direct, &[me]));
    assert!(!check(SessionKind::Direct, &[me, me]) && !check(SessionKind::Group, &[me, me]));
    assert!(check(SessionKind::Group, &[me]) && !check(SessionKind::Group, &[other]));
    let many = |count: u8| {
        let others = (1..count).map(|n| Member {
            identity: IdentityKey::from_seed([100 + n; 32]).public(),
            ..me
        });
        std::iter::once(me).chain(others).collect::<Vec<_>>()
    };
    assert!(check(SessionKind::Group, &many(16)) && !check(SessionKind::Group, &many(17)));
}

#[test]
fn an_operation_that_contradicts_its_header_is_refused() {
    let join = Op::Join(card());
    let refused = |kind: &str, payload: Vec<u8>, change: &dyn Fn(&mut Header)| {
        let mut header = event(kind, payload).header().clone();
        change(&mut header);
        let signed = Event::sign(&device_key(), header, None);
        assert!(Op::of(&signed).is_err());
    };
    let added = Some(EventId::from([1; 32]));
    refused(kind::JOIN, join.payload(), &|h| h.added_by = added);
    refused(kind::LEAVE, vec![], &|h| h.added_by = None);
    refused(kind::JOIN, join.payload(), &|h| {
        h.device = DeviceId::from([1; 32])
    });
    refused(kind::JOIN, join.payload(), &|h| h.session = None);
    let found = Op::Found(founding());
    refused(kind::FOUND, found.payload(), &|h| {
        h.session = Some(SessionId::from([1; 32]))
    });
    refused(kind::FOUND, found.payload(), &|h| {
        h.deps = vec![EventId::from([1; 32])]
    });
    refused(kind::JOIN, join.payload(), &|h| {
        h.content = Content::Body {
            hash: [0; 32],
            bucket: 0,
        };
    });
}

#[test]
fn a_setting_has_limits() {
    let set = |key: usize, value: usize| {
        let op = Op::Set(Setting {
            key: "k".repeat(key),
            value: vec![0; value],
        });
        Op::of(&event(kind::SET, op.payload())).is_ok()
    };
    assert!(set(1, 0) && set(MAX_SETTING_KEY_BYTES, MAX_SETTING_BYTES));
    assert!(!set(0, 0) && !set(MAX_SETTING_KEY_BYTES + 1, 0) && !set(1, MAX_SETTING_BYTES + 1));
}

#[test]
fn a_joining_proves_its_link() {
    let Op::JoinLink(joining) = joining() else {
        panic!()
    };
    let (key, other) = (link().public(), InviteKey::from_seed([13; 32]).public());
    assert!(joining.is_by(key) && !joining.is_by(other));
    let elsewhere = Joining {
        opening: EventId::from([1; 32]),
        ..joining
    };
    assert!(!elsewhere.is_by(key));
}

#[test]
fn a_card_in_an_operation_is_checked() {
    let mut payload = Op::Join(card()).payload();
    let last = payload.len() - 1;
    payload[last] ^= 1;
    assert!(matches!(
        Op::of(&event(kind::JOIN, payload)),
        Err(OpError::Card(_))
    ));
}

#[test]
fn the_secret_is_not_printed() {
    let founding = Op::Found(founding());
    assert!(!format!("{founding:?}").contains("9, 9, 9"));
}

proptest! {
    #[test]
    fn decoding_never_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..300), which in 0..18_usize,
        at: prop::sample::Index, with: u8, cut: prop::sample::Index,
    ) {
        let _ = Op::of(&event(kind::ALL[which], bytes));
        let mut altered = Op::Found(founding()).payload();
        let len = altered.len();
        altered[at.index(len)] = with;
        altered.truncate(cut.index(len));
        let _ = Op::of(&event(kind::ALL[which], altered));
    }
}

fn event(kind: &str, payload: Vec<u8>) -> Event {
    let founds = kind == kind::FOUND;
    let adds_itself = founds || kind == kind::JOIN || kind == kind::JOIN_LINK;
    let header = Header {
        session: (!founds).then(|| SessionId::from([3; 32])),
        device: device_key().public(),
        added_by: (!adds_itself).then(|| EventId::from([4; 32])),
        seq: 0,
        prev: None,
        deps: Vec::new(),
        time: Hlc::from_millis(NOW),
        kind: Kind::new(kind).unwrap(),
        content: Content::Payload(payload),
        expires: None,
    };
    Event::sign(&device_key(), header, None)
}

fn founding() -> Founding {
    Founding {
        kind: SessionKind::Direct,
        secret: [9; 32],
        card: card(),
        members: vec![
            Member {
                identity: identity().public(),
                role: Role::Owner,
            },
            Member {
                identity: IdentityKey::from_seed([7; 32]).public(),
                role: Role::Owner,
            },
        ],
        policy: Policy::default(),
    }
}

fn of_many() -> Vec<Op> {
    let identity = identity().public();
    let time = |millis: u64| Some(Hlc::from_raw(millis));
    vec![
        Op::Add(Addition {
            identity,
            role: Role::Member,
            floor: time(1000),
        }),
        joining(),
        Op::Promote(Member {
            identity,
            role: Role::Moderator,
        }),
        Op::Demote(Member {
            identity,
            role: Role::Observer,
        }),
        Op::Remove(Removal {
            identity,
            shut_out: true,
        }),
        Op::Mute(Muting {
            identity,
            until: time(2000),
        }),
        Op::Unmute(identity),
        Op::OpenLink(Opening {
            until: time(2000),
            ..Opening::new([12; 32].into(), Role::Member)
        }),
        Op::OpenLink(Opening {
            question: Some("why?".into()),
            ..Opening::new([12; 32].into(), Role::Member).asking()
        }),
        Op::Unblock(identity),
        Op::Refuse(Refusal {
            identity,
            asked: 7,
            remark: Some("no".into()),
        }),
        Op::CloseLink([11; 32].into()),
        Op::Policy(Policy {
            add: Role::Member,
            history: History::Last(10),
            ..Policy::default()
        }),
        Op::Set(Setting {
            key: "name".into(),
            value: vec![1, 2, 3, 4],
        }),
        Op::Withdraw(Withdrawal {
            identity,
            event: [13; 32].into(),
            reason: "spam".into(),
        }),
        Op::Dissolve,
    ]
}

fn joining() -> Op {
    Op::JoinLink(Joining::by(&link(), EventId::from([11; 32]), card()))
}

fn link() -> InviteKey {
    InviteKey::from_seed([12; 32])
}

fn remove() -> Op {
    Op::RemoveDevice(Author {
        device: DeviceId::from([10; 32]),
        added_by: EventId::from([11; 32]),
    })
}

fn card() -> DeviceCard {
    card::issue(&identity(), device_key().public(), "laptop", NOW).unwrap()
}

fn identity() -> IdentityKey {
    IdentityKey::from_seed([6; 32])
}

fn device_key() -> DeviceKey {
    DeviceKey::from_seed([2; 32])
}
