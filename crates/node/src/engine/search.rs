//! The words of messages (NODE-201): kept a moment after the messages, so that no message waits.

use tenet_apps::chat::{fold::Change, search::index};
use tenet_log::store::StoreError;

use super::Engine;
use crate::{
    command::{CommandError, Reply},
    storage::Storage,
};

/// How long after a message its words are kept, in milliseconds: several messages share the work.
const LAG_MS: u64 = 300;

/// How long after a start what an earlier run left, in milliseconds: whoever starts a node waits
/// for other things.
const AFTER_START_MS: u64 = 2_000;

/// How many events are looked at in one go: some milliseconds of work.
const PAGE: usize = 128;

/// How many such goes somebody who looks for something waits for: what comes in the lag of a busy
/// second.
const ASKED_PAGES: usize = 8;

/// How long others have their turn before the next go, in milliseconds. With [`PAGE`]: 12,800
/// events a second, more than come in.
const PAUSE_MS: u64 = 10;

/// How long words that were taken out may stay in the pages, in milliseconds: ten minutes. To forget
/// them the whole index is written anew, so what goes in that time goes together.
const FORGET_MS: u64 = 10 * 60 * 1000;

/// How long a store that failed is left alone, in milliseconds.
const AGAIN_MS: u64 = 10_000;

impl<S: Storage> Engine<S> {
    /// Something was kept whose words are not.
    pub(super) fn index_soon(&mut self, now: u64) {
        self.index_at.get_or_insert(now.saturating_add(LAG_MS));
    }

    /// Notes whether there is work left: at the start, and after something was undone.
    pub(super) fn load_index(&mut self) -> Result<(), StoreError> {
        let left = self.store.has_after(self.store.indexed_to()?)?;
        self.index_at = left.then(|| self.clock.saturating_add(AFTER_START_MS));
        self.forget_at = None;
        self.forget_later(self.clock)
    }

    /// Words may have been taken out: they leave the pages too, in a while.
    pub(super) fn forget_later(&mut self, now: u64) -> Result<(), StoreError> {
        if self.forget_at.is_none() && self.store.has_words_to_forget()? {
            self.forget_at = Some(now.saturating_add(FORGET_MS));
        }
        Ok(())
    }

    /// NODE-203: a step of it where it is time to.
    pub(super) fn forget_due(&mut self, now: u64) -> Result<(), StoreError> {
        if self.forget_at.is_none_or(|at| now < at) {
            return Ok(());
        }
        self.forget_at = Some(now.saturating_add(AGAIN_MS));
        let more = self.store.forget_words()?;
        self.forget_at = more.then(|| now.saturating_add(PAUSE_MS));
        Ok(())
    }

    /// Goes on where it is time to.
    pub(super) fn index_due(&mut self, now: u64) -> Result<(), StoreError> {
        if self.index_at.is_none_or(|at| now < at) {
            return Ok(());
        }
        self.index_at = Some(now.saturating_add(AGAIN_MS));
        let more = index::follow(&mut self.store, PAGE)?;
        self.index_at = more.then(|| now.saturating_add(PAUSE_MS));
        self.forget_later(now)
    }

    /// Somebody looks for something: what came just now is found too. Of a store that is followed
    /// from its beginning the rest comes later.
    pub(crate) fn keep_words(&mut self, now: u64) -> Result<Reply, CommandError> {
        for _ in 0..ASKED_PAGES {
            if !index::follow(&mut self.store, PAGE)? {
                self.index_at = None;
                return Ok(Reply::Done);
            }
        }
        self.index_at = Some(now.saturating_add(PAUSE_MS));
        Ok(Reply::Done)
    }

    /// What was told apart from new events: messages count or do not count any more.
    pub(super) fn index_again(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes {
            index::refresh(&mut self.store, change.message())?;
        }
        Ok(())
    }
}
