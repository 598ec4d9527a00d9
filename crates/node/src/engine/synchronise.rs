//! Sessions on connections: what is said about them, and what to send next.

use tenet_log::{
    event::{self, Event, EventError, Unverified},
    ids::{EventId, SessionId},
    register,
    session::Receipt,
    store::{LogStore, StoreError},
    sync::{Claim, EncodedEvent, HeadEntry, Message, Objection, Peer, Tag},
};

use super::{Engine, Fault, erasure::kept, take::Taken};
use crate::{
    connection::Share,
    frame::Frame,
    input::{ConnId, Notice},
    storage::Storage,
};

/// How many held events are taken in at a time.
const DUE_PAGE: usize = 256;

impl<S: Storage> Engine<S> {
    pub(super) fn on_sync(
        &mut self,
        now: u64,
        conn: ConnId,
        tag: Tag,
        message: Message,
    ) -> Result<(), Fault> {
        let Some(session) = self.share(conn, tag).map(|share| share.session) else {
            // A session that we left meanwhile, or that we do not share: not a crime.
            self.note_early(conn, tag, &message);
            return Ok(());
        };
        let says = matches!(message, Message::Events(_) | Message::Registers(_));
        let listens = self.is_bygone_on(conn, session) || self.returns_on(conn, session);
        if says && !listens && self.left_by_ourselves(session)? {
            // Whoever writes there has not heard yet that we left, or has left too.
            return self.on_said_in_vain(now, conn, tag, session, &message);
        }
        match message {
            Message::Digest(digest) => self.on_digest(now, conn, tag, session, digest),
            Message::Ranges(ranges) => {
                self.with_share(conn, tag, session, |share, session, store| {
                    let answer = share.peer.on_ranges(session, store, &ranges)?;
                    Ok(answer.into_iter().collect())
                })
            }
            Message::Frontier(heads, versions, within) => {
                let Some(share) = self.share(conn, tag) else {
                    return Ok(());
                };
                let claim = share.peer.claim(heads, versions, within.as_ref());
                self.on_claim(now, conn, tag, session, &claim)
            }
            Message::Events(events) => {
                self.on_events(now, conn, tag, session, &events)?;
                self.arrive(now, conn)
            }
            Message::Registers(registers) => {
                if !self.is_out_on(conn, session) {
                    for bytes in &registers {
                        self.on_register(now, conn, session, bytes)?;
                    }
                }
                Ok(())
            }
            Message::Have(heads) => {
                if let Some(share) = self.share(conn, tag) {
                    let before = share.peer.under_way().0;
                    share.peer.on_have(&heads);
                    share.dirty = true;
                    let arrived = before.saturating_sub(share.peer.under_way().0) as u64;
                    self.note_arrived(now, conn, tag, arrived);
                }
                self.crowd_had(conn, session, &heads);
                self.acknowledged(now, conn, session, &heads)
            }
            Message::Want(wanted) => self.on_want(conn, tag, session, &wanted),
            Message::Object(id, objection) => {
                self.on_objection(now, conn, tag, session, id, objection)
            }
        }
    }

    /// The other end says what it holds.
    fn on_claim(
        &mut self,
        now: u64,
        conn: ConnId,
        tag: Tag,
        session: SessionId,
        claim: &Claim,
    ) -> Result<(), Fault> {
        self.with_share(conn, tag, session, |share, session, store| {
            share.dirty = true;
            share.peer.on_frontier(session, store, claim)
        })?;
        let heads = &claim.heads;
        self.note_compared(now, conn, tag, heads);
        self.crowd_had(conn, session, heads);
        self.note_goal(conn, session, heads);
        self.acknowledged(now, conn, session, heads)?;
        self.arrive(now, conn)
    }

    /// NODE-15: a digest of a session that we may come to share is as if said when we do: each is answered by one.
    fn note_early(&mut self, conn: ConnId, tag: Tag, message: &Message) {
        let connection = self.connections.0.get_mut(&conn);
        if let Some(connection) = connection
            && let Message::Digest(digest) = message
            && connection.named.contains(&tag)
        {
            connection.early.insert(tag, *digest);
        }
    }

    pub(super) fn on_digest(
        &mut self,
        now: u64,
        conn: ConnId,
        tag: Tag,
        session: SessionId,
        digest: [u8; 32],
    ) -> Result<(), Fault> {
        let (mut agreed, mut anew) = (Vec::new(), false);
        let part = self.part_on(conn, session)?;
        // NODE-15: a digest that answers none of ours begins anew: the other end had to wait, and both
        // compare again what they hold. Answers owe no answer, so this ends.
        self.with_share(conn, tag, session, |share, session, store| {
            if let Some(left) = share.unanswered.checked_sub(1) {
                share.unanswered = left;
                return Ok(Vec::new());
            }
            let (peer, message) = Peer::open_to(session, store, part)?;
            share.peer = peer;
            anew = true;
            Ok(vec![message])
        })?;
        if anew {
            // They may give now what they would not before.
            self.want_again(conn, tag)?;
        }
        self.with_share(conn, tag, session, |share, session, store| {
            let answer = share.peer.on_digest(session, store, digest)?;
            agreed = share.peer.agreed();
            share.dirty = true;
            Ok(answer.into_iter().collect())
        })?;
        if agreed.is_empty() {
            return Ok(());
        }
        self.all_is_here(now, conn, session)?;
        self.note_goal(conn, session, &agreed);
        self.arrive(now, conn)?;
        self.acknowledged(now, conn, session, &agreed)
    }

    fn on_events(
        &mut self,
        now: u64,
        conn: ConnId,
        tag: Tag,
        session: SessionId,
        encoded: &[EncodedEvent],
    ) -> Result<(), Fault> {
        let mut events = Vec::with_capacity(encoded.len());
        for bytes in encoded {
            events.push(Unverified::decode(bytes).map_err(|error| Fault::Peer(error.to_string()))?);
        }
        // NODE-301: of whom nothing more is taken, nothing more is checked either.
        let sender = self.connections.0.get(&conn).and_then(|it| it.ready());
        let sender = sender.map(|ready| ready.identity);
        if sender.is_some_and(|sender| self.sends_too_much(session, sender)) {
            if let Some(first) = events.first() {
                self.say(conn, tag, Message::Object(first.id(), Objection::NoRoom));
            }
            return Ok(());
        }
        self.without_known(now, conn, tag, session, &mut events)?;
        if self.is_out_on(conn, session) {
            // NODE-107
            let device = self.device_on(conn);
            events.retain(|event| Some(event.place().0.device) != device);
        }
        if !events.is_empty() {
            self.must_last();
        }
        self.note_brought(conn, tag, encoded.len() as u64);
        let checked = event::verify_all(self.checks.as_mut(), &mut self.rng, events);
        self.together(now, |engine| {
            engine.on_checked(now, conn, tag, session, checked)
        })?;
        if let Some(share) = self.share(conn, tag) {
            share.dirty = true;
        }
        Ok(())
    }

    /// Takes in events in the order in which they come, as far as they can be taken.
    fn on_checked(
        &mut self,
        now: u64,
        conn: ConnId,
        tag: Tag,
        session: SessionId,
        events: impl Iterator<Item = Result<Event, EventError>>,
    ) -> Result<(), Fault> {
        let mut mended = false;
        for event in events {
            let event = event.map_err(|error| Fault::Peer(error.to_string()))?;
            let event = kept(&event, now);
            if self.mend(session, &event)? {
                mended = true;
            } else if !self.on_event(now, conn, tag, session, &event)? {
                break;
            }
        }
        if mended {
            self.want_again(conn, tag)?;
        }
        Ok(())
    }

    /// Takes out what is here already, and notes that the other end has it: in a session of many everybody
    /// passes on what everybody has, and signatures are dear. What is not the last of its chain is
    /// found to be known later.
    fn without_known(
        &mut self,
        now: u64,
        conn: ConnId,
        tag: Tag,
        session: SessionId,
        events: &mut Vec<Unverified>,
    ) -> Result<(), Fault> {
        if self.awaits_again(session) {
            return Ok(());
        }
        let Some(state) = self.sessions.get(&session) else {
            return Ok(());
        };
        let mut known = Vec::new();
        events.retain(|event| {
            let (author, seq) = event.place();
            let head = state.frontier().head(author);
            let is_known = head.is_some_and(|head| head.id == event.id());
            let id = event.id();
            known.extend(is_known.then_some(HeadEntry { author, seq, id }));
            !is_known
        });
        if let Some(share) = self.share(conn, tag) {
            for HeadEntry { author, seq, id } in &known {
                share.peer.on_received(*author, *seq, *id);
            }
        }
        self.came_back(now, conn, session, &known)
    }

    /// NODE-601: what this device wrote, or another one of mine (DEL-14), comes back from somebody, who holds it then.
    pub(super) fn came_back(
        &mut self,
        now: u64,
        conn: ConnId,
        session: SessionId,
        known: &[HeadEntry],
    ) -> Result<(), Fault> {
        let (me, state) = (self.own.identity(), self.sessions.get(&session));
        let identity = |author| state.and_then(|state| state.roster().identity(author));
        let mine = |author| identity(author).is_none_or(|identity| identity == me);
        match known.iter().any(|head| mine(head.author)) {
            true => self.acknowledged(now, conn, session, known),
            false => Ok(()),
        }
    }

    /// Takes in one event that sync brings; `false` where what follows it cannot be taken either.
    fn on_event(
        &mut self,
        now: u64,
        conn: ConnId,
        tag: Tag,
        session: SessionId,
        event: &Event,
    ) -> Result<bool, Fault> {
        match self.take_in(now, conn, session, event)? {
            Taken::New | Taken::Known => {
                self.note_received(conn, tag, event);
                return Ok(true);
            }
            Taken::Later => self.say(
                conn,
                tag,
                Message::Object(event.id(), Objection::TooEarly(now)),
            ),
            Taken::TooMuch => self.say(conn, tag, Message::Object(event.id(), Objection::NoRoom)),
            Taken::Lacks(_) => {
                self.with_share(conn, tag, session, |share, session, store| {
                    Ok(share.peer.on_gap(session, store)?.into_iter().collect())
                })?;
            }
            Taken::Not => {}
            Taken::Refused(what) => return Err(Fault::Peer(what)),
        }
        Ok(false)
    }

    fn note_received(&mut self, conn: ConnId, tag: Tag, event: &Event) {
        if let Some(share) = self.share(conn, tag) {
            share
                .peer
                .on_received(event.author(), event.header().seq, event.id());
        }
    }

    fn on_register(
        &mut self,
        now: u64,
        conn: ConnId,
        session: SessionId,
        bytes: &[u8],
    ) -> Result<(), Fault> {
        let register = register::Unverified::decode(bytes)
            .and_then(register::Unverified::verify)
            .map_err(|error| Fault::Peer(error.to_string()))?;
        if register.session() != session {
            return Err(Fault::Peer("a register of another session".into()));
        }
        let time = register.version().0;
        if time.is_too_early(now) {
            self.resume_at(conn, session, time.acceptable_from());
            return Ok(());
        }
        self.take_register(now, register)
    }

    fn on_objection(
        &mut self,
        now: u64,
        conn: ConnId,
        tag: Tag,
        session: SessionId,
        id: EventId,
        objection: Objection,
    ) -> Result<(), Fault> {
        let Objection::TooEarly(theirs) = objection else {
            return self.on_gone_too(now, conn, session, id);
        };
        let Some(stored) = self.store.event(id)? else {
            return Ok(());
        };
        // What was retired already needs no wait, and nobody to look at a clock.
        let void = !stored.standing.counts();
        let ours = stored.event.author().device == self.own.device();
        if void || (ours && self.retire_if_far_ahead(now, session, theirs)?) {
            return Ok(());
        }
        let time = stored.event.header().time;
        if let Some(share) = self.share(conn, tag) {
            let until = share.peer.on_too_early(time, theirs, now);
            self.resume_at(conn, session, until);
        }
        if let Some(device) = self.device_on(conn) {
            self.notify(Notice::TooEarly {
                device,
                theirs,
                ours: now,
            });
        }
        Ok(())
    }

    /// Compares a session anew on a connection, not before `at` (by our clock).
    pub(super) fn resume_at(&mut self, conn: ConnId, session: SessionId, at: u64) {
        let due = self.resume.entry((conn, session)).or_insert(at);
        *due = (*due).min(at);
    }

    /// What was too early, for us or for others, may be offered again: both sides say anew what
    /// they hold.
    pub(super) fn resume_due(&mut self, now: u64) -> Result<(), Fault> {
        let due: Vec<(ConnId, SessionId)> = self
            .resume
            .iter()
            .filter(|(_, until)| **until <= now)
            .map(|(key, _)| *key)
            .collect();
        for (conn, session) in due {
            self.resume.remove(&(conn, session));
            let Some(tag) = self.tag_of(conn, session) else {
                continue;
            };
            let part = self.part_on(conn, session)?;
            self.with_share(conn, tag, session, |share, session, store| {
                let (peer, message) = Peer::open_to(session, store, part)?;
                share.peer = peer;
                share.unanswered = share.unanswered.saturating_add(1);
                Ok(vec![message])
            })?;
        }
        Ok(())
    }

    /// Events that came from the future and may enter now.
    pub(super) fn admit_due(&mut self, now: u64) -> Result<(), Fault> {
        if self.held_at.is_none_or(|at| now < at) {
            return Ok(());
        }
        for held in self.store.due(now, DUE_PAGE)? {
            self.must_last();
            let (event, session) = (kept(&held.event, now), held.event.session());
            LogStore::release(&mut self.store, event.id())?;
            let Some(receipt) = self.receive(now, session, &event)? else {
                continue;
            };
            match receipt {
                Receipt::Admitted(admitted) => {
                    self.note_words_of_mine(now, &event, &admitted);
                    self.admitted(now, session, &event, *admitted, None)?;
                }
                // Its sender still has it and offers it again.
                Receipt::Known | Receipt::Lacks(_) | Receipt::Held { .. } => {}
                Receipt::Refused(refusal) => tracing::warn!(%refusal, "a held event is refused"),
            }
        }
        self.held_at = self.store.next_due()?;
        Ok(())
    }

    pub(super) fn share(&mut self, conn: ConnId, tag: Tag) -> Option<&mut Share> {
        self.connections
            .0
            .get_mut(&conn)?
            .ready_mut()?
            .share_mut(tag)
    }

    pub(super) fn tag_of(&self, conn: ConnId, session: SessionId) -> Option<Tag> {
        let ready = self.connections.0.get(&conn)?.ready()?;
        ready
            .shares
            .iter()
            .find(|(_, share)| share.session == session)
            .map(|(tag, _)| *tag)
    }

    /// Runs a step of a share's machine and sends what it says.
    fn with_share(
        &mut self,
        conn: ConnId,
        tag: Tag,
        session: SessionId,
        step: impl FnOnce(
            &mut Share,
            &tenet_log::session::Session,
            &S,
        ) -> Result<Vec<Message>, StoreError>,
    ) -> Result<(), Fault> {
        let Some(session) = self.sessions.get(&session) else {
            return Ok(());
        };
        let share = self
            .connections
            .0
            .get_mut(&conn)
            .and_then(|connection| connection.ready_mut())
            .and_then(|ready| ready.share_mut(tag));
        let Some(share) = share else { return Ok(()) };
        let messages = step(share, session, &self.store)?;
        for message in messages {
            self.say(conn, tag, message);
        }
        Ok(())
    }

    pub(super) fn say(&mut self, conn: ConnId, theirs: Tag, message: Message) {
        if let Some(ours) = self.share(conn, theirs).map(|share| share.ours) {
            self.send(conn, &Frame::Sync(ours, message));
        }
    }
}
