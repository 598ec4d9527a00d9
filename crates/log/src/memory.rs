//! A log store in memory: the model that stored ones must match.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::DeviceId;

use crate::{
    clock::Hlc,
    event::{Content, Event},
    frontier::{Difference, Head, Past},
    ids::{Author, EventId, SessionId},
    register::Register,
    standing::Standing,
    store::{Base, Held, LogStore, Position, StoreError, Stored},
};

/// A store that forgets everything when it is dropped, and never fails.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    events: BTreeMap<EventId, Stored>,
    arrivals: BTreeMap<(SessionId, Position), EventId>,
    chains: BTreeMap<(SessionId, Author, u64, EventId), Position>,
    heads: BTreeMap<(SessionId, Author, u32), Head>,
    pasts: BTreeMap<(SessionId, Position), Kept>,
    registers: BTreeMap<(SessionId, DeviceId, String), Register>,
    held: BTreeMap<(Hlc, EventId), Event>,
    expiring: BTreeSet<(u64, EventId)>,
    lacking: BTreeSet<(SessionId, EventId)>,
    outcomes: BTreeMap<(SessionId, Vec<u8>), Vec<u8>>,
    last: i64,
}

/// An operation's past as it differs from its base's.
#[derive(Clone, Debug)]
struct Kept {
    id: EventId,
    base: Option<EventId>,
    past: Difference,
}

impl MemoryStore {
    /// All events of a session with their standings.
    pub fn standings(&self, session: SessionId) -> BTreeMap<EventId, Standing> {
        self.of(session)
            .map(|stored| (stored.event.id(), stored.standing))
            .collect()
    }

    fn of(&self, session: SessionId) -> impl DoubleEndedIterator<Item = &Stored> {
        self.between(session, i64::MIN, i64::MAX)
    }

    /// From `first` to `last`, both included.
    fn between(
        &self,
        session: SessionId,
        first: i64,
        last: i64,
    ) -> impl DoubleEndedIterator<Item = &Stored> {
        let (first, last) = (Position(first), Position(last));
        // A range that ends before it begins would panic.
        let ids = self
            .arrivals
            .range((session, first)..=(session, last.max(first)));
        ids.filter_map(|(_, id)| self.events.get(id))
    }
}

impl LogStore for MemoryStore {
    fn sessions(&self) -> Result<Vec<SessionId>, StoreError> {
        let mut first: BTreeMap<SessionId, Position> = BTreeMap::new();
        for (session, position) in self.arrivals.keys() {
            first.entry(*session).or_insert(*position);
        }
        let mut sessions: Vec<(Position, SessionId)> =
            first.into_iter().map(|(id, at)| (at, id)).collect();
        sessions.sort_unstable();
        Ok(sessions.into_iter().map(|(_, id)| id).collect())
    }

    fn insert(&mut self, event: &Event, standing: Standing) -> Result<Position, StoreError> {
        self.last += 1;
        let (position, session, id) = (Position(self.last), event.session(), event.id());
        let stored = Stored {
            event: event.clone(),
            position,
            standing,
        };
        let header = event.header();
        if let (Content::Body { .. }, Some(at)) = (&header.content, header.expires) {
            self.expiring.insert((at, id));
        }
        self.events.insert(id, stored);
        self.arrivals.insert((session, position), id);
        let place = (session, event.author(), event.header().seq, id);
        self.chains.insert(place, position);
        Ok(position)
    }

    fn event(&self, id: EventId) -> Result<Option<Stored>, StoreError> {
        Ok(self.events.get(&id).cloned())
    }

    fn chain(
        &self,
        session: SessionId,
        author: Author,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let first = (session, author, seq, EventId::from([0; 32]));
        let last = (session, author, u64::MAX, EventId::from([255; 32]));
        Ok(self
            .chains
            .range(first..=last)
            .filter_map(|((_, _, _, id), _)| self.events.get(id))
            .take(limit)
            .cloned()
            .collect())
    }

    fn since(
        &self,
        session: SessionId,
        position: Position,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let later = self.between(session, position.0.saturating_add(1), i64::MAX);
        Ok(later.take(limit).cloned().collect())
    }

    fn back_to(
        &self,
        session: SessionId,
        from: Option<Position>,
        to: Position,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let last = from.map_or(i64::MAX, |from| from.0.saturating_sub(1));
        if last <= to.0 {
            return Ok(Vec::new());
        }
        let between = self.between(session, to.0.saturating_add(1), last);
        Ok(between.rev().take(limit).cloned().collect())
    }

    fn position(
        &self,
        session: SessionId,
        author: Author,
        seq: u64,
    ) -> Result<Option<Position>, StoreError> {
        let from = self.chain(session, author, seq, usize::MAX)?;
        Ok(from.iter().map(|stored| stored.position).min())
    }

    fn last_position(&self, session: SessionId) -> Result<Position, StoreError> {
        Ok(self
            .of(session)
            .next_back()
            .map_or_else(Position::default, |last| last.position))
    }

    fn mend(&mut self, event: &Event) -> Result<(), StoreError> {
        if let Some(stored) = self.events.get_mut(&event.id()) {
            stored.event = event.clone();
        }
        Ok(())
    }

    fn erase(&mut self, id: EventId) -> Result<(), StoreError> {
        if let Some(stored) = self.events.get_mut(&id) {
            stored.event = stored.event.bare();
        }
        Ok(())
    }

    fn expired(&self, now: u64, limit: usize) -> Result<Vec<Stored>, StoreError> {
        let due = self.expiring.iter().take_while(|(at, _)| *at <= now);
        let stored = due.filter_map(|(_, id)| self.events.get(id));
        Ok(stored.take(limit).cloned().collect())
    }

    fn next_expiry(&self) -> Result<Option<u64>, StoreError> {
        Ok(self.expiring.first().map(|(at, _)| *at))
    }

    fn settle_expiry(&mut self, id: EventId) -> Result<(), StoreError> {
        self.expiring.retain(|(_, expiring)| *expiring != id);
        Ok(())
    }

    fn set_lacking(&mut self, id: EventId, lacking: bool) -> Result<(), StoreError> {
        if let Some(stored) = self.events.get(&id) {
            let place = (stored.event.session(), id);
            match lacking {
                true => self.lacking.insert(place),
                false => self.lacking.remove(&place),
            };
        }
        Ok(())
    }

    fn is_lacking(&self, id: EventId) -> Result<bool, StoreError> {
        Ok(self.lacking.iter().any(|(_, lacking)| *lacking == id))
    }

    fn lacking(
        &self,
        session: SessionId,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<EventId>, StoreError> {
        let of_session = self.lacking.iter().filter(|(of, _)| *of == session);
        let ids = of_session.map(|(_, id)| *id).filter(|id| *id > after);
        Ok(ids.take(limit).collect())
    }

    fn lacking_sessions(&self) -> Result<Vec<SessionId>, StoreError> {
        let sessions: BTreeSet<SessionId> = self.lacking.iter().map(|(of, _)| *of).collect();
        Ok(sessions.into_iter().collect())
    }

    fn set_standing(&mut self, id: EventId, standing: Standing) -> Result<(), StoreError> {
        if let Some(stored) = self.events.get_mut(&id) {
            stored.standing = standing;
        }
        Ok(())
    }

    fn heads(&self, session: SessionId) -> Result<Vec<Head>, StoreError> {
        let heads = self.heads.iter().filter(|((of, _, _), _)| *of == session);
        Ok(heads.map(|(_, head)| *head).collect())
    }

    fn put_head(&mut self, session: SessionId, head: &Head) -> Result<(), StoreError> {
        self.heads
            .insert((session, head.author, head.branch), *head);
        Ok(())
    }

    fn operations(&self, session: SessionId) -> Result<Vec<(Stored, Past)>, StoreError> {
        let pasts = self.pasts.iter().filter(|((of, _), _)| *of == session);
        let mut known: BTreeMap<EventId, Past> = BTreeMap::new();
        let mut operations = Vec::new();
        for Kept { id, base, past } in pasts.map(|(_, kept)| kept) {
            let base = match base {
                Some(base) => known.get(base),
                None => Some(&Past::default()),
            };
            let base = base.ok_or(StoreError::Damaged("an operation's past lacks its base"))?;
            let past = base.but(past);
            known.insert(*id, past.clone());
            operations.extend(self.events.get(id).cloned().map(|stored| (stored, past)));
        }
        Ok(operations)
    }

    fn put_past(
        &mut self,
        id: EventId,
        past: &Past,
        base: Option<Base<'_>>,
    ) -> Result<(), StoreError> {
        if let Some(stored) = self.events.get(&id) {
            let place = (stored.event.session(), stored.position);
            let kept = Kept {
                id,
                base: base.map(|base| base.id),
                past: past.difference(base.map_or(&Past::default(), |base| base.past)),
            };
            self.pasts.insert(place, kept);
        }
        Ok(())
    }

    fn operation_count(&self, session: SessionId) -> Result<(u64, Position), StoreError> {
        let pasts = self.pasts.keys().filter(|(of, _)| *of == session);
        let last = pasts.clone().map(|(_, position)| *position).max();
        Ok((pasts.count() as u64, last.unwrap_or_default()))
    }

    fn put_outcome(
        &mut self,
        session: SessionId,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let place = (session, key.to_vec());
        match value {
            Some(value) => self.outcomes.insert(place, value.to_vec()),
            None => self.outcomes.remove(&place),
        };
        Ok(())
    }

    fn outcome(
        &self,
        session: SessionId,
        read: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), StoreError> {
        let parts = self.outcomes.iter().filter(|((of, _), _)| *of == session);
        parts.for_each(|((_, key), value)| read(key, value));
        Ok(())
    }

    fn forget_outcome(&mut self, session: SessionId) -> Result<(), StoreError> {
        self.outcomes.retain(|(of, _), _| *of != session);
        Ok(())
    }

    fn register(
        &self,
        session: SessionId,
        device: DeviceId,
        key: &str,
    ) -> Result<Option<Register>, StoreError> {
        Ok(self
            .registers
            .get(&(session, device, key.to_owned()))
            .cloned())
    }

    fn registers(&self, session: SessionId) -> Result<Vec<Register>, StoreError> {
        let all = self
            .registers
            .iter()
            .filter(|((of, _, _), _)| *of == session);
        Ok(all.map(|(_, register)| register.clone()).collect())
    }

    fn registers_under(&self, session: SessionId, key: &str) -> Result<Vec<Register>, StoreError> {
        let mut all = self.registers(session)?;
        all.retain(|register| register.key() == key);
        Ok(all)
    }

    fn register_count(&self, session: SessionId, device: DeviceId) -> Result<usize, StoreError> {
        let all = self.registers.keys();
        Ok(all
            .filter(|(of, by, _)| (*of, *by) == (session, device))
            .count())
    }

    fn put_register(&mut self, register: &Register) -> Result<(), StoreError> {
        let key = (
            register.session(),
            register.device(),
            register.key().to_owned(),
        );
        self.registers.insert(key, register.clone());
        Ok(())
    }

    fn hold(&mut self, event: &Event) -> Result<bool, StoreError> {
        let before = self
            .held
            .insert((event.header().time, event.id()), event.clone());
        Ok(before.is_none())
    }

    fn held_count(&self, session: SessionId) -> Result<usize, StoreError> {
        let held = self.held.values();
        Ok(held.filter(|event| event.session() == session).count())
    }

    fn due(&self, now: u64, limit: usize) -> Result<Vec<Held>, StoreError> {
        let held = self.held.values().map(|event| Held {
            event: event.clone(),
            acceptable_from: event.header().time.acceptable_from(),
        });
        Ok(held
            .filter(|held| held.acceptable_from <= now)
            .take(limit)
            .collect())
    }

    fn next_due(&self) -> Result<Option<u64>, StoreError> {
        let times = self.held.keys().map(|(time, _)| time.acceptable_from());
        Ok(times.min())
    }

    fn release(&mut self, id: EventId) -> Result<(), StoreError> {
        self.held.retain(|(_, held), _| *held != id);
        Ok(())
    }

    fn latest_time(&self, session: SessionId) -> Result<Hlc, StoreError> {
        let times = self.of(session).map(|stored| stored.event.header().time);
        Ok(times.max().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryStore;
    use crate::store::conformance;

    #[test]
    fn does_what_every_log_store_does() {
        conformance::run(MemoryStore::default);
    }
}
