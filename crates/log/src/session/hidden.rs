//! What lies below tips that an author does not build on (LOG-10).
//!
//! ```text
//! counted ◀── forked ◀── forked (a tip, never named)
//!    └── a tip of what the author builds on: named, once
//! ```
//!
//! Else an author had not seen what only a forker built on: whoever revokes a device would take away what it said before.

use std::collections::BTreeSet;

use super::Session;
use crate::{
    event::Event,
    ids::EventId,
    order::OrderKey,
    standing::Standing,
    store::{LogStore, StoreError, Stored},
};

/// What was named for hidden tips already, and of what is hidden that below which all was; since the session was loaded.
#[derive(Clone, Debug, Default)]
pub(super) struct Named(BTreeSet<EventId>);

/// What hidden tips hide.
#[derive(Default)]
pub(super) struct Below {
    /// The latest on each way down that may be built on, and was not named yet.
    pub(super) latest: BTreeSet<OrderKey>,
    /// The hidden ones above.
    hidden: Vec<Event>,
}

impl Session {
    /// What lies below tips that are not built on.
    pub(super) fn below<S: LogStore>(
        &self,
        store: &S,
        tips: Vec<EventId>,
        now: u64,
    ) -> Result<Below, StoreError> {
        let (mut open, mut met, mut below) = (tips, BTreeSet::new(), Below::default());
        while let Some(id) = open.pop() {
            if self.named.0.contains(&id) || !met.insert(id) {
                continue;
            }
            match store.event(id)? {
                Some(stored) if is_hidden(&stored, now) => {
                    open.extend(stored.event.parents());
                    below.hidden.push(stored.event);
                }
                Some(stored) => drop(below.latest.insert(stored.event.order())),
                None => {}
            }
        }
        Ok(below)
    }

    /// Notes what an event of our own names.
    pub(super) fn note_named<S: LogStore>(
        &mut self,
        store: &S,
        event: &Event,
        now: u64,
    ) -> Result<(), StoreError> {
        let tips = self.frontier.tips().iter();
        let heads = tips.filter_map(|id| self.frontier.find(*id));
        let hidden = heads.filter(|head| {
            self.forks.contain(head.author, head.seq) || head.time.is_too_early(now)
        });
        let tips = hidden.map(|head| head.id).collect();
        let mut below = self.below(store, tips, now)?;
        let latest = below.latest.iter().map(|order| order.id);
        let named: BTreeSet<EventId> = event.parents().collect();
        self.named.0.extend(latest.filter(|id| named.contains(id)));
        // Parents are dated before what builds on them.
        below.hidden.sort_by_key(Event::order);
        for hidden in &below.hidden {
            if hidden
                .parents()
                .all(|parent| self.named.0.contains(&parent))
            {
                self.named.0.insert(hidden.id());
            }
        }
        Ok(())
    }
}

fn is_hidden(stored: &Stored, now: u64) -> bool {
    stored.standing == Standing::Forked || stored.event.header().time.is_too_early(now)
}
