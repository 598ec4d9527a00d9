//! Which parts of a blob: a set of groups, spoken of in bytes.

use std::ops::Range;

use bao_tree::{ChunkNum, ChunkRanges};

use crate::tree::GROUP;

/// Parts of a blob's sealed form, in whole groups of 64 KiB.
///
/// Both ends of a transfer must mean the same set, so bytes are rounded outward to groups here and
/// nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges(ChunkRanges);

impl Ranges {
    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self(ChunkRanges::empty())
    }

    /// The groups in which these bytes of the sealed form lie.
    #[must_use]
    pub fn of(bytes: Range<u64>) -> Self {
        if bytes.is_empty() {
            return Self::none();
        }
        let first = bytes.start / GROUP * CHUNKS;
        let end = bytes.end.div_ceil(GROUP).saturating_mul(CHUNKS);
        Self(ChunkRanges::from(ChunkNum(first)..ChunkNum(end)))
    }

    /// All of a blob of this sealed size.
    #[must_use]
    pub fn whole(size: u64) -> Self {
        Self::of(0..size)
    }

    /// Takes these in too.
    pub fn add(&mut self, other: &Self) {
        self.0.union_with(&other.0);
    }

    /// What is in this and not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0))
    }

    /// What is in both.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0))
    }

    /// Whether all of the other is in this.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first of it, at most this many groups: a piece to ask one source for.
    #[must_use]
    pub fn first(&self, groups: u64) -> Self {
        let mut taken = Self::none();
        let mut left = groups;
        for bytes in self.iter() {
            let here = (bytes.end - bytes.start) / GROUP;
            let some = here.min(left);
            taken.add(&Self::of(bytes.start..bytes.start + some * GROUP));
            left -= some;
        }
        taken
    }

    /// The ranges in order, in bytes: multiples of 64 KiB, disjoint, never touching. The last may end
    /// behind the blob's end.
    pub fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        let (pairs, _) = self.0.boundaries().as_chunks::<2>();
        pairs
            .iter()
            .map(|[start, end]| start.to_bytes()..end.to_bytes())
    }

    /// How many bytes of a blob of this sealed size they are.
    #[must_use]
    pub fn bytes(&self, size: u64) -> u64 {
        let inside = self
            .iter()
            .map(|range| range.start.min(size)..range.end.min(size));
        inside.map(|range| range.end - range.start).sum()
    }

    pub(crate) fn chunks(&self) -> &ChunkRanges {
        &self.0
    }
}

impl FromIterator<Range<u64>> for Ranges {
    fn from_iter<T: IntoIterator<Item = Range<u64>>>(ranges: T) -> Self {
        let mut all = Self::none();
        for range in ranges {
            all.add(&Self::of(range));
        }
        all
    }
}

/// Chunks of BLAKE3, of 1 KiB, in a group.
const CHUNKS: u64 = GROUP / 1024;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use std::collections::BTreeSet;

    use super::*;

    /// The same set, group by group.
    fn model(ranges: &[Range<u64>]) -> BTreeSet<u64> {
        let all = ranges.iter().filter(|range| !range.is_empty());
        all.flat_map(|range| range.start / GROUP..range.end.div_ceil(GROUP))
            .collect()
    }

    fn groups(ranges: &Ranges) -> BTreeSet<u64> {
        model(&ranges.iter().collect::<Vec<_>>())
    }

    fn any() -> impl Strategy<Value = Vec<Range<u64>>> {
        let end = 20 * GROUP;
        prop::collection::vec((0..end, 0..end).prop_map(|(a, b)| a..b), 0..6)
    }

    #[test]
    fn ends_of_the_numbers_do_no_harm() {
        let all = Ranges::of(0..u64::MAX);
        assert_eq!(all.bytes(u64::MAX), u64::MAX);
        assert!(all.covers(&Ranges::of(u64::MAX - 1..u64::MAX)));
        assert_eq!(Ranges::of(5..5), Ranges::none());
    }

    proptest! {
        #[test]
        fn they_are_sets_of_groups(a in any(), b in any(), few in 0..10_u64) {
            let (left, right) = (model(&a), model(&b));
            let a: Ranges = a.into_iter().collect();
            let b: Ranges = b.into_iter().collect();
            let mut both = a.clone();
            both.add(&b);
            prop_assert_eq!(groups(&both), &left | &right);
            prop_assert_eq!(groups(&a.without(&b)), &left - &right);
            prop_assert_eq!(groups(&a.common(&b)), &left & &right);
            prop_assert_eq!(a.covers(&b), right.is_subset(&left));
            prop_assert_eq!(a.is_empty(), left.is_empty());
            let first: BTreeSet<_> = left.iter().copied().take(few as usize).collect();
            prop_assert_eq!(groups(&a.first(few)), first);
            prop_assert_eq!(a.bytes(u64::MAX), left.len() as u64 * GROUP);
        }
    }
}
