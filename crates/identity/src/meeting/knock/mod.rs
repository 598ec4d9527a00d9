//! Knocks: the messages by which a link's holder and its maker become contacts.
//!
//! ```text
//! knocker: Knock ──▶ check ── Knocker          Answerer ── check ◀── Answer :inviter
//! knocker: Open  ──▶ check: the nonce is the one that was committed to
//! ```
//!
//! Each proof is a MAC under a key that follows from the link's secret, over the TLS exporter of
//! this connection, the direction and all that the message says. So it shows that its maker knows
//! the secret, here and now; it reveals nothing of the secret, and it is worthless in any other
//! connection or turned back to its maker.

mod group;
mod message;

pub use group::{Asker, GroupBond, GroupKnock, Preview};
pub use message::{Answer, Knock, MAX_BYTES, Message, Open, Reason, Refusal};

use std::net::SocketAddr;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{
    address::Address,
    invite::{InviteId, Secret},
    link::MAX_ADDRESSES,
};
use crate::{
    card::{self, DeviceCard},
    domain::{KNOCK_COMMITMENT, KNOCK_KEY, derive, frame},
    encoding,
    keys::{DeviceId, EndpointId, IdentityId},
    name,
};

/// The largest event that an [`Answer`] or [`Open`] carries, in bytes.
pub const MAX_EVENT_BYTES: usize = 16 * 1024;

/// What both sides of a knock know before it: the link, and the connection that they are in.
#[derive(Clone, Copy, Debug)]
pub struct Bond<'a> {
    /// 32 bytes from the TLS exporter of the connection, the same at both ends.
    pub exporter: [u8; 32],
    /// The link's secret.
    pub secret: &'a Secret,
    /// The identity that the link names.
    pub inviter: IdentityId,
    /// The endpoint that the link names and that was dialled.
    pub endpoint: EndpointId,
}

/// The person who knocks: what a [`Knock`] says, believed once it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knocker {
    /// The card of the device that knocks.
    pub card: DeviceCard,
    /// What the person is called by themself.
    pub name: String,
    /// [`commitment`] to the nonce that [`Open`] shows.
    pub commitment: [u8; 32],
    /// What a person is told who decides about the knock, where the link leads to one.
    pub plea: Plea,
}

/// What somebody says who knocks where a person decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plea {
    /// What they say: a line.
    pub remark: Option<String>,
    /// Where their endpoint is met, so that they can be told of a yes; at most [`MAX_ADDRESSES`].
    pub addresses: Vec<SocketAddr>,
}

/// The person who answers: what an [`Answer`] says, believed once it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answerer {
    /// The card of the device that answers.
    pub card: DeviceCard,
    /// What the person is called by themself.
    pub name: String,
    /// The inviter's share of the short string.
    pub nonce: [u8; 32],
    /// The event that founds the session of the two; at most [`MAX_EVENT_BYTES`], opaque here.
    pub founding: Vec<u8>,
}

/// Why a message of a knock is not believed, or cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not deterministic CBOR of the expected form, or a message of an unknown kind.
    #[error("malformed knock message")]
    Encoding(#[from] encoding::Error),
    /// A message over [`MAX_BYTES`] or an event over [`MAX_EVENT_BYTES`].
    #[error("knock message or event of {got} bytes is too large")]
    TooLarge {
        /// The bytes that it has.
        got: usize,
    },
    /// The name or the remark is not allowed.
    #[error("knock with a name or a remark that is not allowed")]
    Name(#[from] name::Error),
    /// More than [`MAX_ADDRESSES`].
    #[error("knock with {got} addresses; at most 16 are allowed")]
    Addresses {
        /// How many there are.
        got: usize,
    },
    /// Its maker does not know the link's secret, or made it for another connection.
    #[error("the proof of the link's secret is wrong")]
    Proof,
    /// The card does not hold.
    #[error("knock with a bad card")]
    Card(#[from] card::Error),
    /// The knocker is the inviter.
    #[error("the link is one's own")]
    Oneself,
    /// The answer comes from another identity than the link names.
    #[error("answered by somebody else than the link names")]
    Stranger,
    /// A preview with a role that there is not.
    #[error("preview of a group with an unknown role")]
    Role,
    /// The nonce is not the one that the knock committed to.
    #[error("the nonce is not the one that was committed to")]
    Commitment,
}

/// A share of the short string: 32 random bytes, fresh for every knock.
pub fn nonce<R: CryptoRng + ?Sized>(rng: &mut R) -> [u8; 32] {
    let mut nonce = [0; 32];
    rng.fill_bytes(&mut nonce);
    nonce
}

/// The commitment of a knocking device to its nonce (KNOCK-4).
pub fn commitment(nonce: &[u8; 32], device: DeviceId) -> [u8; 32] {
    derive(KNOCK_COMMITMENT, &[nonce, device.as_bytes()])
}

impl Knock {
    /// The knock of `knocker` at the invite of this name.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::Addresses`], [`Error::Oneself`].
    pub fn new(bond: &Bond<'_>, invite: InviteId, knocker: &Knocker) -> Result<Self, Error> {
        knocker.check(bond)?;
        let Plea { remark, addresses } = &knocker.plea;
        let addresses: Vec<Address> = addresses.iter().copied().map(Address).collect();
        let mut knock = Self {
            invite,
            card: knocker.card.to_unverified(),
            name: knocker.name.clone(),
            commitment: knocker.commitment,
            mac: [0; 32],
            remark: remark.clone(),
            addresses: Some(addresses).filter(|addresses| !addresses.is_empty()),
        };
        knock.mac = bond.knock_mac(&knock);
        Ok(knock)
    }

    /// Checks everything but the dates of the card.
    ///
    /// The proof comes first (KNOCK-2): a stranger without the link costs one hash. That the card is the one
    /// of the hello in this connection is the caller's to check.
    ///
    /// # Errors
    /// [`Error`].
    pub fn check(self, bond: &Bond<'_>) -> Result<Knocker, Error> {
        same(&bond.knock_mac(&self), &self.mac).ok_or(Error::Proof)?;
        let card = self.card.verify()?;
        let addresses = self.addresses.unwrap_or_default();
        let knocker = Knocker {
            card,
            name: self.name,
            commitment: self.commitment,
            plea: Plea {
                remark: self.remark,
                addresses: addresses.into_iter().map(|Address(at)| at).collect(),
            },
        };
        knocker.check(bond)?;
        Ok(knocker)
    }
}

impl Answer {
    /// The answer of `answerer` to `knocker`.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::TooLarge`], [`Error::Stranger`].
    pub fn new(bond: &Bond<'_>, knocker: &Knocker, answerer: &Answerer) -> Result<Self, Error> {
        answerer.check(bond)?;
        let mut answer = Self {
            card: answerer.card.to_unverified(),
            name: answerer.name.clone(),
            nonce: answerer.nonce,
            founding: answerer.founding.clone(),
            mac: [0; 32],
        };
        answer.mac = bond.answer_mac(knocker, &answer);
        Ok(answer)
    }

    /// Checks everything but the dates of the card and the founding event.
    ///
    /// # Errors
    /// [`Error`].
    pub fn check(self, bond: &Bond<'_>, knocker: &Knocker) -> Result<Answerer, Error> {
        same(&bond.answer_mac(knocker, &self), &self.mac).ok_or(Error::Proof)?;
        let card = self.card.verify()?;
        let Self {
            name,
            nonce,
            founding,
            ..
        } = self;
        let answerer = Answerer {
            card,
            name,
            nonce,
            founding,
        };
        answerer.check(bond)?;
        Ok(answerer)
    }
}

impl Open {
    /// The opening of the knocker's nonce, with the event by which it joins the session.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn new(nonce: [u8; 32], join: Vec<u8>) -> Result<Self, Error> {
        check_event(&join)?;
        Ok(Self { nonce, join })
    }

    /// Checks that the nonce is the committed one; gives the nonce and the joining event.
    ///
    /// # Errors
    /// [`Error::Commitment`], [`Error::TooLarge`].
    pub fn check(self, knocker: &Knocker) -> Result<([u8; 32], Vec<u8>), Error> {
        let committed = commitment(&self.nonce, knocker.card.device());
        same(&committed, &knocker.commitment).ok_or(Error::Commitment)?;
        check_event(&self.join)?;
        Ok((self.nonce, self.join))
    }
}

impl Knocker {
    /// KNOCK-3, KNOCK-5, KNOCK-101.
    fn check(&self, bond: &Bond<'_>) -> Result<(), Error> {
        if self.card.identity() == bond.inviter {
            return Err(Error::Oneself);
        }
        let Plea { remark, addresses } = &self.plea;
        name::check_line(remark.as_deref().unwrap_or_default())?;
        if addresses.len() > MAX_ADDRESSES {
            return Err(Error::Addresses {
                got: addresses.len(),
            });
        }
        Ok(name::check(&self.name)?)
    }
}

impl Answerer {
    /// KNOCK-3, KNOCK-5.
    fn check(&self, bond: &Bond<'_>) -> Result<(), Error> {
        if self.card.identity() != bond.inviter {
            return Err(Error::Stranger);
        }
        check_event(&self.founding)?;
        Ok(name::check(&self.name)?)
    }
}

impl Bond<'_> {
    /// Covers what a knock says to a person only where it says something (KNOCK-101).
    fn knock_mac(&self, knock: &Knock) -> [u8; 32] {
        let (card, remark) = (knock.card.to_bytes(), &knock.remark);
        let addresses = encoding::encode(&knock.addresses);
        let said = encoding::encode(remark);
        let mut parts: Vec<&[u8]> = vec![&card, knock.name.as_bytes(), &knock.commitment];
        if remark.is_some() || knock.addresses.is_some() {
            parts.extend([said.as_slice(), &addresses]);
        }
        self.mac(KNOCK_KEY, &[0], &parts)
    }

    /// Covers the knocker's card and commitment, so the answer is to this knock and no other.
    fn answer_mac(&self, knocker: &Knocker, answer: &Answer) -> [u8; 32] {
        self.mac(
            KNOCK_KEY,
            &[1],
            &[
                &knocker.card.to_bytes(),
                &knocker.commitment,
                &answer.card.to_bytes(),
                answer.name.as_bytes(),
                &answer.nonce,
                &answer.founding,
            ],
        )
    }

    /// KNOCK-1, DLINK-1. BLAKE3 in keyed mode over the connection, the direction, the link's names and
    /// `parts`; the key follows from the link's secret by a domain.
    pub(super) fn mac(
        &self,
        domain: &'static str,
        direction: &[u8; 1],
        parts: &[&[u8]],
    ) -> [u8; 32] {
        let key = Zeroizing::new(derive(domain, &[self.secret.as_bytes()]));
        let mut hasher = blake3::Hasher::new_keyed(&key);
        let mut take = |bytes: &[u8]| {
            hasher.update(bytes);
        };
        let (inviter, endpoint) = (self.inviter.as_bytes(), self.endpoint.as_bytes());
        frame(&[&self.exporter, direction, inviter, endpoint], &mut take);
        frame(parts, &mut take);
        *hasher.finalize().as_bytes()
    }
}

fn check_event(event: &[u8]) -> Result<(), Error> {
    match event.len() {
        got if got > MAX_EVENT_BYTES => Err(Error::TooLarge { got }),
        _ => Ok(()),
    }
}

/// Whether two values are equal, in a time that does not depend on where they differ.
pub(super) fn same(one: &[u8; 32], other: &[u8; 32]) -> Option<()> {
    bool::from(one.ct_eq(other)).then_some(())
}

#[cfg(test)]
mod tests;
