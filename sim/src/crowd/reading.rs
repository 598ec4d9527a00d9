//! A second reading of who is what in a session, and of its settings, given which operations count (ROS-502, ROS-503).
//!
//! Where all devices read a rule alike and wrongly they agree. So what they agree on is held against the rule as it is
//! written, in as few words as it takes, whatever that costs.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use tenet_identity::keys::IdentityId;
use tenet_log::{
    ids::SessionId,
    order::OrderKey,
    roster::{Op, Operation, Policy, Role},
    session::Session,
    store::LogStore,
};

use crate::disk::Disk;

/// Operations that count, in the order.
struct Reading<'a> {
    session: &'a Session,
    counted: Vec<Operation>,
}

/// Whether a session's roster has the roles, the policy and the settings that its operations give.
pub(super) fn is_read_right(disk: &Disk, held: &Session) -> Result<()> {
    let read = Reading::of(disk, held, held.id())?;
    let roster = held.roster();
    for member in read.named() {
        let (has, read) = (roster.members.get(&member), read.role(member, |_| true));
        ensure!(
            has.copied() == read,
            "{member:?} is {has:?} in {}, and {read:?} by the rules",
            held.id()
        );
    }
    ensure!(
        read.policy() == Some(roster.policy),
        "the policy of {} is not the last",
        held.id()
    );
    ensure!(
        read.settings() == roster.settings,
        "the settings of {} are {:?}, and {:?} by the rules",
        held.id(),
        roster.settings,
        read.settings()
    );
    Ok(())
}

impl<'a> Reading<'a> {
    fn of(disk: &Disk, session: &'a Session, id: SessionId) -> Result<Self> {
        let mut counted = Vec::new();
        for (stored, past) in disk.operations(id)? {
            if stored.standing.counts() {
                counted.extend(Operation::trusted(&stored.event, past)?);
            }
        }
        counted.sort_by_key(|one| one.order);
        Ok(Self { session, counted })
    }

    /// Whoever was to be in.
    fn named(&self) -> Vec<IdentityId> {
        let named = self.counted.iter().flat_map(|one| match &one.op {
            Op::Found(founding) => founding.members.iter().map(|one| one.identity).collect(),
            Op::Add(addition) => vec![addition.identity],
            _ => Vec::new(),
        });
        named.collect()
    }

    /// ROS-502, by those operations that were seen.
    fn role(&self, whom: IdentityId, seen: impl Fn(&OrderKey) -> bool) -> Option<Role> {
        let given = |role: Option<Role>, new: Role| Some(role.map_or(new, |role| role.min(new)));
        let mut role = None;
        for one in self.counted.iter().filter(|one| seen(&one.order)) {
            role = match &one.op {
                Op::Found(founding) => {
                    let mut members = founding.members.iter();
                    let named = members.find(|member| member.identity == whom);
                    named.map_or(role, |member| given(role, member.role))
                }
                Op::Add(addition) if addition.identity == whom => given(role, addition.role),
                Op::Promote(member) if member.identity == whom => {
                    role.map(|role| role.min(member.role))
                }
                Op::Demote(member) if member.identity == whom => {
                    role.map(|role| role.max(member.role))
                }
                Op::Remove(removal) if removal.identity == whom => None,
                Op::Leave if self.session.whose(one.order.author) == Some(whom) => None,
                Op::Dissolve => return None,
                _ => role,
            };
        }
        role
    }

    /// ROS-503: the last.
    fn policy(&self) -> Option<Policy> {
        let mut policies = self.counted.iter().rev().filter_map(|one| match &one.op {
            Op::Found(founding) => Some(founding.policy),
            Op::Policy(policy) => Some(*policy),
            _ => None,
        });
        policies.next()
    }

    /// ROS-503: of those that no other had seen the one of the highest role, of equals the last.
    fn settings(&self) -> BTreeMap<String, Vec<u8>> {
        let mut all: BTreeMap<&str, Vec<(&Operation, &[u8])>> = BTreeMap::new();
        for one in &self.counted {
            if let Op::Set(setting) = &one.op {
                let of_key = all.entry(&setting.key).or_default();
                of_key.push((one, &setting.value));
            }
        }
        let last = all.into_iter().filter_map(|(key, of_key)| {
            let mut last = of_key.clone();
            last.retain(|(one, _)| !of_key.iter().any(|(it, _)| it.past.includes(&one.order)));
            last.sort_by_key(|(one, _)| one.order);
            // The first of the equally low numbers, from the end.
            let highest = last.iter().rev().min_by_key(|(one, _)| self.rank(one));
            highest.map(|(_, value)| (key.to_owned(), value.to_vec()))
        });
        last.collect()
    }

    /// The role of an operation's author in what it had seen, the highest first.
    fn rank(&self, one: &Operation) -> (bool, Option<Role>) {
        let by = self.session.whose(one.order.author);
        let rank = by.and_then(|by| self.role(by, |other| one.past.includes(other)));
        (rank.is_none(), rank)
    }
}
