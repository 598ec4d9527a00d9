//! Chains with two histories: what of them counts.
//!
//! FORK-1 From the place where a device wrote two histories, an event of it counts only if it lies
//! in the causal past of a counted event of another device.
//!
//! FORK-2 At most eight branches of a chain are kept; a further one is refused.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::DeviceId;

use crate::{
    frontier::Frontier,
    ids::{Author, EventId, SessionId},
    roster::Roster,
    standing::Standing,
    store::{LogStore, Position, StoreError, Stored},
};

/// See FORK-2: an honest device never has two; the limit only bounds what a liar can cost.
pub(crate) const MAX_BRANCHES: usize = 8;

/// How many events are read at a time.
const PAGE: usize = 256;

/// Where each forked chain of the session forks: the lowest `seq` that was written twice.
pub(crate) fn points<S: LogStore>(
    store: &S,
    session: SessionId,
    frontier: &Frontier,
) -> Result<BTreeMap<Author, u64>, StoreError> {
    let mut points = BTreeMap::new();
    for author in frontier.forked() {
        if let Some(point) = point(store, session, author)? {
            points.insert(author, point);
        }
    }
    Ok(points)
}

fn point<S: LogStore>(
    store: &S,
    session: SessionId,
    author: Author,
) -> Result<Option<u64>, StoreError> {
    let mut last: Option<u64> = None;
    let mut from = 0;
    loop {
        let page = store.chain(session, author, from, PAGE)?;
        for stored in &page {
            let seq = stored.event.header().seq;
            if last == Some(seq) {
                return Ok(Some(seq));
            }
            last = Some(seq);
        }
        match last {
            Some(seq) if page.len() == PAGE && seq >= from => from = seq + 1,
            _ => return Ok(None),
        }
    }
}

/// Computes the standing of everything since the earliest fork, and writes what changed.
///
/// One pass from the latest event back: when an event is reached, all that depends on it has been
/// seen, so it is known which forked devices' events other devices built upon.
pub(crate) fn restand<S: LogStore>(
    store: &mut S,
    session: SessionId,
    roster: &Roster,
    points: &BTreeMap<Author, u64>,
) -> Result<Vec<(EventId, Standing)>, StoreError> {
    let mut earliest: Option<Position> = None;
    for (author, seq) in points {
        let position = store.position(session, *author, *seq)?;
        earliest = match (earliest, position) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    let Some(earliest) = earliest else {
        return Ok(Vec::new());
    };
    let before = Position(earliest.0 - 1);
    let mut marks: BTreeMap<EventId, BTreeSet<DeviceId>> = BTreeMap::new();
    let mut changes = Vec::new();
    let mut from = None;
    loop {
        let page = store.back_to(session, from, before, PAGE)?;
        for stored in &page {
            let standing = judge(stored, roster, points, &mut marks);
            if standing != stored.standing {
                changes.push((stored.event.id(), standing));
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => from = Some(last.position),
            _ => break,
        }
    }
    for (id, standing) in &changes {
        store.set_standing(*id, *standing)?;
    }
    Ok(changes)
}

fn judge(
    stored: &Stored,
    roster: &Roster,
    points: &BTreeMap<Author, u64>,
    marks: &mut BTreeMap<EventId, BTreeSet<DeviceId>>,
) -> Standing {
    let (event, author) = (&stored.event, stored.event.author());
    let seq = event.header().seq;
    let mut upheld = marks.remove(&event.id()).unwrap_or_default();
    let by_roster = standing_by_roster(stored, roster);
    let in_fork = points.get(&author).is_some_and(|point| seq >= *point);
    let standing = if by_roster.counts() && in_fork && !upheld.contains(&author.device) {
        Standing::Forked
    } else {
        by_roster
    };
    if standing.counts() {
        let others = points.keys().map(|forked| forked.device);
        upheld.extend(others.filter(|device| *device != author.device));
    }
    for parent in event.parents() {
        marks
            .entry(parent)
            .or_default()
            .extend(upheld.iter().copied());
    }
    standing
}

fn standing_by_roster(stored: &Stored, roster: &Roster) -> Standing {
    let event = &stored.event;
    if event.header().kind.is_roster() {
        let counted = roster.counted.contains(&event.id());
        return if counted {
            Standing::Counted
        } else {
            Standing::OffRoster
        };
    }
    roster.standing(event.author(), event.header().seq)
}
