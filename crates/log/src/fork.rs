//! Chains with two histories: what of them counts.
//!
//! - FORK-1 From the place where a device wrote two histories, an ordinary event of it counts only
//!   if it lies in the causal past of a counted event of another device. Who knows of the fork
//!   builds on no more of it, so what counts is what was built upon in good faith.
//! - FORK-2 Every branch is taken. A limit would let a forker give each of two devices branches
//!   that the other refuses, and with them all that was built on those.
//! - FORK-3 Roster operations are judged by the rules of the roster alone; a branch beside the one
//!   that a removal had seen was not seen by it.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::DeviceId;

use crate::{
    event::Event,
    frontier::Frontier,
    ids::{Author, EventId, SessionId},
    roster::{Fold, Roster, kind},
    standing::{Changes, Standing},
    store::{LogStore, Position, StoreError, Stored},
};

/// How many events are read at a time.
const PAGE: usize = 256;

/// Where chains of a session fork.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forks {
    /// For each forked chain the lowest `seq` that was written twice.
    points: BTreeMap<Author, u64>,
    /// No event of a fork came before this.
    floor: Position,
}

impl Forks {
    /// The forks of a session as it is stored.
    pub(crate) fn load<S: LogStore>(
        store: &S,
        session: SessionId,
        frontier: &Frontier,
    ) -> Result<Self, StoreError> {
        let mut forks = Self::default();
        for author in frontier.forked() {
            if let Some(point) = point(store, session, author)? {
                forks.points.insert(author, point);
            }
        }
        forks.find_floor(store, session)?;
        Ok(forks)
    }

    /// For each forked chain the lowest `seq` that was written twice.
    pub(crate) fn points(&self) -> &BTreeMap<Author, u64> {
        &self.points
    }

    /// Devices with a forked chain.
    pub(crate) fn devices(&self) -> BTreeSet<DeviceId> {
        self.points.keys().map(|author| author.device).collect()
    }

    /// Whether a place of a chain lies at or after the chain's fork.
    pub(crate) fn contain(&self, author: Author, seq: u64) -> bool {
        self.points.get(&author).is_some_and(|point| seq >= *point)
    }

    /// Notes that a chain was written twice at `seq`; whether that was not known.
    pub(crate) fn note(&mut self, author: Author, seq: u64) -> bool {
        if self.contain(author, seq) {
            return false;
        }
        self.points.insert(author, seq);
        true
    }

    /// Finds the floor anew, after [`Self::note`] said something new.
    pub(crate) fn find_floor<S: LogStore>(
        &mut self,
        store: &S,
        session: SessionId,
    ) -> Result<(), StoreError> {
        let mut floor: Option<Position> = None;
        for (author, seq) in &self.points {
            let position = store.position(session, *author, *seq)?;
            floor = match (floor, position) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        self.floor = floor.unwrap_or_default();
        Ok(())
    }

    /// Judges all events since the earliest fork anew.
    ///
    /// One pass from the latest event back: when an event is reached, all that builds on it has
    /// been seen, so it is known which forked devices' events other devices built upon.
    pub(crate) fn restand<S: LogStore>(
        &self,
        store: &mut S,
        session: SessionId,
        (fold, roster): (&Fold, &Roster),
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        if self.points.is_empty() {
            return Ok(());
        }
        let mut pass = Pass::new(self, fold, roster);
        let before = Position(self.floor.0.saturating_sub(1));
        let mut from = None;
        loop {
            let page = store.back_to(session, from, before, PAGE)?;
            for stored in &page {
                let standing = pass.judge(stored);
                changes.set(store, stored, standing)?;
            }
            match page.last() {
                Some(last) if page.len() == PAGE => from = Some(last.position),
                _ => return Ok(()),
            }
        }
    }

    /// A counted event came in: what it builds on counts from now on (FORK-1).
    ///
    /// The walk back, latest first, ends where a counted event has done the same before.
    pub(crate) fn uphold<S: LogStore>(
        &self,
        store: &mut S,
        event: &Event,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        let forked = self.devices();
        let mut ahead = BTreeMap::new();
        self.meet(store, event, By::One(event.author().device), &mut ahead)?;
        while let Some((_, (stored, by))) = ahead.pop_last() {
            let device = stored.event.author().device;
            // A counted event of a device without forks has upheld all that it builds on; one
            // within a fork was upheld by another's, which builds on the same and more.
            let in_fork = self.holds(&stored);
            if stored.standing.counts() && (in_fork || !forked.contains(&device)) {
                continue;
            }
            let newly = stored.standing == Standing::Forked && by.upholds(device);
            if newly {
                changes.set(store, &stored, Standing::Counted)?;
            }
            let counts = newly || stored.standing.counts();
            let by = if counts { by.and(device) } else { by };
            self.meet(store, &stored.event, by, &mut ahead)?;
        }
        Ok(())
    }

    /// Puts the parents of an event ahead, with who builds on them.
    fn meet<S: LogStore>(
        &self,
        store: &S,
        event: &Event,
        by: By,
        ahead: &mut BTreeMap<Position, (Stored, By)>,
    ) -> Result<(), StoreError> {
        for id in event.parents() {
            let stored = store
                .event(id)?
                .ok_or(StoreError::Damaged("an event lacks its parent"))?;
            if stored.position >= self.floor {
                let met = ahead.entry(stored.position).or_insert((stored, by));
                met.1 = met.1.or(by);
            }
        }
        Ok(())
    }

    /// Whether FORK-1 bears upon an event.
    fn holds(&self, stored: &Stored) -> bool {
        let (author, seq) = (stored.event.author(), stored.event.header().seq);
        !is_operation(stored) && self.contain(author, seq)
    }
}

/// Devices of which a counted event builds on something: one, or more than one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    One(DeviceId),
    Several,
}

impl By {
    /// Whether one of them is another device than this.
    fn upholds(self, device: DeviceId) -> bool {
        self != Self::One(device)
    }

    fn and(self, device: DeviceId) -> Self {
        self.or(Self::One(device))
    }

    fn or(self, other: Self) -> Self {
        if self == other { self } else { Self::Several }
    }
}

fn point<S: LogStore>(
    store: &S,
    session: SessionId,
    author: Author,
) -> Result<Option<u64>, StoreError> {
    let mut from = 0;
    loop {
        let page = store.chain(session, author, from, PAGE)?;
        let seq = |stored: &Stored| stored.event.header().seq;
        let twice = page
            .iter()
            .zip(page.iter().skip(1))
            .find(|(one, other)| seq(one) == seq(other));
        if let Some((one, _)) = twice {
            return Ok(Some(seq(one)));
        }
        match page.last() {
            // Read once more, for its like may be on the next page.
            Some(last) if page.len() == PAGE => from = seq(last),
            _ => return Ok(None),
        }
    }
}

fn is_operation(stored: &Stored) -> bool {
    kind::is_known(stored.event.header().kind.as_str())
}

/// What is known of an event from all that builds on it.
#[derive(Clone, Default)]
struct Marks {
    /// Forked devices whose events here another device built upon.
    upheld: BTreeSet<DeviceId>,
    /// Operations that took something from a forked chain and had seen what lies here.
    taken: BTreeSet<EventId>,
}

struct Pass<'a> {
    forks: &'a Forks,
    fold: &'a Fold,
    roster: &'a Roster,
    devices: BTreeSet<DeviceId>,
    /// Operations that end or silence a forked chain.
    takers: BTreeSet<EventId>,
    marks: BTreeMap<EventId, Marks>,
}

impl<'a> Pass<'a> {
    fn new(forks: &'a Forks, fold: &'a Fold, roster: &'a Roster) -> Self {
        let mut takers = BTreeSet::new();
        let forked = forks.points.keys();
        for chain in forked.filter_map(|author| roster.chains.get(author)) {
            takers.extend(chain.end.iter().flat_map(|end| &end.operations));
            takers.extend(chain.silences.iter().flat_map(|one| &one.operations));
        }
        Self {
            forks,
            fold,
            roster,
            devices: forks.devices(),
            takers,
            marks: BTreeMap::new(),
        }
    }

    fn judge(&mut self, stored: &Stored) -> Standing {
        let event = &stored.event;
        let mut marks = self.marks.remove(&event.id()).unwrap_or_default();
        let standing = self.standing(stored, &marks);
        if standing.counts() {
            let own = event.author().device;
            let others = self.devices.iter().filter(|device| **device != own);
            marks.upheld.extend(others.copied());
        }
        marks.taken.extend(self.takers.get(&event.id()));
        for parent in event.parents() {
            let known = self.marks.entry(parent).or_default();
            known.upheld.extend(&marks.upheld);
            known.taken.extend(&marks.taken);
        }
        standing
    }

    fn standing(&self, stored: &Stored, marks: &Marks) -> Standing {
        let author = stored.event.author();
        if !self.forks.holds(stored) {
            return self.fold.standing_of(&stored.event, self.roster);
        }
        let time = stored.event.header().time;
        let by_roster = self.roster.standing_if(author, time, |_, takers| {
            takers.iter().any(|taker| marks.taken.contains(taker))
        });
        if by_roster.counts() && !marks.upheld.contains(&author.device) {
            Standing::Forked
        } else {
            by_roster
        }
    }
}
