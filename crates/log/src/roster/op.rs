//! Roster operations: the kinds and payloads of events that change who is in a session.

use std::{collections::BTreeSet, fmt};

use minicbor::{Decode, Encode};
use tenet_identity::{
    card::{self, DeviceCard, Revocation, UnverifiedCard, UnverifiedRevocation},
    encoding,
    keys::IdentityId,
};
use zeroize::Zeroize;

use crate::{
    event::{Content, Event},
    ids::Author,
};

/// Names of the roster events' kinds.
pub mod kind {
    /// Founds a session.
    pub const FOUND: &str = "roster.found";
    /// A device of a member identity adds itself.
    pub const JOIN: &str = "roster.join";
    /// A device adds another device of its own identity.
    pub const ADD_DEVICE: &str = "roster.add-device";
    /// A device takes out another device of its own identity.
    pub const REMOVE_DEVICE: &str = "roster.remove-device";
    /// Somebody hands in an identity's statement that a device is no longer its own.
    pub const REVOKE: &str = "roster.revoke";
    /// An identity leaves with all its devices.
    pub const LEAVE: &str = "roster.leave";

    /// Whether this version knows what events of this kind do to the roster.
    pub fn is_known(kind: &str) -> bool {
        [FOUND, JOIN, ADD_DEVICE, REMOVE_DEVICE, REVOKE, LEAVE].contains(&kind)
    }
}

/// The most members that a founding may name.
const MAX_FOUNDING_MEMBERS: usize = 16;

/// What sort of session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum SessionKind {
    /// One identity's own devices.
    #[n(0)]
    Own,
    /// Two people.
    #[n(1)]
    Direct,
    /// Many people.
    #[n(2)]
    Group,
    /// Many people by subject or region.
    #[n(3)]
    Room,
    /// A program and its users.
    #[n(4)]
    Service,
}

/// What a member may do; greater roles come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Everything.
    #[n(0)]
    Owner,
    /// Admits, removes and mutes those below.
    #[n(1)]
    Moderator,
    /// Reads and writes.
    #[n(2)]
    Member,
    /// Reads.
    #[n(3)]
    Observer,
}

/// An identity that a founding lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Member {
    /// Who.
    #[n(0)]
    pub identity: IdentityId,
    /// As what.
    #[n(1)]
    pub role: Role,
}

/// The beginning of a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Founding {
    /// What sort of session.
    pub kind: SessionKind,
    /// 32 random bytes that only members learn.
    pub secret: [u8; 32],
    /// The founder's device.
    pub card: DeviceCard,
    /// The identities that are in from the start, the founder's among them.
    pub members: Vec<Member>,
}

/// A change of the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// See [`kind::FOUND`].
    Found(Founding),
    /// See [`kind::JOIN`].
    Join(DeviceCard),
    /// See [`kind::ADD_DEVICE`].
    AddDevice(DeviceCard),
    /// See [`kind::REMOVE_DEVICE`]; names the chain that ends.
    RemoveDevice(Author),
    /// See [`kind::REVOKE`].
    Revoke(Revocation),
    /// See [`kind::LEAVE`].
    Leave,
}

/// Why an event of a roster kind is no operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpError {
    /// Malformed payload.
    #[error("roster operation is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// A card in it is not valid.
    #[error("roster operation shows a card that is not valid: {0}")]
    Card(#[from] card::Error),
    /// It contradicts its own header or a limit.
    #[error("roster operation contradicts itself: {0}")]
    Contradiction(&'static str),
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct FoundingForm {
    #[n(0)]
    kind: SessionKind,
    #[cbor(n(1), with = "minicbor::bytes")]
    secret: [u8; 32],
    #[n(2)]
    card: UnverifiedCard,
    #[n(3)]
    members: Vec<Member>,
}

impl Op {
    /// The kind of event that carries it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Found(_) => kind::FOUND,
            Self::Join(_) => kind::JOIN,
            Self::AddDevice(_) => kind::ADD_DEVICE,
            Self::RemoveDevice(_) => kind::REMOVE_DEVICE,
            Self::Revoke(_) => kind::REVOKE,
            Self::Leave => kind::LEAVE,
        }
    }

    /// The payload that travels in the header.
    pub fn payload(&self) -> Vec<u8> {
        match self {
            Self::Found(founding) => encoding::encode(&FoundingForm {
                kind: founding.kind,
                secret: founding.secret,
                card: founding.card.to_unverified(),
                members: founding.members.clone(),
            }),
            Self::Join(card) | Self::AddDevice(card) => encoding::encode(&card.to_unverified()),
            Self::RemoveDevice(author) => encoding::encode(author),
            Self::Revoke(revocation) => encoding::encode(&revocation.to_unverified()),
            Self::Leave => Vec::new(),
        }
    }

    /// The operation that an event carries; `None` for ordinary events and for roster kinds of
    /// later versions, which have no effect here.
    ///
    /// # Errors
    /// [`OpError`] for what no honest device writes.
    pub fn of(event: &Event) -> Result<Option<Self>, OpError> {
        let header = event.header();
        let name = header.kind.as_str();
        if !header.kind.is_roster() {
            return Ok(None);
        }
        let Content::Payload(payload) = &header.content else {
            return Err(OpError::Contradiction("a roster operation has a body"));
        };
        let op = match name {
            kind::FOUND => Self::Found(Founding::decode(payload)?),
            kind::JOIN => Self::Join(decode_card(payload)?),
            kind::ADD_DEVICE => Self::AddDevice(decode_card(payload)?),
            kind::REMOVE_DEVICE => Self::RemoveDevice(encoding::decode(payload)?),
            kind::REVOKE => {
                Self::Revoke(encoding::decode::<UnverifiedRevocation>(payload)?.verify()?)
            }
            kind::LEAVE => Self::Leave,
            _ => return Ok(None),
        };
        op.check_author(event)?;
        Ok(Some(op))
    }

    fn check_author(&self, event: &Event) -> Result<(), OpError> {
        let header = event.header();
        let adds_itself = header.added_by.is_none();
        let own_card = match self {
            Self::Found(founding) => Some(founding.card.device()),
            Self::Join(card) => Some(card.device()),
            _ => None,
        };
        if adds_itself != own_card.is_some() {
            return Err(OpError::Contradiction(
                "author is not what the operation needs",
            ));
        }
        if own_card.is_some_and(|device| device != header.device) {
            return Err(OpError::Contradiction("card is another device's"));
        }
        if matches!(self, Self::Found(_)) != header.session.is_none() {
            return Err(OpError::Contradiction(
                "only a founding is without a session",
            ));
        }
        if header.session.is_none() && !header.deps.is_empty() {
            return Err(OpError::Contradiction("a founding builds on nothing"));
        }
        Ok(())
    }

    /// The chain that this operation begins, given the event that carries it.
    pub(crate) fn begins(&self, event: &Event) -> Option<(Author, &DeviceCard)> {
        let card = match self {
            Self::Found(Founding { card, .. }) | Self::Join(card) | Self::AddDevice(card) => card,
            _ => return None,
        };
        Some((
            Author {
                device: card.device(),
                added_by: event.id(),
            },
            card,
        ))
    }

    /// Whether this operation, once it counts, ends the chain.
    pub(crate) fn ends(&self, by: IdentityId, chain: Author, of: IdentityId) -> bool {
        match self {
            Self::RemoveDevice(target) => *target == chain && by == of,
            Self::Revoke(revocation) => {
                revocation.device() == chain.device && revocation.identity() == of
            }
            Self::Leave => by == of,
            _ => false,
        }
    }

    /// Whether it takes something away.
    pub(super) fn takes_away(&self) -> bool {
        matches!(self, Self::RemoveDevice(_) | Self::Revoke(_) | Self::Leave)
    }
}

impl Founding {
    fn decode(payload: &[u8]) -> Result<Self, OpError> {
        let form: FoundingForm = encoding::decode(payload)?;
        let founding = Self {
            kind: form.kind,
            secret: form.secret,
            card: form.card.verify()?,
            members: form.members,
        };
        founding.check()?;
        Ok(founding)
    }

    fn check(&self) -> Result<(), OpError> {
        if self.members.len() > MAX_FOUNDING_MEMBERS {
            return Err(OpError::Contradiction(
                "a founding names more than 16 members",
            ));
        }
        let named: BTreeSet<IdentityId> = self.members.iter().map(|m| m.identity).collect();
        if named.len() != self.members.len() {
            return Err(OpError::Contradiction("a founding names a member twice"));
        }
        let founder = self.card.identity();
        if !self.members.iter().any(|member| member.identity == founder) {
            return Err(OpError::Contradiction("the founder is not a member"));
        }
        let enough = match self.kind {
            SessionKind::Own => self.members.len() == 1,
            SessionKind::Direct => self.members.len() == 2,
            _ => true,
        };
        if enough {
            Ok(())
        } else {
            Err(OpError::Contradiction("wrong number of members"))
        }
    }
}

impl fmt::Debug for Founding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Founding")
            .field("kind", &self.kind)
            .field("card", &self.card)
            .field("members", &self.members)
            .finish_non_exhaustive()
    }
}

impl Drop for Founding {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

fn decode_card(payload: &[u8]) -> Result<DeviceCard, OpError> {
    Ok(encoding::decode::<UnverifiedCard>(payload)?.verify()?)
}

#[cfg(test)]
mod tests;
