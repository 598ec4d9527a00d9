//! Devices that came in in vain, and what made it so.
//!
//! Who used a link in vain is none of them: nobody who was in named them, and whoever finds a closed link would be told
//! what a session's headers say.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::{DeviceId, IdentityId};

use super::Fold;
use crate::roster::{Op, Operation, ledger::Entry, right::View};

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

    /// What makes void what begins chains of a device, directly or in what that rests on (ROS-6, ROS-510).
    pub(crate) fn voiding(&self, device: DeviceId) -> Vec<&Operation> {
        let view = self.view();
        let begun = self.ledger.chains_of_device(device);
        let begun = begun.filter_map(|chain| self.ledger.beginning(chain));
        let is_void = |one: &&Entry| view.counts(one) == Some(false);
        let mut open: Vec<&Entry> = begun.filter(|one| began_in_vain(&view, one)).collect();
        let (mut void, mut takers) = (BTreeSet::new(), BTreeMap::new());
        while let Some(entry) = open.pop() {
            if !void.insert(entry.number) {
                continue;
            }
            let grounds = view.grounds(entry).into_iter();
            let takes = grounds
                .flat_map(|ground| ground.takers)
                .map(|one| one.entry);
            let above = view.outranking(entry).map(|(one, _)| one);
            let counted = takes
                .chain(above)
                .filter(|one| view.counts(one) == Some(true));
            takers.extend(counted.map(|one| (one.number, &one.operation)));
            open.extend(view.asked(entry).into_iter().filter(is_void));
        }
        takers.into_values().collect()
    }
}

/// Whether an operation begins a chain that somebody named and that does not count.
fn began_in_vain(view: &View<'_, '_>, beginning: &Entry) -> bool {
    let by_link = matches!(beginning.operation.op, Op::JoinLink(_));
    !by_link && view.counts(beginning) == Some(false)
}
