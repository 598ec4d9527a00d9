//! Devices that came in in vain, and what was to let them in.
//!
//! Who used a link in vain is none of them: nobody who was in named them, and whoever finds a closed link would be told
//! what a session's headers say.

use tenet_identity::keys::{DeviceId, IdentityId};

use super::Fold;
use crate::roster::{Op, ledger::Entry, right::View};

impl Fold {
    /// Whose a device is, by what begins its chains, counted or not.
    pub(crate) fn owners_of(&self, device: DeviceId) -> impl Iterator<Item = IdentityId> {
        let chains = self.ledger.chains_of_device(device);
        chains.filter_map(|chain| self.ledger.whose(chain))
    }

    /// Devices of which a chain was begun in vain, and whose they are.
    pub(crate) fn in_vain(&self) -> impl Iterator<Item = (DeviceId, IdentityId)> {
        let view = self.view();
        let begun = self.ledger.chains();
        let void = begun.filter(move |(_, one)| began_in_vain(&view, one));
        void.filter_map(|(chain, one)| Some((chain.device, one.operation.op.card()?.identity())))
    }

    /// What begins chains of a device in vain.
    pub(super) fn begun_in_vain(&self, device: DeviceId) -> impl Iterator<Item = &Entry> {
        let view = self.view();
        let begun = self.ledger.chains_of_device(device);
        let begun = begun.filter_map(|chain| self.ledger.beginning(chain));
        begun.filter(move |one| began_in_vain(&view, one))
    }

    /// What was to make an identity a member, and does not count.
    pub(super) fn added_in_vain(&self, identity: IdentityId) -> impl Iterator<Item = &Entry> {
        let view = self.view();
        let about = self.ledger.about(identity);
        about.filter(move |one| {
            matches!(one.operation.op, Op::Add(_)) && view.counts(one) == Some(false)
        })
    }
}

/// Whether an operation begins a chain that somebody named and that does not count.
fn began_in_vain(view: &View<'_, '_>, beginning: &Entry) -> bool {
    let by_link = matches!(beginning.operation.op, Op::JoinLink(_));
    !by_link && view.counts(beginning) == Some(false)
}
