//! Registers: small signed values where only the latest counts.
//!
//! A device has one value per key in a session. A newer one replaces it and leaves no trail: read
//! positions, endpoint addresses. Of two versions the one with the greater `(time, id)` wins
//! (LOG-12), so the order of arrival never matters.

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
/// The largest register as it travels, in bytes: the longest key and value, and room for fields of
/// later versions.
const MAX_BYTES: usize = 8 * 1024;
/// The most keys that one device may hold in one session (LOG-13).
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

/// A register whose signature holds (LOG-11).
///
/// The signed bytes are kept as they came: fields of later versions stay signed and are passed on.
#[derive(Clone, PartialEq, Eq)]
pub struct Register {
    statement: Statement,
    encoded: Vec<u8>,
    signature: Signature,
    id: EventId,
}

/// A register off the wire, not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified(Register);

/// What travels and is stored.
#[derive(Encode, Decode)]
struct Form {
    #[cbor(n(0), with = "minicbor::bytes")]
    statement: Vec<u8>,
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
        let encoded = encoding::encode(&statement);
        let id = id_of(&encoded);
        let signature = device.sign(REGISTER_SIGNATURE, id.as_bytes());
        Ok(Self {
            statement,
            encoded,
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
        encoding::encode(&Form {
            statement: self.encoded.clone(),
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
        if bytes.len() > MAX_BYTES {
            return Err(RegisterError::TooLarge);
        }
        let Form {
            statement: encoded,
            signature,
        } = encoding::decode(bytes)?;
        let statement: Statement = encoding::decode(&encoded)?;
        statement.check()?;
        let id = id_of(&encoded);
        Ok(Self(Register {
            statement,
            encoded,
            signature,
            id,
        }))
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`RegisterError::Signature`].
    pub fn verify(self) -> Result<Register, RegisterError> {
        keys::verify(
            self.0.device().as_bytes(),
            REGISTER_SIGNATURE,
            self.0.id.as_bytes(),
            &self.0.signature,
        )
        .map_err(|_| RegisterError::Signature)?;
        Ok(self.0)
    }

    /// The register back from a store that keeps only what was verified.
    pub fn trusted(self) -> Register {
        self.0
    }
}

impl Statement {
    fn check(&self) -> Result<(), RegisterError> {
        let fits = self.key.len() <= MAX_KEY_BYTES && self.value.len() <= MAX_VALUE_BYTES;
        if fits {
            Ok(())
        } else {
            Err(RegisterError::TooLarge)
        }
    }
}

fn id_of(encoded: &[u8]) -> EventId {
    EventId::from(derive(REGISTER_ID, &[encoded]))
}

#[cfg(test)]
mod tests;
