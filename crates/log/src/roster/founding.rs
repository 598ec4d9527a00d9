//! The beginning of a session.

use std::{collections::BTreeSet, fmt};

use minicbor::{Decode, Encode};
use tenet_identity::{
    card::{DeviceCard, UnverifiedCard},
    encoding,
    keys::IdentityId,
};
use zeroize::Zeroize;

use super::{
    OpError,
    policy::{Policy, PolicyForm, Role},
};

/// The most members that a founding may name.
pub const MAX_FOUNDING_MEMBERS: usize = 16;

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

impl SessionKind {
    /// Whether who is in was settled by the founding, for good (ROS-501).
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Own | Self::Direct)
    }
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
    /// Who may do what.
    pub policy: Policy,
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
    #[n(4)]
    policy: Option<PolicyForm>,
}

impl Founding {
    pub(super) fn encode(&self) -> Vec<u8> {
        let usual = self.policy == Policy::default();
        encoding::encode(&FoundingForm {
            kind: self.kind,
            secret: self.secret,
            card: self.card.to_unverified(),
            members: self.members.clone(),
            policy: (!usual).then(|| self.policy.into()),
        })
    }

    pub(super) fn decode(payload: &[u8]) -> Result<Self, OpError> {
        let form: FoundingForm = encoding::decode(payload)?;
        let founding = Self {
            kind: form.kind,
            secret: form.secret,
            card: form.card.verify()?,
            members: form.members,
            policy: form.policy.unwrap_or_default().into(),
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
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl Drop for Founding {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}
