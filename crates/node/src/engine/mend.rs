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
    command::{CommandError, Reply},
    connection::Share,
    input::{ConnId, Notice},
    storage::Storage,
};

/// The name of no event, before all others.
fn first() -> EventId {
    EventId::from([0; 32])
}

/// How many bytes of events one answer carries, within the last of them.
const ANSWER_BYTES: usize = 512 << 10;

/// Events that are to come once more, by session.
#[derive(Default)]
pub(crate) struct Mending {
    /// Their copies here are damaged.
    damaged: BTreeMap<SessionId, BTreeSet<EventId>>,
    /// Sessions in which some are here without what they say, with the last that was asked for. Which,
    /// the store knows: there may be as many as somebody cares to send.
    lacking: BTreeMap<SessionId, EventId>,
    /// Sessions in which one more is lacking than whoever is here was asked for.
    unasked: BTreeSet<SessionId>,
    /// What others asked for last and is not here either, at most [`MAX_WANTED`] for each session and connection.
    awaited: BTreeMap<EventId, BTreeSet<(ConnId, Tag)>>,
}

impl Mending {
    /// How many damaged ones are awaited.
    pub(super) fn damaged(&self) -> usize {
        self.damaged.values().map(BTreeSet::len).sum()
    }

    /// How much is kept here.
    pub(super) fn len(&self) -> usize {
        self.damaged() + self.lacking.len() + self.awaited.len()
    }

    /// Nobody is there any more who awaits anything on it.
    pub(super) fn on_closed(&mut self, conn: ConnId) {
        self.awaits_no_more(|on, _| on == conn);
    }

    fn awaits_no_more(&mut self, whose: impl Fn(ConnId, Tag) -> bool) {
        self.awaited.retain(|_, by| {
            by.retain(|(conn, tag)| !whose(*conn, *tag));
            !by.is_empty()
        });
    }
}

impl<S: Storage> Engine<S> {
    /// Asks everybody who is here for these events, and whoever comes later; how many are awaited
    /// then. What is kept of these sessions is made anew at once.
    pub(crate) fn mend_all(
        &mut self,
        events: Vec<(SessionId, EventId)>,
        miskept: &[SessionId],
    ) -> Result<Reply, CommandError> {
        self.keep_anew(miskept)?;
        let asks = !events.is_empty();
        for (session, event) in events {
            let damaged = self.mending.damaged.entry(session).or_default();
            damaged.insert(event);
        }
        if asks {
            self.want_where(|_| true)?;
        }
        let left = self.mending.damaged();
        Ok(Reply::Mending { left })
    }

    /// Asks whoever is here for what was found to be lacking just now.
    pub(super) fn want_lacking(&mut self) -> Result<(), StoreError> {
        let unasked = std::mem::take(&mut self.mending.unasked);
        match unasked.is_empty() {
            true => Ok(()),
            false => self.want_where(|share| unasked.contains(&share.session)),
        }
    }

    fn want_where(&mut self, which: impl Fn(&Share) -> bool) -> Result<(), StoreError> {
        for (conn, tag) in self.shares_where(which) {
            self.want_again(conn, tag)?;
        }
        Ok(())
    }

    fn shares_where(&self, which: impl Fn(&Share) -> bool) -> Vec<(ConnId, Tag)> {
        let ready = self.connections.0.iter();
        let ready = ready.filter_map(|(conn, connection)| Some((*conn, connection.ready()?)));
        let shares = ready.flat_map(|(conn, it)| it.shares.iter().map(move |one| (conn, one)));
        let shares = shares.filter(|(_, (_, share))| which(share));
        shares.map(|(conn, (tag, _))| (conn, *tag)).collect()
    }

    /// What the store lacks.
    pub(super) fn load_lacking(&mut self) -> Result<(), StoreError> {
        let sessions = self.store.lacking_sessions()?.into_iter();
        self.mending.lacking = sessions.map(|session| (session, first())).collect();
        Ok(())
    }

    /// NODE-31: an event lacks its body though nothing took it away, or does not any more.
    pub(super) fn set_lacking(
        &mut self,
        session: SessionId,
        id: EventId,
        lacking: bool,
    ) -> Result<(), StoreError> {
        if lacking {
            self.mending.lacking.entry(session).or_insert_with(first);
            self.mending.unasked.insert(session);
        } else if !self.mending.lacking.contains_key(&session) {
            return Ok(());
        }
        self.store.set_lacking(id, lacking)?;
        if !lacking && self.store.lacking(session, first(), 1)?.is_empty() {
            self.mending.lacking.remove(&session);
        }
        Ok(())
    }

    /// Asks for the next that are damaged or lacking of a session.
    pub(super) fn want_again(&mut self, conn: ConnId, tag: Tag) -> Result<(), StoreError> {
        let share = self.share(conn, tag).filter(|share| share.peer.hears_all());
        let Some(session) = share.map(|share| share.session) else {
            // What is asked for tells what is here.
            return Ok(());
        };
        let damaged = self.mending.damaged.get(&session).into_iter().flatten();
        let mut wanted: Vec<EventId> = damaged.take(MAX_WANTED).copied().collect();
        wanted.extend(self.next_lacking(session, MAX_WANTED - wanted.len())?);
        if !wanted.is_empty() {
            self.say(conn, tag, Message::Want(wanted));
        }
        Ok(())
    }

    /// Others than before, so that what nobody has keeps nothing else waiting.
    fn next_lacking(
        &mut self,
        session: SessionId,
        most: usize,
    ) -> Result<Vec<EventId>, StoreError> {
        let Some(after) = self.mending.lacking.get_mut(&session) else {
            return Ok(Vec::new());
        };
        let mut next = self.store.lacking(session, *after, most)?;
        if next.len() < most {
            let begin = self.store.lacking(session, first(), most - next.len())?;
            next.extend(begin.into_iter().filter(|id| id <= after));
        }
        *after = next.last().copied().unwrap_or_else(first);
        Ok(next)
    }

    /// Somebody's copies are damaged or lack what they say: gives ours, and what is not here once it comes.
    pub(super) fn on_want(
        &mut self,
        conn: ConnId,
        tag: Tag,
        session: SessionId,
        wanted: &[EventId],
    ) -> Result<(), Fault> {
        let awaited = self.give(conn, tag, session, wanted)?;
        self.mending
            .awaits_no_more(|on, of| (on, of) == (conn, tag));
        for id in awaited.into_iter().take(MAX_WANTED) {
            let by = self.mending.awaited.entry(id).or_default();
            by.insert((conn, tag));
        }
        Ok(())
    }

    /// Gives our copies, as far as they are whole; those of which nothing is here or not what they say.
    fn give(
        &mut self,
        conn: ConnId,
        tag: Tag,
        session: SessionId,
        wanted: &[EventId],
    ) -> Result<Vec<EventId>, Fault> {
        let (mut events, mut bytes, mut awaited) = (Vec::new(), 0, Vec::new());
        let mut part = self.part_on(conn, session)?;
        for id in wanted {
            // SYNC-802
            let event = self.whole_event(session, *id)?;
            if event.as_ref().is_none_or(Event::is_bare) {
                awaited.push(*id);
            }
            let Some(event) = event else { continue };
            // SYNC-11
            if !self.is_for(conn, &event)? || !part.includes(&self.store, &event)? {
                continue;
            }
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
        Ok(awaited)
    }

    /// NODE-31: what others asked for has come.
    pub(super) fn give_awaited(&mut self, event: &Event) -> Result<(), Fault> {
        if event.is_bare() {
            return Ok(());
        }
        let by = self.mending.awaited.remove(&event.id());
        for (conn, tag) in by.into_iter().flatten() {
            let share = self.share(conn, tag);
            if share.is_some_and(|share| share.session == event.session()) {
                self.give(conn, tag, event.session(), &[event.id()])?;
            }
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

    /// Whether events of a session that are here are to come again.
    pub(super) fn awaits_again(&self, session: SessionId) -> bool {
        let damaged = self.mending.damaged.get(&session);
        damaged.is_some_and(|damaged| !damaged.is_empty())
            || self.mending.lacking.contains_key(&session)
    }

    /// Puts an event in the place of its damaged copy; whether it was awaited.
    pub(super) fn mend(&mut self, session: SessionId, event: &Event) -> Result<bool, Fault> {
        let damaged = self.mending.damaged.get_mut(&session);
        if damaged.is_some_and(|damaged| damaged.remove(&event.id())) {
            self.must_last();
            self.store.mend(event)?;
            self.notify_changed(event);
            self.give_awaited(event)?;
            return Ok(true);
        }
        let may_lack = self.mending.lacking.contains_key(&session) && !event.is_bare();
        if !may_lack || !self.store.is_lacking(event.id())? {
            return Ok(false);
        }
        self.must_last();
        self.store.mend(event)?;
        self.take_body(event)?;
        self.give_awaited(event)?;
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
