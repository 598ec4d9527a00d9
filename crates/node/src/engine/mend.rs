//! Damaged events, and bodies that are lacking, come again from whoever has them (NODE-305, NODE-31).
//!
//! ```text
//! Command::Mend ──┬─▶ wanted again ── a device of the session is here ──▶ Want ══▶ Events ──▶ put in their place
//! ```
//!
//! An event's name is the hash of its header, and that names its body's: what comes is what was, from
//! whomever it comes. Order, standing and view stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use tenet_apps::chat::search::index;
use tenet_log::{
    event::{Event, Unverified},
    ids::{EventId, SessionId},
    store::{LogStore, StoreError},
    sync::{EncodedEvent, MAX_WANTED, Message, Tag},
};

use super::{Engine, Fault};
use crate::{
    input::{ConnId, Notice},
    storage::Storage,
};

/// How many bytes of events one answer carries, within the last of them.
const ANSWER_BYTES: usize = 512 << 10;

/// Events that are to come once more, by session.
#[derive(Default)]
pub(crate) struct Mending {
    /// Their copies here are damaged.
    damaged: BTreeMap<SessionId, BTreeSet<EventId>>,
    /// They are here without what they say.
    lacking: BTreeMap<SessionId, BTreeSet<EventId>>,
}

impl Mending {
    /// How many damaged ones are awaited.
    pub(super) fn damaged(&self) -> usize {
        self.damaged.values().map(BTreeSet::len).sum()
    }

    /// How many are awaited.
    pub(super) fn len(&self) -> usize {
        self.damaged() + self.lacking.values().map(BTreeSet::len).sum::<usize>()
    }

    /// What the store says.
    pub(super) fn load_lacking(&mut self, lacking: Vec<(SessionId, EventId)>) {
        self.lacking.clear();
        for (session, event) in lacking {
            self.set_lacking(session, event, true);
        }
    }

    /// Whether that changes anything.
    pub(super) fn set_lacking(
        &mut self,
        session: SessionId,
        event: EventId,
        lacking: bool,
    ) -> bool {
        if lacking {
            return self.lacking.entry(session).or_default().insert(event);
        }
        let Some(of_session) = self.lacking.get_mut(&session) else {
            return false;
        };
        let changed = of_session.remove(&event);
        if of_session.is_empty() {
            self.lacking.remove(&session);
        }
        changed
    }
}

impl<S: Storage> Engine<S> {
    /// Asks everybody who is here for these events, and whoever comes later; how many are awaited
    /// then.
    pub(crate) fn mend_events(&mut self, events: Vec<(SessionId, EventId)>) -> usize {
        let asks = !events.is_empty();
        for (session, event) in events {
            let damaged = self.mending.damaged.entry(session).or_default();
            damaged.insert(event);
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
        self.mending.damaged()
    }

    /// Asks for the next that are damaged or lacking of a session.
    pub(super) fn want_damaged(&mut self, conn: ConnId, tag: Tag) {
        let Some(session) = self.share(conn, tag).map(|share| share.session) else {
            return;
        };
        let damaged = self.mending.damaged.get(&session).into_iter().flatten();
        let lacking = self.mending.lacking.get(&session).into_iter().flatten();
        let wanted = damaged.chain(lacking).take(MAX_WANTED);
        let wanted: Vec<EventId> = wanted.copied().collect();
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
        let damaged = self.mending.damaged.get_mut(&session);
        if damaged.is_some_and(|damaged| damaged.remove(&event.id())) {
            self.must_last();
            self.store.mend(event)?;
            self.notify_changed(event);
            return Ok(true);
        }
        let lacking = self.mending.lacking.get(&session);
        if event.is_bare() || !lacking.is_some_and(|lacking| lacking.contains(&event.id())) {
            return Ok(false);
        }
        self.must_last();
        self.store.mend(event)?;
        self.take_body(event)?;
        Ok(true)
    }

    /// What an event says came after the event: what follows from it is done now.
    fn take_body(&mut self, event: &Event) -> Result<(), Fault> {
        let (session, id) = (event.session(), event.id());
        self.set_lacking(session, id, false)?;
        let Some(stored) = LogStore::event(&self.store, id)? else {
            return Ok(());
        };
        self.fold(session, event, stored.position, stored.standing.counts())?;
        self.settle_message(id)?;
        index::refresh(&mut self.store, id)?;
        if self.store.message(id)?.is_some() {
            self.notify_changed(event);
        }
        Ok(())
    }

    fn notify_changed(&mut self, event: &Event) {
        self.notify(Notice::Changed {
            session: event.session(),
            id: event.id(),
        });
    }
}
