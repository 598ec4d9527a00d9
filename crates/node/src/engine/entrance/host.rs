//! The member's end: who knocks at a group of ours, and what they may have.

use minicbor::bytes::ByteVec;
use tenet_identity::{
    keys::IdentityId,
    meeting::knock::{Asker, GroupBond, GroupKnock, Message, Preview, Reason, Refusal},
};
use tenet_log::{
    ids::{EventId, SessionId},
    roster::{Opening, Role},
    store::{LogStore, StoreError},
};

use crate::{
    connection::{Guest, Stage},
    engine::{Engine, Fault, Place},
    input::{CloseReason, ConnId},
    storage::Storage,
};

/// The most who come in by links at a time; one more is told to come again. A guess: each costs a session's headers.
const MAX_GUESTS: usize = 64;

/// What becomes of who knocks rightly.
enum Answer {
    /// They may come in, or are in already.
    Come,
    /// Somebody decides.
    Ask,
    /// They may not.
    No(Refusal),
}

impl<S: Storage> Engine<S> {
    /// NODE-1401: somebody knocks at a group.
    pub(in crate::engine) fn on_group_knock(
        &mut self,
        now: u64,
        conn: ConnId,
        knock: GroupKnock,
    ) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get(&conn) else {
            return Ok(());
        };
        let Some((identity, device)) = connection.shown() else {
            return Err(Fault::Peer("it knocked before it said who it is".into()));
        };
        let id = EventId::from(knock.opening());
        let bond = GroupBond {
            exporter: connection.exporter,
            opening: *id.as_bytes(),
        };
        let unwelcome = self.is_unwelcome(identity, device);
        let known = self.opened(id)?.filter(|_| !unwelcome);
        let Some((session, opening, open)) = known else {
            return self.refuse(conn, Reason::Unknown);
        };
        let asker = match knock.check(&bond, opening.key) {
            Ok(asker) if asker.card.device() == device && asker.card.identity() == identity => {
                asker
            }
            // Who has not the link learns nothing about groups.
            _ => return self.refuse(conn, Reason::Unknown),
        };
        let answer = self.answer_to(now, session, id, &opening, open, &asker)?;
        let preview = self.preview(
            session,
            &opening,
            matches!(answer, Answer::Come) && !asker.looks,
        );
        match answer {
            Answer::No(refusal) => self.refuse(conn, refusal),
            _ if asker.looks => self.show_group(conn, preview),
            Answer::Ask => self.ask_members(now, conn, (session, id), &asker),
            Answer::Come => self.welcome_guest(now, conn, (session, id), &asker, preview),
        }
    }

    /// The link of a session of ours that an event opened, and whether it is open still.
    fn opened(&self, id: EventId) -> Result<Option<(SessionId, Opening, bool)>, StoreError> {
        // Whose operations are not at hand are not read for what is no event of theirs.
        let Some(stored) = LogStore::event(&self.store, id)? else {
            return Ok(None);
        };
        let session = stored.event.session();
        let state = self.sessions.get(&session);
        let Some(state) = state.filter(|_| self.place(session) == Place::In) else {
            return Ok(None);
        };
        let opening = state.opening(&self.store, id)?;
        Ok(opening.map(|(opening, open)| (session, opening.clone(), open)))
    }

    fn answer_to(
        &self,
        now: u64,
        session: SessionId,
        id: EventId,
        opening: &Opening,
        open: bool,
        asker: &Asker,
    ) -> Result<Answer, Fault> {
        let identity = asker.card.identity();
        let no = |reason: Reason| Ok(Answer::No(reason.into()));
        let Some(state) = self.sessions.get(&session) else {
            return no(Reason::Unknown);
        };
        if state.roster().members.contains_key(&identity) {
            return Ok(Answer::Come);
        }
        if state.is_shut_out(&self.store, identity)? {
            return no(Reason::Rejected);
        }
        if let Some(refusal) = self.refusal_of(session, identity, asker.asked)? {
            return Ok(Answer::No(refusal));
        }
        // Who asked in time is not sent away because the link has ended since.
        if opening.asks() && self.has_asked(session, id, identity)? {
            return Ok(Answer::Ask);
        }
        if !open {
            return no(Reason::Revoked);
        }
        if opening.until.is_some_and(|until| now >= until.millis()) {
            return no(Reason::Expired);
        }
        match (opening.asks(), &opening.question, &asker.plea.remark) {
            // CON-101: what is asked first.
            (true, Some(question), None) if !asker.looks => Ok(Answer::No(Refusal {
                reason: Reason::Question,
                remark: Some(question.clone()),
            })),
            (true, ..) => Ok(Answer::Ask),
            (false, ..) => Ok(Answer::Come),
        }
    }

    /// NODE-1402: who may come in is brought the session.
    fn welcome_guest(
        &mut self,
        now: u64,
        conn: ConnId,
        (session, opening): (SessionId, EventId),
        asker: &Asker,
        preview: Preview,
    ) -> Result<(), Fault> {
        let member = self.is_member(session, asker.card.identity());
        let guests = self
            .connections
            .0
            .values()
            .filter(|one| one.guest.is_some());
        if !member && guests.count() >= MAX_GUESTS {
            return self.refuse(conn, Reason::Busy);
        }
        let Some(connection) = self.connections.0.get_mut(&conn) else {
            return Ok(());
        };
        let greeted = connection.greeted;
        connection.guest = (!member).then_some(Guest { session, opening });
        connection.expects = Some(session);
        // What was brought before they listened is brought again.
        connection.offered.remove(&session);
        let ready = matches!(connection.stage, Stage::Ready(_));
        if !greeted {
            self.say_hello(conn)?;
        }
        self.say_in_knock(conn, &Message::Preview(preview));
        match ready {
            true => self.say_meet(conn)?,
            false => self.become_ready(now, conn, &asker.card)?,
        }
        self.tell_who_is_in(session);
        Ok(())
    }

    /// NODE-1403: who knocked, and is in now, is told so: until then they knock again.
    fn tell_who_is_in(&mut self, session: SessionId) {
        let Some(roster) = self.sessions.get(&session).map(|state| state.roster()) else {
            return;
        };
        let connections = self.connections.0.iter_mut();
        let expected = connections.filter(|(_, one)| one.expects == Some(session));
        let mut told = Vec::new();
        for (conn, connection) in expected {
            let device = connection.shown().map(|(_, device)| device);
            if device.is_some_and(|device| roster.author(device).is_some()) {
                connection.expects = None;
                told.push(*conn);
            }
        }
        for conn in told {
            self.say_in_knock(conn, &Message::Arrived(*session.as_bytes()));
        }
    }

    /// Shows what group it is, and ends the connection unless it has another purpose.
    fn show_group(&mut self, conn: ConnId, preview: Preview) -> Result<(), Fault> {
        self.say_in_knock(conn, &Message::Preview(preview));
        match self.connections.0.get(&conn) {
            Some(connection) if connection.ready().is_some() || connection.in_knock() => Ok(()),
            _ => Err(Fault::Close(CloseReason::NotWelcome)),
        }
    }

    pub(super) fn is_member(&self, session: SessionId, identity: IdentityId) -> bool {
        let state = self.sessions.get(&session);
        state.is_some_and(|state| state.roster().members.contains_key(&identity))
    }

    /// The roster of a session is another: who comes in by a link is in now, or may not come in any more.
    pub(in crate::engine) fn settle_guests(&mut self, session: SessionId) -> Result<(), Fault> {
        let connections = self.connections.0.iter();
        let guests = connections.filter(|(_, one)| one.has_guest_in(session));
        let guests: Vec<(ConnId, IdentityId, EventId)> = guests
            .filter_map(|(conn, one)| Some((*conn, one.shown()?.0, one.guest?.opening)))
            .collect();
        for (conn, identity, opening) in guests {
            let Some(state) = self.sessions.get(&session) else {
                continue;
            };
            let is_in = state.roster().members.contains_key(&identity);
            let opening = state.opening(&self.store, opening)?;
            let open = opening.is_some_and(|(_, open)| open) && !state.roster().dissolved;
            let may_come = open && !state.is_shut_out(&self.store, identity)?;
            if !is_in && may_come {
                continue;
            }
            if let Some(connection) = self.connections.0.get_mut(&conn) {
                connection.guest = None;
            }
            if !is_in {
                self.say_in_knock(conn, &Message::Refused(Reason::Revoked.into()));
            }
        }
        self.tell_who_is_in(session);
        self.answer_askers(session)
    }

    /// GKNOCK-2: what group it is.
    fn preview(&self, session: SessionId, opening: &Opening, follows: bool) -> Preview {
        let group = self.group(session);
        let group = group.as_ref();
        let text = group.map(|it| it.description.clone()).unwrap_or_default();
        Preview {
            name: group.map(|it| it.name.clone()).unwrap_or_default(),
            description: Some(text).filter(|text| !text.is_empty()),
            avatar: group.and_then(|it| it.avatar.clone()).map(ByteVec::from),
            members: group.map_or(0, |it| it.members as u64),
            role: role_number(opening.role),
            consent: opening.asks(),
            question: opening.question.clone(),
            follows,
        }
    }
}

const fn role_number(role: Role) -> u8 {
    match role {
        Role::Owner => 0,
        Role::Moderator => 1,
        Role::Member => 2,
        Role::Observer => 3,
    }
}
