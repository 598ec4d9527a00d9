//! Device cards and revocations: what an identity says about its devices.
//!
//! ```text
//! bytes ── decode ── UnverifiedCard ── verify: signature, keys, sizes ── DeviceCard
//!                                                        valid_at(now) ──┘ the clock, each time
//! ```
//!
//! A card carries no address and no endpoint: it may be shown to everybody. Its expiry stops
//! handshakes; whether a device belongs to a session never depends on a reader's clock.

mod revocation;
mod statement;

pub use revocation::{Revocation, UnverifiedRevocation};

use crate::{
    domain::{CARD_ID, CARD_SIGNATURE},
    encoding,
    keys::{DeviceId, IdentityId, IdentityKey, SignatureError, WeakKey},
    name,
};
use statement::Statement;

/// The version of the card form that this crate writes and reads.
pub const VERSION: u16 = 1;
/// The largest signed part of a card or revocation, in bytes: those of today have at most 160.
///
/// The rest is room for fields of a later version that this one passes on unread.
pub const MAX_BODY_BYTES: usize = 512;
/// How long a card is valid: 365 days, in milliseconds.
pub const LIFETIME_MS: u64 = 365 * DAY_MS;
/// How long before its issue a card becomes valid: a day, for clocks that go slow.
pub const SLACK_MS: u64 = DAY_MS;

/// How long before its end a card is renewed: 90 days, in milliseconds. A device that is off for a season
/// still gets its new one.
pub const RENEWAL_MS: u64 = 90 * DAY_MS;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Why a card or revocation is not believed, or cannot be issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not deterministic CBOR of the expected form.
    #[error("malformed card")]
    Encoding(#[from] encoding::Error),
    /// The signed part exceeds [`MAX_BODY_BYTES`].
    #[error("card of {got} bytes is too large")]
    TooLarge {
        /// The bytes of the signed part.
        got: usize,
    },
    /// Of a version that this program does not know.
    #[error("card of version {version}; this program knows version 1")]
    Version {
        /// The version of the signed part.
        version: u16,
    },
    /// The identity or device is a weak key.
    #[error("card with a weak key")]
    Weak(#[from] WeakKey),
    /// The device's name is not allowed.
    #[error("card with a name that is not allowed")]
    Name(#[from] name::Error),
    /// It ends before it begins.
    #[error("card that is never valid")]
    Span,
    /// Not signed by the identity that it names.
    #[error("card signed wrongly")]
    Signature(#[from] SignatureError),
}

/// A device's card whose signature, keys and sizes hold; its dates are [`Self::valid_at`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCard {
    body: Body,
    statement: Statement,
}

/// A card as it came: well formed, not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedCard(Statement);

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
    name: String,
    #[n(4)]
    not_before: u64,
    #[n(5)]
    not_after: u64,
}

/// Certifies a device of the identity for a year from one day before `now_ms` (CARD-3).
///
/// # Errors
/// [`Error::Name`], [`Error::Weak`] and, at the end of time, [`Error::Span`].
pub fn issue(
    identity: &IdentityKey,
    device: DeviceId,
    name: &str,
    now_ms: u64,
) -> Result<DeviceCard, Error> {
    let not_before = now_ms.saturating_sub(SLACK_MS);
    let body = Body {
        version: VERSION,
        identity: identity.public(),
        device,
        name: name.to_owned(),
        not_before,
        not_after: not_before.saturating_add(LIFETIME_MS),
    };
    body.check()?;
    let statement = Statement::sign(identity, CARD_ID, CARD_SIGNATURE, encoding::encode(&body));
    Ok(DeviceCard { body, statement })
}

impl DeviceCard {
    /// Who the device belongs to.
    pub fn identity(&self) -> IdentityId {
        self.body.identity
    }

    /// The device.
    pub fn device(&self) -> DeviceId {
        self.body.device
    }

    /// The name that its owner gave it.
    pub fn name(&self) -> &str {
        &self.body.name
    }

    /// The first moment of validity, in Unix milliseconds.
    pub fn not_before(&self) -> u64 {
        self.body.not_before
    }

    /// The last moment of validity, in Unix milliseconds.
    pub fn not_after(&self) -> u64 {
        self.body.not_after
    }

    /// Whether `now_ms` lies within its dates, both included.
    pub fn valid_at(&self, now_ms: u64) -> bool {
        (self.body.not_before..=self.body.not_after).contains(&now_ms)
    }

    /// Whether it is time to renew it (CARD-4).
    pub fn is_due(&self, now_ms: u64) -> bool {
        now_ms.saturating_add(RENEWAL_MS) > self.body.not_after
    }

    /// The card as it travels, with all it came with.
    pub fn to_bytes(&self) -> Vec<u8> {
        encoding::encode(&self.statement)
    }

    /// The card as it is put into other messages.
    pub fn to_unverified(&self) -> UnverifiedCard {
        UnverifiedCard(self.statement.clone())
    }
}

impl UnverifiedCard {
    /// Reads a card.
    ///
    /// # Errors
    /// [`Error::Encoding`], [`Error::TooLarge`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Statement::from_bytes(bytes).map(Self)
    }

    /// The card as it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        encoding::encode(&self.0)
    }

    /// Checks everything but the dates (CARD-2): the only way to a [`DeviceCard`].
    ///
    /// # Errors
    /// [`Error`].
    pub fn verify(self) -> Result<DeviceCard, Error> {
        let body: Body = self.0.read()?;
        body.check()?;
        self.0.verify(&body.identity, CARD_ID, CARD_SIGNATURE)?;
        Ok(DeviceCard {
            body,
            statement: self.0,
        })
    }

    /// The card back from a store that keeps only what was verified.
    ///
    /// # Errors
    /// [`Error`] where the stored bytes are damaged.
    pub fn trusted(self) -> Result<DeviceCard, Error> {
        let body = self.0.read()?;
        Ok(DeviceCard {
            body,
            statement: self.0,
        })
    }
}

impl Body {
    fn check(&self) -> Result<(), Error> {
        self.identity.check()?;
        self.device.check()?;
        name::check(&self.name)?;
        if self.not_before >= self.not_after {
            return Err(Error::Span);
        }
        Ok(())
    }
}

statement::travels_as_statement!(UnverifiedCard);

impl<C> minicbor::Encode<C> for DeviceCard {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.statement.encode(encoder, context)
    }
}

#[cfg(test)]
mod tests;
