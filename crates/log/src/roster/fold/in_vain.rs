//! Devices that came in in vain, and what was to let them in.
//!
//! Who used a link in vain is none of them: nobody who was in named them, and whoever finds a closed link would be told
//! what a session's headers say.

use std::collections::BTreeSet;

use tenet_identity::keys::{DeviceId, IdentityId};

use super::Fold;
use crate::roster::{Op, Outcome, ledger::Entry, right::View};

impl Fold {
    /// Devices that came in in vain alone, and are out by what others did. Of strangers who used a link in vain that is
    /// not asked: nothing else is about them.
    pub(super) fn shut_out(&self, outcome: &Outcome) -> BTreeSet<DeviceId> {
        let void = outcome.annals.void.iter();
        let known = void.filter(|(_, void)| {
            let stranger = || {
                let mut about = self.ledger.about(void.identity);
                about.all(|one| matches!(one.operation.op, Op::JoinLink(_)))
            };
            let nobody = void.by_link && !outcome.roster.dissolved && stranger();
            !outcome.roster.members.contains_key(&void.identity) && !nobody
        });
        let devices = known.map(|(chain, _)| chain.device);
        let never = devices.filter(|device| outcome.roster.chains_of(*device).next().is_none());
        let shut_out = never.filter(|device| {
            let identity = outcome.owners_of(*device).next();
            let taken = identity.into_iter().flat_map(|one| self.takings(one));
            !self.reasons(taken, *device, identity).is_empty()
        });
        shut_out.collect()
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
