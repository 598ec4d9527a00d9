//! The fold: from operations to a roster, the same for every order of arrival.
//!
//! Rules (ids as in `spec/log.md`):
//!
//! - ROS-1 A session begins with its founding; its members are those that it names.
//! - ROS-2 A device joins by itself when its card's identity is a member.
//! - ROS-3 A device that is in adds and takes out devices of its own identity.
//! - ROS-4 An identity's own revocation ends the device for good, whoever hands it in.
//! - ROS-5 Leaving ends all devices of the identity.
//! - ROS-6 What takes a chain's device out voids every operation of that chain outside its own
//!   causal past. What a counted operation voids does not count and voids nothing.
//! - ROS-7 Of operations that void each other in a circle the first in the total order counts.
//! - ROS-8 An identity has at most sixteen devices at a time; further additions do not count.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::{card::DeviceCard, keys::IdentityId};

use super::{End, MAX_DEVICES_PER_IDENTITY, Membership, Op, OpError, Role, Roster};
use crate::{
    event::Event,
    frontier::Past,
    ids::{Author, EventId},
    order::OrderKey,
};

/// A roster operation with all that the fold needs to know about it.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Where it stands in the total order.
    pub order: OrderKey,
    /// What it does.
    pub op: Op,
    /// What its author had seen.
    pub past: Past,
    begins: Option<(Author, DeviceCard)>,
}

impl Operation {
    /// The operation of an event, with the event's causal past; `None` for ordinary events.
    ///
    /// # Errors
    /// [`OpError`] for what no honest device writes.
    pub fn new(event: &Event, past: Past) -> Result<Option<Self>, OpError> {
        Ok(Op::of(event)?.map(|op| {
            let begins = op
                .begins(event)
                .map(|(author, card)| (author, card.clone()));
            Self {
                order: event.order(),
                op,
                past,
                begins,
            }
        }))
    }

    fn is_voided_by(&self, other: &Self, chains: &Chains<'_>) -> bool {
        let (author, seq) = (self.order.author, self.order.seq);
        if !other.op.takes_away() || other.order.id == self.order.id {
            return false;
        }
        let (Some(by), Some(of)) = (chains.identity(other.order.author), chains.identity(author))
        else {
            return false;
        };
        other.op.ends(by, author, of) && !other.past.covers(author, seq)
    }
}

/// Whose chains the operations claim to begin, whether they count or not.
struct Chains<'a>(BTreeMap<Author, (&'a DeviceCard, EventId)>);

impl Chains<'_> {
    fn identity(&self, author: Author) -> Option<IdentityId> {
        self.0.get(&author).map(|(card, _)| card.identity())
    }
}

/// Folds operations, in any order, to the roster that they make.
///
/// `None` without a founding. The cost is quadratic in operations that take away and linear in the
/// others.
pub fn fold(operations: &[Operation]) -> Option<Roster> {
    let mut ordered: Vec<&Operation> = operations.iter().collect();
    ordered.sort_by_key(|operation| operation.order);
    let founding = ordered.iter().find_map(|operation| match &operation.op {
        Op::Found(founding) => Some(founding),
        _ => None,
    })?;
    let members: BTreeMap<IdentityId, Role> = founding
        .members
        .iter()
        .map(|member| (member.identity, member.role))
        .collect();
    let chains = Chains(
        ordered
            .iter()
            .filter_map(|operation| {
                let (author, card) = operation.begins.as_ref()?;
                Some((*author, (card, operation.order.id)))
            })
            .collect(),
    );
    let counted = decide(&ordered, &chains, &members);
    let mut roster = Roster {
        kind: founding.kind,
        secret: founding.secret,
        members,
        chains: BTreeMap::new(),
        revoked: BTreeSet::new(),
        counted,
    };
    for operation in ordered {
        if roster.counted.contains(&operation.order.id) && !apply(&mut roster, operation) {
            roster.counted.remove(&operation.order.id);
        }
    }
    Some(roster)
}

/// Which operations count (ROS-6, ROS-7): the grounded solution of "voids", circles cut by order.
fn decide(
    ordered: &[&Operation],
    chains: &Chains<'_>,
    members: &BTreeMap<IdentityId, Role>,
) -> BTreeSet<EventId> {
    let takers: Vec<&Operation> = ordered
        .iter()
        .copied()
        .filter(|operation| operation.op.takes_away())
        .collect();
    let mut verdicts: BTreeMap<EventId, bool> = BTreeMap::new();
    loop {
        let before = verdicts.len();
        for operation in ordered {
            if verdicts.contains_key(&operation.order.id) {
                continue;
            }
            if let Some(verdict) = judge(operation, &takers, chains, members, &verdicts) {
                verdicts.insert(operation.order.id, verdict);
            }
        }
        if verdicts.len() > before {
            continue;
        }
        // Only circles are left: the first in the order counts, and the rest follows from it.
        match takers
            .iter()
            .find(|taker| !verdicts.contains_key(&taker.order.id))
        {
            Some(first) => verdicts.insert(first.order.id, true),
            None => break,
        };
    }
    verdicts
        .into_iter()
        .filter(|(_, counts)| *counts)
        .map(|(id, _)| id)
        .collect()
}

fn judge(
    operation: &Operation,
    takers: &[&Operation],
    chains: &Chains<'_>,
    members: &BTreeMap<IdentityId, Role>,
    verdicts: &BTreeMap<EventId, bool>,
) -> Option<bool> {
    if !supported(operation, chains, members, verdicts)? {
        return Some(false);
    }
    let mut undecided = false;
    for taker in takers
        .iter()
        .filter(|taker| operation.is_voided_by(taker, chains))
    {
        match verdicts.get(&taker.order.id) {
            Some(true) => return Some(false),
            Some(false) => {}
            None => undecided = true,
        }
    }
    (!undecided).then_some(true)
}

/// Whether the operation's author was rightly in and had the right; `None` while that is undecided.
fn supported(
    operation: &Operation,
    chains: &Chains<'_>,
    members: &BTreeMap<IdentityId, Role>,
    verdicts: &BTreeMap<EventId, bool>,
) -> Option<bool> {
    let author = operation.order.author;
    let Some((own_card, added_by)) = chains.0.get(&author) else {
        return Some(false);
    };
    let by = own_card.identity();
    let in_its_own_right = *added_by == operation.order.id;
    if !in_its_own_right && !*verdicts.get(added_by)? {
        return Some(false);
    }
    Some(match &operation.op {
        Op::Found(_) => true,
        Op::Join(card) | Op::AddDevice(card) => card.identity() == by && members.contains_key(&by),
        Op::RemoveDevice(target) => chains.identity(*target) == Some(by),
        Op::Revoke(revocation) => members.contains_key(&revocation.identity()),
        Op::Leave => members.contains_key(&by),
    })
}

/// Applies a counted operation; `false` where a limit of the roster forbids it after all.
fn apply(roster: &mut Roster, operation: &Operation) -> bool {
    if let Some((author, card)) = &operation.begins {
        return admit(roster, *author, card);
    }
    let by = roster.identity(operation.order.author);
    if let Op::Revoke(revocation) = &operation.op {
        roster.revoked.insert(revocation.device());
    }
    if let (Op::Leave, Some(by)) = (&operation.op, by) {
        roster.members.remove(&by);
    }
    for (author, membership) in &mut roster.chains {
        if by.is_some_and(|by| operation.op.ends(by, *author, membership.identity)) {
            end(membership, *author, operation);
        }
    }
    true
}

fn end(membership: &mut Membership, author: Author, operation: &Operation) {
    let seen = operation.past.count(author);
    let (by, at) = (operation.order.author, operation.order.seq);
    membership.end = Some(match membership.end {
        None => End { cut: seen, by, at },
        // What was void already when this operation was written stays void.
        Some(first) if operation.past.covers(first.by, first.at) => first,
        // Voided by several that did not know of each other, an event counts if any had seen it.
        Some(first) => End {
            cut: first.cut.max(seen),
            ..first
        },
    });
}

fn admit(roster: &mut Roster, author: Author, card: &DeviceCard) -> bool {
    let identity = card.identity();
    let devices = roster
        .active()
        .filter(|(_, other)| other.identity == identity)
        .count();
    let allowed = devices < MAX_DEVICES_PER_IDENTITY
        && roster.members.contains_key(&identity)
        && !roster.revoked.contains(&card.device());
    if allowed {
        let membership = Membership {
            identity,
            card: card.clone(),
            end: None,
        };
        roster.chains.insert(author, membership);
    }
    allowed
}
