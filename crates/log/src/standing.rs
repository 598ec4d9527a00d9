//! Whether an event of the set counts, and if not, why.

use std::collections::BTreeMap;

use crate::{
    ids::EventId,
    store::{LogStore, StoreError, Stored},
};

/// An event's standing: a pure function of the set, the same on every device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It counts: it is shown and it has effects.
    Counted,
    /// Its device had been removed, had left or was revoked, or never rightly came in.
    OffRoster,
    /// Its device wrote two histories, and nobody else had built on this one.
    Forked,
    /// Its author might not write then: by its role, or because it was muted.
    Silenced,
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
            Self::Silenced => 3,
        }
    }

    /// Back from the stored number.
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Counted),
            1 => Some(Self::OffRoster),
            2 => Some(Self::Forked),
            3 => Some(Self::Silenced),
            _ => None,
        }
    }
}

/// Standings that one input changed: what each was before, and what it is now.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    changed: BTreeMap<EventId, (Standing, Standing)>,
    judged: usize,
}

impl Changes {
    /// Writes a standing, if it is another.
    pub(crate) fn set<S: LogStore>(
        &mut self,
        store: &mut S,
        stored: &Stored,
        standing: Standing,
    ) -> Result<(), StoreError> {
        self.judged += 1;
        if stored.standing == standing {
            return Ok(());
        }
        let id = stored.event.id();
        store.set_standing(id, standing)?;
        let changed = self.changed.entry(id);
        changed.or_insert((stored.standing, standing)).1 = standing;
        Ok(())
    }

    /// How many events were looked at.
    pub(crate) fn judged(&self) -> usize {
        self.judged
    }

    /// Takes one event out: its standing now, if it changed.
    pub(crate) fn take(&mut self, id: EventId) -> Option<Standing> {
        self.changed.remove(&id).map(|(_, now)| now)
    }

    /// What differs in the end.
    pub(crate) fn into_vec(self) -> Vec<(EventId, Standing)> {
        self.changed
            .into_iter()
            .filter(|(_, (before, now))| before != now)
            .map(|(id, (_, now))| (id, now))
            .collect()
    }
}
