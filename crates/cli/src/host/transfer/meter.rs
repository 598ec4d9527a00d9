//! How far a transfer is, and how fast it goes.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Over how long the rate is taken: steady enough to read, quick enough to show a stop.
const WINDOW: Duration = Duration::from_secs(2);

/// Bytes done, and bytes a second.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    done: u64,
    came: u64,
    /// Where the window began and what was done then, and the same of the window before.
    marks: [Option<(Instant, u64)>; 2],
}

impl Meter {
    /// So much is done before anything moves.
    pub(super) fn start(&self, done: u64) {
        let mut state = self.lock();
        state.done = done;
        state.marks = [Some((Instant::now(), done)), None];
    }

    /// So much is done now.
    pub(super) fn reach(&self, done: u64) {
        self.lock().reach(Instant::now(), done);
    }

    /// So much more is done now.
    pub(super) fn add(&self, bytes: u64) {
        let mut state = self.lock();
        let done = state.done.saturating_add(bytes);
        state.reach(Instant::now(), done);
    }

    /// So many bytes came over the network for it.
    pub(super) fn take(&self, bytes: u64) {
        let mut state = self.lock();
        state.came = state.came.saturating_add(bytes);
    }

    /// How many bytes came over the network, with what proves them and what came before.
    pub(super) fn came(&self) -> u64 {
        self.lock().came
    }

    /// How much is done.
    pub(super) fn done(&self) -> u64 {
        self.lock().done
    }

    /// Bytes a second over the last seconds.
    pub(super) fn rate(&self) -> u64 {
        self.lock().rate(Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn reach(&mut self, now: Instant, done: u64) {
        let [begun, _] = self.marks;
        if begun.is_none_or(|(at, _)| now.duration_since(at) >= WINDOW) {
            self.marks = [Some((now, self.done)), begun];
        }
        self.done = done;
    }

    fn rate(&self, now: Instant) -> u64 {
        let [begun, before] = self.marks;
        let Some((at, then)) = before.or(begun) else {
            return 0;
        };
        let seconds = now.duration_since(at).as_secs_f64();
        if seconds > 0.0 {
            (self.done.saturating_sub(then) as f64 / seconds) as u64
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_transfer_shows_its_rate_and_a_stopped_one_slows() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut state = State::default();
        assert_eq!(state.rate(start), 0);
        for step in 0..100 {
            state.reach(at(step * 100), step * 1000);
        }
        let steady = state.rate(at(9_900));
        assert!((9_000..=10_500).contains(&steady), "{steady}");
        assert!(state.rate(at(60_000)) < 1000);
    }
}
