//! What came before what it builds on: it waits for a moment, as both are on their way.

use std::collections::{BTreeMap, BTreeSet};

use tenet_delivery::fanout::{plan::Task, spread::PATIENCE_MS};
use tenet_log::{event::Event, ids::EventId};

use crate::input::ConnId;

/// The most that waits; what comes beyond it sync brings.
const MAX_WAITING: usize = 256;
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// How long it waits at most, in milliseconds.
const LONGEST_MS: u64 = 8 * PATIENCE_MS;

/// An event that waits.
pub(super) struct Waiting {
    /// It, checked.
    pub(super) event: Event,
    /// By which connection it came.
    pub(super) conn: ConnId,
    /// What this device is to see to.
    pub(super) task: Option<Task>,
    /// What it builds on and is lacking.
    lacks: EventId,
    /// When whoever sent it is asked for that, or asked no more.
    at: u64,
    asked: bool,
}

/// All that waits in a session.
#[derive(Default)]
pub(super) struct Room {
    waiting: BTreeMap<EventId, Waiting>,
    lacking: BTreeMap<EventId, BTreeSet<EventId>>,
    bytes: usize,
}

impl Room {
    /// Has an event wait for what it lacks; `false` where there is no room.
    pub(super) fn put(
        &mut self,
        (event, lacks): (Event, EventId),
        conn: ConnId,
        task: Option<Task>,
        now: u64,
    ) -> bool {
        let (id, bytes) = (event.id(), event.wire_len());
        if self.waiting.contains_key(&id) {
            return true;
        }
        if self.waiting.len() >= MAX_WAITING || self.bytes + bytes > MAX_BYTES {
            return false;
        }
        self.bytes += bytes;
        self.lacking.entry(lacks).or_default().insert(id);
        let waiting = Waiting {
            event,
            conn,
            task,
            lacks,
            at: now.saturating_add(PATIENCE_MS),
            asked: false,
        };
        self.waiting.insert(id, waiting);
        true
    }

    /// Those that waited for an event.
    pub(super) fn take(&mut self, came: EventId) -> Vec<Waiting> {
        let ids = self.lacking.remove(&came).unwrap_or_default();
        ids.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    /// What has waited for long: what is asked of whom for it, and how many are given up.
    pub(super) fn due(&mut self, now: u64) -> (Vec<(ConnId, EventId)>, usize) {
        let due = self.waiting.iter().filter(|(_, it)| it.at <= now);
        let due: Vec<EventId> = due.map(|(id, _)| *id).collect();
        let (mut asks, mut given_up) = (Vec::new(), 0);
        for id in due {
            let waits_too = |lacks| self.waiting.contains_key(&lacks);
            let also = self.waiting.get(&id).is_some_and(|it| waits_too(it.lacks));
            match self.waiting.get_mut(&id) {
                Some(one) if !one.asked => {
                    one.asked = true;
                    one.at = one.at.saturating_add(LONGEST_MS);
                    if !also {
                        asks.push((one.conn, one.lacks));
                    }
                }
                _ => {
                    given_up += 1;
                    self.remove(id);
                }
            }
        }
        (asks, given_up)
    }

    /// When the first has waited for long, in Unix milliseconds.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.waiting.values().map(|it| it.at).min()
    }

    fn remove(&mut self, id: EventId) -> Option<Waiting> {
        let one = self.waiting.remove(&id)?;
        self.bytes = self.bytes.saturating_sub(one.event.wire_len());
        if let Some(ids) = self.lacking.get_mut(&one.lacks) {
            ids.remove(&id);
            if ids.is_empty() {
                self.lacking.remove(&one.lacks);
            }
        }
        Some(one)
    }
}
