//! What is under way and not acknowledged (SYNC-5).

use std::collections::{BTreeMap, VecDeque};

use super::HeadEntry;
use crate::ids::Author;

/// How many bytes of events may be under way unacknowledged.
///
/// A guess between two needs: 512 KiB fill 50 ms of a 10 MB/s line, and a peer that stalls holds
/// no more memory than this.
pub const WINDOW_BYTES: usize = 512 * 1024;
/// How many events may be under way unacknowledged, and so be sent once more after a break.
///
/// Of 100,000 that are less than one in a hundred; and signatures checked and pages written for so many
/// together are hardly dearer than for more.
pub const WINDOW_EVENTS: usize = 960;

/// The events that were sent and are not known to be durable there.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// Whose, at which place of its chain, and how many bytes.
    events: VecDeque<(Author, u64, usize)>,
    bytes: usize,
}

impl Window {
    /// Whether one event more may be sent.
    pub(super) fn has_room(&self) -> bool {
        self.bytes < WINDOW_BYTES && self.events.len() < WINDOW_EVENTS
    }

    pub(super) fn sent(&mut self, author: Author, seq: u64, bytes: usize) {
        self.events.push_back((author, seq, bytes));
        self.bytes += bytes;
    }

    /// They hold these heads durably; whether that freed anything.
    pub(super) fn arrived(&mut self, heads: &[HeadEntry]) -> bool {
        let held: BTreeMap<Author, u64> = heads
            .iter()
            .map(|entry| (entry.author, entry.seq))
            .collect();
        let before = self.bytes;
        let mut freed = 0;
        self.events.retain(|(author, seq, bytes)| {
            let arrived = held.get(author).is_some_and(|held| held >= seq);
            freed += if arrived { *bytes } else { 0 };
            !arrived
        });
        self.bytes = before.saturating_sub(freed);
        freed > 0
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many events, and bytes of them.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.events.len(), self.bytes)
    }
}
