#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::keys::DeviceKey;
use data_encoding::HEXLOWER;
use proptest::prelude::*;

const NOW: u64 = 1_800_000_000_000;

#[test]
fn card_snapshot() {
    assert_eq!(
        HEXLOWER.encode(&card().to_bytes()),
        "825865a600010158208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c025820\
        8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b39403666c6170746f70041b0000\
        01a31335f400051b000001aa6ae72000584098459f7edd165121547b935b777b2aec52a1c2960a068c89da1f\
        52f9dde605fc94ba8774d971b145019fc705b540ed309dda293382ee220fe8ee3cd53b37aa0a"
    );
}

#[test]
fn revocation_snapshot() {
    assert_eq!(
        HEXLOWER.encode(&revocation().to_bytes()),
        "825853a400010158208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c025820\
        8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394031b000001a3185c50005840\
        57d1ea612e2c53b07ea77186f6f36949b0b6c7c74a9c8873face59768ad865cdb7a9412f6227eb538672ea46\
        c89beecfc18ac09a02fe78b13f2657c0da58cd08"
    );
}

/// CARD-3.
#[test]
fn is_valid_for_a_year_from_the_day_before() {
    let card = card();
    let (first, last) = (NOW - SLACK_MS, NOW - SLACK_MS + LIFETIME_MS);
    assert_eq!((card.not_before(), card.not_after()), (first, last));
    assert!(card.valid_at(first) && card.valid_at(NOW) && card.valid_at(last));
    assert!(!card.valid_at(first - 1) && !card.valid_at(last + 1));
}

/// CARD-1, CARD-2.
#[test]
fn is_believed_only_with_the_identitys_signature() {
    let bytes = card().to_bytes();
    assert_eq!(
        UnverifiedCard::from_bytes(&bytes)
            .unwrap()
            .verify()
            .unwrap(),
        card()
    );
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let believed = UnverifiedCard::from_bytes(&altered).and_then(UnverifiedCard::verify);
        assert!(believed.is_err(), "byte {at}");
    }
}

/// CARD-1.
#[test]
fn a_revocation_is_no_card_and_a_card_no_revocation() {
    let card = UnverifiedRevocation::from_bytes(&card().to_bytes()).unwrap();
    assert!(card.verify().is_err());
    let revocation = UnverifiedCard::from_bytes(&revocation().to_bytes()).unwrap();
    assert!(revocation.verify().is_err());
}

#[test]
fn issues_no_card_that_would_be_refused() {
    let identity = identity();
    let weak = DeviceId::from([0; 32]);
    assert!(matches!(
        issue(&identity, weak, "", NOW),
        Err(Error::Weak(_))
    ));
    let long = "x".repeat(65);
    assert!(matches!(
        issue(&identity, device(), &long, NOW),
        Err(Error::Name(_))
    ));
}

/// CARD-2.
#[test]
fn refuses_bodies_that_no_issuer_makes() {
    let body = |change: fn(&mut Body)| {
        let mut body = card().body;
        change(&mut body);
        signed(encoding::encode(&body)).verify()
    };
    assert!(matches!(
        body(|b| b.version = 2),
        Err(Error::Version { version: 2 })
    ));
    assert!(matches!(
        body(|b| b.version = 0),
        Err(Error::Version { version: 0 })
    ));
    assert!(matches!(
        body(|b| b.device = DeviceId::from([0; 32])),
        Err(Error::Weak(_))
    ));
    assert!(matches!(
        body(|b| b.identity = IdentityId::from([0; 32])),
        Err(Error::Weak(_))
    ));
    assert!(matches!(
        body(|b| b.name = "a\nb".into()),
        Err(Error::Name(_))
    ));
    assert!(matches!(
        body(|b| b.not_after = b.not_before),
        Err(Error::Span)
    ));
    let other = |b: &mut Body| b.identity = IdentityKey::from_seed([9; 32]).public();
    assert!(matches!(body(other), Err(Error::Signature(_))));
}

/// CARD-1, CARD-2.
#[test]
fn refuses_other_forms() {
    assert!(matches!(
        signed(vec![0xa1, 0x00, 0x02]).verify(),
        Err(Error::Version { version: 2 })
    ));
    assert!(matches!(
        signed(vec![0x40]).verify(),
        Err(Error::Encoding(_))
    ));
    assert!(matches!(
        signed(vec![0; 600]).verify(),
        Err(Error::TooLarge { got: 600 })
    ));
    let large = signed(vec![0; 600]).to_bytes();
    assert!(matches!(
        UnverifiedCard::from_bytes(&large),
        Err(Error::TooLarge { got: 600 })
    ));
    assert!(matches!(
        UnverifiedCard::from_bytes(&[0x80]),
        Err(Error::Encoding(_))
    ));
    let mut third = card().to_bytes();
    third[0] = 0x83;
    third.push(0);
    assert!(matches!(
        UnverifiedCard::from_bytes(&third),
        Err(Error::Encoding(_))
    ));
}

/// A field of a later version is signed, kept and passed on.
///
/// ENC-3.
#[test]
fn keeps_fields_that_it_does_not_know() {
    let mut body = encoding::encode(&card().body);
    body[0] = 0xa7;
    body.extend_from_slice(&[0x18, 0x64, 0xf5]);
    let bytes = signed(body).to_bytes();
    let card = UnverifiedCard::from_bytes(&bytes)
        .unwrap()
        .verify()
        .unwrap();
    assert_eq!(card.to_bytes(), bytes);
    assert_eq!(encoding::encode(&card), bytes);
    assert_eq!(card.to_unverified().to_bytes(), bytes);
}

proptest! {
    #[test]
    fn round_trips(seed in any::<[u8; 32]>(), name in "[a-zA-Zäß李 ]{0,16}", now in 0..1u64 << 60) {
        let device = DeviceKey::from_seed(seed).public();
        let card = issue(&identity(), device, &name, now).unwrap();
        let read = UnverifiedCard::from_bytes(&card.to_bytes()).unwrap().verify().unwrap();
        prop_assert_eq!((read.identity(), read.device()), (identity().public(), device));
        prop_assert_eq!(read.name(), name);
        prop_assert_eq!(read, card);
        let revocation = Revocation::issue(&identity(), device, now).unwrap();
        let read = UnverifiedRevocation::from_bytes(&revocation.to_bytes()).unwrap();
        prop_assert_eq!(read.verify().unwrap(), revocation);
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for bytes in [bytes.clone(), signed(bytes).to_bytes()] {
            let _ = UnverifiedCard::from_bytes(&bytes).and_then(UnverifiedCard::verify);
            let _ = UnverifiedRevocation::from_bytes(&bytes).and_then(UnverifiedRevocation::verify);
        }
    }
}

fn identity() -> IdentityKey {
    IdentityKey::from_seed([1; 32])
}

fn device() -> DeviceId {
    DeviceKey::from_seed([2; 32]).public()
}

fn card() -> DeviceCard {
    issue(&identity(), device(), "laptop", NOW).unwrap()
}

fn revocation() -> Revocation {
    Revocation::issue(&identity(), device(), NOW).unwrap()
}

fn signed(body: Vec<u8>) -> UnverifiedCard {
    UnverifiedCard(Statement::sign(&identity(), CARD_ID, CARD_SIGNATURE, body))
}
