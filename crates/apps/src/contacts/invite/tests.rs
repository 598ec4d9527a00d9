#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use data_encoding::HEXLOWER;
use proptest::prelude::*;

const DAY: u64 = 24 * 3_600_000;

fn invite(reusable: bool) -> Invite {
    let mut scalar = [0; 48];
    scalar[47] = 1;
    let key = InviteKey::from_bytes(&scalar).unwrap();
    Invite::new(key, Secret::from([0x5e; 16]), reusable, 1_000, DAY)
}

fn device(n: u8) -> DeviceId {
    DeviceId::from([n; 32])
}

fn identity(n: u8) -> IdentityId {
    IdentityId::from([n; 32])
}

/// CON-5.
#[test]
fn a_one_time_link_lets_one_device_in_and_answers_it_again() {
    let mut invite = invite(false);
    assert!(invite.is_open(2_000));
    assert_eq!(
        invite.admit(2_000, device(1), identity(1)),
        Ok(Admission::New)
    );
    assert!(!invite.is_open(2_000));
    assert_eq!(
        invite.admit(3_000, device(1), identity(1)),
        Ok(Admission::Again)
    );
    invite.revoke(4_000);
    assert_eq!(
        invite.admit(2 * DAY, device(1), identity(1)),
        Ok(Admission::Again)
    );
    assert_eq!(
        invite.uses,
        [Use {
            identity: identity(1),
            device: device(1),
            at: 2_000
        }]
    );
}

/// CON-6.
#[test]
fn whoever_else_tries_a_used_link_is_noticed_even_after_its_end() {
    let mut invite = invite(false);
    invite.admit(2_000, device(1), identity(1)).unwrap();
    let used = Refused::Used { suspicious: true };
    assert_eq!(invite.admit(3_000, device(2), identity(2)), Err(used));
    assert_eq!(invite.admit(4_000, device(2), identity(2)), Err(used));
    invite.revoke(5_000);
    assert_eq!(invite.admit(2 * DAY, device(3), identity(3)), Err(used));
    let tried: Vec<_> = invite
        .attempts
        .iter()
        .map(|attempt| (attempt.device, attempt.at))
        .collect();
    assert_eq!(tried, [(device(2), 3_000), (device(3), 2 * DAY)]);
    assert_eq!(invite.attempt_count, 3);
    assert_eq!(used.reason(), Reason::Used);
}

/// CON-6: the same person opened the link on the phone and on the laptop.
#[test]
fn the_same_person_with_another_device_is_refused_but_not_suspected() {
    let mut invite = invite(false);
    invite.admit(2_000, device(1), identity(1)).unwrap();
    let refused = invite.admit(3_000, device(2), identity(1));
    assert_eq!(refused, Err(Refused::Used { suspicious: false }));
    assert_eq!((invite.attempts.len(), invite.attempt_count), (0, 0));
}

/// CON-6.
#[test]
fn attempts_are_bounded() {
    let mut invite = invite(false);
    invite.admit(2_000, device(255), identity(255)).unwrap();
    for n in 0..100 {
        invite.admit(3_000, device(n), identity(n)).unwrap_err();
    }
    assert_eq!(
        (invite.attempts.len(), invite.attempt_count),
        (MAX_ATTEMPTS, 100)
    );
}

/// CON-5.
#[test]
fn nobody_comes_in_after_the_end() {
    let mut expired = invite(false);
    assert_eq!(
        expired.admit(DAY, device(1), identity(1)),
        Err(Refused::Expired)
    );
    assert_eq!(
        expired.admit(DAY - 1, device(1), identity(1)),
        Ok(Admission::New)
    );
    let mut revoked = invite(true);
    revoked.revoke(2_000);
    revoked.revoke(3_000);
    assert_eq!(revoked.revoked, Some(2_000));
    assert_eq!(
        revoked.admit(2_500, device(1), identity(1)),
        Err(Refused::Revoked)
    );
    assert_eq!(Refused::Revoked.reason(), Reason::Revoked);
    assert_eq!(Refused::Expired.reason(), Reason::Expired);
}

/// CON-7.
#[test]
fn a_reusable_link_lets_many_in_and_not_too_many() {
    let mut invite = invite(true);
    for n in 0..=255 {
        assert_eq!(
            invite.admit(2_000, device(n), identity(n)),
            Ok(Admission::New)
        );
    }
    assert_eq!(
        invite.admit(2_000, device(0), identity(0)),
        Ok(Admission::Again)
    );
    assert_eq!(
        invite.admit(2_000, device(0), identity(1)),
        Err(Refused::Full)
    );
    assert_eq!(Refused::Full.reason(), Reason::TooMany);
    assert_eq!(invite.attempt_count, 0);
}

/// CON-101.
#[test]
fn by_a_reusable_link_a_person_is_asked_about_strangers() {
    let mut invite = invite(true);
    let (device, identity) = (device(1), identity(1));
    let mut by = |now, word| invite.admit_by(now, device, identity, word);
    assert_eq!(by(2_000, Word::None), Ok(Admission::Ask));
    assert_eq!(by(2_000, Word::Waiting), Ok(Admission::Ask));
    assert_eq!(by(2_000, Word::No), Err(Refused::Rejected));
    assert_eq!(by(DAY, Word::None), Err(Refused::Expired));
    assert_eq!(by(DAY, Word::Known), Err(Refused::Expired));
    assert_eq!(by(DAY, Word::Waiting), Ok(Admission::Ask));
    // Who asked in time is let in by a yes whenever it comes.
    assert_eq!(by(DAY, Word::Yes), Ok(Admission::New));
    assert_eq!(by(DAY, Word::No), Ok(Admission::Again), "it was let in");
}

/// CON-7, CON-101.
#[test]
fn a_yes_lets_in_no_more_than_a_link_may() {
    let mut invite = invite(true);
    for n in 0..=255 {
        let word = if n % 2 == 0 { Word::Yes } else { Word::Known };
        let admitted = invite.admit_by(2_000, device(n), identity(n), word);
        assert_eq!(admitted, Ok(Admission::New));
    }
    for word in [Word::Yes, Word::Known, Word::None] {
        let admitted = invite.admit_by(2_000, device(0), identity(1), word);
        assert_eq!(admitted, Err(Refused::Full));
    }
}

/// CON-106.
#[test]
fn a_shut_door_is_known_to_who_came_by_it_only() {
    let key = invite(true).key;
    let mut door = Invite::door(key, Secret::from([1; 16]), None, 1_000);
    assert!(!door.is_shut_to(DAY, device(1), identity(1)));
    door.admit_by(2_000, device(1), identity(1), Word::Yes)
        .unwrap();
    door.revoke(3_000);
    assert!(!door.is_shut_to(DAY, device(1), identity(1)));
    assert!(door.is_shut_to(DAY, device(2), identity(1)));
    assert!(door.is_shut_to(DAY, device(1), identity(2)));
    assert!(
        !invite(true).is_shut_to(DAY, device(2), identity(1)),
        "no door"
    );
    assert_eq!(Invite::decode(&door.encode()).unwrap(), door);
}

/// CON-101: a one-time link was given to one person.
#[test]
fn by_a_one_time_link_nobody_is_asked() {
    for word in [Word::None, Word::Known, Word::Waiting, Word::Yes, Word::No] {
        let mut invite = invite(false);
        let admitted = invite.admit_by(2_000, device(1), identity(1), word);
        assert_eq!(admitted, Ok(Admission::New));
        let second = invite.admit_by(3_000, device(2), identity(2), word);
        assert_eq!(second, Err(Refused::Used { suspicious: true }));
    }
}

/// CON-1: the bytes that are stored.
#[test]
fn has_these_bytes() {
    let mut invite = invite(false);
    let key = format!("5830{}01", "00".repeat(47));
    let secret = format!("50{}", "5e".repeat(16));
    let fresh = format!("a9 0001 02{key} 03{secret} 04f4 051903e8 061a05265c00 0880 0980 0a00");
    assert_eq!(HEXLOWER.encode(&invite.encode()), fresh.replace(' ', ""));
    invite.name = Some("Bert".into());
    invite.admit(2_000, device(0xdd), identity(0xbb)).unwrap();
    invite
        .admit(3_000, device(0xee), identity(0xcc))
        .unwrap_err();
    invite.revoke(4_000);
    let who = |identity: &str, device: &str, at: &str| {
        format!(
            "a3005820{}015820{}02{at}",
            identity.repeat(32),
            device.repeat(32)
        )
    };
    let expected = format!(
        "ab 0001 016442657274 02{key} 03{secret} 04f4 051903e8 061a05265c00 07190fa0 0881{} 0981{} \
         0a01",
        who("bb", "dd", "1907d0"),
        who("cc", "ee", "190bb8"),
    );
    assert_eq!(HEXLOWER.encode(&invite.encode()), expected.replace(' ', ""));
    assert_eq!(Invite::decode(&invite.encode()).unwrap(), invite);
    let mut asking = Invite {
        attempts: vec![],
        uses: vec![],
        ..self::invite(true)
    };
    asking.question = Some("Who?".into());
    let expected = format!(
        "aa 0001 02{key} 03{secret} 04f5 051903e8 061a05265c00 0880 0980 0a00 0b6457686f3f"
    );
    assert_eq!(HEXLOWER.encode(&asking.encode()), expected.replace(' ', ""));
    assert_eq!(Invite::decode(&asking.encode()).unwrap(), asking);
    let shown = format!("{invite:?}");
    assert!(!shown.contains("Bert") && !shown.contains("5e5e"));
}

#[test]
fn a_damaged_key_is_told() {
    let mut bytes = invite(false).encode();
    let last = bytes
        .windows(2)
        .position(|pair| pair == [0x58, 0x30])
        .unwrap()
        + 2
        + 47;
    bytes[last] = 0;
    assert!(matches!(Invite::decode(&bytes), Err(RecordError::Key(_))));
}

proptest! {
    /// Whoever knocks when: one new device at most by a one-time link, and no device twice.
    #[test]
    fn lets_in_as_many_as_it_may(
        reusable: bool,
        knocks in prop::collection::vec((0..6u8, 0..2 * DAY, any::<bool>()), 0..40),
    ) {
        let mut invite = invite(reusable);
        let mut new = Vec::new();
        for (n, at, revoke) in knocks {
            if revoke && n == 0 {
                invite.revoke(at);
            }
            let open = invite.is_open(at);
            match invite.admit(at, device(n), identity(n)) {
                Ok(Admission::New) => {
                    prop_assert!(open && at < DAY);
                    new.push(n);
                }
                Ok(Admission::Again) => prop_assert!(new.contains(&n)),
                Ok(Admission::Ask) => prop_assert!(false, "nobody is asked here"),
                Err(_) => prop_assert!(!open && !new.contains(&n)),
            }
        }
        prop_assert!(reusable || new.len() <= 1);
        prop_assert_eq!(invite.uses.len(), new.len());
        prop_assert_eq!(Invite::decode(&invite.encode()).unwrap(), invite);
    }

    #[test]
    fn never_panics(at in any::<prop::sample::Index>(), to: u8) {
        let mut invite = invite(false);
        invite.admit(2_000, device(1), identity(1)).unwrap();
        let mut bytes = invite.encode();
        let at = at.index(bytes.len());
        bytes[at] = to;
        let _ = Invite::decode(&bytes);
        let _ = Invite::decode(&bytes[at..]);
    }
}
