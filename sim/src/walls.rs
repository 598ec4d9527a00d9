//! Who can dial whom: what stands before a node, nodes that are cut off from each other, and ways that
//! lead in one direction only.

use std::collections::{BTreeMap, BTreeSet};

/// How long what a node dialled may come back by itself, in milliseconds: what routers keep of UDP.
const HOLE_LASTS: u64 = 120_000;

/// What stands between a node and everybody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nat {
    /// Nothing.
    #[default]
    Open,
    /// It is reached by whomever it dialled lately.
    Cone,
    /// It dials, and is reached by nobody.
    Closed,
}

/// Who can dial whom.
#[derive(Default)]
pub struct Walls {
    nats: BTreeMap<usize, Nat>,
    sides: BTreeMap<usize, u8>,
    barred: BTreeSet<(usize, usize)>,
    dialled: BTreeMap<(usize, usize), u64>,
}

impl Walls {
    /// What stands before a node from now on.
    pub fn put(&mut self, node: usize, nat: Nat) {
        self.nats.insert(node, nat);
    }

    /// On which side of a cut a node is from now on.
    pub fn part(&mut self, node: usize, side: u8) {
        self.sides.insert(node, side);
    }

    /// One does not reach the other any more, which may reach the one.
    pub fn bar(&mut self, from: usize, to: usize) {
        self.barred.insert((from, to));
    }

    /// Everybody reaches everybody.
    pub fn fall(&mut self) {
        *self = Self::default();
    }

    /// Whether two are on the same side.
    pub fn is_joined(&self, one: usize, other: usize) -> bool {
        self.sides.get(&one) == self.sides.get(&other)
    }

    /// One dials another: whether that comes through. A dial that does not still opens the dialler's own
    /// wall to the other.
    pub fn dial(&mut self, from: usize, to: usize, now: u64) -> bool {
        let nat = |node| self.nats.get(&node).copied().unwrap_or_default();
        let open = match nat(to) {
            Nat::Open => true,
            Nat::Cone => {
                let hole = self.dialled.get(&(to, from));
                hole.is_some_and(|at| now < at + HOLE_LASTS)
            }
            Nat::Closed => false,
        };
        if nat(from) == Nat::Cone {
            self.dialled.insert((from, to), now);
        }
        open && self.is_joined(from, to) && !self.barred.contains(&(from, to))
    }

    /// What is known of a node's wall, for a picture.
    pub fn nat(&self, node: usize) -> Nat {
        self.nats.get(&node).copied().unwrap_or_default()
    }

    /// On which side of a cut a node is, for a picture.
    pub fn side(&self, node: usize) -> u8 {
        self.sides.get(&node).copied().unwrap_or_default()
    }
}
