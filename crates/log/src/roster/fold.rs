//! The fold: from operations to a roster, the same for every order of arrival.
//!
//! Rules (ids as in `spec/log.md`):
//!
//! - ROS-1 A session begins with its founding; its members are those that it names.
//! - ROS-2 A device joins by itself when its card's identity is a member.
//! - ROS-3 A device that is in adds and takes out devices of its own identity.
//! - ROS-4 An identity's own revocation ends the device for good, whoever hands it in: also an
//!   addition of the device that it had not seen is void.
//! - ROS-5 Leaving ends all devices of the identity, and no further one comes in.
//! - ROS-6 Once counted operations end a chain, of the chain (and of its beginning) only that
//!   counts which one of the first of them had seen: a first one is one that had seen no other.
//!   What does not count voids nothing.
//! - ROS-7 Of operations that void each other in a circle the first in the total order counts, with
//!   the additions that it rests on; what would void these does not.
//! - ROS-8 An identity has at most sixteen devices at a time: those that came first in the total
//!   order. Further ones wait until there is room; what they write does not count until then.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::{
    card::DeviceCard,
    keys::{DeviceId, IdentityId},
};

use super::{
    End, Founding, MAX_DEVICES_PER_IDENTITY, Membership, Op, OpError, Role, Roster, decide::decide,
};
use crate::{event::Event, frontier::Past, ids::Author, order::OrderKey};

/// A roster operation with all that the fold needs to know about it.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Where it stands in the total order.
    pub order: OrderKey,
    /// What it does.
    pub op: Op,
    /// What its author had seen.
    pub past: Past,
    pub(super) begins: Option<(Author, DeviceCard)>,
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

    /// The chain that it begins, where it adds a device.
    pub(crate) fn begins(&self) -> Option<Author> {
        self.begins.as_ref().map(|(author, _)| *author)
    }
}

/// Folds operations, in any order, to the roster that they make.
///
/// `None` without a founding. The cost grows with the operations, times those of one identity that
/// take away.
pub fn fold(operations: &[Operation]) -> Option<Roster> {
    let mut ordered: Vec<&Operation> = operations.iter().collect();
    ordered.sort_by_key(|operation| operation.order);
    let founding = founding(operations)?;
    let members: BTreeMap<IdentityId, Role> = founding
        .members
        .iter()
        .map(|member| (member.identity, member.role))
        .collect();
    let chains = Chains::claimed(&ordered);
    let counted = decide(&ordered, &chains, &members);
    ordered.retain(|operation| counted.contains(&operation.order.id));
    let mut roster = Roster {
        kind: founding.kind,
        secret: founding.secret,
        members,
        chains: BTreeMap::new(),
        revoked: BTreeSet::new(),
        counted,
    };
    roster.begin_chains(&ordered);
    roster.end_chains(&ordered, &chains);
    roster.make_wait(&ordered);
    Some(roster)
}

/// The session's founding among its operations.
pub(crate) fn founding(operations: &[Operation]) -> Option<&Founding> {
    operations.iter().find_map(|operation| match &operation.op {
        Op::Found(founding) => Some(founding),
        _ => None,
    })
}

/// Whose chains the operations claim to begin, whether they count or not.
pub(super) struct Chains<'a>(BTreeMap<Author, &'a DeviceCard>);

impl<'a> Chains<'a> {
    fn claimed(operations: &[&'a Operation]) -> Self {
        let begun = operations.iter().filter_map(|operation| {
            let (author, card) = operation.begins.as_ref()?;
            Some((*author, card))
        });
        Self(begun.collect())
    }

    pub(super) fn identity(&self, author: Author) -> Option<IdentityId> {
        self.0.get(&author).map(|card| card.identity())
    }

    /// The chains that an operation ends, if it counts.
    pub(super) fn ended_by<'b>(
        &'b self,
        taker: &'b Operation,
    ) -> impl Iterator<Item = Author> + 'b {
        let by = self.identity(taker.order.author);
        self.0
            .iter()
            .filter(move |(author, card)| {
                by.is_some_and(|by| taker.op.ends(by, **author, card.identity()))
            })
            .map(|(author, _)| *author)
    }
}

impl Roster {
    fn begin_chains(&mut self, counted: &[&Operation]) {
        for (author, card) in counted.iter().filter_map(|begun| begun.begins.as_ref()) {
            let membership = Membership {
                identity: card.identity(),
                card: card.clone(),
                end: None,
                surplus: false,
            };
            self.chains.insert(*author, membership);
        }
    }

    /// ROS-4 to ROS-6.
    fn end_chains(&mut self, counted: &[&Operation], claimed: &Chains<'_>) {
        let mut first: BTreeMap<Author, Vec<&Operation>> = BTreeMap::new();
        for taker in counted.iter().filter(|taker| taker.op.takes_away()) {
            for chain in claimed.ended_by(taker) {
                let first = first.entry(chain).or_default();
                if !first.iter().any(|one| taker.past.includes(&one.order)) {
                    first.push(taker);
                }
            }
            match &taker.op {
                Op::Revoke(revocation) => {
                    self.revoked.insert(revocation.device());
                }
                Op::Leave => {
                    let by = claimed.identity(taker.order.author);
                    self.members.retain(|identity, _| Some(*identity) != by);
                }
                _ => {}
            }
        }
        for (author, membership) in &mut self.chains {
            membership.end = first.get(author).map(|first| End {
                cut: first
                    .iter()
                    .map(|ender| ender.past.count(*author))
                    .max()
                    .unwrap_or(0),
                operations: first.iter().map(|ender| ender.order.id).collect(),
            });
        }
    }

    /// ROS-8. A device that is in twice is one device.
    fn make_wait(&mut self, counted: &[&Operation]) {
        let mut devices: BTreeMap<IdentityId, BTreeSet<DeviceId>> = BTreeMap::new();
        for (author, card) in counted.iter().filter_map(|begun| begun.begins.as_ref()) {
            let active = self.chains.get_mut(author);
            let Some(membership) = active.filter(|membership| membership.end.is_none()) else {
                continue;
            };
            let devices = devices.entry(card.identity()).or_default();
            let fits = devices.len() < MAX_DEVICES_PER_IDENTITY;
            if fits || devices.contains(&author.device) {
                devices.insert(author.device);
            } else {
                membership.surplus = true;
            }
        }
    }
}
