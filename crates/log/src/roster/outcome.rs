//! What follows from all operations of a session, without the operations.
//!
//! That is all that an ordinary event and a list of members ask for. So it is kept in the store ([`super::kept`]), and
//! a session is there before its operations are read.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::{
    card::Revocation,
    keys::{DeviceId, IdentityId},
};

use super::{Roster, ledger::every_chain};
use crate::{clock::Hlc, ids::Author};

/// What follows from all operations of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Who is in, as what.
    pub(super) roster: Roster,
    pub(super) annals: Annals,
}

/// What is asked of operations beside who is in, also of those that do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Annals {
    /// When the session was founded.
    pub(super) founded: Hlc,
    /// The device that founded it.
    pub(super) founder: DeviceId,
    /// Identities that operations name, each with whether a counted one took it out.
    pub(super) named: BTreeMap<IdentityId, bool>,
    /// Chains that operations begin and that do not count.
    pub(super) void: BTreeMap<Author, Void>,
    /// Of every device that an operation revokes, counted or not, the statement.
    pub(super) revocations: BTreeMap<DeviceId, Revocation>,
    /// Devices that came in in vain alone, and are out by what its identity cannot undo.
    pub(super) shut_out: BTreeSet<DeviceId>,
}

/// A chain that was begun in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Void {
    /// Whose device it was to be.
    pub(super) identity: IdentityId,
    /// Whether a link was to let it in.
    pub(super) by_link: bool,
}

impl Outcome {
    /// The roster.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// When the session was founded.
    pub(crate) fn founded(&self) -> Hlc {
        self.annals.founded
    }

    /// The device that founded it.
    pub(crate) fn founder(&self) -> DeviceId {
        self.annals.founder
    }

    /// Whether an operation adds this device, counted or not.
    pub(crate) fn has_seen(&self, device: DeviceId) -> bool {
        self.owners_of(device).next().is_some()
    }

    /// Whether an operation names this identity or adds a device of it, counted or not.
    pub(crate) fn names(&self, identity: IdentityId) -> bool {
        self.annals.named.contains_key(&identity)
    }

    /// Whose device writes a chain, by what begins it, counted or not.
    pub(crate) fn whose(&self, chain: Author) -> Option<IdentityId> {
        let void = || Some(self.annals.void.get(&chain)?.identity);
        self.roster.identity(chain).or_else(void)
    }

    /// Whether an operation begins this chain, counted or not.
    pub(crate) fn begins(&self, chain: Author) -> bool {
        self.whose(chain).is_some()
    }

    /// The statement by which a device was revoked, whether that counts or not.
    pub(crate) fn revocation(&self, device: DeviceId) -> Option<&Revocation> {
        self.annals.revocations.get(&device)
    }

    /// Whether something counted took an identity out that operations name.
    pub(crate) fn was_taken(&self, identity: IdentityId) -> bool {
        let taken = self.annals.named.get(&identity);
        taken.is_some_and(|taken| *taken || self.roster.dissolved)
    }

    /// Whose a device is, by what begins its chains, counted or not.
    pub(crate) fn owners_of(&self, device: DeviceId) -> impl Iterator<Item = IdentityId> {
        let counted = self.roster.chains_of(device);
        let counted = counted.map(|(_, chain)| chain.identity);
        let void = self.annals.void.range(every_chain(device));
        counted.chain(void.map(|(_, void)| void.identity))
    }

    /// Devices of which a chain was begun in vain by somebody who was named, and whose they are.
    pub(crate) fn in_vain(&self) -> impl Iterator<Item = (DeviceId, IdentityId)> {
        let void = self.annals.void.iter();
        let named = void.filter(|(_, void)| !void.by_link);
        named.map(|(chain, void)| (chain.device, void.identity))
    }

    /// Whether a device came in in vain alone, and is out by what its identity cannot undo.
    pub(crate) fn is_shut_out(&self, device: DeviceId) -> bool {
        self.annals.shut_out.contains(&device)
    }
}
