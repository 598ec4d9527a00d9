//! When an identity may not write (ROS-513, ROS-514).
//!
//! ```text
//! order ──── takes ─────── takes ──────── gives ───▶
//!            └── first      └── not first  └── until then
//! ```

use tenet_identity::keys::IdentityId;

use super::{
    Op,
    ledger::Entry,
    policy::{History, Policy},
    right::{At, View},
};
use crate::clock::Hlc;

/// A time without the word.
#[derive(Clone, Debug)]
pub(super) struct Episode<'a> {
    /// Those that took it, none of which had seen another.
    pub(super) firsts: Vec<&'a Entry>,
    /// What is dated then or later counts again.
    pub(super) until: Option<Hlc>,
    /// Whether an operation gave it back.
    pub(super) given_back: bool,
}

/// What an operation does to the word of an identity.
enum Step {
    Takes(Option<Hlc>),
    Gives,
    /// Makes all that was taken a matter of the past.
    Ends,
}

impl<'a> View<'a, '_> {
    /// When an identity may not write, by its role and by mutes.
    pub(super) fn silences(&self, identity: IdentityId) -> Vec<Episode<'a>> {
        let mut silences = self.by_role(identity);
        silences.extend(self.by_mutes(identity));
        silences
    }

    /// When it may not by mutes (ROS-514).
    pub(super) fn by_mutes(&self, identity: IdentityId) -> Vec<Episode<'a>> {
        let counted = self.ledger.about(identity);
        let counted = counted.filter(|one| self.counts(one) == Some(true));
        let steps = counted.filter_map(|entry| match &entry.operation.op {
            Op::Mute(muting) => Some((entry, Step::Takes(muting.until))),
            Op::Unmute(_) => Some((entry, Step::Gives)),
            _ => None,
        });
        episodes(steps.collect())
    }

    /// When it may not because its role is too low (ROS-513).
    fn by_role(&self, identity: IdentityId) -> Vec<Episode<'a>> {
        let about = self.ledger.about(identity);
        let mut all: Vec<&Entry> = about.chain(self.ledger.policies()).collect();
        all.retain(|one| self.counts(one) == Some(true));
        all.sort_by_key(|entry| entry.operation.order);
        let founding = self.ledger.founding();
        let usual = founding.map_or_else(Policy::default, |founding| founding.policy);
        let (mut role, mut write, mut may) = (None, usual.write, true);
        let mut steps = Vec::new();
        for entry in all {
            let taken = match &entry.operation.op {
                Op::Policy(policy) => {
                    let before = std::mem::replace(&mut write, policy.write);
                    policy.write.is_above(before)
                }
                op => {
                    role = self.role_after(role, entry, identity);
                    // A mute is another matter.
                    matches!(op, Op::Demote(_))
                }
            };
            let Some(role) = role else {
                // Its chains have ended: what it does not have is not taken.
                steps.push((entry, Step::Ends));
                may = true;
                continue;
            };
            match (may, role.at_least(write)) {
                (true, false) => steps.push((entry, Step::Takes(None))),
                (false, false) if taken => steps.push((entry, Step::Takes(None))),
                (false, true) => steps.push((entry, Step::Gives)),
                _ => {}
            }
            may = role.at_least(write);
        }
        episodes(steps)
    }

    /// From when on what was said is for an identity (ROS-515); `None` where all is.
    pub(super) fn floor(&self, identity: IdentityId) -> Option<Hlc> {
        let mut floor = None;
        let mut role = None;
        for entry in self.ledger.about(identity) {
            if self.counts(entry) != Some(true) {
                continue;
            }
            let after = self.role_after(role, entry, identity);
            if role.is_none() && after.is_some() {
                floor = self.floor_by(entry);
            }
            role = after;
        }
        floor
    }

    fn floor_by(&self, entry: &Entry) -> Option<Hlc> {
        let named = match &entry.operation.op {
            Op::Add(addition) => addition.floor,
            Op::JoinLink(joining) => {
                let opening = self.ledger.find(joining.opening);
                match opening.map(|opening| &opening.operation.op) {
                    Some(Op::OpenLink(opening)) => opening.floor,
                    _ => None,
                }
            }
            _ => return None,
        };
        let own = entry.operation.order.time;
        match self.policy(At::Past(&entry.operation))?.history {
            History::None => Some(own),
            History::Last(_) => Some(named.unwrap_or(own).min(own)),
            History::All => None,
        }
    }
}

/// The times that counted operations, in their order, take and give back.
fn episodes(steps: Vec<(&Entry, Step)>) -> Vec<Episode<'_>> {
    let mut past = Vec::new();
    let mut current: Option<Episode<'_>> = None;
    for (entry, step) in steps {
        let time = entry.operation.order.time;
        let open = current.take().filter(|one| {
            one.until.is_none_or(|until| until > time) || {
                past.push(one.clone());
                false
            }
        });
        current = match (open, step) {
            (None, Step::Takes(until)) => Some(Episode {
                firsts: vec![entry],
                until,
                given_back: false,
            }),
            (None, Step::Gives | Step::Ends) => None,
            (Some(open), Step::Ends) => {
                past.push(Episode {
                    until: Some(time),
                    given_back: true,
                    ..open
                });
                None
            }
            (Some(open), Step::Takes(until)) => Some(taken_again(open, entry, until)),
            (Some(open), Step::Gives) => {
                let unseen = |one: &&&Entry| !entry.operation.saw(&one.operation);
                let firsts: Vec<&Entry> = open.firsts.iter().filter(unseen).copied().collect();
                let until = open.until;
                past.push(Episode {
                    until: Some(time),
                    given_back: true,
                    ..open
                });
                (!firsts.is_empty()).then_some(Episode {
                    firsts,
                    until,
                    given_back: false,
                })
            }
        };
    }
    past.extend(current);
    past
}

fn taken_again<'a>(open: Episode<'a>, entry: &'a Entry, until: Option<Hlc>) -> Episode<'a> {
    let mut firsts = open.firsts.clone();
    let seen = |one: &&Entry| entry.operation.saw(&one.operation);
    let until = match firsts.iter().all(seen) {
        true => until,
        false => open.until.zip(until).map(|(one, other)| one.max(other)),
    };
    if !firsts.iter().any(seen) {
        firsts.push(entry);
    }
    Episode {
        firsts,
        until,
        ..open
    }
}
