//! One wrapping of the vault key: AES-256-GCM under a key that somebody can derive.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use argon2::{Algorithm, Argon2, Params, Version};
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Cost, Error, MAX_PIN_BYTES, MachineSecret, VaultId, VaultKey};
use crate::domain::{
    VAULT_MACHINE, VAULT_MACHINE_CHECK, VAULT_PHRASE, VAULT_PIN, VAULT_SLOT, derive,
};

/// What opens a slot; part of what its seal covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Machine = 0,
    Pin = 1,
    Phrase = 2,
}

/// The vault key, encrypted.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct Sealed {
    #[cbor(n(0), with = "minicbor::bytes")]
    nonce: [u8; 12],
    #[cbor(n(1), with = "minicbor::bytes")]
    ciphertext: [u8; 48],
}

/// A key that a slot is sealed under.
pub(super) struct SlotKey(Zeroizing<[u8; 32]>);

impl Sealed {
    pub(super) fn new<R: CryptoRng + ?Sized>(
        rng: &mut R,
        key: &SlotKey,
        vault: &VaultId,
        kind: Kind,
        secret: &VaultKey,
    ) -> Result<Self, Error> {
        let mut nonce = [0; 12];
        rng.fill_bytes(&mut nonce);
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: &associated(vault, kind),
        };
        let sealed = key.cipher().encrypt((&nonce).into(), payload).ok();
        let ciphertext = sealed
            .and_then(|sealed| sealed.try_into().ok())
            .ok_or(Error::Damaged)?;
        Ok(Self { nonce, ciphertext })
    }

    /// The vault key, or nothing where the key is not the one or the slot was altered.
    pub(super) fn open(&self, key: &SlotKey, vault: &VaultId, kind: Kind) -> Option<VaultKey> {
        let payload = Payload {
            msg: &self.ciphertext,
            aad: &associated(vault, kind),
        };
        let opened = key.cipher().decrypt((&self.nonce).into(), payload).ok()?;
        let opened = Zeroizing::new(opened);
        <[u8; 32]>::try_from(opened.as_slice())
            .ok()
            .map(VaultKey::from)
    }
}

impl SlotKey {
    /// VAULT-2. HKDF-SHA256 (RFC 5869) of the machine secret, salted with the vault's id.
    pub(super) fn machine(vault: &VaultId, machine: &MachineSecret) -> Self {
        Self(expand(vault, machine.as_bytes(), VAULT_MACHINE))
    }

    /// VAULT-3. HKDF-SHA256 of Argon2id(PIN) followed by the machine secret, salted with the vault's id.
    pub(super) fn pin(
        vault: &VaultId,
        machine: &MachineSecret,
        pin: &str,
        salt: &[u8; 16],
        cost: Cost,
    ) -> Result<Self, Error> {
        let mut both = Zeroizing::new([0; 64]);
        let (stretched, rest) = both.split_at_mut(32);
        stretched.copy_from_slice(stretch(pin, salt, cost)?.as_slice());
        rest.copy_from_slice(machine.as_bytes());
        Ok(Self(expand(vault, both.as_slice(), VAULT_PIN)))
    }

    /// VAULT-4. BLAKE3 `derive_key` of the 64-byte BIP-39 seed.
    pub(super) fn phrase(seed: &[u8; 64]) -> Self {
        Self(Zeroizing::new(derive(VAULT_PHRASE, &[seed])))
    }

    fn cipher(&self) -> Aes256Gcm {
        let key: &[u8; 32] = &self.0;
        Aes256Gcm::new(key.into())
    }
}

/// Argon2id (RFC 9106) of a PIN or password.
///
/// # Errors
/// [`Error::PinLength`], [`Error::Cost`].
pub(crate) fn stretch(
    password: &str,
    salt: &[u8; 16],
    cost: Cost,
) -> Result<Zeroizing<[u8; 32]>, Error> {
    if password.is_empty() || password.len() > MAX_PIN_BYTES {
        return Err(Error::PinLength {
            got: password.len(),
        });
    }
    let (memory_kib, passes, lanes) = cost.parts();
    let refused = |_| Error::Cost {
        memory_kib,
        passes,
        lanes,
    };
    let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(refused)?;
    let mut stretched = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, stretched.as_mut_slice())
        .map_err(refused)?;
    Ok(stretched)
}

/// Eight bytes by which a machine secret is recognised (VAULT-8); they help to guess neither it nor a PIN.
pub(super) fn machine_check(vault: &VaultId, machine: &MachineSecret) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *expand(vault, machine.as_bytes(), VAULT_MACHINE_CHECK);
    [a, b, c, d, e, f, g, h]
}

fn expand(vault: &VaultId, secret: &[u8], info: &'static str) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let outcome = Hkdf::<Sha256>::new(Some(vault.as_bytes()), secret)
        .expand(info.as_bytes(), key.as_mut_slice());
    debug_assert!(outcome.is_ok(), "HKDF gives up to 255 blocks; this is one");
    key
}

/// What a seal covers besides the key: version, kind, vault (VAULT-5).
fn associated(vault: &VaultId, kind: Kind) -> Vec<u8> {
    let version = super::wrapped::VERSION.to_be_bytes();
    [
        VAULT_SLOT.as_bytes(),
        &version,
        &[kind as u8],
        vault.as_bytes(),
    ]
    .concat()
}
