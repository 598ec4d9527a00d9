//! What came last, at hand for whoever is sent it.

use crate::{
    event::Event,
    ids::SessionId,
    store::{LogStore, Position, StoreError},
};

/// The events of a session that came last, so that nobody needs to read them back to pass them on.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    /// Just before the first of them.
    pub after: Position,
    /// All that came since, in the order in which they came.
    pub events: Vec<(Position, Event)>,
}

impl Recent {
    /// From now on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin<S: LogStore>(store: &S, session: SessionId) -> Result<Self, StoreError> {
        Ok(Self {
            after: store.last_position(session)?,
            events: Vec::new(),
        })
    }

    /// Lets go of the events: whoever still lacks them reads them back.
    pub fn forget(&mut self) {
        if let Some((last, _)) = self.events.last() {
            self.after = *last;
        }
        self.events.clear();
    }
}
