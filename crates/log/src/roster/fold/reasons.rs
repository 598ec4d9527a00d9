//! Why operations count or do not, as somebody must hear it who holds any part of the rest.
//!
//! ```text
//! counts ◀── what it rests on;  what saves it from what takes that;  why that does not count
//! void   ◀── the counted that take what it rests on;  why what it rests on counts, or does not
//! ```

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::{DeviceId, IdentityId};

use super::Fold;
use crate::{
    ids::EventId,
    roster::{
        Op, Operation,
        ledger::{Entry, Number},
        right::View,
        void::Ground,
    },
};

impl Fold {
    /// What lets these count, and keeps void what begins chains of a device or makes an identity a member in vain (ROS-6,
    /// ROS-510), beside what those had seen themselves: the counted operations that must be known for that, these included.
    pub(crate) fn reasons(
        &self,
        counted: impl IntoIterator<Item = EventId>,
        device: DeviceId,
        identity: Option<IdentityId>,
    ) -> Vec<&Operation> {
        let told = counted.into_iter();
        let told = told.filter_map(|id| self.ledger.find(id));
        let mut reasons = Reasons {
            view: self.view(),
            looked_at: BTreeSet::new(),
            told: told.map(|one| (one.number, one)).collect(),
        };
        let mut open: Vec<&Entry> = reasons.told.values().copied().collect();
        open.extend(self.begun_in_vain(device));
        open.extend(identity.into_iter().flat_map(|one| self.added_in_vain(one)));
        reasons.look(open);
        let told = reasons.told.into_values();
        told.map(|one| &one.operation).collect()
    }

    /// The counted operations that took an identity out and that no later of them had seen; none where it was never in.
    pub(crate) fn takings(&self, identity: IdentityId) -> Vec<EventId> {
        let view = self.view();
        let about = self.ledger.about(identity);
        let named = self.ledger.knows(identity);
        let over = self.ledger.dissolutions().filter(|_| named);
        let takes = |one: &&Entry| {
            let out = matches!(one.operation.op, Op::Remove(_) | Op::Leave | Op::Dissolve);
            out && view.counts(one) == Some(true)
        };
        let all: Vec<&Entry> = about.chain(over).filter(takes).collect();
        let last = all.iter().filter(|one| {
            let mut others = all.iter();
            !others.any(|other| other.operation.saw(&one.operation))
        });
        last.map(|one| one.operation.order.id).collect()
    }
}

struct Reasons<'a> {
    view: View<'a, 'a>,
    looked_at: BTreeSet<Number>,
    /// What must be known.
    told: BTreeMap<Number, &'a Entry>,
}

impl<'a> Reasons<'a> {
    fn look(&mut self, mut open: Vec<&'a Entry>) {
        while let Some(entry) = open.pop() {
            if !self.looked_at.insert(entry.number) {
                continue;
            }
            let tell = match self.counts(entry) {
                true => self.saving(entry, &mut open),
                false => self.voiding(entry, &mut open),
            };
            self.told.extend(tell.iter().map(|one| (one.number, *one)));
            open.extend(tell);
            open.extend(self.view.asked(entry));
        }
    }

    /// What saves a counted operation from counted ones, by its grounds. What would void it, or make of what saves it
    /// no first, and does not count is open: somebody may not know that.
    fn saving(&self, entry: &'a Entry, open: &mut Vec<&'a Entry>) -> Vec<&'a Entry> {
        let mut saving = Vec::new();
        for ground in self.view.grounds(entry) {
            let (saw, blind) = takers(entry, &ground);
            if blind.iter().any(|one| self.counts(one)) {
                saving.extend(saw.iter().filter(|one| self.counts(one)));
                open.extend(saw);
            }
            open.extend(blind.into_iter().filter(|one| !self.counts(one)));
        }
        open.extend(self.view.outranking(entry).map(|(one, _)| one));
        saving
    }

    /// The counted operations that void one. What would save it and does not count is open.
    fn voiding(&self, entry: &'a Entry, open: &mut Vec<&'a Entry>) -> Vec<&'a Entry> {
        let mut voiding: Vec<&Entry> = self.view.outranking(entry).map(|(one, _)| one).collect();
        for ground in self.view.grounds(entry) {
            let (saw, blind) = takers(entry, &ground);
            voiding.extend(blind);
            open.extend(saw);
        }
        voiding.retain(|one| self.counts(one));
        voiding
    }

    fn counts(&self, entry: &Entry) -> bool {
        self.view.counts(entry) == Some(true)
    }
}

/// Those that take a ground of an operation: that had seen it, and that had not.
fn takers<'a>(entry: &Entry, ground: &Ground<'a>) -> (Vec<&'a Entry>, Vec<&'a Entry>) {
    let all = ground.takers.iter().map(|taker| taker.entry);
    all.partition(|one| one.operation.saw(&entry.operation))
}
