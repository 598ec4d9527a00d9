//! Where devices stand: points on one line for each session, spans of it, and who goes first.

use std::fmt;

use minicbor::{Decode, Encode};
use tenet_identity::{domain::derive, keys::DeviceId};
use tenet_log::ids::SessionId;

use crate::domain::{FANOUT_NEARNESS, FANOUT_POINT, FANOUT_RANK};

/// How long one order of ranks holds, in milliseconds: an hour.
///
/// A guess between two costs. Who forwards keeps connections to its children, and those are warm for all that is said
/// within a turn, whoever says it; with the turn the load goes to others.
pub const TURN_MS: u64 = 60 * 60 * 1_000;

/// Where a device stands on the line of a session (`FAN-1`).
///
/// Everybody who knows the device computes the same, whatever else they know of the roster.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Point(#[n(0)] pub u64);

/// A part of the line, both ends included; empty if it ends before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Span {
    /// The first point in it.
    #[n(0)]
    pub first: Point,
    /// The last point in it.
    #[n(1)]
    pub last: Point,
}

/// The hour in which an event was said: whose turn it is to forward (`FAN-2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn(u64);

impl Point {
    /// The first 8 bytes of BLAKE3 over session and device.
    pub fn of(session: SessionId, device: DeviceId) -> Self {
        let hash = derive(FANOUT_POINT, &[session.as_bytes(), device.as_bytes()]);
        Self(beginning(hash))
    }

    /// The point before this one, if there is one.
    pub(super) fn before(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Span {
    /// The whole line.
    pub const ALL: Self = Self {
        first: Point(0),
        last: Point(u64::MAX),
    };

    /// Whether a point lies in it.
    pub fn contains(self, point: Point) -> bool {
        self.first <= point && point <= self.last
    }

    /// Whether all of another span lies in it.
    pub fn covers(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }
}

impl Turn {
    /// The turn of a time in Unix milliseconds: that of the event, never that of a reader's clock.
    pub const fn of(time: u64) -> Self {
        Self(time / TURN_MS)
    }

    /// Who goes first: the smaller rank.
    pub fn rank(self, point: Point) -> u64 {
        let hash = derive(
            FANOUT_RANK,
            &[&self.0.to_be_bytes(), &point.0.to_be_bytes()],
        );
        beginning(hash)
    }

    /// How near two points are to each other in this turn, whoever of the two asks: the smaller, the nearer (`FAN-16`).
    pub fn nearness(self, one: Point, other: Point) -> u64 {
        let (low, high) = (one.min(other), one.max(other));
        let parts = [self.0, low.0, high.0].map(u64::to_be_bytes);
        beginning(derive(
            FANOUT_NEARNESS,
            &parts.each_ref().map(<[u8; 8]>::as_slice),
        ))
    }

    /// When this turn is over, in Unix milliseconds.
    pub const fn end(self) -> u64 {
        self.0.saturating_add(1).saturating_mul(TURN_MS)
    }
}

fn beginning(hash: [u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = hash;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FAN-1, FAN-2: what everybody computes alike.
    #[test]
    fn points_and_ranks_are_these() {
        let point = Point::of([1; 32].into(), [2; 32].into());
        assert_eq!(format!("{point:?}"), "59bca708f94837a7");
        let turn = Turn::of(1_800_000_000_000);
        assert_eq!(turn, Turn::of(1_800_000_000_000 + TURN_MS - 1));
        assert_ne!(turn, Turn::of(1_800_000_000_000 + TURN_MS));
        assert_eq!(format!("{:016x}", turn.rank(point)), "be304128d20225c0");
    }

    #[test]
    fn spans_hold_both_their_ends() {
        let span = Span {
            first: Point(3),
            last: Point(5),
        };
        let held = [2, 3, 5, 6].map(|at| span.contains(Point(at)));
        assert_eq!(held, [false, true, true, false]);
        assert!(Span::ALL.covers(span) && !span.covers(Span::ALL));
    }
}
