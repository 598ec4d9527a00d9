//! Who is in a session: a pure fold over its roster operations.
//!
//! ```text
//! events of kind "roster.*" ── Op::of ──▶ Operation (op, order, causal past) ── fold ──▶ Roster
//! ```

mod decide;
mod fold;
mod op;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use tenet_identity::{
    card::DeviceCard,
    keys::{DeviceId, IdentityId},
};
use zeroize::Zeroize;

pub(crate) use fold::founding;
pub use fold::{Operation, fold};
pub use op::{Founding, Member, Op, OpError, Role, SessionKind, kind};

use crate::{
    event::Event,
    ids::{Author, EventId},
    standing::Standing,
};

/// The most devices of one identity in a session (ROS-8): bounds what a member's devices cost the
/// others.
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
    /// Whether it waits for one of its identity's other devices to go (ROS-8).
    pub surplus: bool,
}

/// How a device's time in a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// How many of the chain's events still count, where it has one branch.
    pub cut: u64,
    /// The operations that ended it, none of which had seen another: what any of them had seen
    /// counts (ROS-6).
    pub operations: Vec<EventId>,
}

/// Who is in a session, with which role and which devices.
#[derive(Clone, PartialEq, Eq)]
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
            .filter(|(_, membership)| membership.end.is_none() && !membership.surplus)
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
        if seq < self.cut(author) {
            Standing::Counted
        } else {
            Standing::OffRoster
        }
    }

    /// Whether an event counts, forks aside.
    pub(crate) fn standing_of(&self, event: &Event) -> Standing {
        if !kind::is_known(event.header().kind.as_str()) {
            return self.standing(event.author(), event.header().seq);
        }
        if self.counted.contains(&event.id()) {
            Standing::Counted
        } else {
            Standing::OffRoster
        }
    }

    /// How many of a chain's ordinary events count, forks aside.
    pub(crate) fn cut(&self, author: Author) -> u64 {
        match self.chains.get(&author) {
            Some(Membership { surplus: true, .. }) | None => 0,
            Some(Membership { end: None, .. }) => u64::MAX,
            Some(Membership { end: Some(end), .. }) => end.cut,
        }
    }
}

impl fmt::Debug for Roster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roster")
            .field("kind", &self.kind)
            .field("members", &self.members)
            .field("chains", &self.chains)
            .field("revoked", &self.revoked)
            .field("counted", &self.counted)
            .finish_non_exhaustive()
    }
}

impl Drop for Roster {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}
