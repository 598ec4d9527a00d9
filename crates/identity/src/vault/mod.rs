//! The vault key: what a device's store is encrypted under, and how the key itself is kept.
//!
//! ```text
//! machine secret ─ HKDF ─────────────────────────┐
//! PIN ─ Argon2id ─┐                              ├─ AES-256-GCM ─ vault key
//! machine secret ─┴ HKDF ────────────────────────┤
//! phrase seed ─ BLAKE3 derive_key ───────────────┘
//! ```
//!
//! The key is random and never changes (VAULT-1); what changes is what it is wrapped under. There is a slot
//! for the machine or one for the PIN, never both: else the PIN would protect nothing. The machine
//! secret lies outside the home, so a copy of the home alone opens nothing, PIN or not. Where the
//! phrase is held there is a slot for it too, so a lost machine secret loses nothing.

mod attempts;
mod slot;
mod wrapped;

pub use attempts::Attempts;
pub(crate) use slot::stretch;
pub use wrapped::{Lock, Wrapped};

use std::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{byte_id, encoding};

byte_id! {
    /// The random name of a vault: slots of one vault do not open in another.
    pub struct VaultId(16);
}

secret_bytes! {
    /// The key of a device's store: 256 random bits.
    VaultKey
}

secret_bytes! {
    /// What a vault needs besides the PIN: 256 random bits, kept outside the home.
    MachineSecret
}

/// What Argon2id costs: memory in KiB, passes over it, lanes (RFC 9106 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Why a vault key cannot be wrapped or had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The PIN is not the one that the key was wrapped under.
    #[error("wrong PIN")]
    WrongPin,
    /// The phrase, or its passphrase, is not the one that the key was wrapped under.
    #[error("wrong phrase or passphrase for this vault")]
    WrongPhrase,
    /// The machine secret is of another home or machine.
    #[error("the machine secret is not the one of this vault")]
    WrongMachine,
    /// The vault has a PIN, and none was given.
    #[error("the vault has a PIN")]
    PinNeeded,
    /// A PIN was given, and the vault has none.
    #[error("the vault has no PIN")]
    NoPin,
    /// The vault cannot be opened by a phrase.
    #[error("the vault does not hold the phrase")]
    NoPhrase,
    /// A PIN may not be empty or longer than [`MAX_PIN_BYTES`].
    #[error("a PIN of {got} bytes; 1 to 256 are allowed")]
    PinLength {
        /// The bytes of the PIN.
        got: usize,
    },
    /// Argon2id with such parameters is refused: too weak for it to run, or a trap.
    #[error("Argon2id with {memory_kib} KiB, {passes} passes and {lanes} lanes is refused")]
    Cost {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over the memory.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// The stored form was made by a newer program.
    #[error("the vault is of version {version}, made by a newer program: update this one")]
    Newer {
        /// The version of the stored form.
        version: u16,
    },
    /// The stored form is damaged.
    #[error("the stored vault key is damaged")]
    Damaged,
    /// The stored form is damaged: it is not even of the expected form.
    #[error("the stored vault key is damaged")]
    Encoding(#[from] encoding::Error),
}

/// The longest PIN, in bytes; it may be any text.
pub const MAX_PIN_BYTES: usize = 256;

impl Cost {
    /// 64 MiB, three passes, one lane: RFC 9106's second recommendation but for the lanes, as the
    /// implementation has one thread. About a fifth of a second on a small machine.
    pub const DEFAULT: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };
    /// The most memory that is accepted: 1 GiB. A crafted file must not exhaust the machine.
    pub const MAX_MEMORY_KIB: u32 = 1024 * 1024;
    /// The most passes that are accepted.
    pub const MAX_PASSES: u32 = 16;
    /// The most lanes that are accepted.
    pub const MAX_LANES: u32 = 4;

    /// A cost within the bounds (VAULT-7); memory of at least 8 KiB a lane (RFC 9106 §3.1).
    ///
    /// # Errors
    /// [`Error::Cost`].
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, Error> {
        let lanes_fit = (1..=Self::MAX_LANES).contains(&lanes);
        let passes_fit = (1..=Self::MAX_PASSES).contains(&passes);
        if lanes_fit && passes_fit && (8 * lanes..=Self::MAX_MEMORY_KIB).contains(&memory_kib) {
            Ok(Self {
                memory_kib,
                passes,
                lanes,
            })
        } else {
            Err(Error::Cost {
                memory_kib,
                passes,
                lanes,
            })
        }
    }
}

impl Cost {
    /// Memory in KiB, passes, lanes.
    pub(crate) const fn parts(self) -> (u32, u32, u32) {
        (self.memory_kib, self.passes, self.lanes)
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Defines 32 secret bytes: zeroized, compared in constant time, printed redacted.
macro_rules! secret_bytes {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<[u8; 32]>);

        impl $name {
            /// New random bytes.
            pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
                let mut secret = Self::from([0; 32]);
                rng.fill_bytes(secret.0.as_mut_slice());
                secret
            }

            /// Its bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl From<[u8; 32]> for $name {
            fn from(bytes: [u8; 32]) -> Self {
                Self(Zeroizing::new(bytes))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(other.0.as_slice()).into()
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

use secret_bytes;

#[cfg(test)]
mod tests;
