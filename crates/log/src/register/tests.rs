#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use data_encoding::HEXLOWER;
use minicbor::Encoder;
use proptest::prelude::*;

use super::*;

#[test]
fn log_11_register_snapshot() {
    assert_eq!(
        HEXLOWER.encode(&register("read", 5, b"value").encode()),
        "82585aa501582003030303030303030303030303030303030303030303030303030303030303030258208139\
         770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394036472656164041a000500000545\
         76616c7565584015980c0cc274e246ad02b2e8911ed927fa44dc5992724458bec644f8d05cd81bf61ae207d5\
         9ea350e9f8672c9239a46d2b68870dd0e217105b9952c504950303"
    );
}

#[test]
fn log_11_is_believed_only_as_it_was_signed() {
    let wire = register("read", 5, b"value").encode();
    Unverified::decode(&wire).unwrap().verify().unwrap();
    for at in 0..wire.len() {
        let mut altered = wire.clone();
        altered[at] ^= 1;
        let believed = Unverified::decode(&altered).and_then(Unverified::verify);
        assert!(believed.is_err(), "byte {at}");
    }
}

#[test]
fn log_11_unknown_fields_stay_signed_and_are_passed_on() {
    let known = register("read", 5, b"value");
    let mut statement = known.encoded.clone();
    statement[0] += 1;
    let mut more = Encoder::new(statement);
    more.u8(9).unwrap().str("later").unwrap();
    let statement = more.into_writer();
    let signature = key().sign(REGISTER_SIGNATURE, id_of(&statement).as_bytes());
    let wire = encoding::encode(&Form {
        statement,
        signature,
    });
    let read = Unverified::decode(&wire).unwrap().verify().unwrap();
    assert_eq!(read.value(), known.value());
    assert_ne!(read.version(), known.version());
    assert_eq!(read.encode(), wire);
}

#[test]
fn log_12_the_latest_wins_and_of_two_at_once_always_the_same() {
    let (old, new) = (register("k", 5, b"old"), register("k", 6, b"new"));
    assert!(old.version() < new.version());
    let twin = register("k", 6, b"twin");
    assert_ne!(twin.version(), new.version());
    assert_eq!(twin.version().0, new.version().0);
}

#[test]
fn log_13_limits_hold() {
    let key_of = |len| "k".repeat(len);
    let sign = |name: &str, len| Register::sign(&key(), session(), name, time(1), vec![0; len]);
    let largest = sign(&key_of(MAX_KEY_BYTES), MAX_VALUE_BYTES).unwrap();
    Unverified::decode(&largest.encode()).unwrap();
    let too_long = [
        sign(&key_of(MAX_KEY_BYTES + 1), 0),
        sign("", MAX_VALUE_BYTES + 1),
    ];
    assert!(
        too_long
            .iter()
            .all(|one| matches!(one, Err(RegisterError::TooLarge)))
    );
    let statement = Statement {
        value: vec![0; MAX_VALUE_BYTES + 1],
        ..largest.statement.clone()
    };
    let wire = encoding::encode(&Form {
        statement: encoding::encode(&statement),
        signature: largest.signature,
    });
    assert!(matches!(
        Unverified::decode(&wire),
        Err(RegisterError::TooLarge)
    ));
    let huge = vec![0; MAX_BYTES + 1];
    assert!(matches!(
        Unverified::decode(&huge),
        Err(RegisterError::TooLarge)
    ));
}

#[test]
fn what_it_holds_is_not_printed() {
    let register = register("read", 5, b"a secret");
    let unverified = Unverified::decode(&register.encode()).unwrap();
    assert!(!format!("{register:?} {unverified:?}").contains("97, 32"));
}

proptest! {
    #[test]
    fn log_11_registers_round_trip(
        name in ".{0,16}", at: u64, value in prop::collection::vec(any::<u8>(), 0..200)
    ) {
        let time = Hlc::from_raw(at);
        let register = Register::sign(&key(), session(), &name, time, value.clone()).unwrap();
        let wire = register.encode();
        let back = Unverified::decode(&wire).unwrap();
        prop_assert_eq!(back.clone().trusted(), register.clone());
        let back = back.verify().unwrap();
        prop_assert_eq!(&back, &register);
        prop_assert_eq!((back.key(), back.value(), back.session()), (&*name, &*value, session()));
        prop_assert_eq!(back.encode(), wire);
    }

    #[test]
    fn log_11_decoding_never_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        at: prop::sample::Index, with: u8, cut: prop::sample::Index,
    ) {
        let _ = Unverified::decode(&bytes);
        let mut altered = register("read", 5, b"value").encode();
        let len = altered.len();
        altered[at.index(len)] = with;
        altered.truncate(1 + cut.index(len));
        let _ = Unverified::decode(&altered).map(Unverified::verify);
    }
}

fn register(name: &str, millis: u64, value: &[u8]) -> Register {
    Register::sign(&key(), session(), name, time(millis), value.to_vec()).unwrap()
}

fn key() -> DeviceKey {
    DeviceKey::from_seed([2; 32])
}

fn session() -> SessionId {
    SessionId::from([3; 32])
}

fn time(millis: u64) -> Hlc {
    Hlc::from_millis(millis)
}
