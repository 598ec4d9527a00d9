//! Which operations count: those whose right stands and that nothing voids (ROS-6, ROS-7).

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::IdentityId;

use super::{Op, Role, fold::Chains};
use crate::{
    ids::{Author, EventId},
    roster::Operation,
};

/// The operations that count, of all that are known; `ordered` is in the total order.
///
/// What follows from what is decided already is decided first; the outcome does not depend on the
/// order in which that is done. Circles that remain are cut one at a time, those first that rest on
/// no other.
pub(super) fn decide(
    ordered: &[&Operation],
    chains: &Chains<'_>,
    members: &BTreeMap<IdentityId, Role>,
) -> BTreeSet<EventId> {
    let mut debate = Debate::new(ordered, chains, members);
    debate.settle(ordered.iter().map(|operation| operation.order.id).collect());
    while let Some(circle) = debate.circle() {
        let decided = debate.cut(&circle);
        debate.settle(decided);
    }
    let verdicts = debate.verdicts.into_iter();
    verdicts
        .filter(|(_, counts)| *counts)
        .map(|(id, _)| id)
        .collect()
}

struct Debate<'a> {
    /// In the total order.
    ids: Vec<EventId>,
    cases: BTreeMap<EventId, Case<'a>>,
    /// Who takes each chain out, by the claims.
    enders: BTreeMap<Author, Vec<&'a Operation>>,
    /// What each verdict bears upon.
    bears_on: BTreeMap<EventId, BTreeSet<EventId>>,
    verdicts: BTreeMap<EventId, bool>,
}

struct Case<'a> {
    operation: &'a Operation,
    /// Whether nothing but other operations can stand against it.
    rightful: bool,
    /// The operation that added its author.
    rests_on: Option<EventId>,
    /// The chains whose end voids it unless it was seen: its author's, and one that it begins.
    chains: Vec<Author>,
}

impl<'a> Debate<'a> {
    fn new(
        ordered: &[&'a Operation],
        chains: &Chains<'_>,
        members: &BTreeMap<IdentityId, Role>,
    ) -> Self {
        let cases: BTreeMap<EventId, Case<'a>> = ordered
            .iter()
            .map(|operation| {
                let case = Case::new(operation, chains, members);
                (operation.order.id, case)
            })
            .collect();
        let mut enders: BTreeMap<Author, Vec<&'a Operation>> = BTreeMap::new();
        for taker in ordered.iter().filter(|taker| taker.op.takes_away()) {
            for chain in chains.ended_by(taker) {
                enders.entry(chain).or_default().push(taker);
            }
        }
        let mut bears_on: BTreeMap<EventId, BTreeSet<EventId>> = BTreeMap::new();
        for (id, case) in &cases {
            for on in case.hangs_on(&enders) {
                bears_on.entry(on).or_default().insert(*id);
            }
        }
        Self {
            ids: ordered.iter().map(|operation| operation.order.id).collect(),
            cases,
            enders,
            bears_on,
            verdicts: BTreeMap::new(),
        }
    }

    /// Decides all that follows, beginning with these.
    fn settle(&mut self, mut open: Vec<EventId>) {
        while let Some(id) = open.pop() {
            if !self.verdicts.contains_key(&id) {
                let verdict = self.cases.get(&id).and_then(|case| self.judge(case));
                let Some(verdict) = verdict else { continue };
                self.verdicts.insert(id, verdict);
            }
            let concerned = self.bears_on.get(&id).into_iter().flatten();
            open.extend(concerned.filter(|on| !self.verdicts.contains_key(on)));
        }
    }

    /// Whether an operation counts; `None` while that is open.
    fn judge(&self, case: &Case<'_>) -> Option<bool> {
        if !case.rightful {
            return Some(false);
        }
        if let Some(rests_on) = case.rests_on
            && !*self.verdicts.get(&rests_on)?
        {
            return Some(false);
        }
        let mut spared = Some(true);
        for chain in &case.chains {
            match self.spared(case.operation, *chain) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => spared = None,
            }
        }
        spared
    }

    /// Whether the end of a chain leaves an operation standing (ROS-6): nothing counted that ends
    /// it had not seen the operation, or one of the first that ended it had. An operation that ends
    /// the chain itself comes before all that had seen it: none of these saves it.
    fn spared(&self, operation: &Operation, chain: Author) -> Option<bool> {
        let voided = any(self.enders_of(chain, operation).map(|ender| {
            if ender.past.includes(&operation.order) {
                return Some(false);
            }
            self.verdict(ender)
        }));
        if voided == Some(false) {
            return Some(true);
        }
        let saved = any(self.enders_of(chain, operation).map(|ender| {
            if !ender.past.includes(&operation.order) {
                return Some(false);
            }
            let earlier = self
                .enders_of(chain, ender)
                .filter(|other| ender.past.includes(&other.order));
            let repeats = any(
                earlier.map(|other| match other.order.id == operation.order.id {
                    true => Some(true),
                    false => self.verdict(other),
                }),
            );
            match (self.verdict(ender), repeats) {
                (Some(true), Some(false)) => Some(true),
                (Some(false), _) | (_, Some(true)) => Some(false),
                _ => None,
            }
        }));
        match (voided, saved) {
            (_, Some(true)) => Some(true),
            (Some(true), Some(false)) => Some(false),
            _ => None,
        }
    }

    /// A circle of open operations that hangs on nothing else that is open.
    ///
    /// Whoever is reached last when all are visited, each with all it bears upon, lies in one
    /// (Kosaraju and Sharir); the circle is all on which that one hangs.
    fn circle(&self) -> Option<BTreeSet<EventId>> {
        let mut visited = BTreeSet::new();
        let mut last = None;
        for id in self.ids.iter().filter(|id| self.is_open(**id)) {
            if !visited.contains(id) {
                last = Some(*id);
                self.reach(*id, &mut visited, |id| {
                    let on = self.bears_on.get(&id);
                    on.into_iter().flatten().copied().collect()
                });
            }
        }
        let mut circle = BTreeSet::new();
        self.reach(last?, &mut circle, |id| {
            let case = self.cases.get(&id);
            case.map_or_else(Vec::new, |case| case.hangs_on(&self.enders))
        });
        Some(circle)
    }

    fn reach(
        &self,
        from: EventId,
        reached: &mut BTreeSet<EventId>,
        next: impl Fn(EventId) -> Vec<EventId>,
    ) {
        let mut open = vec![from];
        while let Some(id) = open.pop() {
            if self.is_open(id) && reached.insert(id) {
                open.extend(next(id));
            }
        }
    }

    /// Cuts a circle (ROS-7): the first of those that take away counts, with the additions that it
    /// rests on; what would void these does not. Gives what was decided.
    fn cut(&mut self, circle: &BTreeSet<EventId>) -> Vec<EventId> {
        let takers: Vec<EventId> = self
            .ids
            .iter()
            .filter(|id| circle.contains(id))
            .filter(|id| {
                let case = self.cases.get(id);
                case.is_some_and(|case| case.operation.op.takes_away())
            })
            .copied()
            .collect();
        let winner = takers.iter().find_map(|taker| self.unvoided(*taker));
        let Some((with, against)) = winner else {
            // Each is voided by what counts, and only one of the others could have saved it.
            let lost = takers.first().or(circle.first()).copied();
            self.verdicts.extend(lost.map(|id| (id, false)));
            return lost.into_iter().collect();
        };
        self.verdicts.extend(against.iter().map(|id| (*id, false)));
        self.verdicts.extend(with.iter().map(|id| (*id, true)));
        with.into_iter().chain(against).collect()
    }

    /// An open operation with the open ones that it rests on, and the open ones that would void
    /// any of these; `None` where one of them is voided already.
    fn unvoided(&self, id: EventId) -> Option<(Vec<EventId>, Vec<EventId>)> {
        let (mut with, mut against) = (Vec::new(), Vec::new());
        let mut next = Some(id);
        while let Some(id) = next.filter(|id| self.is_open(*id)) {
            let case = self.cases.get(&id)?;
            for chain in &case.chains {
                let blind = self
                    .enders_of(*chain, case.operation)
                    .filter(|ender| !ender.past.includes(&case.operation.order));
                for ender in blind {
                    match self.verdict(ender) {
                        Some(true) => return None,
                        Some(false) => {}
                        None => against.push(ender.order.id),
                    }
                }
            }
            with.push(id);
            next = case.rests_on;
        }
        Some((with, against))
    }

    /// All operations that end a chain, but one of them.
    fn enders_of<'b>(
        &'b self,
        chain: Author,
        but: &'b Operation,
    ) -> impl Iterator<Item = &'a Operation> + 'b {
        let all = self.enders.get(&chain).into_iter().flatten().copied();
        all.filter(|ender| ender.order.id != but.order.id)
    }

    fn verdict(&self, operation: &Operation) -> Option<bool> {
        self.verdicts.get(&operation.order.id).copied()
    }

    fn is_open(&self, id: EventId) -> bool {
        self.cases.contains_key(&id) && !self.verdicts.contains_key(&id)
    }
}

impl<'a> Case<'a> {
    fn new(
        operation: &'a Operation,
        chains: &Chains<'_>,
        members: &BTreeMap<IdentityId, Role>,
    ) -> Self {
        let author = operation.order.author;
        let in_its_own_right = author.added_by == operation.order.id;
        let begun = operation.begins.as_ref().map(|(chain, _)| *chain);
        Self {
            operation,
            rightful: is_rightful(operation, chains, members),
            rests_on: (!in_its_own_right).then_some(author.added_by),
            chains: std::iter::once(author)
                .chain(begun.filter(|begun| *begun != author))
                .collect(),
        }
    }

    /// What must be decided before this can be.
    fn hangs_on(&self, enders: &BTreeMap<Author, Vec<&Operation>>) -> Vec<EventId> {
        let chains = self.chains.iter().filter_map(|chain| enders.get(chain));
        let enders = chains.flatten().map(|ender| ender.order.id);
        enders
            .filter(|ender| *ender != self.operation.order.id)
            .chain(self.rests_on)
            .collect()
    }
}

/// Whether an operation's author had the right to it, if it was in at all (ROS-1 to ROS-5).
fn is_rightful(
    operation: &Operation,
    chains: &Chains<'_>,
    members: &BTreeMap<IdentityId, Role>,
) -> bool {
    let Some(by) = chains.identity(operation.order.author) else {
        return false;
    };
    members.contains_key(&by)
        && match &operation.op {
            Op::Found(_) | Op::Leave => true,
            Op::Join(card) | Op::AddDevice(card) => card.identity() == by,
            Op::RemoveDevice(target) => chains.identity(*target) == Some(by),
            Op::Revoke(revocation) => members.contains_key(&revocation.identity()),
        }
}

/// Whether any holds; `None` while that is open.
fn any(all: impl Iterator<Item = Option<bool>>) -> Option<bool> {
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
