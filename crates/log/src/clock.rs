//! The hybrid logical clock: wall time where it is honest, causality always.
//!
//! An [`Hlc`] is 48 bits of Unix milliseconds and 16 bits of counter, as in Kulkarni et al.,
//! "Logical Physical Clocks" (2014). A new event's time exceeds that of everything its author had
//! seen, so sorting by time never puts an answer before its question.

use minicbor::{Decode, Encode};

/// How far ahead of our own clock an event may be before it waits in quarantine, in milliseconds.
///
/// Ten minutes: phones with a wrong zone are hours off, phones without a network are seconds off.
pub const MAX_AHEAD_MS: u64 = 10 * 60 * 1000;

/// How far ahead of the clock a chain may be before it is given up (LOG-14), in milliseconds.
///
/// A day: what waits less arrives by itself, and whoever looks at the clock notices a day.
pub const FAR_AHEAD_MS: u64 = 24 * 60 * 60 * 1000;

const COUNTER_BITS: u32 = 16;

/// A point of hybrid logical time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Hlc(#[n(0)] u64);

impl Hlc {
    /// Later than all that can be said.
    pub const MAX: Self = Self(u64::MAX);

    /// The first moment of a millisecond (Unix time).
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis << COUNTER_BITS)
    }

    /// From the number that travels and is stored.
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The number that travels and is stored.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// Unix milliseconds, without the counter.
    pub const fn millis(self) -> u64 {
        self.0 >> COUNTER_BITS
    }

    /// The least time that is later than `self` and not before `now` (Unix milliseconds).
    pub fn next(self, now: u64) -> Self {
        Self(self.0.saturating_add(1)).max(Self::from_millis(now))
    }

    /// Whether this is further ahead of `now` (Unix milliseconds) than we accept.
    pub fn is_too_early(self, now: u64) -> bool {
        self.millis() > now.saturating_add(MAX_AHEAD_MS)
    }

    /// Whether this is so far ahead of `now` (Unix milliseconds) that waiting for it is no use.
    pub fn is_far_ahead(self, now: u64) -> bool {
        self.millis() > now.saturating_add(FAR_AHEAD_MS)
    }

    /// When (Unix milliseconds) this stops being too early.
    pub fn acceptable_from(self) -> u64 {
        self.millis().saturating_sub(MAX_AHEAD_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_is_later_than_both() {
        let past = Hlc::from_millis(1_000);
        assert_eq!(past.next(5_000), Hlc::from_millis(5_000));
        assert_eq!(past.next(500).raw(), past.raw() + 1);
        assert!(past.next(1_000) > past);
    }

    #[test]
    fn quarantine_begins_after_ten_minutes() {
        let now = 1_000_000;
        assert!(!Hlc::from_millis(now + MAX_AHEAD_MS).is_too_early(now));
        let early = Hlc::from_millis(now + MAX_AHEAD_MS + 1);
        assert!(early.is_too_early(now));
        assert!(!early.is_too_early(early.acceptable_from()));
        assert!(!Hlc::from_millis(now + FAR_AHEAD_MS).is_far_ahead(now));
        assert!(Hlc::from_millis(now + FAR_AHEAD_MS + 1).is_far_ahead(now));
    }
}
