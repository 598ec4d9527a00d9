//! Which of many: one bit for each, over a list that both ends compute for themselves.

use minicbor::{Decode, Encode, bytes::ByteVec};
use tenet_identity::domain::derive;

use super::point::Point;
use crate::domain::FANOUT_CHECK;

/// The most members that marks are over: 8 KiB of bits, more than the devices of the largest session.
pub const MAX_MARKED: usize = 65_536;

/// One bit for each member of a span, ascending by point, and of which members (`FAN-11`).
///
/// Positions mean the same only to those who see the same members; the check tells. Where rosters differ only the
/// number counts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Marks {
    /// Of the points of all members, in order.
    #[n(0)]
    check: u32,
    /// The first member is the lowest bit of the first byte; no byte of zeros at the end.
    #[n(1)]
    bits: ByteVec,
}

impl Marks {
    /// Marks of members, ascending by point.
    pub fn new(members: impl IntoIterator<Item = (Point, bool)>) -> Self {
        let (mut points, mut bits) = (Vec::new(), Vec::new());
        for (at, (point, set)) in members.into_iter().enumerate() {
            points.extend_from_slice(&point.0.to_be_bytes());
            if set {
                bits.resize(at / 8 + 1, 0);
                if let Some(last) = bits.last_mut() {
                    *last |= 1_u8 << (at % 8);
                }
            }
        }
        Self {
            check: check(&points),
            bits: ByteVec::from(bits),
        }
    }

    /// Whether they are over exactly these members.
    pub fn is_over(&self, members: impl IntoIterator<Item = Point>) -> bool {
        let mut points = Vec::new();
        for point in members {
            points.extend_from_slice(&point.0.to_be_bytes());
        }
        self.check == check(&points) && self.bits.len() <= points.len() / 8 / 8 + 1
    }

    /// How many are marked.
    pub fn count(&self) -> usize {
        let ones = self.bits.iter().map(|byte| byte.count_ones());
        usize::try_from(ones.sum::<u32>()).unwrap_or(usize::MAX)
    }

    /// For each member in turn whether it is marked; without an end.
    pub fn bits(&self) -> impl Iterator<Item = bool> {
        let bytes = self.bits.iter().copied().chain(std::iter::repeat(0));
        bytes.flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1))
    }

    /// Whether they have the one form, and are not over more than [`MAX_MARKED`].
    pub(super) fn is_sound(&self) -> bool {
        self.bits.len() <= MAX_MARKED / 8 && self.bits.last() != Some(&0)
    }
}

fn check(points: &[u8]) -> u32 {
    let [a, b, c, d, ..] = derive(FANOUT_CHECK, &[points]);
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use proptest::prelude::*;

    use super::*;
    use crate::fanout::{
        line::{Hope, Line, Member},
        point::Span,
    };

    fn line(points: impl IntoIterator<Item = u64>) -> Line {
        Line::new(points.into_iter().map(|at| Member {
            point: Point(at),
            hope: Hope::Likely,
        }))
    }

    proptest! {
        /// FAN-11: who sees the same members reads who was marked; who does not reads how many.
        #[test]
        fn marks_are_read_over_the_members_they_were_made_over(
            points in prop::collection::btree_set(any::<u64>(), 1..200), every in 1_u64..5, further: u64,
        ) {
            let here = line(points.iter().copied());
            let marks = here.mark(Span::ALL, |point| point.0 % every == 0);
            let expected: Vec<Point> = points.iter().filter(|at| *at % every == 0).map(|at| Point(*at)).collect();
            prop_assert_eq!(marks.count(), expected.len());
            let read: Vec<Point> = here.marked(Span::ALL, &marks).unwrap().collect();
            prop_assert_eq!(read, expected);
            prop_assume!(!points.contains(&further));
            let other = line(points.iter().copied().chain([further]));
            prop_assert!(other.marked(Span::ALL, &marks).is_none());
        }
    }
}
