//! Whose fault a loss is: ours if less is lost when less is sent.
//!
//! ```text
//!           try_less                 as much is lost, and no queue
//! Watching ──────────▶ Trying ─────────────────────────────────────▶ Forgiving
//!    ▲                    │ less is lost                                 │
//!    └────────────────────┴──────────── more is lost, a queue, or time ◀─┘
//! ```

use std::time::{Duration, Instant};

/// How many packets must have come or not before anything is concluded from it: of 64, with every
/// tenth lost, one or none is lost in one case of a hundred.
const SAMPLE: u32 = 64;

/// The part that may be lost at most. Who sends up to 1.4 times what fits loses no more than that, and
/// nothing after Cubic's decrease to 0.7: so what is below and stays is not a queue's.
const MOST: f64 = 0.3;

/// As much is lost as before if it is more than this part of it, which is taken at its least (see
/// [`Tally::least`]): the samples are small.
const AS_MUCH: f64 = 0.5;

/// More is lost than was known if it is more than so many times it and so much on top.
const MORE: (f64, f64) = (1.5, 0.02);

/// There is a queue if the quickest round trip exceeds the quickest ever by a quarter and so much: a
/// timer's and a scheduler's imprecision.
const SLACK: Duration = Duration::from_millis(5);

/// How long losses are forgiven before the experiment is made again.
///
/// It costs three tenths of the window for two or three round trips: a fiftieth of the whole at 100 ms.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an experiment showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Less sent, less lost.
    Ours,
    /// Less sent, no less lost.
    NotOurs,
}

/// The machine; packets are known by their numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Judge {
    state: State,
    /// The number of the next packet.
    next: u64,
    /// The quickest round trip so far.
    quickest: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Watching,
    /// Packets from `from` on were sent under the smaller window.
    Trying {
        from: u64,
        before: Tally,
        after: Tally,
    },
    /// So much was lost when the experiment was made; what was sent since is watched.
    Forgiving {
        known: f64,
        until: Instant,
        from: u64,
        since: Tally,
    },
}

/// What became of packets.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    acked: u32,
    lost: u32,
    quickest: Option<Duration>,
}

impl Judge {
    /// A packet was sent.
    pub(super) fn sent(&mut self, number: u64) {
        self.next = self.next.max(number.saturating_add(1));
    }

    /// A packet came, and its acknowledgement so long after it was sent.
    pub(super) fn acked(&mut self, now: Instant, number: u64, took: Duration) -> Option<Verdict> {
        self.quickest = Some(self.quickest.map_or(took, |quickest| quickest.min(took)));
        self.count(number, |tally| {
            tally.acked = tally.acked.saturating_add(1);
            tally.quickest = Some(tally.quickest.map_or(took, |quickest| quickest.min(took)));
        });
        self.conclude(now)
    }

    /// A packet did not come.
    pub(super) fn lost(&mut self, now: Instant, number: u64) -> Option<Verdict> {
        self.count(number, |tally| tally.lost = tally.lost.saturating_add(1));
        self.conclude(now)
    }

    /// Whether losses are to shrink no window now: they are not ours, or that is being found out.
    pub(super) fn forgives(&self) -> bool {
        !matches!(self.state, State::Watching)
    }

    /// From the next packet on less is sent.
    pub(super) fn try_less(&mut self) {
        self.state = State::Trying {
            from: self.next,
            before: Tally::default(),
            after: Tally::default(),
        };
    }

    /// There is nothing to find out.
    pub(super) fn drop_case(&mut self) {
        self.state = State::Watching;
    }

    fn count(&mut self, number: u64, note: impl FnOnce(&mut Tally)) {
        match &mut self.state {
            State::Watching => {}
            State::Trying {
                from,
                before,
                after,
            } => note(if number < *from { before } else { after }),
            State::Forgiving { from, since, .. } if number >= *from => note(since),
            State::Forgiving { .. } => {}
        }
    }

    fn conclude(&mut self, now: Instant) -> Option<Verdict> {
        match self.state {
            State::Trying { before, after, .. } if after.is_enough(before.all() / 2) => {
                let verdict = self.judge(before, after);
                self.state = match verdict {
                    Verdict::Ours => State::Watching,
                    Verdict::NotOurs => State::Forgiving {
                        known: before.part().max(after.part()),
                        until: now + PATIENCE,
                        from: self.next,
                        since: Tally::default(),
                    },
                };
                Some(verdict)
            }
            State::Forgiving {
                known,
                until,
                from,
                since,
            } if since.is_enough(0) => {
                let (times, more) = MORE;
                let limit = (known * times + more).min(MOST);
                self.state = if now >= until || since.part() > limit || self.queued(since) {
                    State::Watching
                } else {
                    State::Forgiving {
                        known,
                        until,
                        from: from.max(self.next),
                        since: Tally::default(),
                    }
                };
                None
            }
            _ => None,
        }
    }

    /// `before` is what was on its way under the larger window.
    fn judge(&self, before: Tally, after: Tally) -> Verdict {
        let as_much = after.lost > 1 && after.part() >= before.least() * AS_MUCH;
        let bearable = before.least() <= MOST && after.part() <= MOST;
        if as_much && bearable && !self.queued(before) {
            Verdict::NotOurs
        } else {
            Verdict::Ours
        }
    }

    fn queued(&self, tally: Tally) -> bool {
        let quickest = self.quickest.unwrap_or_default();
        let limit = quickest + quickest / 4 + SLACK;
        tally.quickest.is_some_and(|took| took > limit)
    }
}

impl Tally {
    fn is_enough(&self, least: u32) -> bool {
        self.all() >= SAMPLE.max(least)
    }

    /// The part that was lost.
    fn part(&self) -> f64 {
        f64::from(self.lost) / f64::from(self.all().max(1))
    }

    /// The same, less a standard deviation of what chance makes of it (Poisson).
    fn least(&self) -> f64 {
        let lost = f64::from(self.lost);
        (lost - lost.sqrt()) / f64::from(self.all().max(1))
    }

    fn all(&self) -> u32 {
        self.acked.saturating_add(self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(100);

    /// A path, and somebody who sends a window a round trip: one packet more after each that went well,
    /// seven tenths after one that did not, unless the judge forgives it.
    struct Path {
        /// Packets a round trip.
        width: f64,
        /// Packets that may wait.
        queue: f64,
        /// Every so many packets one is lost, whatever is sent; 0 for never.
        loses: u64,
        judge: Judge,
        window: f64,
        before: f64,
        next: u64,
        now: Instant,
        verdicts: Vec<Verdict>,
    }

    impl Path {
        fn new(width: f64, queue: f64, loses: u64) -> Self {
            Self {
                width,
                queue,
                loses,
                judge: Judge::default(),
                window: 10.0,
                before: 10.0,
                next: 0,
                now: Instant::now(),
                verdicts: Vec::new(),
            }
        }

        fn round(&mut self) {
            let waiting = (self.window - self.width).clamp(0.0, self.queue);
            let took = ROUND_TRIP.mul_f64(1.0 + waiting / self.width);
            let room = self.width + self.queue;
            let over = (self.window - room).max(0.0) / self.window;
            let first = self.next;
            self.next += self.window as u64;
            (first..self.next).for_each(|number| self.judge.sent(number));
            self.now += took;
            let mut excess = 0.0;
            let mut well = true;
            for number in first..self.next {
                excess += over;
                let mut lost = self.loses > 0 && number % self.loses == self.loses - 1;
                if excess >= 1.0 {
                    (excess, lost) = (excess - 1.0, true);
                }
                let verdict = if lost {
                    self.judge.lost(self.now, number)
                } else {
                    self.judge.acked(self.now, number, took)
                };
                self.heed(verdict);
                if lost && std::mem::take(&mut well) && !self.judge.forgives() {
                    self.before = self.window;
                    self.window = (self.window * 0.7).max(2.0);
                    self.judge.try_less();
                }
            }
            if well || self.judge.forgives() {
                self.window += 1.0;
            }
        }

        fn heed(&mut self, verdict: Option<Verdict>) {
            if verdict == Some(Verdict::NotOurs) {
                self.window = self.before;
            }
            self.verdicts.extend(verdict);
        }

        /// The mean window of the last so many rounds.
        fn mean(&mut self, rounds: u32) -> f64 {
            let mut sum = 0.0;
            for _ in 0..rounds {
                self.round();
                sum += self.window;
            }
            sum / f64::from(rounds)
        }
    }

    /// NET-601
    #[test]
    fn what_a_link_loses_anyway_is_forgiven() {
        let mut path = Path::new(1e6, 0.0, 10);
        path.mean(500);
        assert!(path.window > 400.0, "{}", path.window);
        assert!(path.verdicts.contains(&Verdict::NotOurs));
    }

    /// NET-601
    #[test]
    fn what_runs_over_a_short_queue_is_not() {
        for width in [20.0, 100.0, 1000.0] {
            let mut path = Path::new(width, width / 20.0, 0);
            // Twice what fits, as slow start may come to.
            path.window = 2.0 * width;
            path.mean(1000);
            let all_ours = path
                .verdicts
                .iter()
                .all(|verdict| *verdict == Verdict::Ours);
            assert!(all_ours && !path.verdicts.is_empty(), "{width}");
        }
    }

    #[test]
    fn a_link_that_loses_is_not_overrun() {
        let mut path = Path::new(200.0, 10.0, 10);
        path.mean(500);
        let mean = path.mean(2000);
        assert!((120.0..260.0).contains(&mean), "{mean}");
    }

    #[test]
    fn a_long_queue_is_not_filled() {
        let mut path = Path::new(200.0, 1000.0, 20);
        path.mean(500);
        let mean = path.mean(2000);
        assert!((120.0..320.0).contains(&mean), "{mean}");
    }

    #[test]
    fn nothing_is_concluded_from_little() {
        let mut judge = Judge::default();
        let now = Instant::now();
        judge.try_less();
        for number in 0..u64::from(SAMPLE) - 1 {
            judge.sent(number);
            assert_eq!(judge.acked(now, number, ROUND_TRIP), None);
        }
        judge.sent(63);
        assert_eq!(judge.lost(now, 63), Some(Verdict::Ours));
    }
}
