//! Whether an event of the set counts, and if not, why.

/// An event's standing: a pure function of the set, the same on every device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It counts: it is shown and it has effects.
    Counted,
    /// Its device had been removed, had left or was revoked, or never rightly came in.
    OffRoster,
    /// Its device wrote two histories, and nobody else had built on this one.
    Forked,
}

impl Standing {
    /// Whether it counts.
    pub fn counts(self) -> bool {
        self == Self::Counted
    }

    /// The number that is stored.
    pub fn code(self) -> u8 {
        match self {
            Self::Counted => 0,
            Self::OffRoster => 1,
            Self::Forked => 2,
        }
    }

    /// Back from the stored number.
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Counted),
            1 => Some(Self::OffRoster),
            2 => Some(Self::Forked),
            _ => None,
        }
    }
}
