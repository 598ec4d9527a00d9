//! Damaged events come again from whoever has them (NODE-305).
//!
//! ```text
//! Command::Mend ──▶ wanted again ── a device of the session is here ──▶ Want ══▶ Events ──▶ put in their place
//! ```
//!
//! An event's name is the hash of its header, and that names its body's: what comes is what was, from
//! whomever it comes. Order, standing and view stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use tenet_log::{
    event::{Event, Unverified},
    ids::{EventId, SessionId},
    store::StoreError,
    sync::{EncodedEvent, MAX_WANTED, Message, Tag},
};

use super::{Engine, Fault};
use crate::{
    input::{ConnId, Notice},
    storage::Storage,
};

/// How many bytes of events one answer carries, within the last of them.
const ANSWER_BYTES: usize = 512 << 10;

/// Events that are damaged here, by session.
#[derive(Default)]
pub(crate) struct Mending(BTreeMap<SessionId, BTreeSet<EventId>>);

impl Mending {
    /// How many are awaited.
    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }
}

impl<S: Storage> Engine<S> {
    /// Asks everybody who is here for these events, and whoever comes later; how many are awaited
    /// then.
    pub(crate) fn mend_events(&mut self, events: Vec<(SessionId, EventId)>) -> usize {
        let asks = !events.is_empty();
        for (session, event) in events {
            self.mending.0.entry(session).or_default().insert(event);
        }
        let shares: Vec<(ConnId, Tag)> = self
            .connections
            .0
            .iter()
            .filter_map(|(conn, connection)| Some((*conn, connection.ready()?)))
            .flat_map(|(conn, ready)| ready.shares.keys().map(move |tag| (conn, *tag)))
            .filter(|_| asks)
            .collect();
        for (conn, tag) in shares {
            self.want_damaged(conn, tag);
        }
        self.mending.len()
    }

    /// Asks for the next that are damaged of a session.
    pub(super) fn want_damaged(&mut self, conn: ConnId, tag: Tag) {
        let Some(session) = self.share(conn, tag).map(|share| share.session) else {
            return;
        };
        let damaged = self.mending.0.get(&session).into_iter().flatten();
        let wanted: Vec<EventId> = damaged.take(MAX_WANTED).copied().collect();
        if !wanted.is_empty() {
            self.say(conn, tag, Message::Want(wanted));
        }
    }

    /// Somebody's copies are damaged: gives ours, as far as they are whole.
    pub(super) fn on_want(
        &mut self,
        conn: ConnId,
        tag: Tag,
        session: SessionId,
        wanted: &[EventId],
    ) -> Result<(), Fault> {
        let (mut events, mut bytes) = (Vec::new(), 0);
        for id in wanted {
            let Some(event) = self.whole_event(session, *id)? else {
                continue;
            };
            bytes += event.wire_len();
            events.push(EncodedEvent::from(event.to_wire()));
            if bytes >= ANSWER_BYTES {
                bytes = 0;
                self.say(conn, tag, Message::Events(std::mem::take(&mut events)));
            }
        }
        if !events.is_empty() {
            self.say(conn, tag, Message::Events(events));
        }
        Ok(())
    }

    /// An event of a session, unless it is damaged here too: then giving it would look like a lie.
    fn whole_event(&self, session: SessionId, id: EventId) -> Result<Option<Event>, StoreError> {
        let stored = match self.store.event(id) {
            Ok(stored) => stored,
            Err(StoreError::Damaged(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let event = stored.map(|stored| stored.event);
        let event = event.filter(|event| event.session() == session && event.id() == id);
        let wire = event.map(|event| event.to_wire());
        let read = wire.and_then(|wire| Unverified::decode(&wire).ok());
        Ok(read.and_then(|read| read.verify().ok()))
    }

    /// Puts an event in the place of its damaged copy; whether it was awaited.
    pub(super) fn mend(&mut self, session: SessionId, event: &Event) -> Result<bool, Fault> {
        let damaged = self.mending.0.get_mut(&session);
        if !damaged.is_some_and(|damaged| damaged.remove(&event.id())) {
            return Ok(false);
        }
        self.must_last();
        self.store.mend(event)?;
        self.notify(Notice::Changed {
            session,
            id: event.id(),
        });
        Ok(true)
    }
}
