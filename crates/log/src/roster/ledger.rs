//! All operations of a session, found by what they are about.
//!
//! ```text
//! Operation ── enter ──▶ Entry ──▶ by author's chain and identity, by the identity it is about,
//!                                  by the chain, device or link that it begins or ends
//! ```
//!
//! Lists are in the total order. What is decided about an operation is found through these lists
//! alone ([`Ledger::bears_on`]), so a new one costs what it concerns, not what there is.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::{DeviceId, IdentityId};

use super::{Founding, Op, Operation};
use crate::ids::{Author, EventId};

/// An operation's number: they are counted as they came.
pub(super) type Number = usize;

/// An operation in its place.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) number: Number,
    pub(super) operation: Operation,
    /// Whose device wrote it, by what the operations claim.
    pub(super) by: Option<IdentityId>,
    /// What begins its author's chain, where that is another operation.
    pub(super) begun_by: Option<Number>,
    /// How many operations lie before it on its chain.
    pub(super) place: usize,
    /// Whether it can count, all others aside.
    pub(super) sound: bool,
}

/// All operations of a session.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    numbers: BTreeMap<EventId, Number>,
    /// What begins each chain.
    chains: BTreeMap<Author, Number>,
    by_chain: BTreeMap<Author, Vec<Number>>,
    by_identity: BTreeMap<IdentityId, Vec<Number>>,
    /// What gives an identity a role or the word, or takes it.
    about: BTreeMap<IdentityId, Vec<Number>>,
    chains_of: BTreeMap<IdentityId, BTreeSet<Author>>,
    removals: BTreeMap<Author, Vec<Number>>,
    revocations: BTreeMap<DeviceId, Vec<Number>>,
    joinings: BTreeMap<EventId, Vec<Number>>,
    closings: BTreeMap<EventId, Vec<Number>>,
    policies: Vec<Number>,
    settings: BTreeMap<String, Vec<Number>>,
    dissolutions: Vec<Number>,
}

impl Ledger {
    /// Enters an operation; what it builds on was entered before. `None` if it is known.
    pub(super) fn enter(&mut self, operation: Operation) -> Option<Number> {
        let (number, order) = (self.entries.len(), operation.order);
        if self.numbers.contains_key(&order.id) {
            return None;
        }
        let begins = operation.begins();
        let begun_by = self.chains.get(&order.author).copied();
        let by = match begun_by {
            _ if begins == Some(order.author) => operation.op.card().map(|card| card.identity()),
            Some(begun_by) => {
                let begun_by = self.get(begun_by);
                let card = begun_by.and_then(|entry| entry.operation.op.card());
                card.map(|card| card.identity())
            }
            None => None,
        };
        let sound = by.is_some_and(|by| self.is_sound(&operation, by));
        self.numbers.insert(order.id, number);
        if let Some((chain, card)) = begins.zip(operation.op.card()) {
            self.chains.insert(chain, number);
            let chains = self.chains_of.entry(card.identity()).or_default();
            chains.insert(chain);
        }
        let entry = Entry {
            number,
            by,
            begun_by,
            place: self.place(&operation),
            sound,
            operation,
        };
        self.list(&entry);
        self.entries.push(entry);
        Some(number)
    }

    fn list(&mut self, entry: &Entry) {
        let op = &entry.operation.op;
        let entries = &self.entries;
        let add = |list: &mut Vec<Number>| insert(entries, list, entry);
        add(self
            .by_chain
            .entry(entry.operation.order.author)
            .or_default());
        if let Some(by) = entry.by {
            add(self.by_identity.entry(by).or_default());
        }
        for identity in about(op, entry.by) {
            add(self.about.entry(identity).or_default());
        }
        match op {
            Op::RemoveDevice(chain) => add(self.removals.entry(*chain).or_default()),
            Op::Revoke(revocation) => {
                add(self.revocations.entry(revocation.device()).or_default());
            }
            Op::JoinLink(joining) => add(self.joinings.entry(joining.opening).or_default()),
            Op::CloseLink(opening) => add(self.closings.entry(*opening).or_default()),
            Op::Policy(_) => add(&mut self.policies),
            Op::Set(setting) => add(self.settings.entry(setting.key.clone()).or_default()),
            Op::Dissolve => add(&mut self.dissolutions),
            _ => {}
        }
    }

    /// Whether an operation can count, by what it says and had seen, whatever counts.
    fn is_sound(&self, operation: &Operation, by: IdentityId) -> bool {
        let closed = self.founding().is_some_and(|one| one.kind.is_closed());
        if closed && operation.op.is_for_many() {
            return false;
        }
        let seen = |entry: Option<&Entry>| entry.is_some_and(|one| operation.saw(&one.operation));
        match &operation.op {
            // ROS-2, ROS-3
            Op::Join(card) | Op::AddDevice(card) => card.identity() == by,
            // ROS-3: of what one has not seen one knows nothing.
            Op::RemoveDevice(chain) => {
                let begun = self.chains.get(chain).and_then(|number| self.get(*number));
                let card = begun.and_then(|entry| entry.operation.op.card());
                card.is_some_and(|card| card.identity() == by) && seen(begun)
            }
            // ROS-4
            Op::Revoke(revocation) => self.names(revocation.identity(), operation),
            Op::JoinLink(joining) => {
                let opening = self.find(joining.opening);
                let key = match opening.map(|entry| &entry.operation.op) {
                    Some(Op::OpenLink(opening)) => Some(opening.key),
                    _ => None,
                };
                seen(opening) && key.is_some_and(|key| joining.is_by(key))
            }
            Op::CloseLink(opening) => seen(self.find(*opening)),
            _ => true,
        }
    }

    /// How many operations lie before one on its chain, by what it had seen.
    pub(super) fn place(&self, operation: &Operation) -> usize {
        let mut chain = self.by_chain(operation.order.author).rev();
        let last = chain.find(|one| operation.saw(&one.operation));
        last.map_or(0, |last| last.place.saturating_add(1))
    }

    /// Whether an identity was named by something that an operation had seen, counted or not.
    pub(super) fn names(&self, identity: IdentityId, operation: &Operation) -> bool {
        self.about(identity)
            .any(|one| operation.saw(&one.operation))
    }

    pub(super) fn founding(&self) -> Option<&Founding> {
        match self.entries.first().map(|entry| &entry.operation.op) {
            Some(Op::Found(founding)) => Some(founding),
            _ => None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut()
    }

    pub(super) fn get(&self, number: Number) -> Option<&Entry> {
        self.entries.get(number)
    }

    pub(super) fn find(&self, id: EventId) -> Option<&Entry> {
        self.get(*self.numbers.get(&id)?)
    }

    /// What begins a chain.
    pub(super) fn beginning(&self, chain: Author) -> Option<&Entry> {
        self.get(*self.chains.get(&chain)?)
    }

    /// Chains of a device that operations begin, counted or not.
    pub(super) fn chains_of_device(&self, device: DeviceId) -> impl Iterator<Item = Author> {
        let chains = self.chains.range(every_chain(device));
        chains.map(|(chain, _)| *chain)
    }

    /// Chains of an identity's devices that operations begin, counted or not.
    pub(super) fn chains_of(&self, identity: IdentityId) -> impl Iterator<Item = Author> {
        self.chains_of.get(&identity).into_iter().flatten().copied()
    }

    /// Identities that operations name.
    pub(super) fn identities(&self) -> impl Iterator<Item = IdentityId> {
        self.about.keys().copied()
    }

    /// What gives an identity a role or the word, or takes it.
    pub(super) fn about(&self, identity: IdentityId) -> impl DoubleEndedIterator<Item = &Entry> {
        self.all(self.about.get(&identity))
    }

    pub(super) fn by_chain(&self, chain: Author) -> impl DoubleEndedIterator<Item = &Entry> {
        self.all(self.by_chain.get(&chain))
    }

    pub(super) fn by_identity(&self, id: IdentityId) -> impl Iterator<Item = &Entry> {
        self.all(self.by_identity.get(&id))
    }

    pub(super) fn revocations(&self, device: DeviceId) -> impl Iterator<Item = &Entry> {
        self.all(self.revocations.get(&device))
    }

    pub(super) fn joinings(&self, opening: EventId) -> impl Iterator<Item = &Entry> {
        self.all(self.joinings.get(&opening))
    }

    pub(super) fn closings(&self, opening: EventId) -> impl Iterator<Item = &Entry> {
        self.all(self.closings.get(&opening))
    }

    pub(super) fn policies(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.all(Some(&self.policies))
    }

    pub(super) fn setting(&self, key: &str) -> impl Iterator<Item = &Entry> {
        self.all(self.settings.get(key))
    }

    pub(super) fn dissolutions(&self) -> impl Iterator<Item = &Entry> {
        self.all(Some(&self.dissolutions))
    }

    /// Whatever ends a chain, if it counts (ROS-3, ROS-4, ROS-5, ROS-6).
    pub(super) fn enders<'a>(&'a self, beginning: &'a Entry) -> impl Iterator<Item = &'a Entry> {
        let begun = &beginning.operation;
        let chain = begun.begins();
        let identity = begun.op.card().map(|card| card.identity());
        let removals = chain.and_then(|chain| self.removals.get(&chain));
        let revocations = chain.and_then(|chain| self.revocations.get(&chain.device));
        let revocations = self.all(revocations).filter(move |entry| {
            matches!(&entry.operation.op, Op::Revoke(one) if Some(one.identity()) == identity)
        });
        let of_identity = identity.and_then(|identity| self.about.get(&identity));
        let of_identity = self
            .all(of_identity)
            .filter(|entry| matches!(entry.operation.op, Op::Remove(_) | Op::Leave));
        let later = of_identity
            .chain(self.dissolutions())
            .filter(|entry| !begun.saw(&entry.operation));
        self.all(removals).chain(revocations).chain(later)
    }

    fn all<'a>(
        &'a self,
        numbers: Option<&'a Vec<Number>>,
    ) -> impl DoubleEndedIterator<Item = &'a Entry> + use<'a> {
        let numbers = numbers.into_iter().flatten();
        numbers.filter_map(|number| self.entries.get(*number))
    }
}

/// All chains of one device.
pub(super) fn every_chain(device: DeviceId) -> std::ops::RangeInclusive<Author> {
    let chain = |added_by| Author {
        device,
        added_by: EventId::from([added_by; 32]),
    };
    chain(0)..=chain(255)
}

/// The identities of which an operation gives or takes the role or the word.
fn about(op: &Op, by: Option<IdentityId>) -> Vec<IdentityId> {
    match op {
        Op::Found(founding) => founding.members.iter().map(|one| one.identity).collect(),
        Op::Leave | Op::JoinLink(_) => by.into_iter().collect(),
        op => op.subject().into_iter().collect(),
    }
}

/// Puts an entry into a list at its place in the total order.
fn insert(entries: &[Entry], list: &mut Vec<Number>, entry: &Entry) {
    let order = &entry.operation.order;
    let at = list.iter().rposition(|number| {
        let before = entries.get(*number).map(|one| &one.operation.order);
        before.is_some_and(|before| before < order)
    });
    list.insert(at.map_or(0, |at| at + 1), entry.number);
}
