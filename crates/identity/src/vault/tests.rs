#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

#[test]
fn machine_slot_snapshot() {
    assert_eq!(
        HEXLOWER.encode(&machine_only().to_bytes()),
        "825862a400010150023f37203a2476c42566a61cc55c3ca80248d6dde2251883fa5803a2004c75dbb4cc41c0\
        deb789f8e7bf01583065292423a96357e998e6516a2f23d7ea58946c2ea0a0677bf4dafcd95c9cb989ea2b9b\
        54a7104c4ed3efb29fdce658ec4830742282b4e2342d"
    );
}

#[test]
fn pin_and_phrase_slots_snapshot() {
    let mut wrapped = with_pin();
    wrapped.wrap_phrase(&mut rng(9), &key(), &[6; 64]).unwrap();
    assert_eq!(
        HEXLOWER.encode(&wrapped.to_bytes()),
        "8258bfa500010150f6a12ca8ffc30a66ca140ccc727633610248c3d0d0f119e1a7c104a5005015819361186d\
        3f535dd99f8eaaca8fce01080201030104a2004c7f82dd63f4f75c33da444b72015830f99a4652c0c0e136f4\
        34d8149634899d9b3c2bdffbb93ac39a4be31897403b9697c4b6c1d034b1b520be4dd2d6e7a0a705a2004cf2\
        a76980dfc7a4924b326a120158309a5f574be43f9469fbe5b5dcc8b3f7218b8c6b146454a0427cd8f527d1a8\
        f45d7bd58cf65e23c7c8271814647be2b97c48eee992ef7eafb4a4"
    );
}

/// VAULT-2, VAULT-3, VAULT-8.
#[test]
fn opens_with_what_it_was_wrapped_under_and_nothing_else() {
    let vault = reread(&machine_only());
    assert_eq!(vault.lock(), Lock::Machine);
    assert_eq!(vault.open_machine(&machine()).unwrap(), key());
    assert!(matches!(
        vault.open_machine(&other()),
        Err(Error::WrongMachine)
    ));
    assert!(matches!(
        vault.open_pin("1234", &machine()),
        Err(Error::NoPin)
    ));
    assert!(matches!(vault.open_phrase(&[6; 64]), Err(Error::NoPhrase)));

    let vault = reread(&with_pin());
    assert_eq!(vault.lock(), Lock::Pin);
    assert_eq!(vault.open_pin("1234", &machine()).unwrap(), key());
    assert!(matches!(
        vault.open_pin("1235", &machine()),
        Err(Error::WrongPin)
    ));
    assert!(matches!(
        vault.open_pin("1234", &other()),
        Err(Error::WrongMachine)
    ));
    assert!(matches!(
        vault.open_machine(&machine()),
        Err(Error::PinNeeded)
    ));
}

/// VAULT-4.
#[test]
fn the_phrase_opens_without_pin_and_machine() {
    let mut vault = with_pin();
    vault.wrap_phrase(&mut rng(9), &key(), &[6; 64]).unwrap();
    let vault = reread(&vault);
    assert!(vault.has_phrase());
    assert_eq!(vault.open_phrase(&[6; 64]).unwrap(), key());
    assert!(matches!(
        vault.open_phrase(&[7; 64]),
        Err(Error::WrongPhrase)
    ));
}

/// VAULT-1, VAULT-6.
#[test]
fn changing_the_pin_rewraps_the_same_key_and_keeps_the_phrase() {
    let mut vault = machine_only();
    let name = vault.vault();
    vault.wrap_phrase(&mut rng(9), &key(), &[6; 64]).unwrap();
    vault
        .rewrap_pin(&mut rng(3), &key(), "1234", &machine(), fast())
        .unwrap();
    vault
        .rewrap_pin(&mut rng(4), &key(), "пароль 🐢", &machine(), fast())
        .unwrap();
    let vault_2 = reread(&vault);
    assert_eq!((vault_2.vault(), vault_2.lock()), (name, Lock::Pin));
    assert!(matches!(
        vault_2.open_pin("1234", &machine()),
        Err(Error::WrongPin)
    ));
    assert_eq!(vault_2.open_pin("пароль 🐢", &machine()).unwrap(), key());
    assert_eq!(vault_2.open_phrase(&[6; 64]).unwrap(), key());
    vault.rewrap_machine(&mut rng(5), &key(), &other()).unwrap();
    assert_eq!(reread(&vault).open_machine(&other()).unwrap(), key());
    assert!(matches!(
        vault.open_machine(&machine()),
        Err(Error::WrongMachine)
    ));
}

#[test]
fn refuses_a_pin_without_changing_anything() {
    let mut vault = with_pin();
    for pin in [String::new(), "x".repeat(257)] {
        let got = vault.rewrap_pin(&mut rng(3), &key(), &pin, &machine(), fast());
        assert!(matches!(got, Err(Error::PinLength { got }) if got == pin.len()));
        assert!(matches!(
            vault.open_pin(&pin, &machine()),
            Err(Error::PinLength { .. })
        ));
    }
    assert_eq!(vault, with_pin());
}

/// VAULT-8.
#[test]
fn tells_damage_from_a_wrong_pin() {
    let bytes = with_pin().to_bytes();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        let error = Wrapped::from_bytes(&damaged).unwrap_err();
        assert!(
            matches!(error, Error::Damaged | Error::Encoding(_)),
            "{at}: {error:?}"
        );
    }
    for end in 0..bytes.len() {
        let error = Wrapped::from_bytes(&bytes[..end]).unwrap_err();
        assert!(matches!(error, Error::Encoding(_)), "{end}: {error:?}");
    }
    assert!(matches!(
        Wrapped::from_bytes(&[0; 1025]),
        Err(Error::Damaged)
    ));
}

/// VAULT-6, VAULT-7.
#[test]
fn a_crafted_file_takes_neither_memory_nor_the_pin_away() {
    let greedy = wrapped::tests::with_cost(&with_pin(), 100 << 20, 3, 1);
    assert!(matches!(
        Wrapped::from_bytes(&greedy),
        Err(Error::Cost { .. })
    ));
    for (memory, passes, lanes) in [(64, 0, 1), (64, 17, 1), (64, 1, 0), (64, 1, 5), (7, 1, 1)] {
        assert!(matches!(
            Cost::new(memory, passes, lanes),
            Err(Error::Cost { .. })
        ));
    }
    assert!(Cost::new(1 << 20, 16, 4).is_ok() && Cost::new(8, 1, 1).is_ok());
    assert_eq!(Cost::default(), Cost::new(65536, 3, 1).unwrap());
    let both = wrapped::tests::with_both_doors(&with_pin(), &machine_only());
    assert!(matches!(Wrapped::from_bytes(&both), Err(Error::Damaged)));
    let newer = wrapped::tests::newer();
    assert!(matches!(
        Wrapped::from_bytes(&newer),
        Err(Error::Newer { version: 2 })
    ));
}

/// A slot that was moved to another vault or another place in the same one does not open.
///
/// VAULT-5.
#[test]
fn slots_are_bound_to_their_vault_and_kind() {
    let slot = slot::SlotKey::phrase(&[6; 64]);
    let (vault, other) = (VaultId::from([1; 16]), VaultId::from([2; 16]));
    let sealed = slot::Sealed::new(&mut rng(1), &slot, &vault, slot::Kind::Phrase, &key()).unwrap();
    assert_eq!(sealed.open(&slot, &vault, slot::Kind::Phrase), Some(key()));
    assert_eq!(sealed.open(&slot, &other, slot::Kind::Phrase), None);
    assert_eq!(sealed.open(&slot, &vault, slot::Kind::Pin), None);
}

#[test]
fn prints_no_secret() {
    let shown = format!("{:?} {:?} {:?}", key(), machine(), with_pin());
    assert!(shown.starts_with("VaultKey(…) MachineSecret(…)"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn round_trips(seed in any::<u8>(), pin in ".{1,20}", secret in any::<[u8; 32]>()) {
        let key = VaultKey::from(secret);
        let vault =
            Wrapped::wrap_pin(&mut rng(seed), &key, &pin, &machine(), fast()).unwrap();
        let read = reread(&vault);
        prop_assert_eq!(&read, &vault);
        prop_assert_eq!(read.open_pin(&pin, &machine()).unwrap(), key);
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Wrapped::from_bytes(&bytes);
        let _ = Wrapped::from_bytes(&wrapped::tests::checked(bytes));
    }
}

fn machine_only() -> Wrapped {
    Wrapped::wrap_machine(&mut rng(1), &key(), &machine()).unwrap()
}

fn with_pin() -> Wrapped {
    Wrapped::wrap_pin(&mut rng(2), &key(), "1234", &machine(), fast()).unwrap()
}

fn reread(wrapped: &Wrapped) -> Wrapped {
    Wrapped::from_bytes(&wrapped.to_bytes()).unwrap()
}

fn key() -> VaultKey {
    VaultKey::from([1; 32])
}

fn machine() -> MachineSecret {
    MachineSecret::from([2; 32])
}

fn other() -> MachineSecret {
    MachineSecret::from([3; 32])
}

fn fast() -> Cost {
    Cost::new(8, 1, 1).unwrap()
}

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}
