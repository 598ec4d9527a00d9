//! What a person sees of an own message's way: five states, and none of them lies.

use std::{fmt, str::FromStr};

use crate::outbox::Dispatch;

/// How far an own message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// It is kept here, and sent as soon as there is a way.
    Queued,
    /// Machines that hold it for the receiver have given receipts for it.
    Stored,
    /// A device of a receiver has it durably and has said so.
    Delivered,
    /// A receiver has read it.
    Read,
    /// It will not be delivered.
    Failed(Failure),
}

/// Why a message will not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// Everybody else has left the session.
    NobodyThere,
    /// This device was taken out of the session before it wrote the message.
    NotCounted,
    /// The message's own time was over before a device took it.
    Expired,
    /// It was written by a clock far ahead, and is said again by another event.
    WrittenAgain,
    /// Another device of the same person said it before this one came: that one knows whether it arrived.
    NotKnown,
}

/// A text that names no state that can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a state to wait for: it is one of queued, stored, delivered, read")]
pub struct UnknownState;

impl State {
    /// The state of a message (`DEL-6`).
    ///
    /// `read` says whether the read position of a receiver covers the message. What a receiver
    /// has, it has: a failure that is noted later takes nothing back.
    pub const fn of(dispatch: &Dispatch, read: bool) -> Self {
        match dispatch.failure {
            _ if read => Self::Read,
            _ if dispatch.acknowledged > 0 => Self::Delivered,
            Some(failure) => Self::Failed(failure),
            None => Self::Queued,
        }
    }

    /// The name by which scripts know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Stored => "stored",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed(_) => "failed",
        }
    }

    /// Why it failed, if it did.
    pub const fn failure(self) -> Option<Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// Whether a message in this state is at least as far as `wanted` (`DEL-7`).
    ///
    /// A failed message reaches nothing, and failure is never reached by waiting.
    pub fn reaches(self, wanted: Self) -> bool {
        matches!((self.rank(), wanted.rank()), (Some(is), Some(wanted)) if is >= wanted)
    }

    const fn rank(self) -> Option<u8> {
        match self {
            Self::Queued => Some(0),
            Self::Stored => Some(1),
            Self::Delivered => Some(2),
            Self::Read => Some(3),
            Self::Failed(_) => None,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for State {
    type Err = UnknownState;

    /// The state of this name, to wait for.
    fn from_str(name: &str) -> Result<Self, UnknownState> {
        let states = [Self::Queued, Self::Stored, Self::Delivered, Self::Read];
        states
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or(UnknownState)
    }
}

impl Failure {
    /// The number that is stored.
    pub const fn code(self) -> u8 {
        match self {
            Self::NobodyThere => 1,
            Self::NotCounted => 2,
            Self::Expired => 3,
            Self::WrittenAgain => 4,
            Self::NotKnown => 5,
        }
    }

    /// Back from the stored number.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::NobodyThere),
            2 => Some(Self::NotCounted),
            3 => Some(Self::Expired),
            4 => Some(Self::WrittenAgain),
            5 => Some(Self::NotKnown),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NobodyThere => {
                "nobody else is in this session any more; the message is kept here"
            }
            Self::NotCounted => {
                "this device was no longer in the session when it wrote this; the message is kept \
                 here, send it again elsewhere"
            }
            Self::Expired => {
                "its time was over before anybody took it; send it again if it matters"
            }
            Self::WrittenAgain => {
                "this machine's clock was far ahead; the message was written again under another id"
            }
            Self::NotKnown => {
                "it was said before this device came in; whether it arrived is known where it was said"
            }
        })
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

    const FAILURES: [Failure; 5] = [
        Failure::NobodyThere,
        Failure::NotCounted,
        Failure::Expired,
        Failure::WrittenAgain,
        Failure::NotKnown,
    ];

    fn dispatch(acknowledged: u32, failure: Option<Failure>) -> Dispatch {
        Dispatch {
            copies: 2,
            acknowledged,
            failure,
        }
    }

    /// DEL-6.
    #[test]
    fn a_state_says_what_happened_and_no_more() {
        let expired = Some(Failure::Expired);
        assert_eq!(State::of(&dispatch(0, None), false), State::Queued);
        assert_eq!(State::of(&dispatch(1, None), false), State::Delivered);
        assert_eq!(State::of(&dispatch(2, None), true), State::Read);
        assert_eq!(
            State::of(&dispatch(0, expired), false),
            State::Failed(Failure::Expired)
        );
        assert_eq!(State::of(&dispatch(1, expired), false), State::Delivered);
    }

    /// A position that covers the message may come before the acknowledgement does.
    #[test]
    fn what_was_read_was_delivered() {
        let state = State::of(&dispatch(0, None), true);
        assert!(state.reaches(State::Delivered));
    }

    /// DEL-7.
    #[test]
    fn waiting_goes_along_the_states_and_never_ends_in_failure() {
        let order = [State::Queued, State::Stored, State::Delivered, State::Read];
        for (i, state) in order.iter().enumerate() {
            for (j, wanted) in order.iter().enumerate() {
                assert_eq!(state.reaches(*wanted), i >= j, "{state} for {wanted}");
            }
            let failed = State::Failed(Failure::Expired);
            assert!(!failed.reaches(*state) && !state.reaches(failed));
        }
    }

    #[test]
    fn names_are_read_back() {
        for name in ["queued", "stored", "delivered", "read"] {
            assert_eq!(name.parse::<State>().unwrap().to_string(), name);
        }
        for name in ["failed", "Queued", "", "sent"] {
            assert_eq!(name.parse::<State>(), Err(UnknownState));
        }
        assert_eq!(State::Failed(Failure::Expired).to_string(), "failed");
    }

    #[test]
    fn failures_are_stored_as_numbers() {
        for failure in FAILURES {
            assert_eq!(Failure::from_code(failure.code()), Some(failure));
        }
        assert_eq!(FAILURES.map(Failure::code), [1, 2, 3, 4, 5]);
        assert_eq!(Failure::from_code(0), None);
        assert_eq!(Failure::from_code(6), None);
    }
}
