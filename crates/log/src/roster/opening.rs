//! Links into a session: opening them, coming in by them, and what is answered to who asks.

use minicbor::{Decode, Encode};
use tenet_identity::{
    card::{self, DeviceCard, UnverifiedCard},
    domain::derive,
    keys::{IdentityId, InviteId, InviteKey, Signature, verify},
};

use super::{
    op::{MAX_REASON_BYTES, OpError},
    policy::Role,
};
use crate::{
    clock::Hlc,
    domain::{LINK_JOINING, LINK_JOINING_ID},
    ids::EventId,
};

/// The longest question of an opening, in bytes.
pub const MAX_QUESTION_BYTES: usize = 512;

/// A link that lets strangers in.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Opening {
    /// Whose secret half lets in.
    #[n(0)]
    pub key: InviteId,
    /// As what.
    #[n(1)]
    pub role: Role,
    /// Joinings that are dated then or later do not count.
    #[n(2)]
    pub until: Option<Hlc>,
    /// See [`Addition::floor`](super::Addition::floor).
    #[n(3)]
    pub floor: Option<Hlc>,
    /// Present and true where it lets in nobody by itself: who has the link may ask, and somebody who may add decides
    /// (ROS-1401).
    #[n(4)]
    pub consent: Option<bool>,
    /// What is asked of whoever comes, at most 512 bytes.
    #[n(5)]
    pub question: Option<String>,
}

/// A device that comes in by a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joining {
    /// The device's card.
    pub card: DeviceCard,
    /// The event that opened the link.
    pub opening: EventId,
    /// Proves that whoever made it has the link (ROS-504).
    pub proof: Signature,
}

/// That somebody who asked to come in does not.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Refusal {
    /// Who.
    #[n(0)]
    pub identity: IdentityId,
    /// Which asking it answers, and all before it: when they asked, in Unix milliseconds by their clock.
    #[n(1)]
    pub asked: u64,
    /// What they are told, at most 512 bytes.
    #[n(2)]
    pub remark: Option<String>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
pub(super) struct JoiningForm {
    #[n(0)]
    card: UnverifiedCard,
    #[n(1)]
    opening: EventId,
    #[cbor(n(2), with = "minicbor::bytes")]
    proof: [u8; 64],
}

impl Opening {
    /// A link that lets in whoever has it.
    pub fn new(key: InviteId, role: Role) -> Self {
        Self {
            key,
            role,
            until: None,
            floor: None,
            consent: None,
            question: None,
        }
    }

    /// The same, by which one only asks.
    #[must_use]
    pub fn asking(self) -> Self {
        Self {
            consent: Some(true),
            ..self
        }
    }

    /// Whether one only asks by it (ROS-1401).
    pub fn asks(&self) -> bool {
        self.consent == Some(true)
    }

    /// Whether a joining by it could count: it lets in by itself, and the joining proves its key (ROS-504).
    pub(super) fn lets_in(&self, joining: &Joining) -> bool {
        !self.asks() && joining.is_by(self.key)
    }

    pub(super) fn checked(self) -> Result<Self, OpError> {
        match self.question.as_ref().map_or(0, String::len) > MAX_QUESTION_BYTES {
            true => Err(OpError::Contradiction("a question is too long")),
            false => Ok(self),
        }
    }
}

impl Refusal {
    pub(super) fn checked(self) -> Result<Self, OpError> {
        match self.remark.as_ref().map_or(0, String::len) > MAX_REASON_BYTES {
            true => Err(OpError::Contradiction("a remark is too long")),
            false => Ok(self),
        }
    }
}

impl JoiningForm {
    pub(super) fn of(joining: &Joining) -> Self {
        Self {
            card: joining.card.to_unverified(),
            opening: joining.opening,
            proof: *joining.proof.as_bytes(),
        }
    }

    /// The joining, its card as that is believed.
    pub(super) fn with(
        self,
        believed: impl FnOnce(UnverifiedCard) -> Result<DeviceCard, card::Error>,
    ) -> Result<Joining, card::Error> {
        Ok(Joining {
            card: believed(self.card)?,
            opening: self.opening,
            proof: self.proof.into(),
        })
    }
}

impl Joining {
    /// Comes in by a link with its secret key.
    pub fn by(key: &InviteKey, opening: EventId, card: DeviceCard) -> Self {
        let proof = key.sign(LINK_JOINING, &link_joining_id(opening, &card));
        Self {
            card,
            opening,
            proof,
        }
    }

    /// Whether whoever made it had the secret key of this link.
    pub fn is_by(&self, key: InviteId) -> bool {
        let id = link_joining_id(self.opening, &self.card);
        verify(key.as_bytes(), LINK_JOINING, &id, &self.proof).is_ok()
    }
}

/// What the link's key signs: this device of this identity, by this link.
fn link_joining_id(opening: EventId, card: &DeviceCard) -> [u8; 32] {
    let (identity, device) = (card.identity(), card.device());
    let parts: [&[u8]; 3] = [opening.as_bytes(), identity.as_bytes(), device.as_bytes()];
    derive(LINK_JOINING_ID, &parts)
}
