//! Registers: small signed values where only the latest counts.
//!
//! A device has one value per key in a session. A newer one replaces it and leaves no trail: read
//! positions, endpoint addresses. Of two versions the one with the greater `(time, id)` wins, so
//! the order of arrival never matters.

use std::fmt;

use minicbor::{Decode, Encode};
use tenet_identity::{
    domain::derive,
    encoding,
    keys::{self, DeviceId, DeviceKey, Signature},
};

use crate::{
    clock::Hlc,
    domain::{REGISTER_ID, REGISTER_SIGNATURE},
    ids::{EventId, SessionId},
};

/// The longest value, in bytes.
pub const MAX_VALUE_BYTES: usize = 4 * 1024;
/// The longest key, in bytes.
pub const MAX_KEY_BYTES: usize = 64;
/// The most keys that one device may hold in one session.
pub const MAX_KEYS_PER_DEVICE: usize = 32;

/// What is signed.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Statement {
    #[n(1)]
    session: SessionId,
    #[n(2)]
    device: DeviceId,
    #[n(3)]
    key: String,
    #[n(4)]
    time: Hlc,
    #[cbor(n(5), with = "minicbor::bytes")]
    value: Vec<u8>,
}

/// A register whose signature holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Register {
    statement: Statement,
    signature: Signature,
    id: EventId,
}

/// A register off the wire, not yet believed.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Unverified {
    #[n(0)]
    statement: Statement,
    #[n(1)]
    signature: Signature,
}

/// Why a register is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// Malformed bytes.
    #[error("register is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// Key or value too long.
    #[error("register key or value is too long")]
    TooLarge,
    /// The signature is not the device's.
    #[error("register is signed wrongly")]
    Signature,
}

impl Register {
    /// Signs a value.
    ///
    /// # Errors
    /// [`RegisterError::TooLarge`].
    pub fn sign(
        device: &DeviceKey,
        session: SessionId,
        key: &str,
        time: Hlc,
        value: Vec<u8>,
    ) -> Result<Self, RegisterError> {
        let statement = Statement {
            session,
            device: device.public(),
            key: key.to_owned(),
            time,
            value,
        };
        statement.check()?;
        let id = statement.id();
        let signature = device.sign(REGISTER_SIGNATURE, id.as_bytes());
        Ok(Self {
            statement,
            signature,
            id,
        })
    }

    /// The session that it belongs to.
    pub fn session(&self) -> SessionId {
        self.statement.session
    }

    /// Whose it is.
    pub fn device(&self) -> DeviceId {
        self.statement.device
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.statement.key
    }

    /// Its value.
    pub fn value(&self) -> &[u8] {
        &self.statement.value
    }

    /// What decides between two versions: the greater wins.
    pub fn version(&self) -> (Hlc, EventId) {
        (self.statement.time, self.id)
    }

    /// The bytes that travel and are stored.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(&Unverified {
            statement: self.statement.clone(),
            signature: self.signature,
        })
    }
}

impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Register({} of {}, redacted)",
            self.statement.key, self.statement.device
        )
    }
}

impl Unverified {
    /// Reads a register off the wire.
    ///
    /// # Errors
    /// [`RegisterError`] where it is malformed or over a limit.
    pub fn decode(bytes: &[u8]) -> Result<Self, RegisterError> {
        let register: Self = encoding::decode(bytes)?;
        register.statement.check()?;
        Ok(register)
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`RegisterError::Signature`].
    pub fn verify(self) -> Result<Register, RegisterError> {
        let id = self.statement.id();
        let device = self.statement.device;
        keys::verify(
            device.as_bytes(),
            REGISTER_SIGNATURE,
            id.as_bytes(),
            &self.signature,
        )
        .map_err(|_| RegisterError::Signature)?;
        Ok(Register {
            statement: self.statement,
            signature: self.signature,
            id,
        })
    }

    /// The register back from a store that keeps only what was verified.
    pub fn trusted(self) -> Register {
        let id = self.statement.id();
        Register {
            statement: self.statement,
            signature: self.signature,
            id,
        }
    }
}

impl Statement {
    fn id(&self) -> EventId {
        EventId::from(derive(REGISTER_ID, &[&encoding::encode(self)]))
    }

    fn check(&self) -> Result<(), RegisterError> {
        let fits = self.key.len() <= MAX_KEY_BYTES && self.value.len() <= MAX_VALUE_BYTES;
        if fits {
            Ok(())
        } else {
            Err(RegisterError::TooLarge)
        }
    }
}
