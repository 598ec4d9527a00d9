//! A chat store in memory: the model that the stored one must match.

use std::collections::{BTreeMap, BTreeSet};

use tenet_log::{
    event::Event,
    ids::{Author, EventId, SessionId},
    order::OrderKey,
    store::{Position, StoreError},
};

use crate::chat::{
    overlay::Overlay,
    read,
    search::{Filter, Query, SearchStore, index::Indexed, words::words},
    store::{ChatStore, MessageRow, Reference},
};

/// A store that forgets everything when it is dropped.
#[derive(Clone, Debug, Default)]
pub struct MemoryChat {
    messages: BTreeMap<EventId, MessageRow>,
    overlays: BTreeMap<(SessionId, EventId), Overlay>,
    references: BTreeSet<Reference>,
    log: Vec<(Event, bool)>,
    read: BTreeMap<SessionId, read::Position>,
    words: BTreeMap<Position, Indexed>,
    indexed_to: Option<Position>,
    /// How often it was asked or told something.
    pub calls: std::cell::Cell<usize>,
}

impl MemoryChat {
    /// Puts an event into the log that is under this store, or gives it another standing.
    pub fn log(&mut self, event: &Event, counts: bool) -> Position {
        let at = self.log.iter().position(|(old, _)| old.id() == event.id());
        match at.and_then(|at| self.log.get_mut(at)) {
            Some(logged) => *logged = (event.clone(), counts),
            None => self.log.push((event.clone(), counts)),
        }
        let at = at.map_or(self.log.len(), |at| at + 1);
        Position(i64::try_from(at).unwrap_or(i64::MAX))
    }

    fn called(&self) {
        self.calls.set(self.calls.get() + 1);
    }
}

impl ChatStore for MemoryChat {
    fn add_message(&mut self, message: &MessageRow) -> Result<bool, StoreError> {
        self.called();
        let new = !self.messages.contains_key(&message.id);
        self.messages.entry(message.id).or_insert(*message);
        Ok(new)
    }

    fn message(&self, id: EventId) -> Result<Option<MessageRow>, StoreError> {
        self.called();
        Ok(self.messages.get(&id).copied())
    }

    fn message_at(&self, position: Position) -> Result<Option<MessageRow>, StoreError> {
        self.called();
        let mut rows = self.messages.values();
        Ok(rows.find(|row| row.position == position).copied())
    }

    fn messages_between(
        &self,
        first: EventId,
        last: EventId,
        limit: usize,
    ) -> Result<Vec<EventId>, StoreError> {
        self.called();
        let between = self.messages.range(first..=last.max(first));
        let shown = between.filter(|(id, message)| **id <= last && !message.hidden);
        Ok(shown.map(|(id, _)| *id).take(limit).collect())
    }

    fn remove_message(&mut self, session: SessionId, id: EventId) -> Result<(), StoreError> {
        self.called();
        self.messages.remove(&id);
        self.overlays.remove(&(session, id));
        let about = |r: &Reference| r.session == session && r.target == id;
        self.references.retain(|reference| !about(reference));
        Ok(())
    }

    fn set_hidden(&mut self, id: EventId, hidden: bool) -> Result<(), StoreError> {
        self.called();
        if let Some(message) = self.messages.get_mut(&id) {
            message.hidden = hidden;
        }
        Ok(())
    }

    fn history(
        &self,
        sessions: &[SessionId],
        before: Option<&OrderKey>,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        self.called();
        let wanted = |row: &&MessageRow| {
            let early = before.is_none_or(|before| row.order < *before);
            !row.hidden && early && sessions.contains(&row.session)
        };
        let mut rows: Vec<_> = self.messages.values().filter(wanted).copied().collect();
        rows.sort_by_key(|row| row.order);
        Ok(rows.split_off(rows.len().saturating_sub(limit)))
    }

    fn following(
        &self,
        sessions: &[SessionId],
        after: &OrderKey,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        self.called();
        let wanted = |row: &&MessageRow| {
            !row.hidden && row.order > *after && sessions.contains(&row.session)
        };
        let mut rows: Vec<_> = self.messages.values().filter(wanted).copied().collect();
        rows.sort_by_key(|row| row.order);
        rows.truncate(limit);
        Ok(rows)
    }

    fn chain_back(
        &self,
        session: SessionId,
        author: Author,
        before: u64,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        self.called();
        let wanted = |row: &&MessageRow| {
            !row.hidden
                && !row.told
                && row.session == session
                && row.order.author == author
                && row.order.seq < before
        };
        let mut rows: Vec<_> = self.messages.values().filter(wanted).copied().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.order));
        rows.truncate(limit);
        Ok(rows)
    }

    fn read_here(&self, session: SessionId) -> Result<Option<read::Position>, StoreError> {
        self.called();
        Ok(self.read.get(&session).cloned())
    }

    fn put_read_here(&mut self, session: SessionId, to: &read::Position) -> Result<(), StoreError> {
        self.called();
        self.read.insert(session, to.clone());
        Ok(())
    }

    fn overlay(&self, session: SessionId, target: EventId) -> Result<Option<Overlay>, StoreError> {
        self.called();
        Ok(self.overlays.get(&(session, target)).cloned())
    }

    fn put_overlay(
        &mut self,
        session: SessionId,
        target: EventId,
        overlay: &Overlay,
    ) -> Result<(), StoreError> {
        self.called();
        self.overlays.insert((session, target), overlay.clone());
        Ok(())
    }

    fn add_reference(&mut self, reference: &Reference) -> Result<(), StoreError> {
        self.called();
        self.references.insert(*reference);
        Ok(())
    }

    fn references(
        &self,
        session: SessionId,
        target: EventId,
    ) -> Result<Vec<Reference>, StoreError> {
        self.called();
        let fits = |r: &&Reference| r.session == session && r.target == target;
        Ok(self.references.iter().filter(fits).copied().collect())
    }

    fn logged(&self, id: EventId) -> Result<Option<(Event, bool)>, StoreError> {
        self.called();
        Ok(self.log.iter().find(|(event, _)| event.id() == id).cloned())
    }

    fn logged_at(&self, position: Position) -> Result<Option<Event>, StoreError> {
        self.called();
        let at = usize::try_from(position.0)
            .ok()
            .and_then(|at| at.checked_sub(1));
        let logged = at.and_then(|at| self.log.get(at));
        Ok(logged.map(|(event, _)| event.clone()))
    }
}

impl SearchStore for MemoryChat {
    fn logged_after(
        &self,
        position: Position,
        limit: usize,
    ) -> Result<Vec<(Position, Event)>, StoreError> {
        let places = (1..).map(Position);
        let all = places.zip(self.log.iter().map(|(event, _)| event.clone()));
        Ok(all.filter(|(at, _)| *at > position).take(limit).collect())
    }

    fn has_after(&self, position: Position) -> Result<bool, StoreError> {
        Ok(!self.logged_after(position, 1)?.is_empty())
    }

    fn indexed_to(&self) -> Result<Position, StoreError> {
        Ok(self.indexed_to.unwrap_or_default())
    }

    fn set_indexed_to(&mut self, position: Position) -> Result<(), StoreError> {
        self.indexed_to = Some(position);
        Ok(())
    }

    fn put_words(&mut self, indexed: &Indexed) -> Result<(), StoreError> {
        self.words.insert(indexed.position, indexed.clone());
        Ok(())
    }

    fn remove_words(&mut self, position: Position) -> Result<(), StoreError> {
        self.words.remove(&position);
        Ok(())
    }

    fn has_words_to_forget(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn forget_words(&mut self) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn find(
        &self,
        query: &Query,
        filter: &Filter,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Position>, StoreError> {
        let wanted = |indexed: &&Indexed| {
            before.is_none_or(|before| indexed.position < before)
                && (filter.sessions.is_empty() || filter.sessions.contains(&indexed.session))
                && filter.identity.is_none_or(|who| who == indexed.identity)
                && (!filter.files || indexed.files)
                && filter.covers(indexed.millis)
                && query.matches(&words(&indexed.words))
        };
        let found = self.words.values().rev().filter(wanted);
        Ok(found.map(|indexed| indexed.position).take(limit).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryChat;

    #[test]
    fn conforms() {
        crate::chat::testing::conformance(MemoryChat::default, MemoryChat::log);
        crate::chat::testing::search_conformance(MemoryChat::default, MemoryChat::log);
    }
}
