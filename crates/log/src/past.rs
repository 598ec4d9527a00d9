//! The causal past of a roster operation that came from elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    event::Event,
    frontier::{Frontier, Past},
    ids::EventId,
    order::OrderKey,
    roster::Operation,
    store::{LogStore, StoreError},
};

/// Everything that the author of `event` had seen: the event's past, itself excluded.
///
/// Where the event depends on all we hold, that is our frontier. Otherwise the graph is walked
/// back, latest first, and a walk ends at the past of every operation that it meets: so the cost is
/// what was said since the last operation, not the whole log.
pub(crate) fn of<S: LogStore>(
    store: &S,
    frontier: &Frontier,
    operations: &[Operation],
    event: &Event,
) -> Result<Past, StoreError> {
    let parents: BTreeSet<EventId> = event.parents().collect();
    if frontier.tips().is_subset(&parents) {
        return Ok(frontier.as_past());
    }
    let known: BTreeMap<EventId, &Past> = operations
        .iter()
        .map(|operation| (operation.order.id, &operation.past))
        .collect();
    let mut past = Past::default();
    let mut queue: BTreeMap<OrderKey, Event> = BTreeMap::new();
    enqueue(store, &parents, &mut queue)?;
    while let Some((order, event)) = queue.pop_last() {
        if past.covers(order.author, order.seq) && !is_branch(frontier, &order) {
            continue;
        }
        past.extend(order.author, order.seq);
        match known.get(&order.id) {
            Some(before) => past.merge(before),
            None => enqueue(store, &event.parents().collect(), &mut queue)?,
        }
    }
    Ok(past)
}

/// On a forked chain a greater `seq` on one branch says nothing about the other.
fn is_branch(frontier: &Frontier, order: &OrderKey) -> bool {
    frontier.branches(order.author).len() > 1
}

fn enqueue<S: LogStore>(
    store: &S,
    ids: &BTreeSet<EventId>,
    queue: &mut BTreeMap<OrderKey, Event>,
) -> Result<(), StoreError> {
    for id in ids {
        let stored = store
            .event(*id)?
            .ok_or(StoreError::Damaged("an event lacks its parent"))?;
        queue.insert(stored.event.order(), stored.event);
    }
    Ok(())
}
