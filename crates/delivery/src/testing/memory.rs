//! An outbox in memory: the model that the stored one must match.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::DeviceId;
use tenet_log::{
    ids::{Author, EventId, SessionId},
    store::{Position, StoreError},
};

use crate::{
    outbox::{Acked, Dispatch, Outbox, Outgoing, Recipient},
    state::Failure,
};

/// An outbox that forgets everything when it is dropped.
#[derive(Clone, Debug, Default)]
pub struct MemoryOutbox {
    events: BTreeMap<Position, (Outgoing, Dispatch)>,
    rows: BTreeSet<(DeviceId, Position, bool)>,
}

impl MemoryOutbox {
    fn find(&self, event: EventId) -> Option<Position> {
        let mut events = self.events.values();
        events
            .find(|(outgoing, _)| outgoing.event == event)
            .map(|(outgoing, _)| outgoing.position)
    }

    /// Removes the rows of a device whose events fit.
    fn take(
        &mut self,
        device: DeviceId,
        fits: impl Fn(&Outgoing) -> bool,
    ) -> Vec<(Position, bool)> {
        let events = &self.events;
        let fitting: Vec<_> = self
            .rows
            .iter()
            .filter(|(row, position, _)| {
                *row == device
                    && events
                        .get(position)
                        .is_some_and(|(outgoing, _)| fits(outgoing))
            })
            .copied()
            .collect();
        for row in &fitting {
            self.rows.remove(row);
        }
        fitting
            .into_iter()
            .map(|(_, position, receiver)| (position, receiver))
            .collect()
    }
}

impl Outbox for MemoryOutbox {
    fn queue(&mut self, outgoing: &Outgoing, recipients: &[Recipient]) -> Result<(), StoreError> {
        let (_, dispatch) = self
            .events
            .entry(outgoing.position)
            .or_insert((*outgoing, Dispatch::default()));
        for recipient in recipients {
            let row = (recipient.device, outgoing.position, recipient.receiver);
            if self.rows.insert(row) && recipient.receiver {
                dispatch.copies += 1;
            }
        }
        Ok(())
    }

    fn acknowledge(
        &mut self,
        session: SessionId,
        author: Author,
        seq: u64,
        device: DeviceId,
    ) -> Result<Vec<Acked>, StoreError> {
        let taken = self.take(device, |outgoing| {
            outgoing.session == session && outgoing.author == author && outgoing.seq <= seq
        });
        let mut acked = Vec::new();
        for (position, receiver) in taken {
            if let Some((outgoing, dispatch)) = self.events.get_mut(&position) {
                let first = receiver && dispatch.acknowledged == 0;
                dispatch.acknowledged += u32::from(receiver);
                acked.push(Acked {
                    event: outgoing.event,
                    first,
                });
            }
        }
        Ok(acked)
    }

    fn pending(
        &self,
        device: DeviceId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Outgoing>, StoreError> {
        let rows = self
            .rows
            .iter()
            .filter(|(row, at, _)| *row == device && *at > after);
        let events = rows.filter_map(|(_, at, _)| self.events.get(at));
        Ok(events.map(|(outgoing, _)| *outgoing).take(limit).collect())
    }

    fn waiting(&self) -> Result<Vec<(DeviceId, u64)>, StoreError> {
        let mut counts = BTreeMap::new();
        for (device, ..) in &self.rows {
            *counts.entry(*device).or_insert(0) += 1;
        }
        Ok(counts.into_iter().collect())
    }

    fn pending_events(&self) -> Result<u64, StoreError> {
        let events: BTreeSet<_> = self.rows.iter().map(|(_, position, _)| position).collect();
        Ok(events.len() as u64)
    }

    fn undelivered(
        &self,
        session: SessionId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Outgoing>, StoreError> {
        let open = self.events.values().filter(|(outgoing, dispatch)| {
            let waits = dispatch.acknowledged == 0 && dispatch.failure.is_none();
            outgoing.session == session && outgoing.position > after && waits
        });
        Ok(open.map(|(outgoing, _)| *outgoing).take(limit).collect())
    }

    fn forget(&mut self, session: SessionId, device: DeviceId) -> Result<Vec<EventId>, StoreError> {
        let taken = self.take(device, |outgoing| outgoing.session == session);
        let mut alone = Vec::new();
        for (position, receiver) in taken {
            let Some((outgoing, dispatch)) = self.events.get_mut(&position) else {
                continue;
            };
            dispatch.copies -= u32::from(receiver);
            if receiver && dispatch.copies == 0 {
                alone.push(outgoing.event);
            }
        }
        Ok(alone)
    }

    fn fail(&mut self, event: EventId, failure: Failure) -> Result<(), StoreError> {
        let Some(position) = self.find(event) else {
            return Ok(());
        };
        self.rows.retain(|(_, at, _)| *at != position);
        if let Some((_, dispatch)) = self.events.get_mut(&position) {
            dispatch.failure = Some(failure);
        }
        Ok(())
    }

    fn reach(&mut self, event: EventId, reached: u32, of: u32) -> Result<(), StoreError> {
        let found = self.find(event);
        if let Some((_, dispatch)) = found.and_then(|at| self.events.get_mut(&at)) {
            dispatch.copies = dispatch.copies.max(of);
            dispatch.acknowledged = dispatch.acknowledged.max(reached);
        }
        Ok(())
    }

    fn dispatch(&self, event: Position) -> Result<Option<Dispatch>, StoreError> {
        Ok(self.events.get(&event).map(|(_, dispatch)| *dispatch))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn conforms() {
        crate::testing::conformance(super::MemoryOutbox::default);
    }
}
