//! What an operation's author had the right to, in what it had seen (ROS-505 to ROS-508).
//!
//! All answers are of three kinds: yes, no, and `None`: not yet known, because it hangs on
//! operations that are not decided.

use tenet_identity::keys::IdentityId;

use super::{
    Op, Operation,
    ledger::{Entry, Ledger, Number},
    policy::{Policy, Role},
};
use crate::ids::EventId;

/// What is decided so far.
#[derive(Clone, Copy)]
pub(super) struct View<'a, 'v> {
    pub(super) ledger: &'a Ledger,
    /// For each operation whether it counts, where that is decided.
    pub(super) verdicts: &'v [Option<bool>],
    /// Whether what is open is taken to count if it gives, and not to if it takes away.
    pub(super) hopeful: bool,
}

/// The place at which something is asked: what an operation had seen, or the end of all.
#[derive(Clone, Copy)]
pub(super) enum At<'a> {
    /// In the past of this operation.
    Past(&'a Operation),
    /// With all that is known.
    End,
}

impl At<'_> {
    pub(super) fn has(self, entry: &Entry) -> bool {
        match self {
            Self::Past(operation) => operation.saw(&entry.operation),
            Self::End => true,
        }
    }
}

impl<'a> View<'a, '_> {
    /// Whether an operation counts.
    pub(super) fn counts(&self, entry: &Entry) -> Option<bool> {
        match self.verdict(entry.number) {
            None if self.hopeful => Some(!entry.operation.op.takes_away()),
            verdict => verdict,
        }
    }

    /// What was decided about an operation, if it is.
    pub(super) fn verdict(&self, number: Number) -> Option<bool> {
        self.verdicts.get(number).copied().flatten()
    }

    /// An identity's role at a place (ROS-502).
    pub(super) fn role(&self, identity: IdentityId, at: At<'_>) -> Option<Option<Role>> {
        self.role_by(self.ledger.about(identity), identity, at)
    }

    /// The same by the operations about it.
    fn role_by(
        &self,
        about: impl Iterator<Item = &'a Entry>,
        identity: IdentityId,
        at: At<'_>,
    ) -> Option<Option<Role>> {
        for entry in self.ledger.dissolutions().filter(|one| at.has(one)) {
            if self.counts(entry)? {
                return Some(None);
            }
        }
        let mut role = None;
        for entry in about {
            if changes_role(&entry.operation.op) && at.has(entry) && self.counts(entry)? {
                role = self.role_after(role, entry, identity);
            }
        }
        Some(role)
    }

    /// What an identity's role becomes by a counted operation about it (ROS-1, ROS-502).
    pub(super) fn role_after(
        &self,
        role: Option<Role>,
        entry: &Entry,
        identity: IdentityId,
    ) -> Option<Role> {
        let given = |given: Role| Some(role.map_or(given, |role| role.min(given)));
        match &entry.operation.op {
            Op::Found(founding) => {
                let mut named = founding.members.iter();
                let named = named.find(|member| member.identity == identity);
                named.map_or(role, |member| given(member.role))
            }
            Op::Add(addition) => given(addition.role),
            Op::JoinLink(joining) => self.opening_role(joining.opening).map_or(role, given),
            Op::Promote(member) => role.map(|role| role.min(member.role)),
            Op::Demote(member) => role.map(|role| role.max(member.role)),
            Op::Remove(_) | Op::Leave => None,
            _ => role,
        }
    }

    fn opening_role(&self, opening: EventId) -> Option<Role> {
        match &self.ledger.find(opening)?.operation.op {
            Op::OpenLink(opening) => Some(opening.role),
            _ => None,
        }
    }

    /// Whether an identity was shut out by a removal, and neither added since (ROS-504) nor unblocked by somebody who
    /// had seen that removal (ROS-1402).
    pub(super) fn is_shut_out(&self, identity: IdentityId, at: At<'_>) -> Option<bool> {
        let mut removals: Vec<&Entry> = Vec::new();
        for entry in self.ledger.about(identity).filter(|one| at.has(one)) {
            match &entry.operation.op {
                Op::Remove(removal) if removal.shut_out && self.counts(entry)? => {
                    removals.push(entry);
                }
                Op::Add(_) if self.counts(entry)? => removals.clear(),
                Op::Unblock(_) if self.counts(entry)? => {
                    removals.retain(|one| !entry.operation.saw(&one.operation));
                }
                _ => {}
            }
        }
        Some(!removals.is_empty())
    }

    /// The policy at a place (ROS-503).
    pub(super) fn policy(&self, at: At<'_>) -> Option<Policy> {
        for entry in self.ledger.policies().rev().filter(|one| at.has(one)) {
            if let Op::Policy(policy) = &entry.operation.op
                && self.counts(entry)?
            {
                return Some(*policy);
            }
        }
        let founding = self.ledger.founding();
        Some(founding.map_or_else(Policy::default, |founding| founding.policy))
    }

    /// The role of an operation's author in what it had seen.
    pub(super) fn rank(&self, entry: &Entry) -> Option<Option<Role>> {
        match entry.by {
            Some(by) => {
                let about = self.ledger.about_author(entry);
                self.role_by(about, by, At::Past(&entry.operation))
            }
            None => Some(None),
        }
    }

    /// Whether an operation's author had the right to it (ROS-505).
    pub(super) fn is_rightful(&self, entry: &Entry) -> Option<bool> {
        let (operation, Some(by)) = (&entry.operation, entry.by) else {
            return Some(false);
        };
        if !entry.sound {
            return Some(false);
        }
        match &operation.op {
            Op::Found(_) => return Some(true),
            Op::JoinLink(joining) => {
                let joins = || self.may_join_by(entry, by, joining.opening);
                let open = both(self.is_undissolved(entry), || self.is_unrevoked(entry));
                return both(open, joins);
            }
            _ => {}
        }
        let allowed = both(self.is_allowed_now(entry), || self.is_unrevoked(entry));
        both(allowed, || self.stands(entry))
    }

    /// Whether there was a session still, by what an operation had seen.
    fn is_undissolved(&self, entry: &Entry) -> Option<bool> {
        let ends = self.ledger.dissolutions();
        let ends = ends.filter(|one| entry.operation.saw(&one.operation));
        not(any(ends.map(|one| self.counts(one))))
    }

    /// Whether the author's role allowed it.
    fn is_allowed_now(&self, entry: &Entry) -> Option<bool> {
        match self.rank(entry)? {
            Some(role) => self.allows(role, entry),
            None => Some(false),
        }
    }

    /// Whether the author's chain was begun and not ended, in what it had seen.
    fn stands(&self, entry: &Entry) -> Option<bool> {
        let Some(begun_by) = entry.begun_by else {
            return Some(true);
        };
        let Some(beginning) = self.ledger.get(begun_by) else {
            return Some(false);
        };
        both(self.counts(beginning), || {
            let ended = self.ledger.enders(beginning);
            let ended = ended.filter(|ender| entry.operation.saw(&ender.operation));
            not(any(ended.map(|ender| self.counts(ender))))
        })
    }

    /// Whether the device that it adds was not revoked, in what it had seen (ROS-4).
    fn is_unrevoked(&self, entry: &Entry) -> Option<bool> {
        if entry.operation.op.card().is_none() {
            return Some(true);
        }
        let ended = self.ledger.enders(entry);
        let ended = ended.filter(|ender| entry.operation.saw(&ender.operation));
        not(any(ended.map(|ender| self.counts(ender))))
    }

    /// ROS-504
    fn may_join_by(&self, entry: &Entry, by: IdentityId, opening: EventId) -> Option<bool> {
        let at = At::Past(&entry.operation);
        let Some(link) = self.ledger.find(opening) else {
            return Some(false);
        };
        let ends = match &link.operation.op {
            Op::OpenLink(opening) => opening.until,
            _ => return Some(false),
        };
        if ends.is_some_and(|ends| entry.operation.order.time >= ends) {
            return Some(false);
        }
        let closings = self.ledger.closings(opening).filter(|one| at.has(one));
        let open = not(any(closings.map(|closing| self.counts(closing))));
        let open = both(open, || self.counts(link));
        let stranger = both(open, || self.role(by, at).map(|role| role.is_none()));
        both(stranger, || self.is_shut_out(by, at).map(|out| !out))
    }

    /// Whether a role suffices for an operation, in what its author had seen (ROS-506 to ROS-508).
    pub(super) fn allows(&self, role: Role, entry: &Entry) -> Option<bool> {
        let at = At::Past(&entry.operation);
        let op = &entry.operation.op;
        let target = match op.subject() {
            Some(subject) => self.role_by(self.ledger.about_subject(entry), subject, at)?,
            None => None,
        };
        let policy = match asks_policy(entry) {
            true => self.policy(at)?,
            false => Policy::default(),
        };
        Some(allows(role, op, is_about_author(entry), target, &policy))
    }
}

/// Whether a role suffices for an operation; `target` is the role of whom it is about.
pub(super) fn allows(
    role: Role,
    op: &Op,
    own: bool,
    target: Option<Role>,
    policy: &Policy,
) -> bool {
    let above = target.is_some_and(|target| role.is_above(target));
    let takes = !own && above && role.at_least(policy.remove);
    match op {
        Op::Add(addition) => {
            target.is_none() && role.at_least(policy.add) && role.may_give(addition.role)
        }
        Op::Promote(member) => {
            target.is_some_and(|target| member.role.is_above(target))
                && role.at_least(policy.add)
                && role.may_give(member.role)
        }
        Op::Demote(member) => {
            target.is_some_and(|target| target.is_above(member.role)) && (own || takes)
        }
        // Also of whoever has no role by what counts: another may have let them in apart from this (ROS-506, ROS-1301).
        Op::Remove(_) | Op::Withdraw(_) => {
            takes || (!own && target.is_none() && role.at_least(policy.remove))
        }
        Op::Mute(_) | Op::Unmute(_) => takes,
        // ROS-1402, ROS-1403
        Op::Unblock(_) => !own && target.is_none() && role.at_least(policy.remove),
        Op::Refuse(_) => !own && target.is_none() && role.at_least(policy.add),
        Op::OpenLink(opening) => role.at_least(policy.links) && role.may_give(opening.role),
        Op::CloseLink(_) => role.at_least(policy.links),
        Op::Policy(_) | Op::Dissolve => role == Role::Owner,
        Op::Set(_) => role.at_least(policy.settings),
        Op::Found(_)
        | Op::Join(_)
        | Op::JoinLink(_)
        | Op::AddDevice(_)
        | Op::RemoveDevice(_)
        | Op::Revoke(_)
        | Op::Leave => true,
    }
}

/// Whether the right to an operation is a matter of the policy (ROS-506 to ROS-508).
pub(super) fn asks_policy(entry: &Entry) -> bool {
    let op = &entry.operation.op;
    match op {
        Op::Policy(_) | Op::Dissolve => false,
        Op::Demote(_) => !is_about_author(entry),
        op => op.is_for_many(),
    }
}

fn is_about_author(entry: &Entry) -> bool {
    let subject = entry.operation.op.subject();
    subject.is_some() && subject == entry.by
}

/// Whether an operation gives or takes a role.
pub(super) fn changes_role(op: &Op) -> bool {
    !matches!(
        op,
        Op::Mute(_) | Op::Unmute(_) | Op::Withdraw(_) | Op::Unblock(_) | Op::Refuse(_)
    )
}

/// Whether both hold; the second is asked only if the first may.
pub(super) fn both(one: Option<bool>, other: impl FnOnce() -> Option<bool>) -> Option<bool> {
    match one {
        Some(false) => Some(false),
        one => match other() {
            Some(true) => one,
            other => other,
        },
    }
}

/// Whether any holds; `None` while that is open.
pub(super) fn any(all: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut open = false;
    for one in all {
        match one {
            Some(true) => return Some(true),
            Some(false) => {}
            None => open = true,
        }
    }
    (!open).then_some(false)
}

pub(super) fn not(one: Option<bool>) -> Option<bool> {
    one.map(|one| !one)
}
