//! One endpoint: its state, and how long to wait.

use rand_core::CryptoRng;

use super::{FIRST_WAIT_MS, LASTING_MS, LEAST_GAP_MS, LONGEST_WAIT_MS};

/// More doublings of the first wait than the longest wait has.
const MAX_DOUBLINGS: u32 = 16;

/// An endpoint, and how it went so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) state: State,
    /// When the latest dial began.
    pub(super) dialled: Option<u64>,
    failures: u32,
}

/// Where an endpoint stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    /// It is not dialled before `until`.
    Waiting { until: u64 },
    /// A dial is under way; `news` came meanwhile, so that failing says little. At `again` the dial
    /// is to take further addresses.
    Dialling { news: bool, again: Option<u64> },
    /// A dial is under way to an endpoint that is not wanted any more.
    Abandoned,
    /// A connection stands, perhaps with an endpoint that is not wanted.
    Connected { since: u64, wanted: bool },
}

/// Whether anything about a peer is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Yes,
    No,
}

impl Peer {
    /// One that is wanted.
    pub(super) fn new(now: u64) -> Self {
        Self::at(State::Waiting { until: now })
    }

    /// One that has called, and is not wanted so far.
    pub(super) fn calling(now: u64) -> Self {
        Self::at(State::Connected {
            since: now,
            wanted: false,
        })
    }

    fn at(state: State) -> Self {
        Self {
            state,
            dialled: None,
            failures: 0,
        }
    }

    pub(super) fn want(&mut self) -> Keep {
        match &mut self.state {
            State::Abandoned => {
                self.state = State::Dialling {
                    news: true,
                    again: None,
                };
            }
            State::Connected { wanted, .. } => *wanted = true,
            State::Waiting { .. } | State::Dialling { .. } => {}
        }
        Keep::Yes
    }

    pub(super) fn forget(&mut self) -> Keep {
        match &mut self.state {
            State::Waiting { .. } => return Keep::No,
            State::Connected { wanted, .. } => *wanted = false,
            State::Dialling { .. } | State::Abandoned => self.state = State::Abandoned,
        }
        Keep::Yes
    }

    pub(super) fn connected(&mut self, now: u64) -> Keep {
        let wanted = match self.state {
            State::Connected { .. } => return Keep::Yes,
            State::Abandoned => false,
            State::Waiting { .. } | State::Dialling { .. } => true,
        };
        self.state = State::Connected { since: now, wanted };
        Keep::Yes
    }

    pub(super) fn lost<R: CryptoRng + ?Sized>(&mut self, now: u64, rng: &mut R) -> Keep {
        let State::Connected { since, wanted } = self.state else {
            return Keep::Yes;
        };
        if !wanted {
            return Keep::No;
        }
        if now.saturating_sub(since) >= LASTING_MS {
            self.failures = 0;
            self.at_once(now);
        } else {
            self.back_off(now, rng);
        }
        Keep::Yes
    }

    pub(super) fn unmet<R: CryptoRng + ?Sized>(&mut self, now: u64, rng: &mut R) -> Keep {
        match self.state {
            State::Connected { wanted: false, .. } => return Keep::No,
            State::Connected { wanted: true, .. } => self.back_off(now, rng),
            _ => {}
        }
        Keep::Yes
    }

    pub(super) fn dial_failed<R: CryptoRng + ?Sized>(&mut self, now: u64, rng: &mut R) -> Keep {
        match self.state {
            State::Abandoned => return Keep::No,
            State::Dialling { news: true, .. } => self.at_once(now),
            State::Dialling { news: false, .. } => self.back_off(now, rng),
            State::Waiting { .. } | State::Connected { .. } => {}
        }
        Keep::Yes
    }

    /// Something changed that makes a dial worth while, but not where the endpoint is met.
    pub(super) fn news(&mut self, now: u64) -> Keep {
        match &mut self.state {
            State::Waiting { .. } => {
                self.failures = 0;
                self.at_once(now);
            }
            State::Dialling { news, .. } => {
                self.failures = 0;
                *news = true;
            }
            State::Abandoned | State::Connected { .. } => {}
        }
        Keep::Yes
    }

    /// The endpoint may be met elsewhere: a dial under way shall hear of it too (`DEL-10`).
    pub(super) fn moved(&mut self, now: u64) -> Keep {
        let earliest = self.earliest(now);
        if let State::Dialling { again, .. } = &mut self.state {
            again.get_or_insert(earliest);
        }
        self.news(now)
    }

    /// A dial begins, or takes further addresses.
    pub(super) fn dial(&mut self, now: u64) -> Keep {
        let news = matches!(self.state, State::Dialling { news: true, .. });
        self.state = State::Dialling { news, again: None };
        self.dialled = Some(now);
        Keep::Yes
    }

    /// Since when, or from when, it is to be dialled.
    pub(super) fn due(&self) -> Option<u64> {
        match self.state {
            State::Waiting { until } => Some(until),
            _ => None,
        }
    }

    /// Since when, or from when, the dial under way is to take further addresses.
    pub(super) fn due_again(&self) -> Option<u64> {
        match self.state {
            State::Dialling { again, .. } => again,
            _ => None,
        }
    }

    pub(super) fn is_dialling(&self) -> bool {
        matches!(self.state, State::Dialling { .. } | State::Abandoned)
    }

    /// Lets no time of a clock that was set back since lie further ahead than it could have been.
    pub(super) fn clamp(&mut self, now: u64) -> Keep {
        match &mut self.state {
            State::Waiting { until } => *until = (*until).min(now.saturating_add(LONGEST_WAIT_MS)),
            State::Connected { since, .. } => *since = (*since).min(now),
            State::Dialling { again, .. } => {
                *again = again.map(|again| again.min(now.saturating_add(LEAST_GAP_MS)));
            }
            State::Abandoned => {}
        }
        self.dialled = self.dialled.map(|dialled| dialled.min(now));
        Keep::Yes
    }

    /// DEL-10: as soon as the least gap allows, and not later than it was due anyway.
    fn at_once(&mut self, now: u64) {
        let earliest = self.earliest(now);
        let until = self.due().map_or(earliest, |until| until.min(earliest));
        self.state = State::Waiting { until };
    }

    fn earliest(&self, now: u64) -> u64 {
        self.dialled
            .map_or(now, |last| last.saturating_add(LEAST_GAP_MS).max(now))
    }

    /// DEL-9: twice as long as the last time, and a random part of it less.
    fn back_off<R: CryptoRng + ?Sized>(&mut self, now: u64, rng: &mut R) {
        let step = (FIRST_WAIT_MS << self.failures.min(MAX_DOUBLINGS)).min(LONGEST_WAIT_MS);
        self.failures = self.failures.saturating_add(1);
        let wait = step - rng.next_u64() % (step / 2 + 1);
        self.state = State::Waiting {
            until: now.saturating_add(wait).max(self.earliest(now)),
        };
    }
}
