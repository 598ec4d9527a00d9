//! The fold: from operations to a roster, the same for every order of arrival.
//!
//! ```text
//! Operation ─▶ Ledger ─▶ what may hang on it ─▶ decide ─▶ verdicts that changed ─▶ whom they concern ─▶ Roster
//! ```
//!
//! The rules are in `spec/roster.md`. A roster is made of parts (an identity with its devices, a link, …), each a function of the
//! operations about it and of their verdicts. So a new operation costs what it concerns; the whole is made alike.

mod entrance;
mod in_vain;
mod pasts;
mod reasons;

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::IdentityId;

use super::{
    Op, Operation, Outcome, Roster,
    decide::{Verdicts, concerned, decide, hanging},
    kept::Rows,
    kind,
    ledger::{Entry, Ledger, Number},
    renew::Parts,
    right::{View, changes_role},
};
use crate::{
    event::Event,
    ids::{Author, EventId},
    order::OrderKey,
    standing::Standing,
};

/// After how many operations of a chain none of which counts by what it had seen itself the chain's
/// next is refused (ROS-511). A guess: nobody loses that many in a row in good faith.
pub const MAX_IN_VAIN: usize = 64;

/// How many that hang on what was not seen are looked at before folding anew without that, which costs more. A guess.
const NEAR: usize = 4096;

/// All operations of a session, and what was decided about them.
#[derive(Clone, Debug)]
pub struct Fold {
    ledger: Ledger,
    verdicts: Verdicts,
    /// Operations that count.
    counted: BTreeSet<EventId>,
}

/// What one more operation changed.
#[derive(Clone, Debug, Default)]
pub struct Shift {
    /// Operations that began or ceased to count, the new one aside.
    pub verdicts: Vec<EventId>,
    /// Chains of which ordinary events may have another standing, and from which place on.
    pub chains: BTreeMap<Author, u64>,
    /// Whether the roster is another than before, or somebody came in in vain.
    pub roster_changed: bool,
    /// What is kept of the outcome otherwise than before.
    pub(crate) rows: Rows,
}

/// Folds operations, in any order, to the roster that they make; `None` without a founding.
pub fn fold(operations: &[Operation]) -> Option<Roster> {
    Fold::of(operations.to_vec()).map(|(_, outcome)| outcome.roster)
}

impl Fold {
    /// All operations at once, in any order, and what follows from them; `None` without a founding.
    pub fn of(mut operations: Vec<Operation>) -> Option<(Self, Outcome)> {
        operations.sort_by_key(|operation| operation.order);
        let mut ledger = Ledger::default();
        // Some room for those that follow: moving so many takes milliseconds.
        let room = operations.len() + operations.len() / 8;
        ledger.reserve(room);
        for operation in operations {
            ledger.enter(operation);
        }
        ledger.reserve_people();
        let first = ledger.get(0)?.operation.order;
        let mut outcome = Outcome::begin(ledger.founding()?, &first);
        let mut verdicts = Verdicts::default();
        verdicts.counts.reserve(room);
        verdicts.counts.resize(ledger.len(), None);
        let all: BTreeSet<Number> = (0..ledger.len()).collect();
        decide(&ledger, &mut verdicts, &all);
        let mut fold = Self {
            ledger,
            verdicts,
            counted: BTreeSet::new(),
        };
        let mut parts = Parts::default();
        for number in &all {
            fold.note(*number, &mut parts);
        }
        fold.renew(parts, &mut outcome, &mut Shift::default(), None);
        Some((fold, outcome))
    }

    /// One operation more; what it builds on came before. Says what changed by it.
    pub fn push(&mut self, operation: Operation, outcome: &mut Outcome) -> Shift {
        let id = operation.order.id;
        let mut shift = Shift::default();
        let Some(number) = self.ledger.enter(operation) else {
            return shift;
        };
        self.verdicts.counts.push(None);
        let Some(new) = self.ledger.get(number) else {
            return shift;
        };
        let open = concerned(&self.ledger, &self.verdicts, new);
        let verdict =
            |fold: &Self, number: &Number| fold.verdicts.counts.get(*number).copied().flatten();
        let before: Vec<(Number, Option<bool>)> =
            open.iter().map(|one| (*one, verdict(self, one))).collect();
        decide(&self.ledger, &mut self.verdicts, &open);
        let changed = before.iter().filter(|(one, was)| {
            // What is new had no verdict; where it does not count nothing changes by it.
            verdict(self, one) != Some(was.unwrap_or(false))
        });
        let changed: Vec<Number> = changed.map(|(one, _)| *one).collect();
        let ids = changed.iter().filter_map(|one| self.ledger.get(*one));
        let ids = ids.map(|entry| entry.operation.order.id);
        shift.verdicts = ids.filter(|one| *one != id).collect();
        let begins = self.ledger.get(number);
        let begins = begins.is_some_and(|new| new.operation.begins().is_some());
        let in_vain = begins && verdict(self, &number) == Some(false);
        shift.roster_changed = !changed.is_empty() || in_vain;
        let mut parts = Parts::default();
        for one in &changed {
            self.note(*one, &mut parts);
        }
        if let Some(new) = self.ledger.get(number) {
            parts.name(&self.ledger, new);
        }
        let mut rows = Rows::default();
        self.renew(parts, outcome, &mut shift, Some(&mut rows));
        shift.rows = rows;
        shift
    }

    /// Operations that count.
    pub fn counted(&self) -> &BTreeSet<EventId> {
        &self.counted
    }

    /// Whether an event counts, forks aside.
    pub(crate) fn standing_of(&self, event: &Event, roster: &Roster) -> Standing {
        let header = event.header();
        if !kind::is_known(header.kind.as_str()) {
            return roster.standing(event.author(), header.seq, header.time);
        }
        if self.counted.contains(&event.id()) {
            Standing::Counted
        } else {
            Standing::OffRoster
        }
    }

    /// All operations, as they came.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.ledger.entries().map(|entry| &entry.operation)
    }

    /// Whether an operation could ever enter (LOG-6, ROS-511): by what it had seen, which is the
    /// same everywhere. The operations that it had not are named.
    pub fn admits(&self, operation: &Operation, unseen: &[EventId]) -> bool {
        let known = match &operation.op {
            Op::Join(card) => self.ledger.names(card.identity(), operation),
            Op::JoinLink(joining) => {
                let opening = self.ledger.find(joining.opening).map(|one| &one.operation);
                opening.is_some_and(|opening| {
                    let lets_in = match &opening.op {
                        Op::OpenLink(link) => link.lets_in(joining),
                        _ => false,
                    };
                    operation.saw(opening) && lets_in
                })
            }
            _ => true,
        };
        known && !self.is_in_vain(operation, unseen)
    }

    /// Whether none of the last operations of its chain counts, by what an operation had seen
    /// (ROS-511).
    fn is_in_vain(&self, operation: &Operation, unseen: &[EventId]) -> bool {
        let place = self.ledger.place(operation);
        if place == 0 || !place.is_multiple_of(MAX_IN_VAIN) {
            return false;
        }
        let chain = self.ledger.by_chain(operation.order.author).rev();
        let seen = chain.filter(|one| operation.saw(&one.operation));
        let last: Vec<EventId> = seen
            .map(|one| one.operation.order.id)
            .take(MAX_IN_VAIN)
            .collect();
        let none_of = |counted: &BTreeSet<EventId>| !last.iter().any(|id| counted.contains(id));
        if unseen.is_empty() {
            return none_of(&self.counted);
        }
        // Whatever hangs on nothing that was not seen counts there as it does here.
        let numbers = unseen.iter().filter_map(|id| self.ledger.find(*id));
        let numbers = numbers.map(|entry| entry.number).collect();
        if let Some(hang) = hanging(&self.ledger, numbers, NEAR) {
            let mut counted = last.iter().filter(|id| self.counted.contains(id));
            let apart = |id: &&EventId| {
                let entry = self.ledger.find(**id);
                entry.is_some_and(|entry| !hang.contains(&entry.number))
            };
            if counted.any(|id| apart(&id)) {
                return false;
            }
        }
        let known = self.operations().filter(|one| operation.saw(one));
        Self::of(known.cloned().collect()).is_some_and(|(fold, _)| none_of(&fold.counted))
    }

    /// What the right to an operation rests on: the last that changed the author's role, that of whom
    /// it is about, and the policy, and the opening of its link.
    pub(crate) fn grounds(&self, by: IdentityId, op: &Op) -> Vec<OrderKey> {
        let view = self.view();
        let counts = |one: &&Entry| view.counts(one) == Some(true);
        let identities = std::iter::once(by).chain(op.subject());
        let last = identities.filter_map(|identity| {
            let mut about = self.ledger.about(identity).rev().filter(counts);
            about.find(|one| changes_role(&one.operation.op))
        });
        let policy = self.ledger.policies().rev().find(counts);
        let opening = match op {
            Op::JoinLink(joining) => Some(joining.opening),
            Op::CloseLink(opening) => Some(*opening),
            _ => None,
        };
        let opening = opening.and_then(|opening| self.ledger.find(opening));
        let entries = last
            .chain(policy)
            .chain(opening)
            .chain(self.unblocking(by, op));
        entries.map(|one| one.operation.order).collect()
    }

    /// The operation with this id.
    pub(crate) fn find(&self, id: EventId) -> Option<&Operation> {
        self.ledger.find(id).map(|entry| &entry.operation)
    }

    fn view(&self) -> View<'_, '_> {
        View {
            ledger: &self.ledger,
            verdicts: &self.verdicts.counts,
            hopeful: false,
        }
    }

    /// Notes whether an operation counts, and what follows from that.
    fn note(&mut self, number: Number, parts: &mut Parts) {
        let counts = self.view().verdict(number) == Some(true);
        let Some(entry) = self.ledger.get(number) else {
            return;
        };
        parts.add(&self.ledger, entry);
        let id = entry.operation.order.id;
        match counts {
            true => self.counted.insert(id),
            false => self.counted.remove(&id),
        };
    }

    /// Makes those parts of the outcome anew that operations concern of which the verdict changed.
    fn renew(
        &self,
        mut parts: Parts,
        outcome: &mut Outcome,
        shift: &mut Shift,
        rows: Option<&mut Rows>,
    ) {
        if parts.all {
            parts.identities = self.ledger.identities().collect();
        }
        outcome.renew(&self.view(), &parts, shift, rows);
        outcome.annals.shut_out = self.shut_out(outcome);
    }
}
