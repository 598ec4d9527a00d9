//! Revocations: an identity's word that a device is no longer its own.
//!
//! Whoever holds one refuses the device key in every session and handshake from then on; a
//! revoked key is never added again.

use super::{
    Error, VERSION,
    statement::{Statement, travels_as_statement},
};
use crate::{
    domain::{REVOCATION_ID, REVOCATION_SIGNATURE},
    encoding,
    keys::{DeviceId, IdentityId, IdentityKey},
};

/// A revocation whose signature and keys hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    body: Body,
    statement: Statement,
}

/// A revocation as it came: well formed, not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedRevocation(Statement);

#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Body {
    #[n(0)]
    version: u16,
    #[n(1)]
    identity: IdentityId,
    #[n(2)]
    device: DeviceId,
    #[n(3)]
    time: u64,
}

impl Revocation {
    /// Revokes a device of the identity at `now_ms`.
    ///
    /// # Errors
    /// [`Error::Weak`] where the device is a weak key.
    pub fn issue(identity: &IdentityKey, device: DeviceId, now_ms: u64) -> Result<Self, Error> {
        let body = Body {
            version: VERSION,
            identity: identity.public(),
            device,
            time: now_ms,
        };
        body.check()?;
        let statement = Statement::sign(
            identity,
            REVOCATION_ID,
            REVOCATION_SIGNATURE,
            encoding::encode(&body),
        );
        Ok(Self { body, statement })
    }

    /// Who revokes.
    pub fn identity(&self) -> IdentityId {
        self.body.identity
    }

    /// The device that is revoked.
    pub fn device(&self) -> DeviceId {
        self.body.device
    }

    /// When, by the clock of the revoking device, in Unix milliseconds; shown, never compared.
    pub fn time(&self) -> u64 {
        self.body.time
    }

    /// The revocation as it travels, with all it came with.
    pub fn to_bytes(&self) -> Vec<u8> {
        encoding::encode(&self.statement)
    }

    /// The revocation as it is put into other messages.
    pub fn to_unverified(&self) -> UnverifiedRevocation {
        UnverifiedRevocation(self.statement.clone())
    }
}

impl UnverifiedRevocation {
    /// Reads a revocation.
    ///
    /// # Errors
    /// [`Error::Encoding`], [`Error::TooLarge`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Statement::from_bytes(bytes).map(Self)
    }

    /// Checks signature and keys (CARD-2): the only way to a [`Revocation`].
    ///
    /// # Errors
    /// [`Error`].
    pub fn verify(self) -> Result<Revocation, Error> {
        let body: Body = self.0.read()?;
        body.check()?;
        self.0
            .verify(&body.identity, REVOCATION_ID, REVOCATION_SIGNATURE)?;
        Ok(Revocation {
            body,
            statement: self.0,
        })
    }

    /// The revocation back from a store that keeps only what was verified.
    ///
    /// # Errors
    /// [`Error`] where the stored bytes are damaged.
    pub fn trusted(self) -> Result<Revocation, Error> {
        let body = self.0.read()?;
        Ok(Revocation {
            body,
            statement: self.0,
        })
    }
}

impl Body {
    fn check(&self) -> Result<(), Error> {
        self.identity.check()?;
        self.device.check()?;
        Ok(())
    }
}

travels_as_statement!(UnverifiedRevocation);
