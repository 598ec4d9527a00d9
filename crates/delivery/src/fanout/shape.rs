//! How deep and how wide: the numbers of a plan, which follow from how many are online.

/// The most copies of one event that a device sends (`FAN-3`).
///
/// 60 copies of a message of 500 bytes leave a home's uplink of 10 Mbit/s in 25 ms.
pub const MAX_COPIES: usize = 60;

/// The most copies that a plan gives a device; the others are for what goes wrong.
pub const PLANNED_COPIES: usize = 52;

/// The least parents of whoever is below the first level (`FAN-4`).
pub const LEAST_PARENTS: usize = 3;

/// The most: with 5 of whom a fifth dies, 3 in 10,000 spans lose all of them.
pub const MOST_PARENTS: usize = 5;

/// The most devices of a session that needs no plan: whoever says something sends it to all whom it is connected with.
pub const FEW: usize = 10;

/// The most members of a small session.
pub const SMALL: usize = 50;

/// The copies that the author sends in a small session.
pub const SMALL_WIDTH: usize = 10;

/// The levels beyond which no plan goes: three reach 15,000.
const MAX_DEPTH: u32 = 6;

/// How a span with so many online is divided (`FAN-5`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Levels below the forwarder; at 1 it sends to everybody itself.
    pub depth: u32,
    /// The heads of each part, where there are parts.
    pub parents: usize,
    /// The parts; none on the last level.
    pub parts: usize,
}

/// How many copies an author sends to begin with, in a session of so many devices: about the square root of them.
pub fn first_width(devices: usize) -> usize {
    match devices {
        0..=SMALL => SMALL_WIDTH,
        _ => root(devices).min(PLANNED_COPIES),
    }
}

impl Shape {
    /// For so many devices of whom some are online, and of those so many `below` the heads, of whom one sends at most
    /// `width` copies; all others send at most [`PLANNED_COPIES`].
    ///
    /// How many are online is rounded up to eighths of the devices, so that two who see it a little differently
    /// divide alike.
    ///
    /// As few levels as [`LEAST_PARENTS`] allow; as many parents as these levels allow; then as few copies for each as
    /// that allows.
    pub fn of(devices: usize, online: usize, below: usize, width: usize) -> Self {
        let width = width.clamp(LEAST_PARENTS, PLANNED_COPIES);
        if below <= width {
            return Self {
                depth: 1,
                parents: 0,
                parts: 0,
            };
        }
        let eighths = (online * 8).div_ceil(devices.max(1));
        let online = (eighths * devices).div_ceil(8).max(online);
        let reaches = |depth, parents, copies: usize| {
            reach(depth, parents, copies.min(width), copies) >= online
        };
        let depth = (2..MAX_DEPTH)
            .find(|depth| reaches(*depth, LEAST_PARENTS, PLANNED_COPIES))
            .unwrap_or(MAX_DEPTH);
        let parents = (LEAST_PARENTS..=MOST_PARENTS)
            .rev()
            .find(|parents| reaches(depth, *parents, PLANNED_COPIES))
            .unwrap_or(LEAST_PARENTS);
        let copies = (parents..PLANNED_COPIES)
            .find(|copies| reaches(depth, parents, *copies))
            .unwrap_or(PLANNED_COPIES);
        Self {
            depth,
            parents,
            parts: (copies.min(width) / parents).max(2),
        }
    }
}

/// How many are reached over two levels or more, by one who sends `first` copies and others who send `copies`.
fn reach(depth: u32, parents: usize, first: usize, copies: usize) -> usize {
    let last = parents + copies;
    let inner = (2..depth).fold(last, |below, _| (copies / parents).saturating_mul(below));
    (first / parents).saturating_mul(inner)
}

/// The least number whose square is not less.
fn root(number: usize) -> usize {
    let root = number.isqrt();
    root + usize::from(root * root < number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// FAN-5: the figures of the page.
    #[test]
    fn sessions_have_these_shapes() {
        for (devices, online, expected) in [
            (8, 6, (1, 0, 0)),
            (50, 10, (1, 0, 0)),
            (50, 39, (2, 5, 2)),
            (100, 79, (2, 5, 2)),
            (2_500, 1_999, (3, 5, 8)),
            (10_000, 7_999, (3, 4, 13)),
            (15_000, 14_999, (3, 3, 17)),
            (20_000, 19_999, (4, 5, 8)),
        ] {
            let shape = Shape::of(devices, online + 1, online, first_width(devices));
            let is = (shape.depth, shape.parents, shape.parts);
            assert_eq!(is, expected, "{devices} devices, {online} online");
        }
    }

    proptest! {
        /// FAN-3, FAN-4.
        #[test]
        fn no_shape_is_wider_than_it_may_be(
            online in 0_usize..20_000, away in 0_usize..20_000, width in SMALL_WIDTH..100,
        ) {
            let shape = Shape::of(online + away + 1, online + 1, online, width);
            let parents = LEAST_PARENTS..=MOST_PARENTS;
            prop_assert!(shape.depth == 1 || parents.contains(&shape.parents));
            prop_assert!(shape.parents * shape.parts <= PLANNED_COPIES);
            prop_assert!(shape.depth <= 4);
        }
    }
}
