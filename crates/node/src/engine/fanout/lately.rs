//! What came into a session of many lately: only that is forwarded for others.

use std::collections::{BTreeSet, VecDeque};

use tenet_log::ids::EventId;

/// The most that is remembered; what came before it may be taken for old, and sync brings it to everybody.
const MOST: usize = 4_096;

/// Events that came no longer ago than some time.
#[derive(Default)]
pub(super) struct Lately {
    order: VecDeque<(u64, EventId)>,
    events: BTreeSet<EventId>,
}

impl Lately {
    /// An event has come.
    pub(super) fn came(&mut self, event: EventId, now: u64) {
        if self.events.insert(event) {
            self.order.push_back((now, event));
        }
        while self.order.len() > MOST {
            self.forget_first();
        }
    }

    /// Whether an event came no longer than `most` milliseconds ago.
    pub(super) fn has(&mut self, event: EventId, now: u64, most: u64) -> bool {
        let over = |(at, _): &(u64, EventId)| at.saturating_add(most) < now;
        while self.order.front().is_some_and(over) {
            self.forget_first();
        }
        self.events.contains(&event)
    }

    fn forget_first(&mut self) {
        if let Some((_, event)) = self.order.pop_front() {
            self.events.remove(&event);
        }
    }
}
