//! What the other side holds, as far as it said: of every chain how far, of forked ones which.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::DeviceId;

use super::HeadEntry;
use crate::{
    event::Event,
    frontier::Head,
    ids::{Author, EventId, SessionId},
    session::Session,
    store::{LogStore, Position, StoreError},
};

/// What the other side holds, or will hold once it has what is under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Holdings {
    reach: BTreeMap<Author, u64>,
    forked: BTreeMap<Author, Branches>,
}

/// What it holds of a chain with more than one branch.
#[derive(Clone, Debug, Default)]
struct Branches {
    /// All before this place.
    below: u64,
    /// And of what comes there and later, these.
    ids: BTreeSet<EventId>,
}

impl Holdings {
    /// All that these heads say. Of forked chains that is said only as far as they have one branch:
    /// the rest lies behind us.
    pub(super) fn ours(heads: &[HeadEntry], forks: &BTreeMap<Author, u64>) -> Self {
        let mut holdings = Self::default();
        for head in heads {
            holdings.note(head.author, head.seq, head.id);
        }
        for (author, point) in forks {
            let branches = Branches {
                below: *point,
                ids: BTreeSet::new(),
            };
            holdings.forked.insert(*author, branches);
        }
        holdings
    }

    /// What these heads say, and where the first event came that they lack. Of a device that is out nothing of its
    /// own is taken: `out` is whose further events will never show whether they follow ours.
    pub(super) fn claimed<S: LogStore>(
        session: &Session,
        store: &S,
        heads: &[HeadEntry],
        out: Option<DeviceId>,
    ) -> Result<(Self, Option<Position>), StoreError> {
        let mut claims: BTreeMap<Author, Vec<&HeadEntry>> = BTreeMap::new();
        for head in heads {
            claims.entry(head.author).or_default().push(head);
        }
        let mut holdings = Self::default();
        for author in session.forks().keys() {
            holdings.forked.insert(*author, Branches::default());
        }
        for (author, claims) in &claims {
            holdings.believe(session, store, *author, claims, out)?;
        }
        let mut first: Option<Position> = None;
        let mut authors: Vec<Author> = session.frontier().heads().map(|head| head.author).collect();
        authors.dedup();
        for author in authors {
            let missing = holdings.first_missing(session, store, author)?;
            first = match (first, missing) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        Ok((holdings, first))
    }

    /// Whether the other side holds an event of our set.
    pub(super) fn contain(&self, event: &Event) -> bool {
        let (author, seq) = (event.author(), event.header().seq);
        match self.forked.get(&author) {
            Some(branches) => seq < branches.below || branches.ids.contains(&event.id()),
            None => self.reach.get(&author).is_some_and(|reach| *reach >= seq),
        }
    }

    /// Notes an event that it has from us or we from it; whether that was not known.
    pub(super) fn note(&mut self, author: Author, seq: u64, id: EventId) -> bool {
        if let Some(branches) = self.forked.get_mut(&author) {
            return seq >= branches.below && branches.ids.insert(id);
        }
        let before = self.reach.get(&author).copied();
        let after = before.map_or(seq, |before| before.max(seq));
        self.reach.insert(author, after);
        before != Some(after)
    }

    /// Notes what is said of one chain.
    fn believe<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
        author: Author,
        claims: &[&HeadEntry],
        out: Option<DeviceId>,
    ) -> Result<(), StoreError> {
        let ours = session.frontier().branches(author);
        let furthest = claims.iter().map(|claim| claim.seq).max().unwrap_or(0);
        let Some(head) = ours.first() else {
            self.reach.insert(author, furthest);
            return Ok(());
        };
        let mut known = BTreeSet::new();
        let mut disputed = false;
        for claim in claims {
            if is_held(store, ours, claim)? {
                known.insert((claim.seq, claim.id));
            } else {
                disputed |= claim.seq <= head.seq || out == Some(author.device);
            }
        }
        let shared = known.last().map_or(0, |(seq, _)| seq.saturating_add(1));
        if let Some(point) = session.forks().get(&author) {
            let ids = known.into_iter().map(|(_, id)| id).collect();
            let branches = Branches {
                below: shared.min(*point),
                ids: with_ancestors(store, session.id(), author, *point, ids)?,
            };
            self.forked.insert(author, branches);
        } else if disputed {
            // It holds another history: of ours perhaps nothing after what it named. Only a device
            // that broke its word, or was set back, causes this.
            let branches = Branches {
                below: shared,
                ids: BTreeSet::new(),
            };
            self.forked.insert(author, branches);
        } else {
            self.reach.insert(author, furthest);
        }
        Ok(())
    }

    fn first_missing<S: LogStore>(
        &self,
        session: &Session,
        store: &S,
        author: Author,
    ) -> Result<Option<Position>, StoreError> {
        let heads = session.frontier().branches(author);
        let next = match self.forked.get(&author) {
            Some(branches) => branches.below,
            None => self
                .reach
                .get(&author)
                .map_or(0, |reach| reach.saturating_add(1)),
        };
        let point = session.forks().get(&author);
        if heads.iter().all(|head| head.seq < next) {
            return Ok(None);
        }
        if point != Some(&next) {
            return store.position(session.id(), author, next);
        }
        let branches = self.forked.get(&author);
        let rest = places(store, session.id(), author, next)?;
        let missing = rest
            .iter()
            .filter(|place| branches.is_none_or(|branches| !branches.ids.contains(&place.id)));
        Ok(missing.map(|place| place.position).min())
    }
}

/// Whether we hold the event that a claim names.
fn is_held<S: LogStore>(store: &S, ours: &[Head], claim: &HeadEntry) -> Result<bool, StoreError> {
    if ours
        .iter()
        .any(|head| head.id == claim.id && head.seq == claim.seq)
    {
        return Ok(true);
    }
    let stored = store.event(claim.id)?;
    Ok(stored.is_some_and(|stored| {
        stored.event.author() == claim.author && stored.event.header().seq == claim.seq
    }))
}

/// These events of a chain, with all from `point` on that they follow.
fn with_ancestors<S: LogStore>(
    store: &S,
    session: SessionId,
    author: Author,
    point: u64,
    mut ids: BTreeSet<EventId>,
) -> Result<BTreeSet<EventId>, StoreError> {
    for place in places(store, session, author, point)?.iter().rev() {
        if ids.contains(&place.id) {
            ids.extend(place.prev);
        }
    }
    Ok(ids)
}

/// Where an event is, without what it says.
struct Place {
    id: EventId,
    seq: u64,
    prev: Option<EventId>,
    position: Position,
}

/// All events of a chain from a place on, ascending.
fn places<S: LogStore>(
    store: &S,
    session: SessionId,
    author: Author,
    mut seq: u64,
) -> Result<Vec<Place>, StoreError> {
    let mut limit = 256;
    let mut all: Vec<Place> = Vec::new();
    loop {
        let page = store.chain(session, author, seq, limit)?;
        let last = page.last().map(|last| last.event.header().seq);
        let more = last.filter(|_| page.len() >= limit);
        if more == Some(seq) {
            // More branches than fit a page.
            limit *= 4;
            continue;
        }
        let places = page.iter().map(|stored| Place {
            id: stored.event.id(),
            seq: stored.event.header().seq,
            prev: stored.event.header().prev,
            position: stored.position,
        });
        // The last place may go on on the next page.
        all.extend(places.filter(|place| Some(place.seq) != more));
        match more {
            Some(last) => seq = last,
            None => return Ok(all),
        }
    }
}
