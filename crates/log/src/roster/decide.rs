//! Which operations count: those whose right stands and that nothing voids (ROS-6, ROS-7).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Op,
    ledger::{Entry, Ledger, Number},
    right::{View, both, changes_role},
};

/// What was decided about all operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdicts {
    /// For each whether it counts, where that is decided.
    pub(super) counts: Vec<Option<bool>>,
    /// Those that did not follow from others, or not before a circle was cut (ROS-7).
    circled: BTreeSet<Number>,
}

/// Decides about the given operations; about all others it is decided.
///
/// What follows from what is decided already is decided first; the outcome does not depend on the
/// order in which that is done. Circles that remain are cut one at a time, those first that rest on
/// no other.
pub(super) fn decide(ledger: &Ledger, verdicts: &mut Verdicts, open: &BTreeSet<Number>) {
    let Verdicts { counts, circled } = verdicts;
    circled.retain(|one| !open.contains(one));
    let mut debate = Debate {
        ledger,
        verdicts: counts,
    };
    let mut ordered: Vec<&Entry> = open.iter().filter_map(|one| ledger.get(*one)).collect();
    ordered.sort_by_key(|entry| entry.operation.order);
    for entry in &ordered {
        debate.set(entry.number, None);
    }
    for entry in &ordered {
        let verdict = debate.judge(entry);
        debate.set(entry.number, verdict);
    }
    ordered.retain(|entry| debate.is_open(entry.number));
    if ordered.is_empty() {
        return;
    }
    let mut bears_on: BTreeMap<Number, Vec<Number>> = BTreeMap::new();
    for entry in &ordered {
        for on in debate.view().hangs_on(entry) {
            bears_on.entry(on).or_default().push(entry.number);
        }
    }
    debate.settle(
        &bears_on,
        ordered.iter().map(|entry| entry.number).collect(),
    );
    let left = ordered.iter().map(|entry| entry.number);
    circled.extend(left.filter(|one| debate.is_open(*one)));
    while let Some(circle) = debate.circle(&bears_on, &ordered) {
        let decided = debate.cut(&circle);
        debate.settle(&bears_on, decided);
    }
}

/// What must be decided anew once an operation is new: all that may hang on it.
pub(super) fn concerned(ledger: &Ledger, verdicts: &Verdicts, new: &Entry) -> BTreeSet<Number> {
    let mut open = touched(ledger, verdicts, new);
    spread(ledger, &mut open, Some(new.number), usize::MAX);
    open.insert(new.number);
    open
}

/// These operations with all whose verdict may hang on them; `None` if that is more than `most`.
pub(super) fn hanging(
    ledger: &Ledger,
    mut all: BTreeSet<Number>,
    most: usize,
) -> Option<BTreeSet<Number>> {
    spread(ledger, &mut all, None, most).then_some(all)
}

/// Adds all that may hang on some, but for one and what hangs on that alone; whether it is at most so many.
fn spread(ledger: &Ledger, all: &mut BTreeSet<Number>, but: Option<Number>, most: usize) -> bool {
    let mut next: Vec<Number> = all.iter().copied().collect();
    while let Some(entry) = next.pop().and_then(|number| ledger.get(number)) {
        for on in bears_on(ledger, entry) {
            if Some(on.number) != but && all.insert(on.number) {
                next.push(on.number);
            }
        }
        if all.len() > most {
            return false;
        }
    }
    true
}

/// What a new operation touches itself. None had seen it; so it touches what it takes away from
/// those that it had not seen, what it may save from others, and whom it outranks. What it had seen and what
/// counts goes on to; but a circle of which it is one more may be cut at another place.
fn touched(ledger: &Ledger, verdicts: &Verdicts, new: &Entry) -> BTreeSet<Number> {
    let op = &new.operation.op;
    let all: Vec<&Entry> = match op {
        Op::Add(_) | Op::Promote(_) => op
            .subject()
            .into_iter()
            .flat_map(|subject| ledger.about(subject))
            .filter(|other| matches!(other.operation.op, Op::Remove(_) | Op::Demote(_)))
            .filter(|other| !new.operation.saw(&other.operation))
            .collect(),
        _ if op.takes_away() => bears_on(ledger, new)
            .into_iter()
            .filter(|other| {
                let counts = verdicts.counts.get(other.number).copied().flatten();
                let follows = !verdicts.circled.contains(&other.number);
                let saw = new.operation.saw(&other.operation);
                other.sound && !(saw && follows && counts == Some(true))
            })
            .collect(),
        _ => Vec::new(),
    };
    all.into_iter().map(|entry| entry.number).collect()
}

/// All whose verdict may hang on an operation, directly or through whom it is about: the other direction of
/// [`View::hangs_on`], and more.
fn bears_on<'a>(ledger: &'a Ledger, entry: &'a Entry) -> Vec<&'a Entry> {
    let op = &entry.operation.op;
    let mut all: Vec<&Entry> = Vec::new();
    if let Some(chain) = entry.operation.begins() {
        all.extend(ledger.by_chain(chain));
    }
    let mut chains = Vec::new();
    match op {
        Op::RemoveDevice(chain) => chains.push(*chain),
        Op::Revoke(revocation) => chains.extend(ledger.chains_of_device(revocation.device())),
        Op::OpenLink(_) => all.extend(ledger.joinings(entry.operation.order.id)),
        Op::CloseLink(opening) => all.extend(ledger.joinings(*opening)),
        Op::Policy(_) | Op::Dissolve => all.extend(ledger.entries()),
        Op::Mute(_) | Op::Unmute(_) | Op::Withdraw(_) | Op::Refuse(_) => return all,
        _ => {}
    }
    for chain in chains {
        all.extend(ledger.by_chain(chain));
        all.extend(ledger.beginning(chain));
    }
    let own = match op {
        Op::Leave | Op::JoinLink(_) => entry.by,
        op => op.subject(),
    };
    if let Some(identity) = own {
        all.extend(ledger.by_identity(identity));
        all.extend(ledger.about(identity));
    }
    all.retain(|other| other.number != entry.number);
    all
}

struct Debate<'a, 'b> {
    ledger: &'a Ledger,
    verdicts: &'b mut [Option<bool>],
}

impl<'a> Debate<'a, '_> {
    fn view(&self) -> View<'a, '_> {
        View {
            ledger: self.ledger,
            verdicts: self.verdicts,
            hopeful: false,
        }
    }

    fn hopeful(&self) -> View<'a, '_> {
        View {
            hopeful: true,
            ..self.view()
        }
    }

    /// Whether an operation counts; `None` while that is open.
    fn judge(&self, entry: &Entry) -> Option<bool> {
        let view = self.view();
        both(view.is_rightful(entry), || view.is_spared(entry))
    }

    /// Decides all that follows, beginning with these.
    fn settle(&mut self, bears_on: &BTreeMap<Number, Vec<Number>>, mut next: Vec<Number>) {
        while let Some(number) = next.pop() {
            if self.is_open(number) {
                let entry = self.ledger.get(number);
                let verdict = entry.and_then(|entry| self.judge(entry));
                if verdict.is_none() {
                    continue;
                }
                self.set(number, verdict);
            }
            let concerned = bears_on.get(&number).into_iter().flatten();
            next.extend(concerned.filter(|on| self.is_open(**on)));
        }
    }

    /// A circle of open operations that hangs on nothing else that is open.
    ///
    /// Whoever is reached last when all are visited, each with all it bears upon, lies in one
    /// (Kosaraju and Sharir); the circle is all on which that one hangs.
    fn circle(
        &self,
        bears_on: &BTreeMap<Number, Vec<Number>>,
        ordered: &[&'a Entry],
    ) -> Option<Vec<&'a Entry>> {
        let mut visited = BTreeSet::new();
        let mut last = None;
        for entry in ordered.iter().filter(|one| self.is_open(one.number)) {
            if !visited.contains(&entry.number) {
                last = Some(entry.number);
                self.reach(entry.number, &mut visited, |number| {
                    bears_on.get(&number).cloned().unwrap_or_default()
                });
            }
        }
        let mut circle = BTreeSet::new();
        self.reach(last?, &mut circle, |number| {
            let entry = self.ledger.get(number);
            entry.map_or_else(Vec::new, |entry| self.view().hangs_on(entry))
        });
        let ordered = ordered.iter().copied();
        Some(ordered.filter(|one| circle.contains(&one.number)).collect())
    }

    fn reach(
        &self,
        from: Number,
        reached: &mut BTreeSet<Number>,
        next: impl Fn(Number) -> Vec<Number>,
    ) {
        let mut open = vec![from];
        while let Some(number) = open.pop() {
            if self.is_open(number) && reached.insert(number) {
                open.extend(next(number));
            }
        }
    }

    /// Cuts a circle (ROS-7): of those that take away the one of highest rank, of equals the first,
    /// counts with what it rests on; what would void these does not. Where that holds of none, what is
    /// void already does not count. Gives what was decided.
    fn cut(&mut self, circle: &[&'a Entry]) -> Vec<Number> {
        let takers = circle.iter().filter(|one| one.operation.op.takes_away());
        let mut takers: Vec<&Entry> = takers.copied().collect();
        let hopeful = self.hopeful();
        takers.sort_by_key(|taker| {
            let rank = hopeful.rank(taker).flatten();
            (rank.is_none(), rank, taker.operation.order)
        });
        let mut voided = None;
        for taker in &takers {
            let (with, against) = match self.unvoided(taker) {
                Ok(both) => both,
                Err(one) => {
                    voided = voided.or(Some(one));
                    continue;
                }
            };
            if self.assume(&with, &against) {
                return with.into_iter().chain(against).collect();
            }
        }
        // What only such could have saved that rests on it is not.
        let first = takers.iter().min_by_key(|taker| taker.operation.order);
        let first = first.or(circle.first()).map(|entry| entry.number);
        let lost = voided.or(first);
        if let Some(number) = lost {
            self.set(number, Some(false));
        }
        lost.into_iter().collect()
    }

    /// An open operation with the open ones that it rests on, and the open ones that would void
    /// any of these; or the first of them that something counted would void.
    fn unvoided(&self, entry: &'a Entry) -> Result<(BTreeSet<Number>, BTreeSet<Number>), Number> {
        let (mut with, mut against) = (BTreeSet::new(), BTreeSet::new());
        let mut voided: Option<&Entry> = None;
        let mut next = vec![entry];
        while let Some(entry) = next.pop() {
            if !self.is_open(entry.number) || !with.insert(entry.number) {
                continue;
            }
            for other in self.opponents(entry) {
                match self.view().counts(other) {
                    Some(true) => {
                        let earlier =
                            voided.filter(|one| one.operation.order < entry.operation.order);
                        voided = earlier.or(Some(entry));
                    }
                    Some(false) => {}
                    None => {
                        against.insert(other.number);
                    }
                }
            }
            let seen = self.seen_takers(entry).into_iter();
            let seen = seen.filter(|one| self.is_open(one.number));
            against.extend(seen.map(|one| one.number));
            let rests = self.view().asked(entry).into_iter();
            next.extend(rests.filter(|on| !on.operation.op.takes_away()));
        }
        match voided {
            Some(voided) => Err(voided.number),
            None => Ok((with, against)),
        }
    }

    /// All that void an operation if they count.
    fn opponents(&self, entry: &'a Entry) -> Vec<&'a Entry> {
        let hopeful = self.hopeful();
        let mut opponents: Vec<&'a Entry> = Vec::new();
        let outranking = hopeful.outranking(entry);
        opponents.extend(
            outranking
                .filter(|(_, above)| *above == Some(true))
                .map(|(one, _)| one),
        );
        for ground in hopeful.grounds(entry) {
            let blind = ground.takers.iter().filter(|taker| {
                taker.prevails == Some(true) && !taker.entry.operation.saw(&entry.operation)
            });
            opponents.extend(blind.map(|taker| taker.entry));
        }
        opponents
    }

    /// What an operation had seen and what may take its right if it counts: ends of its chain, and what took
    /// its author's role last.
    fn seen_takers(&self, entry: &'a Entry) -> Vec<&'a Entry> {
        let beginning = entry.begun_by.and_then(|number| self.ledger.get(number));
        let enders = beginning.into_iter().chain([entry]);
        let enders = enders.flat_map(|beginning| self.ledger.enders(beginning));
        let mut takers: Vec<&'a Entry> = enders
            .filter(|ender| entry.operation.saw(&ender.operation))
            .collect();
        let about = entry.by.map(|by| self.ledger.about(by).rev());
        let seen = about.into_iter().flatten();
        let seen = seen
            .filter(|one| changes_role(&one.operation.op) && entry.operation.saw(&one.operation));
        takers.extend(seen.take_while(|one| one.operation.op.takes_away()));
        takers
    }

    /// Decides so, if all of the first count then, whatever becomes of the rest; whether they do.
    fn assume(&mut self, with: &BTreeSet<Number>, against: &BTreeSet<Number>) -> bool {
        if !with.is_disjoint(against) {
            return false;
        }
        for (all, verdict) in [(with, true), (against, false)] {
            for number in all {
                self.set(*number, Some(verdict));
            }
        }
        // Whatever is open still cannot change that: what is decided stays.
        let holds = with.iter().all(|number| {
            let entry = self.ledger.get(*number);
            entry.is_some_and(|entry| self.judge(entry) == Some(true))
        });
        if !holds {
            for number in with.iter().chain(against) {
                self.set(*number, None);
            }
        }
        holds
    }

    fn is_open(&self, number: Number) -> bool {
        self.verdicts.get(number) == Some(&None)
    }

    fn set(&mut self, number: Number, verdict: Option<bool>) {
        if let Some(place) = self.verdicts.get_mut(number) {
            *place = verdict;
        }
    }
}
