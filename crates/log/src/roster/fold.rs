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

use tenet_identity::keys::{DeviceId, IdentityId};

use super::{
    End, Founding, Link, MAX_DEVICES_PER_IDENTITY, Membership, Op, Operation, Roster, Silence,
    decide::{Verdicts, concerned, decide, hanging},
    ledger::{Entry, Ledger, Number},
    right::{At, View, changes_role},
    silence::Episode,
};
use crate::{
    ids::{Author, EventId},
    order::OrderKey,
};

/// After how many operations of a chain none of which counts by what it had seen itself the chain's
/// next is refused (ROS-511). A guess: nobody loses that many in a row in good faith.
pub const MAX_IN_VAIN: usize = 64;

/// How many that hang on what was not seen are looked at before folding anew without that, which costs more. A guess.
const NEAR: usize = 4096;

/// All operations of a session, and the roster that they make.
#[derive(Clone, Debug)]
pub struct Fold {
    ledger: Ledger,
    verdicts: Verdicts,
    roster: Roster,
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
}

/// Folds operations, in any order, to the roster that they make; `None` without a founding.
pub fn fold(operations: &[Operation]) -> Option<Roster> {
    Fold::of(operations.to_vec()).map(|fold| fold.roster)
}

impl Fold {
    /// All operations at once, in any order; `None` without a founding.
    pub fn of(mut operations: Vec<Operation>) -> Option<Self> {
        operations.sort_by_key(|operation| operation.order);
        let mut ledger = Ledger::default();
        // Some room for those that follow: moving so many takes milliseconds.
        let room = operations.len() + operations.len() / 8;
        ledger.reserve(room);
        for operation in operations {
            ledger.enter(operation);
        }
        ledger.reserve_people();
        let roster = Roster::begin(ledger.founding()?);
        let mut verdicts = Verdicts::default();
        verdicts.counts.reserve(room);
        verdicts.counts.resize(ledger.len(), None);
        let all: BTreeSet<Number> = (0..ledger.len()).collect();
        decide(&ledger, &mut verdicts, &all);
        let mut fold = Self {
            ledger,
            verdicts,
            roster,
        };
        let numbers: Vec<Number> = all.into_iter().collect();
        fold.renew(&numbers, &mut Shift::default());
        Some(fold)
    }

    /// One operation more; what it builds on came before. Says what changed by it.
    pub fn push(&mut self, operation: Operation) -> Shift {
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
        self.renew(&changed, &mut shift);
        shift
    }

    /// The roster that they make.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Whether an operation adds this device, counted or not.
    pub fn has_seen(&self, device: DeviceId) -> bool {
        self.ledger.chains_of_device(device).next().is_some()
    }

    /// Whether an operation names this identity or adds a device of it, counted or not.
    pub fn names(&self, identity: IdentityId) -> bool {
        self.ledger.knows(identity)
    }

    /// Whose device writes a chain, by what begins it, counted or not.
    pub fn whose(&self, chain: Author) -> Option<IdentityId> {
        self.ledger.whose(chain)
    }

    /// Whether an operation begins this chain, counted or not.
    pub fn begins(&self, chain: Author) -> bool {
        self.ledger.beginning(chain).is_some()
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
            return none_of(&self.roster.counted);
        }
        // Whatever hangs on nothing that was not seen counts there as it does here.
        let numbers = unseen.iter().filter_map(|id| self.ledger.find(*id));
        let numbers = numbers.map(|entry| entry.number).collect();
        if let Some(hang) = hanging(&self.ledger, numbers, NEAR) {
            let mut counted = last.iter().filter(|id| self.roster.counted.contains(id));
            let apart = |id: &&EventId| {
                let entry = self.ledger.find(**id);
                entry.is_some_and(|entry| !hang.contains(&entry.number))
            };
            if counted.any(|id| apart(&id)) {
                return false;
            }
        }
        let known = self.operations().filter(|one| operation.saw(one));
        Self::of(known.cloned().collect()).is_some_and(|fold| none_of(&fold.roster.counted))
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

    /// Makes those parts of the roster anew that operations concern of which the verdict changed.
    fn renew(&mut self, changed: &[Number], shift: &mut Shift) {
        let mut parts = Parts::default();
        for entry in changed.iter().filter_map(|one| self.ledger.get(*one)) {
            parts.add(&self.ledger, entry);
        }
        if parts.all {
            parts.identities = self.ledger.identities().collect();
        }
        let mut roster = std::mem::replace(&mut self.roster, Roster::nobody());
        let view = self.view();
        for entry in changed.iter().filter_map(|one| self.ledger.get(*one)) {
            roster.note(entry, view.counts(entry) == Some(true));
        }
        roster.policy = view.policy(At::End).unwrap_or_default();
        roster.dissolved = self
            .ledger
            .dissolutions()
            .any(|one| view.counts(one) == Some(true));
        for identity in &parts.identities {
            roster.renew_identity(&view, *identity, shift);
        }
        for device in &parts.devices {
            roster.renew_revoked(&view, *device);
        }
        for opening in &parts.links {
            roster.renew_link(&view, *opening);
        }
        for key in &parts.settings {
            roster.renew_setting(&view, key);
        }
        self.roster = roster;
    }
}

/// Parts of a roster.
#[derive(Default)]
struct Parts {
    identities: BTreeSet<IdentityId>,
    /// Of which it is asked whether they were revoked.
    devices: BTreeSet<DeviceId>,
    links: BTreeSet<EventId>,
    settings: BTreeSet<String>,
    all: bool,
}

impl Parts {
    /// Those that an operation is about.
    fn add(&mut self, ledger: &Ledger, entry: &Entry) {
        let (op, id) = (&entry.operation.op, entry.operation.order.id);
        self.identities
            .extend(op.card().map(|card| card.identity()));
        self.identities.extend(op.subject());
        match op {
            Op::Found(founding) => {
                let members = founding.members.iter();
                self.identities
                    .extend(members.map(|member| member.identity));
            }
            Op::Leave => self.identities.extend(entry.by),
            Op::RemoveDevice(chain) => {
                let begun = ledger
                    .beginning(*chain)
                    .and_then(|one| one.operation.op.card());
                self.identities.extend(begun.map(|card| card.identity()));
            }
            Op::Revoke(revocation) => {
                self.identities.insert(revocation.identity());
                self.devices.insert(revocation.device());
            }
            Op::OpenLink(_) => {
                self.links.insert(id);
            }
            Op::CloseLink(opening) => {
                self.links.insert(*opening);
            }
            Op::Set(setting) => {
                self.settings.insert(setting.key.clone());
            }
            Op::Policy(_) | Op::Dissolve => self.all = true,
            _ => {}
        }
    }
}

impl Roster {
    fn begin(founding: &Founding) -> Self {
        let mut roster = Self::nobody();
        roster.kind = founding.kind;
        roster.secret = founding.secret;
        roster.policy = founding.policy;
        roster
    }

    /// Notes whether an operation counts.
    fn note(&mut self, entry: &Entry, counts: bool) {
        let id = entry.operation.order.id;
        match counts {
            true => self.counted.insert(id),
            false => self.counted.remove(&id),
        };
    }

    fn renew_identity(&mut self, view: &View<'_, '_>, identity: IdentityId, shift: &mut Shift) {
        match view.role(identity, At::End).flatten() {
            Some(role) => self.members.insert(identity, role),
            None => self.members.remove(&identity),
        };
        let mute = view.by_mutes(identity).pop();
        match mute.filter(|last| !last.given_back).map(|last| last.until) {
            Some(until) => self.muted.insert(identity, until),
            None => self.muted.remove(&identity),
        };
        match view.floor(identity) {
            Some(floor) => self.floors.insert(identity, floor),
            None => self.floors.remove(&identity),
        };
        let silences = view.silences(identity);
        let mut begun: Vec<&Entry> = view
            .ledger
            .chains_of(identity)
            .filter_map(|chain| view.ledger.beginning(chain))
            .collect();
        begun.sort_by_key(|entry| entry.operation.order);
        let mut devices = BTreeSet::new();
        for entry in begun {
            let Some(chain) = entry.operation.begins() else {
                continue;
            };
            let mut after = membership(view, entry, &silences);
            if let Some(after) = after.as_mut().filter(|after| after.end.is_none()) {
                // ROS-8: a device that is in twice is one device.
                let fits = devices.len() < MAX_DEVICES_PER_IDENTITY;
                after.surplus = !fits && !devices.contains(&chain.device);
                if !after.surplus {
                    devices.insert(chain.device);
                }
            }
            let before = match after.clone() {
                Some(after) => self.chains.insert(chain, after),
                None => self.chains.remove(&chain),
            };
            let differs = Membership::first_difference(before.as_ref(), after.as_ref());
            shift.chains.extend(differs.map(|from| (chain, from)));
        }
    }

    fn renew_revoked(&mut self, view: &View<'_, '_>, device: DeviceId) {
        let mut revoked = view.ledger.revocations(device);
        match revoked.any(|one| view.counts(one) == Some(true)) {
            true => self.revoked.insert(device),
            false => self.revoked.remove(&device),
        };
    }

    fn renew_link(&mut self, view: &View<'_, '_>, opening: EventId) {
        let link = view.ledger.find(opening);
        let counts = |entry: &Entry| view.counts(entry) == Some(true);
        let open = link.filter(|link| counts(link) && !view.ledger.closings(opening).any(counts));
        match open.map(|open| &open.operation.op) {
            Some(Op::OpenLink(open)) => {
                let link = Link {
                    key: open.key,
                    role: open.role,
                    until: open.until,
                };
                self.links.insert(opening, link);
            }
            _ => {
                self.links.remove(&opening);
            }
        }
    }

    /// ROS-503
    fn renew_setting(&mut self, view: &View<'_, '_>, key: &str) {
        let all = view.ledger.setting(key).iter().rev();
        let mut last: Vec<&Entry> = Vec::new();
        for one in all.filter(|one| view.verdict(one.number) == Some(true)) {
            // Whatever a later one had seen, one of the last had seen.
            if !last.iter().any(|last| last.operation.saw_at(&one.order)) {
                last.extend(view.ledger.get(one.number));
            }
        }
        let last = last.into_iter().max_by_key(|one| {
            let rank = view.rank(one).flatten();
            (std::cmp::Reverse(rank), one.operation.order)
        });
        match last.map(|one| &one.operation.op) {
            Some(Op::Set(setting)) => {
                self.settings.insert(key.to_owned(), setting.value.clone());
            }
            _ => {
                self.settings.remove(key);
            }
        }
    }
}

/// The chain that an operation begins, if it counts.
fn membership(
    view: &View<'_, '_>,
    beginning: &Entry,
    silences: &[Episode<'_>],
) -> Option<Membership> {
    let (chain, card) = beginning
        .operation
        .begins()
        .zip(beginning.operation.op.card())?;
    if view.counts(beginning) != Some(true) {
        return None;
    }
    let enders = view.ledger.enders(beginning);
    let mut enders: Vec<&Entry> = enders
        .filter(|one| view.counts(one) == Some(true))
        .collect();
    enders.sort_by_key(|entry| entry.operation.order);
    let mut first: Vec<&Entry> = Vec::new();
    for ender in enders {
        if !first.iter().any(|one| ender.operation.saw(&one.operation)) {
            first.push(ender);
        }
    }
    let silences = silences.iter().map(|episode| Silence {
        cut: cut(&episode.firsts, chain),
        until: episode.until,
        operations: ids(&episode.firsts),
    });
    Some(Membership {
        identity: card.identity(),
        card: card.clone(),
        end: (!first.is_empty()).then(|| End {
            cut: cut(&first, chain),
            operations: ids(&first),
        }),
        silences: silences.collect(),
        surplus: false,
    })
}

/// How much of a chain the first of those that took something from it had seen, at most.
fn cut(first: &[&Entry], chain: Author) -> u64 {
    let seen = first.iter().map(|one| one.operation.past.count(chain));
    seen.max().unwrap_or(0)
}

fn ids(entries: &[&Entry]) -> Vec<EventId> {
    entries.iter().map(|one| one.operation.order.id).collect()
}
