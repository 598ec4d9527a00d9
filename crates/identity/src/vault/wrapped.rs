//! The stored form of a vault key: its slots, and a checksum that tells damage from a wrong PIN.
//!
//! ```text
//! stored = [ body (byte string), check (8 bytes) ]
//! body   = { version, vault id, machine check, lock: machine or PIN, phrase? }
//! ```

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use super::{
    Cost, Error, MachineSecret, VaultId, VaultKey,
    slot::{Kind, Sealed, SlotKey, machine_check},
};
use crate::{
    checked::{Checked, Version},
    domain::VAULT_CHECK,
    encoding,
};

/// The version of the stored form that this crate writes and reads.
pub(super) const VERSION: u16 = 1;
/// Larger than any stored form; a stored file that is larger is damaged.
const MAX_BYTES: usize = 1024;

/// A vault key under everything that opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    vault: VaultId,
    machine_check: [u8; 8],
    door: Door,
    phrase: Option<Sealed>,
}

/// What it takes to open a vault without its phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// The machine secret.
    Machine,
    /// The machine secret and the PIN.
    Pin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Door {
    Machine(Sealed),
    Pin {
        salt: [u8; 16],
        cost: Cost,
        sealed: Sealed,
    },
}

impl Wrapped {
    /// Wraps the key of a new vault under the machine secret alone.
    ///
    /// # Errors
    /// None but [`Error::Damaged`], if the cipher itself fails.
    pub fn wrap_machine<R: CryptoRng + ?Sized>(
        rng: &mut R,
        key: &VaultKey,
        machine: &MachineSecret,
    ) -> Result<Self, Error> {
        let vault = new_vault(rng);
        let door = Door::machine(rng, &vault, key, machine)?;
        Ok(Self {
            vault,
            machine_check: machine_check(&vault, machine),
            door,
            phrase: None,
        })
    }

    /// Wraps the key of a new vault under a PIN and the machine secret.
    ///
    /// # Errors
    /// [`Error::PinLength`].
    pub fn wrap_pin<R: CryptoRng + ?Sized>(
        rng: &mut R,
        key: &VaultKey,
        pin: &str,
        machine: &MachineSecret,
        cost: Cost,
    ) -> Result<Self, Error> {
        let vault = new_vault(rng);
        let door = Door::pin(rng, &vault, key, pin, machine, cost)?;
        Ok(Self {
            vault,
            machine_check: machine_check(&vault, machine),
            door,
            phrase: None,
        })
    }

    /// Wraps the key under the phrase as well: `seed` is its 64-byte BIP-39 seed.
    ///
    /// # Errors
    /// None but [`Error::Damaged`], if the cipher itself fails.
    pub fn wrap_phrase<R: CryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &VaultKey,
        seed: &[u8; 64],
    ) -> Result<(), Error> {
        let slot = SlotKey::phrase(seed);
        self.phrase = Some(Sealed::new(rng, &slot, &self.vault, Kind::Phrase, key)?);
        Ok(())
    }

    /// Removes the PIN, or takes another machine secret; the phrase's slot stays.
    ///
    /// # Errors
    /// None but [`Error::Damaged`], if the cipher itself fails.
    pub fn rewrap_machine<R: CryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &VaultKey,
        machine: &MachineSecret,
    ) -> Result<(), Error> {
        self.door = Door::machine(rng, &self.vault, key, machine)?;
        self.machine_check = machine_check(&self.vault, machine);
        Ok(())
    }

    /// Sets or changes the PIN, or takes another machine secret; the phrase's slot stays.
    ///
    /// # Errors
    /// [`Error::PinLength`]; nothing has changed then.
    pub fn rewrap_pin<R: CryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &VaultKey,
        pin: &str,
        machine: &MachineSecret,
        cost: Cost,
    ) -> Result<(), Error> {
        self.door = Door::pin(rng, &self.vault, key, pin, machine, cost)?;
        self.machine_check = machine_check(&self.vault, machine);
        Ok(())
    }

    /// The key of a vault without a PIN.
    ///
    /// # Errors
    /// [`Error::PinNeeded`], [`Error::WrongMachine`], [`Error::Damaged`].
    pub fn open_machine(&self, machine: &MachineSecret) -> Result<VaultKey, Error> {
        let Door::Machine(sealed) = &self.door else {
            return Err(Error::PinNeeded);
        };
        self.check_machine(machine)?;
        let slot = SlotKey::machine(&self.vault, machine);
        sealed
            .open(&slot, &self.vault, Kind::Machine)
            .ok_or(Error::Damaged)
    }

    /// The key of a vault with a PIN; this takes as long as its [`Cost`] says.
    ///
    /// # Errors
    /// [`Error::NoPin`], [`Error::WrongMachine`], [`Error::WrongPin`], [`Error::PinLength`].
    pub fn open_pin(&self, pin: &str, machine: &MachineSecret) -> Result<VaultKey, Error> {
        let Door::Pin { salt, cost, sealed } = &self.door else {
            return Err(Error::NoPin);
        };
        self.check_machine(machine)?;
        let slot = SlotKey::pin(&self.vault, machine, pin, salt, *cost)?;
        sealed
            .open(&slot, &self.vault, Kind::Pin)
            .ok_or(Error::WrongPin)
    }

    /// The key of a vault that holds the phrase, without PIN and machine secret.
    ///
    /// # Errors
    /// [`Error::NoPhrase`], [`Error::WrongPhrase`].
    pub fn open_phrase(&self, seed: &[u8; 64]) -> Result<VaultKey, Error> {
        let sealed = self.phrase.as_ref().ok_or(Error::NoPhrase)?;
        let slot = SlotKey::phrase(seed);
        sealed
            .open(&slot, &self.vault, Kind::Phrase)
            .ok_or(Error::WrongPhrase)
    }

    /// The random name of the vault.
    pub fn vault(&self) -> VaultId {
        self.vault
    }

    /// What it takes to open it.
    pub fn lock(&self) -> Lock {
        match self.door {
            Door::Machine(_) => Lock::Machine,
            Door::Pin { .. } => Lock::Pin,
        }
    }

    /// Whether the phrase opens it too.
    pub fn has_phrase(&self) -> bool {
        self.phrase.is_some()
    }

    /// The stored form; it needs no protection of its own.
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = encoding::encode(&Body::of(self));
        Checked::new(VAULT_CHECK, body).to_bytes()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Encoding`], [`Error::Newer`], [`Error::Cost`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::Damaged);
        }
        let stored: Checked = encoding::decode(bytes)?;
        let body = stored.body(VAULT_CHECK).ok_or(Error::Damaged)?;
        let Version { version } = encoding::decode(body)?;
        if version != VERSION {
            return Err(Error::Newer { version });
        }
        encoding::decode::<Body>(body)?.read()
    }

    fn check_machine(&self, machine: &MachineSecret) -> Result<(), Error> {
        let check = machine_check(&self.vault, machine);
        if bool::from(check.ct_eq(&self.machine_check)) {
            Ok(())
        } else {
            Err(Error::WrongMachine)
        }
    }
}

impl Door {
    fn machine<R: CryptoRng + ?Sized>(
        rng: &mut R,
        vault: &VaultId,
        key: &VaultKey,
        machine: &MachineSecret,
    ) -> Result<Self, Error> {
        let slot = SlotKey::machine(vault, machine);
        Sealed::new(rng, &slot, vault, Kind::Machine, key).map(Self::Machine)
    }

    fn pin<R: CryptoRng + ?Sized>(
        rng: &mut R,
        vault: &VaultId,
        key: &VaultKey,
        pin: &str,
        machine: &MachineSecret,
        cost: Cost,
    ) -> Result<Self, Error> {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let slot = SlotKey::pin(vault, machine, pin, &salt, cost)?;
        let sealed = Sealed::new(rng, &slot, vault, Kind::Pin, key)?;
        Ok(Self::Pin { salt, cost, sealed })
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Body {
    #[n(0)]
    version: u16,
    #[n(1)]
    vault: VaultId,
    #[cbor(n(2), with = "minicbor::bytes")]
    machine_check: [u8; 8],
    #[n(3)]
    machine: Option<Sealed>,
    #[n(4)]
    pin: Option<Pin>,
    #[n(5)]
    phrase: Option<Sealed>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Pin {
    #[cbor(n(0), with = "minicbor::bytes")]
    salt: [u8; 16],
    #[n(1)]
    memory_kib: u32,
    #[n(2)]
    passes: u32,
    #[n(3)]
    lanes: u32,
    #[n(4)]
    sealed: Sealed,
}

impl Body {
    fn of(wrapped: &Wrapped) -> Self {
        let (machine, pin) = match &wrapped.door {
            Door::Machine(sealed) => (Some(sealed.clone()), None),
            Door::Pin { salt, cost, sealed } => {
                let Cost {
                    memory_kib,
                    passes,
                    lanes,
                } = *cost;
                let sealed = sealed.clone();
                (
                    None,
                    Some(Pin {
                        salt: *salt,
                        memory_kib,
                        passes,
                        lanes,
                        sealed,
                    }),
                )
            }
        };
        Self {
            version: VERSION,
            vault: wrapped.vault,
            machine_check: wrapped.machine_check,
            machine,
            pin,
            phrase: wrapped.phrase.clone(),
        }
    }

    fn read(self) -> Result<Wrapped, Error> {
        let door = match (self.machine, self.pin) {
            (Some(sealed), None) => Door::Machine(sealed),
            (None, Some(pin)) => Door::Pin {
                salt: pin.salt,
                cost: Cost::new(pin.memory_kib, pin.passes, pin.lanes)?,
                sealed: pin.sealed,
            },
            // VAULT-6. Both would make the PIN worthless; neither opens.
            _ => return Err(Error::Damaged),
        };
        let Self {
            vault,
            machine_check,
            phrase,
            ..
        } = self;
        Ok(Wrapped {
            vault,
            machine_check,
            door,
            phrase,
        })
    }
}

/// VAULT-8.
fn new_vault<R: CryptoRng + ?Sized>(rng: &mut R) -> VaultId {
    let mut vault = [0; 16];
    rng.fill_bytes(&mut vault);
    VaultId::from(vault)
}

/// Stored forms that this crate does not write.
#[cfg(test)]
pub(super) mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    pub(in crate::vault) fn checked(body: Vec<u8>) -> Vec<u8> {
        Checked::new(VAULT_CHECK, body).to_bytes()
    }

    pub(in crate::vault) fn with_cost(
        wrapped: &Wrapped,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    ) -> Vec<u8> {
        let mut body = Body::of(wrapped);
        let pin = body.pin.take().unwrap();
        body.pin = Some(Pin {
            memory_kib,
            passes,
            lanes,
            ..pin
        });
        checked(encoding::encode(&body))
    }

    pub(in crate::vault) fn with_both_doors(pin: &Wrapped, machine: &Wrapped) -> Vec<u8> {
        let mut body = Body::of(pin);
        body.machine = Body::of(machine).machine;
        checked(encoding::encode(&body))
    }

    pub(in crate::vault) fn newer() -> Vec<u8> {
        checked(vec![0xa1, 0x00, 0x02])
    }
}
