//! What others say of events on their way.

use tenet_delivery::fanout::{
    message::{Message, Report},
    plan::Task,
    point::Point,
    presence::Word,
    spread::Input,
};
use tenet_identity::keys::DeviceId;
use tenet_log::{
    event::{Event, Unverified},
    ids::{Author, EventId, SessionId},
    store::LogStore,
    sync::{HeadEntry, Message as Sync, Objection, Tag},
};

use super::{Engine, Fault, crowd::turn_of};
use crate::{
    engine::{erasure::kept, take::Taken},
    frame::Frame,
    input::{CloseReason, ConnId, Notice},
    storage::Storage,
};

/// Who speaks of which session, and where.
#[derive(Clone, Copy)]
struct Speaker {
    conn: ConnId,
    /// Their tag for it.
    tag: Tag,
    session: SessionId,
    device: DeviceId,
    point: Point,
}

impl<S: Storage> Engine<S> {
    /// Somebody speaks of an event of a session of many.
    pub(in crate::engine) fn on_spread(
        &mut self,
        now: u64,
        conn: ConnId,
        tag: Tag,
        message: Message,
    ) -> Result<(), Fault> {
        let share = self.share(conn, tag);
        let Some(session) = share.map(|share| share.session) else {
            return Ok(());
        };
        let Some(device) = self.device_on(conn) else {
            return Ok(());
        };
        let crowd = self.fanout.crowds.get(&session);
        let Some(point) = crowd.and_then(|crowd| crowd.point(device)) else {
            return self.on_spread_among_few(now, conn, tag, session, message);
        };
        let speaker = Speaker {
            conn,
            tag,
            session,
            device,
            point,
        };
        match message {
            Message::Give(bytes, task) => self.on_give(now, speaker, &bytes, task),
            Message::Offer(event, task) => self.on_offer(now, speaker, event, task),
            Message::Want(event) => self.on_want_spread(speaker, event),
            Message::Have(events) => self.on_have_spread(now, speaker, &events),
            Message::Report(event, report) => self.on_report(now, speaker, event, report),
            Message::Present(word) => {
                self.on_present(now, session, &word);
                Ok(())
            }
        }
    }

    /// NODE-1702: they see more devices than we do: what they give or offer is taken as by sync.
    fn on_spread_among_few(
        &mut self,
        now: u64,
        conn: ConnId,
        tag: Tag,
        session: SessionId,
        message: Message,
    ) -> Result<(), Fault> {
        match message {
            Message::Give(event, _) => self.on_sync(now, conn, tag, Sync::Events(vec![event])),
            Message::Offer(event, _) => {
                let here = LogStore::event(&self.store, event)?;
                let here = here.filter(|stored| stored.event.session() == session);
                let ours = self.share(conn, tag).map(|share| share.ours);
                let answer = match here {
                    Some(_) => Message::Have(vec![event]),
                    None => Message::Want(event),
                };
                if let Some(ours) = ours {
                    self.send(conn, &Frame::Spread(ours, answer));
                }
                Ok(())
            }
            Message::Want(_) | Message::Have(_) | Message::Report(..) | Message::Present(_) => {
                Ok(())
            }
        }
    }

    fn on_give(
        &mut self,
        now: u64,
        speaker: Speaker,
        bytes: &[u8],
        task: Option<Task>,
    ) -> Result<(), Fault> {
        let Speaker {
            conn, tag, session, ..
        } = speaker;
        let event = Unverified::decode(bytes).map_err(|error| Fault::Peer(error.to_string()))?;
        let ready = self.connections.0.get(&conn).and_then(|it| it.ready());
        let sender = ready.map(|ready| ready.identity);
        if sender.is_some_and(|sender| self.sends_too_much(session, sender)) {
            self.say(conn, tag, Sync::Object(event.id(), Objection::NoRoom));
            return Ok(());
        }
        if let Some(stored) = LogStore::event(&self.store, event.id())? {
            let (author, seq) = event.place();
            let id = event.id();
            let task = self.still_to_do(now, speaker, id, task)?;
            self.spread_given(speaker, &stored.event, task);
            return self.came_back(now, conn, session, &[HeadEntry { author, seq, id }]);
        }
        self.must_last();
        let event = event
            .verify()
            .map_err(|error| Fault::Peer(error.to_string()))?;
        self.take_given(now, speaker, &kept(&event, now), task)
    }

    /// Takes in an event that was given by a plan.
    fn take_given(
        &mut self,
        now: u64,
        speaker: Speaker,
        event: &Event,
        task: Option<Task>,
    ) -> Result<(), Fault> {
        let Speaker {
            conn, tag, session, ..
        } = speaker;
        match self.take_in(now, conn, session, event)? {
            Taken::New | Taken::Known => {
                let task = self.still_to_do(now, speaker, event.id(), task)?;
                self.note_held(speaker, event);
                self.spread_given(speaker, event, task);
            }
            Taken::Lacks(parent) => {
                let crowd = self.fanout.crowds.get_mut(&session);
                if let Some(crowd) = crowd {
                    crowd.room.put((event.clone(), parent), conn, task, now);
                    crowd.stirred(now);
                }
            }
            Taken::Later => self.say(
                conn,
                tag,
                Sync::Object(event.id(), Objection::TooEarly(now)),
            ),
            Taken::TooMuch => self.say(conn, tag, Sync::Object(event.id(), Objection::NoRoom)),
            Taken::Not => {}
            Taken::Refused(what) => return Err(Fault::Peer(what)),
        }
        Ok(())
    }

    /// NODE-1703: a task with what is old is not taken, and whoever asks hears that all is done: it is not to ask others.
    fn still_to_do(
        &mut self,
        now: u64,
        speaker: Speaker,
        event: EventId,
        task: Option<Task>,
    ) -> Result<Option<Task>, Fault> {
        let Speaker { session, point, .. } = speaker;
        let (crowd, asked) = (self.fanout.crowds.get_mut(&session), task.is_some());
        let Some(crowd) = crowd.filter(|_| asked) else {
            return Ok(None);
        };
        if crowd.is_news(event, now) {
            return Ok(task);
        }
        let reports = task.map(|task| crowd.seen_to(point, task.span));
        self.carry(now, session, event, reports.into_iter().collect())?;
        Ok(None)
    }

    /// They have it: it is not sent to them when both compare.
    fn note_held(&mut self, speaker: Speaker, event: &Event) {
        if let Some(share) = self.share(speaker.conn, speaker.tag) {
            let (author, seq) = (event.author(), event.header().seq);
            share.peer.on_held(author, seq, event.id());
        }
    }

    /// An event that is here by now was given.
    fn spread_given(&mut self, speaker: Speaker, event: &Event, task: Option<Task>) {
        if let Some(crowd) = self.fanout.crowds.get_mut(&speaker.session) {
            crowd.note(event);
        }
        let given = Input::Given {
            from: speaker.point,
            task,
            turn: turn_of(event),
        };
        self.fanout.spread(speaker.session, event.id(), given);
    }

    fn on_offer(
        &mut self,
        now: u64,
        speaker: Speaker,
        event: EventId,
        mut task: Option<Task>,
    ) -> Result<(), Fault> {
        let Speaker {
            session,
            point: from,
            ..
        } = speaker;
        let here = LogStore::event(&self.store, event)?;
        let here = here.filter(|stored| stored.event.session() == session);
        if here.is_some() {
            task = self.still_to_do(now, speaker, event, task)?;
        }
        let Some(crowd) = self.fanout.crowds.get_mut(&session) else {
            return Ok(());
        };
        if let Some(stored) = here {
            crowd.note(&stored.event);
            let held = Input::Held(turn_of(&stored.event));
            self.fanout.spread(session, event, held);
        } else if !crowd.knows(event) && !crowd.has_room() {
            return Ok(());
        }
        self.fanout
            .spread(session, event, Input::Offered { from, task });
        Ok(())
    }

    /// Somebody lacks what we offered, or what that builds on. Also of the latter copies are counted (FAN-3).
    fn on_want_spread(&mut self, speaker: Speaker, event: EventId) -> Result<(), Fault> {
        let Speaker { session, point, .. } = speaker;
        let crowd = self.fanout.crowds.get(&session);
        if crowd.is_some_and(|crowd| crowd.place(event).is_none()) {
            let here = LogStore::event(&self.store, event)?;
            let here = here.filter(|stored| stored.event.session() == session);
            let crowd = self.fanout.crowds.get_mut(&session);
            let Some((stored, crowd)) = here.zip(crowd) else {
                return Ok(());
            };
            crowd.note(&stored.event);
            let held = Input::Held(turn_of(&stored.event));
            self.fanout.spread(session, event, held);
        }
        self.fanout.spread(session, event, Input::Wanted(point));
        Ok(())
    }

    fn on_have_spread(
        &mut self,
        now: u64,
        speaker: Speaker,
        events: &[EventId],
    ) -> Result<(), Fault> {
        for event in events {
            let crowd = self.fanout.crowds.get(&speaker.session);
            let place = crowd.and_then(|crowd| crowd.place(*event));
            let place = match place {
                Some(place) => {
                    let had = Input::Had(speaker.point);
                    self.fanout.spread(speaker.session, *event, had);
                    Some(place)
                }
                None => self.place_of(speaker.session, *event)?,
            };
            if let Some((author, seq)) = place {
                self.reached(now, speaker.session, (author, seq), &[speaker.device])?;
            }
        }
        Ok(())
    }

    fn on_report(
        &mut self,
        now: u64,
        speaker: Speaker,
        event: EventId,
        report: Report,
    ) -> Result<(), Fault> {
        let Speaker {
            session,
            point: from,
            device,
            ..
        } = speaker;
        let Some(crowd) = self.fanout.crowds.get_mut(&session) else {
            return Ok(());
        };
        let Some(place) = crowd.place(event) else {
            return Ok(());
        };
        let mut have = crowd.heard_of(report.span, &report.has, now);
        have.push(device);
        self.fanout
            .spread(session, event, Input::Reported { from, report });
        self.reached(now, session, place, &have)
    }

    fn on_present(&mut self, now: u64, session: SessionId, word: &Word) {
        if let Some(crowd) = self.fanout.crowds.get_mut(&session) {
            crowd.take_word(word, now);
        }
    }

    /// Some devices hold a chain up to a place: our debts to them are paid (NODE-1706).
    fn reached(
        &mut self,
        now: u64,
        session: SessionId,
        (author, seq): (Author, u64),
        devices: &[DeviceId],
    ) -> Result<(), Fault> {
        let state = self.sessions.get(&session);
        let identity = state.and_then(|state| state.roster().identity(author));
        if identity != Some(self.own.identity()) {
            return Ok(());
        }
        for device in devices {
            self.has_it(now, session, author, seq, *device)?;
        }
        Ok(())
    }

    /// Whoever acknowledges by sync has what is on its way too.
    pub(in crate::engine) fn crowd_had(
        &mut self,
        conn: ConnId,
        session: SessionId,
        heads: &[HeadEntry],
    ) {
        let device = self.device_on(conn);
        let Some(crowd) = self.fanout.crowds.get(&session) else {
            return;
        };
        let Some(point) = device.and_then(|device| crowd.point(device)) else {
            return;
        };
        for event in crowd.within(heads) {
            self.fanout.spread(session, event, Input::Had(point));
        }
    }

    /// What waited for an event may come in.
    pub(super) fn let_in_waiting(
        &mut self,
        now: u64,
        session: SessionId,
        event: EventId,
    ) -> Result<(), Fault> {
        let crowd = self.fanout.crowds.get_mut(&session);
        let waiting = crowd.map(|crowd| crowd.room.take(event));
        for one in waiting.unwrap_or_default() {
            let speaker = self.speaker(one.conn, session);
            let Some(speaker) = speaker else {
                continue;
            };
            match self.take_given(now, speaker, &one.event, one.task) {
                Err(Fault::Peer(what)) => {
                    // Not the fault of whom this input came from.
                    let device = Some(speaker.device);
                    self.notify(Notice::Misbehaved { device, what });
                    self.close(now, one.conn, CloseReason::Protocol);
                }
                other => other?,
            }
        }
        Ok(())
    }

    /// NODE-1703: what does not come by itself is asked of whoever sent what builds on it; then sync brings it.
    pub(super) fn ask_for_parents(&mut self, now: u64, session: SessionId) -> Result<(), Fault> {
        let Some(crowd) = self.fanout.crowds.get_mut(&session) else {
            return Ok(());
        };
        let (asks, given_up) = crowd.room.due(now);
        if given_up > 0 {
            self.compare_anew(now, session);
        }
        for (conn, event) in asks {
            let device = self.device_on(conn);
            if let Some(way) = device.and_then(|device| self.way_to(session, device)) {
                self.send(way.conn, &Frame::Spread(way.tag, Message::Want(event)));
            }
        }
        Ok(())
    }

    /// Who speaks of a session on a connection.
    fn speaker(&self, conn: ConnId, session: SessionId) -> Option<Speaker> {
        let tag = self.tag_of(conn, session)?;
        let device = self.device_on(conn)?;
        let point = self.fanout.crowds.get(&session)?.point(device)?;
        Some(Speaker {
            conn,
            tag,
            session,
            device,
            point,
        })
    }

    fn place_of(&self, session: SessionId, event: EventId) -> Result<Option<(Author, u64)>, Fault> {
        let here = LogStore::event(&self.store, event)?;
        let here = here.filter(|stored| stored.event.session() == session);
        Ok(here.map(|stored| (stored.event.author(), stored.event.header().seq)))
    }
}
