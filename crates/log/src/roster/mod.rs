//! Who is in a session: a pure fold over its roster operations.
//!
//! ```text
//! events of kind "roster.*" ── Op::of ──▶ Operation (op, order, causal past) ── fold ──▶ Roster
//! ```

mod fold;
mod op;

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::{
    card::DeviceCard,
    keys::{DeviceId, IdentityId},
};

pub use fold::{Operation, fold};
pub use op::{Founding, Member, Op, OpError, Role, SessionKind, kind};

use crate::{
    ids::{Author, EventId},
    standing::Standing,
};

/// The most devices of one identity in a session.
pub const MAX_DEVICES_PER_IDENTITY: usize = 16;

/// A device's time in the session: from the event that added it to the one that took it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The identity it belongs to.
    pub identity: IdentityId,
    /// Its card.
    pub card: DeviceCard,
    /// Set once something took it out.
    pub end: Option<End>,
}

/// How a device's time in a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// How many of the chain's events still count.
    pub cut: u64,
    /// The chain of the operation that ended it.
    pub by: Author,
    /// The place of that operation in its chain.
    pub at: u64,
}

/// Who is in a session, with which role and which devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// What sort of session.
    pub kind: SessionKind,
    /// 32 bytes that only those who were ever members know; tags are keyed with it.
    pub secret: [u8; 32],
    /// Identities that are in, with their roles.
    pub members: BTreeMap<IdentityId, Role>,
    /// Every device chain that ever rightly began.
    pub chains: BTreeMap<Author, Membership>,
    /// Devices that their identity revoked: never added again.
    pub revoked: BTreeSet<DeviceId>,
    /// Operations that count.
    pub counted: BTreeSet<EventId>,
}

impl Roster {
    /// The chain on which a device may write now.
    pub fn author(&self, device: DeviceId) -> Option<Author> {
        self.active()
            .find(|(author, _)| author.device == device)
            .map(|(author, _)| author)
    }

    /// Chains of devices that are in now.
    pub fn active(&self) -> impl Iterator<Item = (Author, &Membership)> {
        self.chains
            .iter()
            .filter(|(_, membership)| membership.end.is_none())
            .map(|(author, membership)| (*author, membership))
    }

    /// The identity whose device this is or was.
    pub fn identity(&self, author: Author) -> Option<IdentityId> {
        self.chains
            .get(&author)
            .map(|membership| membership.identity)
    }

    /// Whether an ordinary event at this place of a chain counts, forks aside.
    pub fn standing(&self, author: Author, seq: u64) -> Standing {
        match self.chains.get(&author) {
            Some(Membership { end: None, .. }) => Standing::Counted,
            Some(Membership { end: Some(end), .. }) if seq < end.cut => Standing::Counted,
            _ => Standing::OffRoster,
        }
    }
}
