//! Who is in a session: a pure fold over its roster operations.
//!
//! ```text
//! events of kind "roster.*" ── Op::of ──▶ Operation (op, order, causal past) ── Fold ──▶ Outcome: Roster, …
//! ```
//!
//! [`Op`] says what can be said, [`Policy`] who may say it. Of a [`Fold`] the modules are, in reading
//! order: `ledger` (all operations, found by what they are about), `right` (what somebody might do),
//! `void` (what was taken from whom), `decide` (which operations count), `silence` (who may not
//! write, and when), `fold` (all of it) and `renew` (what follows). What follows is an [`Outcome`], the roster and
//! what else is asked without the operations; it is `kept` in the store.

mod decide;
mod fold;
mod founding;
mod kept;
pub mod kind;
mod ledger;
mod op;
mod opening;
mod operation;
mod outcome;
mod policy;
mod renew;
mod right;
mod silence;
mod void;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use tenet_identity::keys::{DeviceId, IdentityId, InviteId};
use zeroize::Zeroize;

pub use fold::{Fold, MAX_IN_VAIN, Shift, fold};
pub use founding::{Founding, MAX_FOUNDING_MEMBERS, Member, SessionKind};
pub use op::{
    Addition, MAX_REASON_BYTES, MAX_SETTING_BYTES, MAX_SETTING_KEY_BYTES, Muting, Op, OpError,
    Removal, Setting, Withdrawal,
};
pub use opening::{Joining, MAX_QUESTION_BYTES, Opening, Refusal};
pub use operation::Operation;
pub use outcome::Outcome;
pub use policy::{History, Policy, Role};

use crate::{
    clock::Hlc,
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
    /// Set once something took it out.
    pub end: Option<End>,
    /// When it may not write (ROS-513, ROS-514).
    pub silences: Vec<Silence>,
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
    /// Whether the device wrote one of them itself.
    pub by_itself: bool,
    /// Whether one of them took its identity out.
    pub with_identity: bool,
}

/// A time in which a device may not write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// How many of the chain's events count all the same, where it has one branch.
    pub cut: u64,
    /// What is dated then or later counts again.
    pub until: Option<Hlc>,
    /// The operations that silenced it, none of which had seen another: what any of them had seen
    /// counts.
    pub operations: Vec<EventId>,
}

/// A link by which strangers come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whose secret half lets in.
    pub key: InviteId,
    /// As what.
    pub role: Role,
    /// Joinings that are dated then or later do not count.
    pub until: Option<Hlc>,
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
    /// Whoever was muted and not let speak again, with the time from which the mute ends by itself.
    pub muted: BTreeMap<IdentityId, Option<Hlc>>,
    /// From when on what was said is for an identity; all is for those that are not here (ROS-515).
    pub floors: BTreeMap<IdentityId, Hlc>,
    /// Links that are open, by the event that opened each.
    pub links: BTreeMap<EventId, Link>,
    /// Who may do what.
    pub policy: Policy,
    /// The session's name, description, … by key.
    pub settings: BTreeMap<String, Vec<u8>>,
    /// Whether it was dissolved.
    pub dissolved: bool,
}

impl Roster {
    /// Of a session of which nothing is known.
    fn nobody() -> Self {
        Self {
            kind: SessionKind::Group,
            secret: [0; 32],
            members: BTreeMap::new(),
            chains: BTreeMap::new(),
            revoked: BTreeSet::new(),
            muted: BTreeMap::new(),
            floors: BTreeMap::new(),
            links: BTreeMap::new(),
            policy: Policy::default(),
            settings: BTreeMap::new(),
            dissolved: false,
        }
    }

    /// The chain on which a device may write now.
    pub fn author(&self, device: DeviceId) -> Option<Author> {
        let mut active = self
            .chains_of(device)
            .filter(|(_, membership)| membership.is_active());
        active.next().map(|(author, _)| *author)
    }

    /// Whether a device is in or ever was.
    pub fn has_held(&self, device: DeviceId) -> bool {
        self.chains_of(device).next().is_some()
    }

    /// The chains of a device, ended or not.
    pub fn chains_of(&self, device: DeviceId) -> impl Iterator<Item = (&Author, &Membership)> {
        self.chains.range(ledger::every_chain(device))
    }

    /// Chains of devices that are in now.
    pub fn active(&self) -> impl Iterator<Item = (Author, &Membership)> {
        self.chains
            .iter()
            .filter(|(_, membership)| membership.is_active())
            .map(|(author, membership)| (*author, membership))
    }

    /// The identity whose device this is or was.
    pub fn identity(&self, author: Author) -> Option<IdentityId> {
        self.chains
            .get(&author)
            .map(|membership| membership.identity)
    }

    /// Whether an identity has the right to an operation now (ROS-505 to ROS-508). Whether its
    /// device is in is another question.
    pub fn allows(&self, identity: IdentityId, op: &Op) -> bool {
        let subject = op.subject();
        let target = subject.and_then(|subject| self.members.get(&subject).copied());
        let own = subject == Some(identity);
        let closed = self.kind.is_closed() && op.is_for_many();
        // ROS-3: devices are their own identity's matter.
        let foreign = match op {
            Op::Join(card) | Op::AddDevice(card) => card.identity() != identity,
            Op::RemoveDevice(chain) => self.identity(*chain) != Some(identity),
            _ => false,
        };
        if foreign {
            return false;
        }
        let role = self.members.get(&identity).filter(|_| !closed);
        role.is_some_and(|role| right::allows(*role, op, own, target, &self.policy))
    }

    /// Whether what an event says is for an identity (ROS-515).
    pub fn may_read(&self, identity: IdentityId, event: &Event) -> bool {
        let floor = self.floors.get(&identity);
        floor.is_none_or(|floor| !event.is_below(*floor))
    }

    /// Whether an ordinary event at this place of a chain, so dated, counts, forks aside.
    pub fn standing(&self, author: Author, seq: u64, time: Hlc) -> Standing {
        self.standing_if(author, time, |cut, _| seq < cut)
    }

    /// Whether what a device would write now (Unix milliseconds) does not count because its identity has not the
    /// word (ROS-513, ROS-514).
    pub fn is_silenced(&self, device: DeviceId, now: u64) -> bool {
        let author = self.author(device);
        let next = |author| self.standing(author, u64::MAX, Hlc::from_millis(now));
        author.is_some_and(|author| next(author) == Standing::Silenced)
    }

    /// Whether an ordinary event counts, forks aside, given what of that which took its author's
    /// right had seen it: by how many of the chain's events it had seen, or by the operations (ROS-512).
    pub(crate) fn standing_if(
        &self,
        author: Author,
        time: Hlc,
        seen: impl Fn(u64, &[EventId]) -> bool,
    ) -> Standing {
        let Some(chain) = self.chains.get(&author).filter(|chain| !chain.surplus) else {
            return Standing::OffRoster;
        };
        let ended = chain.end.as_ref();
        if ended.is_some_and(|end| !seen(end.cut, &end.operations)) {
            return Standing::OffRoster;
        }
        let mut silences = chain.silences.iter();
        let silenced = silences.any(|silence| {
            let lasts = silence.until.is_none_or(|until| time < until);
            lasts && !seen(silence.cut, &silence.operations)
        });
        match silenced {
            true => Standing::Silenced,
            false => Standing::Counted,
        }
    }

    /// How many of a chain's ordinary events count, forks and silences aside.
    pub(crate) fn cut(&self, author: Author) -> u64 {
        match self.chains.get(&author) {
            Some(Membership { surplus: true, .. }) | None => 0,
            Some(Membership { end: None, .. }) => u64::MAX,
            Some(Membership { end: Some(end), .. }) => end.cut,
        }
    }
}

impl Membership {
    /// Whether its device is in by it.
    pub fn is_active(&self) -> bool {
        self.end.is_none() && !self.surplus
    }

    /// From which place on a chain's ordinary events may have another standing than before.
    fn first_difference(before: Option<&Self>, after: Option<&Self>) -> Option<u64> {
        if before == after {
            return None;
        }
        let cut = |one: Option<&Self>| match one {
            Some(Self { surplus: true, .. }) | None => 0,
            Some(Self { end, .. }) => end.as_ref().map_or(u64::MAX, |end| end.cut),
        };
        let silences = |one: Option<&Self>| one.map_or_else(Vec::new, |one| one.silences.clone());
        let (was, is) = (silences(before), silences(after));
        let differ = was.iter().filter(|one| !is.contains(one));
        let differ = differ.chain(is.iter().filter(|one| !was.contains(one)));
        let silenced = differ.map(|silence| silence.cut).min();
        let ended = (cut(before) != cut(after)).then(|| cut(before).min(cut(after)));
        silenced.into_iter().chain(ended).min()
    }
}

impl fmt::Debug for Roster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roster")
            .field("kind", &self.kind)
            .field("members", &self.members)
            .field("chains", &self.chains)
            .field("revoked", &self.revoked)
            .field("muted", &self.muted)
            .field("floors", &self.floors)
            .field("links", &self.links)
            .field("policy", &self.policy)
            .field("settings", &self.settings.keys())
            .field("dissolved", &self.dissolved)
            .finish_non_exhaustive()
    }
}

impl Drop for Roster {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}
