//! Who may come in by a link, as those are asked who are in.

use tenet_identity::keys::IdentityId;

use super::Fold;
use crate::{
    ids::EventId,
    roster::{Op, Opening, Refusal, ledger::Entry, right::At},
};

impl Fold {
    /// What an operation opened that counts, and whether nothing that counts closed it.
    pub(crate) fn opening(&self, id: EventId) -> Option<(&Opening, bool)> {
        let view = self.view();
        let entry = self.ledger.find(id)?;
        match &entry.operation.op {
            Op::OpenLink(opening) if view.counts(entry) == Some(true) => {
                let mut closings = self.ledger.closings(id);
                let closed = closings.any(|one| view.counts(one) == Some(true));
                Some((opening, !closed))
            }
            _ => None,
        }
    }

    /// Whether no link lets an identity in (ROS-504, ROS-1402).
    pub(crate) fn is_shut_out(&self, identity: IdentityId) -> bool {
        self.view().is_shut_out(identity, At::End) == Some(true)
    }

    /// All whom no link lets in, by id.
    pub(crate) fn shut_out_by_links(&self) -> impl Iterator<Item = IdentityId> {
        let known = self.ledger.identities();
        known.filter(|identity| self.is_shut_out(*identity))
    }

    /// What was answered last to an identity that asked to come in: of several that count that to its latest asking, of
    /// equals the last in the order (ROS-1403).
    pub(crate) fn refusal(&self, identity: IdentityId) -> Option<&Refusal> {
        let view = self.view();
        let about = self.ledger.about(identity);
        let counted = about.filter(|one| view.counts(one) == Some(true));
        let refusals = counted.filter_map(|one| match &one.operation.op {
            Op::Refuse(refusal) => Some(refusal),
            _ => None,
        });
        refusals.max_by_key(|refusal| refusal.asked)
    }

    /// Of what somebody who joins by a link rests on, what unblocked them last.
    pub(super) fn unblocking(&self, by: IdentityId, op: &Op) -> Option<&Entry> {
        let view = self.view();
        let joins = matches!(op, Op::JoinLink(_));
        let mut about = self.ledger.about(by).rev().filter(|_| joins);
        about.find(|one| {
            matches!(one.operation.op, Op::Unblock(_)) && view.counts(one) == Some(true)
        })
    }
}
