//! Wrong PINs slow down, across restarts too.
//!
//! This slows down a person at the keyboard. Whoever can copy the home and the machine secret
//! tries PINs at Argon2id's pace instead, and is not stopped by a counter.

use crate::encoding;

/// How often a wrong PIN was given since the last right one; stored before the next is tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Attempts {
    #[n(0)]
    failed: u32,
    #[n(1)]
    last_failed_ms: u64,
}

/// At how many wrong PINs the waits begin: anybody mistypes once or twice.
const FREE: u32 = 3;
const FIRST_WAIT_MS: u64 = 1000;
const LONGEST_WAIT_MS: u64 = 60 * 60 * 1000;

impl Attempts {
    /// How many wrong PINs there were in a row.
    pub fn failed(&self) -> u32 {
        self.failed
    }

    /// Counts a wrong PIN at `now_ms`.
    pub fn fail(&mut self, now_ms: u64) {
        self.failed = self.failed.saturating_add(1);
        self.last_failed_ms = now_ms;
    }

    /// Forgets the wrong PINs: the right one was given.
    pub fn succeed(&mut self) {
        *self = Self::default();
    }

    /// The moment until which no PIN may be tried, in the clock of `now_ms`; none if one may.
    ///
    /// No wait after the first two wrong PINs; after the third a second, then two, four, up to an
    /// hour (PIN-1). A clock set back never shortens a wait (PIN-2): it then lasts in full from `now_ms`, and
    /// [`Self::rebase`] makes that moment the one from which it counts.
    pub fn wait_until(&self, now_ms: u64) -> Option<u64> {
        let from = self.last_failed_ms.min(now_ms);
        let until = from.saturating_add(self.wait_ms());
        (now_ms < until).then_some(until)
    }

    /// Adopts a clock that was set back, so that the wait ends; store the result if it is `true`.
    pub fn rebase(&mut self, now_ms: u64) -> bool {
        let set_back = now_ms < self.last_failed_ms;
        self.last_failed_ms = self.last_failed_ms.min(now_ms);
        set_back
    }

    /// The stored form.
    pub fn to_bytes(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`encoding::Error`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, encoding::Error> {
        encoding::decode(bytes)
    }

    fn wait_ms(&self) -> u64 {
        match self.failed.checked_sub(FREE) {
            None => 0,
            Some(doublings) => 1_u64
                .checked_shl(doublings)
                .map_or(LONGEST_WAIT_MS, |factor| {
                    FIRST_WAIT_MS.saturating_mul(factor)
                })
                .min(LONGEST_WAIT_MS),
        }
    }
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
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn attempts_snapshot() {
        let attempts = failed(5);
        assert_eq!(
            HEXLOWER.encode(&attempts.to_bytes()),
            "a20005011b000001a3185c5000"
        );
        assert_eq!(
            Attempts::from_bytes(&attempts.to_bytes()).unwrap(),
            attempts
        );
    }

    /// PIN-1.
    #[test]
    fn waits_longer_each_time_up_to_an_hour() {
        let seconds: Vec<u64> = (0..20)
            .map(|times| {
                failed(times)
                    .wait_until(NOW)
                    .map_or(0, |until| (until - NOW) / 1000)
            })
            .collect();
        let expected = [
            0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600, 3600,
            3600,
        ];
        assert_eq!(seconds, expected);
        for times in [1000, u32::MAX] {
            let attempts = Attempts {
                failed: times,
                last_failed_ms: NOW,
            };
            assert_eq!(attempts.wait_until(NOW), Some(NOW + LONGEST_WAIT_MS));
        }
    }

    /// PIN-1.
    #[test]
    fn ends_on_time_and_is_forgotten_after_the_right_pin() {
        let mut attempts = failed(4);
        assert_eq!(attempts.wait_until(NOW + 1999), Some(NOW + 2000));
        assert_eq!(attempts.wait_until(NOW + 2000), None);
        attempts.succeed();
        assert_eq!(attempts, Attempts::default());
        assert_eq!(attempts.wait_until(0), None);
    }

    /// PIN-2.
    #[test]
    fn a_clock_set_back_restarts_the_wait_in_full() {
        let mut attempts = failed(4);
        let earlier = NOW - 1_000_000;
        assert_eq!(attempts.wait_until(earlier), Some(earlier + 2000));
        assert!(attempts.rebase(earlier));
        assert_eq!(attempts.wait_until(earlier + 1999), Some(earlier + 2000));
        assert_eq!(attempts.wait_until(earlier + 2000), None);
        assert!(!attempts.rebase(earlier + 2000));
    }

    proptest! {
        #[test]
        fn round_trips_and_never_panics(
            failed in any::<u32>(), last_failed_ms in any::<u64>(), now in any::<u64>(),
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut attempts = Attempts { failed, last_failed_ms };
            prop_assert_eq!(Attempts::from_bytes(&attempts.to_bytes()).unwrap(), attempts);
            attempts.wait_until(now);
            attempts.rebase(now);
            attempts.fail(now);
            let _ = Attempts::from_bytes(&bytes);
        }
    }

    fn failed(times: u32) -> Attempts {
        let mut attempts = Attempts::default();
        (0..times).for_each(|_| attempts.fail(NOW));
        attempts
    }
}
