//! Events for everybody who wants them, in bounded memory.
//!
//! The last events stand in one ring; every subscription is a place in it. A reader that falls out
//! of the ring is told which events it missed (`API-13`). So a slow reader costs nothing, and a
//! program that comes back with the number of the last event it saw gets those after it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

use crate::api::{Event, Gap};

/// How many events are kept: at the 8,000 messages a second that a node can do, a reader may fall
/// one second behind.
const MAX_EVENTS: usize = 8 * 1024;
/// How many bytes of events are kept, whatever their number.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Where events are published.
#[derive(Debug)]
pub struct Feed {
    ring: Arc<Mutex<Ring>>,
    newest: watch::Sender<u64>,
}

/// A reader's place in a [`Feed`].
#[derive(Debug)]
pub struct Subscription {
    ring: Arc<Mutex<Ring>>,
    newest: watch::Receiver<u64>,
    next: u64,
    gap: bool,
}

/// What a subscription gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The JSON of an [`api::Notice`](crate::api::Notice).
    Event(Arc<str>),
    /// The reader was too slow for these.
    Gap(Gap),
}

#[derive(Debug)]
struct Ring {
    lines: VecDeque<Arc<str>>,
    bytes: usize,
    /// The number of the next event that will be published.
    next: u64,
}

#[derive(Serialize)]
struct Numbered<'e> {
    seq: u64,
    #[serde(flatten)]
    event: &'e Event,
}

impl Feed {
    /// A feed whose numbers follow those of every earlier run, if the clock did not go back:
    /// `started` (Unix milliseconds) times 1,000. A program keeps them exactly in a JSON number,
    /// whose integers go to 2^53.
    pub fn new(started: u64) -> Self {
        let next = started.saturating_mul(1000).saturating_add(1);
        let ring = Ring {
            lines: VecDeque::new(),
            bytes: 0,
            next,
        };
        Self {
            ring: Arc::new(Mutex::new(ring)),
            newest: watch::Sender::new(next - 1),
        }
    }

    /// Tells everybody; answers the event's number.
    pub fn publish(&self, event: &Event) -> u64 {
        let mut ring = lock(&self.ring);
        let seq = ring.next;
        match serde_json::to_string(&Numbered { seq, event }) {
            Ok(line) => ring.push(line.into()),
            // A number without an event would be a hole; nothing was said, so none is used.
            Err(error) => tracing::error!(%error, "an event has no JSON form"),
        }
        drop(ring);
        self.newest.send_replace(seq);
        seq
    }

    /// Whether anybody subscribes at this moment.
    pub fn is_watched(&self) -> bool {
        self.newest.receiver_count() > 0
    }

    /// Notes that something happened while nobody watched, without saying what: whoever comes back
    /// with an older number is told that there is a gap.
    pub fn skip(&self) {
        let mut ring = lock(&self.ring);
        let seq = ring.next;
        ring.next += 1;
        ring.lines.clear();
        ring.bytes = 0;
        drop(ring);
        self.newest.send_replace(seq);
    }

    /// A place behind the newest event, or behind `since`.
    pub fn subscribe(&self, since: Option<u64>) -> Subscription {
        let newest = self.newest.subscribe();
        let ring = lock(&self.ring);
        // A number from the future is of a run whose clock was wrong: nothing after it is here.
        let next = since
            .map_or(ring.next, |since| since.saturating_add(1))
            .min(ring.next);
        let gap = since.is_some_and(|since| since >= ring.next) || next < ring.first();
        let next = next.max(ring.first());
        drop(ring);
        Subscription {
            ring: Arc::clone(&self.ring),
            newest,
            next,
            gap,
        }
    }
}

impl Subscription {
    /// The number of the event before the first that this one will get.
    pub fn seq(&self) -> u64 {
        self.next.saturating_sub(1)
    }

    /// Whether events after `since` were lost already when it subscribed.
    pub fn gap(&self) -> bool {
        self.gap
    }

    /// The next event, or `None` when there will be no more. Nothing is lost if this is dropped
    /// midway.
    pub async fn next(&mut self) -> Option<Delivery> {
        loop {
            self.newest.borrow_and_update();
            if let Some(delivery) = self.take() {
                return Some(delivery);
            }
            self.newest.changed().await.ok()?;
        }
    }

    /// The next event, if it is there already.
    pub fn take(&mut self) -> Option<Delivery> {
        let ring = lock(&self.ring);
        let first = ring.first();
        if self.next < first {
            let gap = Gap {
                from: self.next,
                to: first - 1,
            };
            self.next = first;
            return Some(Delivery::Gap(gap));
        }
        let place = usize::try_from(self.next - first).ok()?;
        let line = ring.lines.get(place)?;
        self.next += 1;
        Some(Delivery::Event(Arc::clone(line)))
    }
}

impl Ring {
    /// The number of the oldest event that is kept, or of the next one if none is.
    fn first(&self) -> u64 {
        self.next.saturating_sub(self.lines.len() as u64)
    }

    fn push(&mut self, line: Arc<str>) {
        self.next += 1;
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.lines.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.len();
        }
    }
}

/// The ring is whole after every statement, so a panic elsewhere does not spoil it.
fn lock(ring: &Mutex<Ring>) -> MutexGuard<'_, Ring> {
    ring.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;
    use crate::api::Notice;

    fn warning(message: String) -> Event {
        Event::Warning {
            name: "test".into(),
            message,
        }
    }

    fn number(delivery: Delivery) -> u64 {
        let Delivery::Event(line) = delivery else {
            panic!("{delivery:?}")
        };
        serde_json::from_str::<Notice>(&line).unwrap().seq
    }

    #[tokio::test]
    async fn a_subscriber_gets_what_comes_after_it() {
        let feed = Feed::new(1);
        feed.publish(&warning("before".into()));
        let mut subscription = feed.subscribe(None);
        assert_eq!((subscription.seq(), subscription.gap()), (1001, false));
        feed.publish(&warning("after".into()));
        let Some(Delivery::Event(line)) = subscription.next().await else {
            panic!()
        };
        assert_eq!(
            &*line,
            r#"{"seq":1002,"event":"warning","name":"test","message":"after"}"#
        );
        drop(feed);
        assert_eq!(subscription.next().await, None);
    }

    #[tokio::test]
    async fn a_program_that_comes_back_gets_what_it_missed() {
        let feed = Feed::new(0);
        for round in 0..5 {
            feed.publish(&warning(round.to_string()));
        }
        let mut subscription = feed.subscribe(Some(3));
        assert!(!subscription.gap());
        assert_eq!(number(subscription.next().await.unwrap()), 4);
        assert_eq!(number(subscription.next().await.unwrap()), 5);
        assert_eq!(subscription.take(), None);

        assert!(!feed.subscribe(Some(5)).gap());
        assert!(feed.subscribe(Some(6)).gap(), "a number of another run");
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_what_it_missed_and_memory_stays_bounded() {
        let feed = Feed::new(0);
        let mut slow = feed.subscribe(None);
        for _ in 0..200 {
            feed.publish(&warning("x".repeat(64 * 1024)));
        }
        assert!(lock(&feed.ring).bytes <= MAX_BYTES);
        let Some(Delivery::Gap(gap)) = slow.next().await else {
            panic!()
        };
        assert_eq!(gap.from, 1);
        assert_eq!(number(slow.next().await.unwrap()), gap.to + 1);

        for _ in 0..2 * MAX_EVENTS {
            feed.publish(&warning(String::new()));
        }
        assert_eq!(lock(&feed.ring).lines.len(), MAX_EVENTS);
        assert!(feed.subscribe(Some(1)).gap());
    }
}
