//! All operations of a session, found by what they are about.
//!
//! ```text
//! Operation ── enter ──▶ Entry ──▶ by author's chain and identity, by the identity it is about,
//!                                  by the chain, device or link that it begins or ends
//! ```
//!
//! Lists are in the total order, and entries know theirs, for they are asked again and again. What is decided about an operation is found through these lists
//! alone (`bears_on` in `decide`), so a new one costs what it concerns, not what there is.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::{DeviceId, IdentityId};

use super::{Founding, Op, Operation};
use crate::{
    ids::{Author, EventId},
    order::OrderKey,
};

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
    /// Whose operations stand where among [`Ledger::people`]: its author's,
    by_at: Option<usize>,
    /// those about whom it is about,
    subject_at: Option<usize>,
    /// and those of the device that it adds.
    card_at: Option<usize>,
    /// What ends the chain that it begins alone.
    ended_by: Vec<Number>,
    /// What was written on the chain that it begins.
    written: Vec<Number>,
}

/// An operation in a list that is walked whole: its entry lies elsewhere in memory, and to fetch that takes longer
/// than what is asked of it here.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) number: Number,
    pub(super) order: OrderKey,
}

/// Operations of an identity and about it.
#[derive(Clone, Debug, Default)]
struct Person {
    by: Vec<Number>,
    /// What gives it a role or the word, or takes it.
    about: Vec<Number>,
    chains: BTreeSet<Author>,
}

/// All operations of a session.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    numbers: BTreeMap<EventId, Number>,
    /// What begins each chain.
    chains: BTreeMap<Author, Number>,
    /// Where each identity stands.
    places: BTreeMap<IdentityId, usize>,
    people: Vec<Person>,
    /// What was written on chains that nothing known begins.
    strays: BTreeMap<Author, Vec<Number>>,
    /// What ends chains that nothing known begins.
    early_ends: BTreeMap<Author, Vec<Number>>,
    revocations: BTreeMap<DeviceId, Vec<Number>>,
    joinings: BTreeMap<EventId, Vec<Number>>,
    closings: BTreeMap<EventId, Vec<Number>>,
    policies: Vec<Number>,
    settings: BTreeMap<String, Vec<Listed>>,
    dissolutions: Vec<Number>,
}

impl Ledger {
    /// Enters an operation; what it builds on was entered before. `None` if it is known.
    pub(super) fn enter(&mut self, operation: Operation) -> Option<Number> {
        let (number, order) = (self.entries.len(), operation.order);
        match self.numbers.entry(order.id) {
            std::collections::btree_map::Entry::Occupied(_) => return None,
            std::collections::btree_map::Entry::Vacant(place) => place.insert(number),
        };
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
        let place = self.place(&operation);
        let card = operation.op.card().map(|card| card.identity());
        let subject = operation.op.subject();
        let mut at = |identity: Option<IdentityId>| identity.map(|one| self.place_of(one));
        let (subject_at, card_at) = (at(subject), at(card));
        let by_at = match begun_by {
            _ if begins == Some(order.author) => card_at,
            begun_by => begun_by.and_then(|one| self.get(one)?.card_at),
        };
        let entry = Entry {
            number,
            by,
            begun_by,
            place,
            sound,
            by_at,
            subject_at,
            card_at,
            ended_by: Vec::new(),
            written: Vec::new(),
            operation,
        };
        self.entries.push(entry);
        self.list(number, begins);
        Some(number)
    }

    /// Where an identity stands among all.
    fn place_of(&mut self, identity: IdentityId) -> usize {
        let next = self.people.len();
        let place = *self.places.entry(identity).or_insert(next);
        if place == next {
            self.people.push(Person::default());
        }
        place
    }

    fn list(&mut self, number: Number, begins: Option<Author>) -> Option<()> {
        let entry = self.entries.get(number)?;
        let about = match &entry.operation.op {
            Op::Found(founding) => {
                let members = founding.members.iter();
                let members: Vec<IdentityId> = members.map(|one| one.identity).collect();
                members.into_iter().map(|one| self.place_of(one)).collect()
            }
            Op::Leave | Op::JoinLink(_) => Vec::from_iter(entry.by_at),
            _ => Vec::from_iter(entry.subject_at),
        };
        let entry = self.entries.get(number)?;
        let entries = &self.entries;
        let add = |list: &mut Vec<Number>| insert(entries, list, entry);
        for place in about {
            add(&mut self.people.get_mut(place)?.about);
        }
        if let Some(place) = entry.by_at {
            add(&mut self.people.get_mut(place)?.by);
        }
        match &entry.operation.op {
            Op::Revoke(revocation) => {
                add(self.revocations.entry(revocation.device()).or_default());
            }
            Op::JoinLink(joining) => add(self.joinings.entry(joining.opening).or_default()),
            Op::CloseLink(opening) => add(self.closings.entry(*opening).or_default()),
            Op::Policy(_) => add(&mut self.policies),
            Op::Set(setting) => {
                let list = self.settings.entry(setting.key.clone()).or_default();
                let order = entry.operation.order;
                let at = list.partition_point(|one| one.order < order);
                list.insert(at, Listed { number, order });
            }
            Op::Dissolve => add(&mut self.dissolutions),
            _ => {}
        }
        if let Some((chain, place)) = begins.zip(entry.card_at) {
            self.chains.insert(chain, number);
            self.people.get_mut(place)?.chains.insert(chain);
        }
        self.list_chains(number)?;
        self.list_early_ends(number, begins)
    }

    /// A device ends a chain of its own also where that is not here yet (ROS-3): each finds the other, whichever comes
    /// first.
    fn list_early_ends(&mut self, number: Number, begins: Option<Author>) -> Option<()> {
        if let Some(ends) = begins.and_then(|chain| self.early_ends.remove(&chain)) {
            self.entries.get_mut(number)?.ended_by.extend(ends);
        }
        match self.get(number)?.operation.op {
            Op::RemoveDevice(chain) if !self.chains.contains_key(&chain) => {
                self.early_ends.entry(chain).or_default().push(number);
            }
            _ => {}
        }
        Some(())
    }

    /// Notes what an operation does to chains with those that begin them.
    fn list_chains(&mut self, number: Number) -> Option<()> {
        let entry = self.entries.get(number)?;
        let (chain, begins) = (entry.operation.order.author, entry.operation.begins());
        let ends: Vec<Number> = match &entry.operation.op {
            Op::RemoveDevice(chain) => self.chains.get(chain).copied().into_iter().collect(),
            Op::Revoke(revocation) => {
                let chains = self.chains.range(every_chain(revocation.device()));
                let of = revocation.identity();
                chains
                    .map(|(_, one)| *one)
                    .filter(|one| self.is_of(*one, of))
                    .collect()
            }
            _ => Vec::new(),
        };
        let card = entry.operation.op.card();
        let ended_by = card.map(|card| {
            let revoked = self.revocations(card.device());
            let own = revoked.filter(|one| {
                matches!(&one.operation.op, Op::Revoke(one) if one.identity() == card.identity())
            });
            own.map(|one| one.number).collect()
        });
        for end in ends {
            self.entries.get_mut(end)?.ended_by.push(number);
        }
        if let Some(ended_by) = ended_by {
            self.entries.get_mut(number)?.ended_by = ended_by;
        }
        let beginning = match begins == Some(chain) {
            true => Some(number),
            false => self.chains.get(&chain).copied(),
        };
        let written = match beginning {
            Some(beginning) => {
                let list = std::mem::take(&mut self.entries.get_mut(beginning)?.written);
                let list = with(&self.entries, list, self.entries.get(number)?);
                self.entries.get_mut(beginning)?.written = list;
                return Some(());
            }
            None => self.strays.entry(chain).or_default(),
        };
        insert(&self.entries, written, self.entries.get(number)?);
        Some(())
    }

    /// Whether a chain that an operation begins is a device's of this identity.
    fn is_of(&self, beginning: Number, identity: IdentityId) -> bool {
        let card = self.get(beginning).and_then(|one| one.operation.op.card());
        card.is_some_and(|card| card.identity() == identity)
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
            // ROS-3: a device knows its own chains; of another's that one has not seen one knows nothing.
            Op::RemoveDevice(chain) if chain.device == operation.order.author.device => true,
            Op::RemoveDevice(chain) => {
                let begun = self.chains.get(chain).and_then(|number| self.get(*number));
                let card = begun.and_then(|entry| entry.operation.op.card());
                card.is_some_and(|card| card.identity() == by) && seen(begun)
            }
            // ROS-4
            Op::Revoke(revocation) => self.names(revocation.identity(), operation),
            Op::JoinLink(joining) => {
                let opening = self.find(joining.opening);
                let lets_in = match opening.map(|entry| &entry.operation.op) {
                    Some(Op::OpenLink(opening)) => opening.lets_in(joining),
                    _ => false,
                };
                seen(opening) && lets_in
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

    /// Makes room for so many.
    pub(super) fn reserve(&mut self, operations: usize) {
        self.entries.reserve(operations);
    }

    /// Makes room for an eighth more people.
    pub(super) fn reserve_people(&mut self) {
        self.people.reserve(self.people.len() / 8);
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
        let person = self.person(identity).into_iter();
        person.flat_map(|person| &person.chains).copied()
    }

    /// Whether an operation names an identity.
    pub(super) fn knows(&self, identity: IdentityId) -> bool {
        self.places.contains_key(&identity)
    }

    /// Identities that operations name.
    pub(super) fn identities(&self) -> impl Iterator<Item = IdentityId> {
        self.places.keys().copied()
    }

    /// What gives an identity a role or the word, or takes it.
    pub(super) fn about(&self, identity: IdentityId) -> impl DoubleEndedIterator<Item = &Entry> {
        self.all(self.person(identity).map(|person| &person.about))
    }

    /// The same of the author of an operation.
    pub(super) fn about_author(&self, one: &Entry) -> impl DoubleEndedIterator<Item = &Entry> {
        self.about_at(one.by_at)
    }

    /// The same of whom an operation is about.
    pub(super) fn about_subject(&self, one: &Entry) -> impl DoubleEndedIterator<Item = &Entry> {
        self.about_at(one.subject_at)
    }

    fn about_at(&self, place: Option<usize>) -> impl DoubleEndedIterator<Item = &Entry> {
        let person = place.and_then(|place| self.people.get(place));
        self.all(person.map(|person| &person.about))
    }

    fn person(&self, identity: IdentityId) -> Option<&Person> {
        self.people.get(*self.places.get(&identity)?)
    }

    pub(super) fn by_chain(&self, chain: Author) -> impl DoubleEndedIterator<Item = &Entry> {
        let written = match self.beginning(chain) {
            Some(beginning) => Some(&beginning.written),
            None => self.strays.get(&chain),
        };
        self.all(written)
    }

    pub(super) fn by_identity(&self, identity: IdentityId) -> impl Iterator<Item = &Entry> {
        self.all(self.person(identity).map(|person| &person.by))
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

    pub(super) fn setting(&self, key: &str) -> &[Listed] {
        self.settings.get(key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn dissolutions(&self) -> impl Iterator<Item = &Entry> {
        self.all(Some(&self.dissolutions))
    }

    /// Whatever ends a chain, if it counts (ROS-3, ROS-4, ROS-5, ROS-6).
    pub(super) fn enders<'a>(&'a self, beginning: &'a Entry) -> impl Iterator<Item = &'a Entry> {
        let ends = |entry: &&Entry| matches!(entry.operation.op, Op::Remove(_) | Op::Leave);
        let of_identity = self.about_at(beginning.card_at).filter(ends);
        let later = of_identity
            .chain(self.dissolutions())
            .filter(|entry| !beginning.operation.saw(&entry.operation));
        self.all(Some(&beginning.ended_by)).chain(later)
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

/// A list with one entry more.
fn with(entries: &[Entry], mut list: Vec<Number>, entry: &Entry) -> Vec<Number> {
    insert(entries, &mut list, entry);
    list
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
