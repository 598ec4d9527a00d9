//! The causal past of a roster operation.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    event::Event,
    frontier::{Frontier, Past},
    ids::{Author, EventId},
    order::OrderKey,
    roster::Fold,
    store::{LogStore, StoreError},
};

/// What the author of an event had seen.
pub(crate) struct Seen {
    /// Everything that it had: the event's past, itself excluded.
    pub(crate) past: Past,
    /// The operations of our set that it had not.
    pub(crate) unseen: Vec<EventId>,
}

/// What the author of `event` had seen of our set, which all that it builds on is in.
///
/// Where the event depends on all we hold, that is our frontier; where it builds on operations alone, what
/// these had seen, if `fold` is given: where no chain is forked. Otherwise the graph is walked
/// back, latest first, until only what the author had seen is left: so the cost is what was said
/// while the author did not listen, not the whole log.
pub(crate) fn of<S: LogStore>(
    store: &S,
    frontier: &Frontier,
    fold: Option<&Fold>,
    event: &Event,
) -> Result<Seen, StoreError> {
    let parents: BTreeSet<EventId> = event.parents().collect();
    let all = frontier.tips().is_subset(&parents);
    let mut seen = match fold.filter(|_| !all) {
        _ if all => Seen {
            past: frontier.as_past(),
            unseen: Vec::new(),
        },
        fold => match fold.and_then(|fold| joined(frontier, fold, &parents)) {
            Some(seen) => seen,
            None => walk_back(store, frontier, parents)?,
        },
    };
    if seen.past.includes(&event.order()) {
        // It follows less of its own forked chain than it names.
        seen.past.exclude(event.id());
    }
    Ok(seen)
}

/// What operations had seen, with themselves; `None` where one is none. No chain may be forked: there a place
/// does not say what was seen.
fn joined(frontier: &Frontier, fold: &Fold, parents: &BTreeSet<EventId>) -> Option<Seen> {
    let mut past: Option<Past> = None;
    for parent in parents {
        let operation = fold.find(*parent)?;
        let past = match &mut past {
            Some(past) => {
                past.join(&operation.past);
                past
            }
            None => past.insert(operation.past.clone()),
        };
        past.extend(operation.order.author, operation.order.seq);
    }
    let (past, whole) = (past?, frontier.as_past());
    let behind = past.difference(&whole);
    let chains = behind.chains.iter().map(|(chain, _)| *chain);
    let unseen = chains
        .flat_map(|chain| fold.unseen_on(chain, &past))
        .collect();
    // The same, but made from what we hold: what comes next differs little from that, and so from this.
    let past = whole.but(&behind);
    Some(Seen { past, unseen })
}

fn walk_back<S: LogStore>(
    store: &S,
    frontier: &Frontier,
    parents: BTreeSet<EventId>,
) -> Result<Seen, StoreError> {
    let mut walk = Walk::default();
    for tip in frontier.tips() {
        walk.meet(store, *tip, false)?;
    }
    for parent in parents {
        walk.meet(store, parent, true)?;
    }
    while walk.unseen_ahead > 0 {
        let Some((order, (event, seen))) = walk.ahead.pop_last() else {
            break;
        };
        walk.orders.remove(&order.id);
        if !seen {
            walk.unseen_ahead -= 1;
            walk.unseen.insert(order.id, Unseen::from(&event));
        }
        for parent in event.parents() {
            walk.meet(store, parent, seen)?;
        }
    }
    Ok(walk.seen(frontier))
}

/// Where the walk has come to. An event is met before it is passed, and passed after all that
/// builds on it, because its time is less: so what is known of it by then is final.
#[derive(Default)]
struct Walk {
    /// Met and not passed, with whether it is known to have been seen.
    ahead: BTreeMap<OrderKey, (Event, bool)>,
    orders: BTreeMap<EventId, OrderKey>,
    unseen_ahead: usize,
    /// Passed and not seen.
    unseen: BTreeMap<EventId, Unseen>,
}

struct Unseen {
    author: Author,
    seq: u64,
    prev: Option<EventId>,
    is_operation: bool,
}

impl From<&Event> for Unseen {
    fn from(event: &Event) -> Self {
        let header = event.header();
        Self {
            author: event.author(),
            seq: header.seq,
            prev: header.prev,
            is_operation: header.kind.is_roster(),
        }
    }
}

impl Walk {
    fn meet<S: LogStore>(&mut self, store: &S, id: EventId, seen: bool) -> Result<(), StoreError> {
        let met = self
            .orders
            .get(&id)
            .and_then(|order| self.ahead.get_mut(order));
        if let Some((_, was_seen)) = met {
            if seen && !*was_seen {
                *was_seen = true;
                self.unseen_ahead -= 1;
            }
            return Ok(());
        }
        let stored = store
            .event(id)?
            .ok_or(StoreError::Damaged("an event lacks its parent"))?;
        let order = stored.event.order();
        self.orders.insert(id, order);
        self.ahead.insert(order, (stored.event, seen));
        self.unseen_ahead += usize::from(!seen);
        Ok(())
    }

    /// All but what was passed unseen: of a chain what lies before, or a head that was seen.
    fn seen(self, frontier: &Frontier) -> Seen {
        let mut past = frontier.as_past();
        let mut reach: BTreeMap<Author, Option<u64>> = BTreeMap::new();
        for unseen in self.unseen.values() {
            let before = unseen.prev.filter(|prev| !self.unseen.contains_key(prev));
            let before = before.map(|_| unseen.seq.saturating_sub(1));
            let reach = reach.entry(unseen.author).or_default();
            *reach = (*reach).max(before);
        }
        for (author, before) in reach {
            let heads = frontier.branches(author).iter();
            let seen = heads.filter(|head| !self.unseen.contains_key(&head.id));
            past.limit(author, before.max(seen.map(|head| head.seq).max()));
        }
        for (id, unseen) in &self.unseen {
            if unseen.is_operation && past.covers(unseen.author, unseen.seq) {
                past.exclude(*id);
            }
        }
        let unseen = self.unseen.into_iter();
        let unseen = unseen.filter_map(|(id, unseen)| unseen.is_operation.then_some(id));
        Seen {
            past,
            unseen: unseen.collect(),
        }
    }
}
