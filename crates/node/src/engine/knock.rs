//! Becoming contacts over one connection: both sides of a knock.
//!
//! ```text
//! knocker                              inviter
//! Knock (commitment, proof)  ────────▶ counts the use, fixes nonce and founding, keeps both
//!    ◀──────────────────────── Answer  (nonce, founding, proof)
//! keeps session and contact
//! Open (nonce, join)         ────────▶ keeps session and contact
//!    ◀──────────────────────── Done
//! ```
//!
//! Every step is kept before it is said, and the same device knocking again with the same
//! commitment gets the same answer: so the two may lose each other at any point and go on later.
//! Another commitment under an answer that was given is refused, or the knocker could choose its
//! nonce after having seen ours.

use std::net::SocketAddr;

use tenet_apps::contacts::{
    Answered, Contact, Invite, Knocking,
    contact::{Share, Verification, Warning},
    invite::{Admission, Refused},
    knocking::{State, explain},
    name,
};
use tenet_delivery::redial;
use tenet_identity::{
    hello::Role,
    keys::{EndpointId, IdentityId},
    meeting::{
        invite::InviteId,
        knock::{self, Answer, Answerer, Bond, Knock, Knocker, Message, Open, Reason},
    },
};
use tenet_log::{
    event::{Event, Unverified},
    ids::SessionId,
    roster::{Op, SessionKind},
    session::{OpenError, Receipt, Session},
    store::{LogStore, StoreError},
};

use super::{Engine, Fault, Ours};
use crate::{
    connection::Stage,
    frame::Frame,
    input::{CloseReason, ConnId, Notice},
    storage::Storage,
};

impl<S: Storage> Engine<S> {
    pub(super) fn on_knock_message(
        &mut self,
        now: u64,
        conn: ConnId,
        bytes: &[u8],
    ) -> Result<(), Fault> {
        self.must_last();
        match Message::from_bytes(bytes).map_err(peer_fault)? {
            Message::Knock(knock) => self.on_knock(now, conn, knock),
            Message::Answer(answer) => self.on_answer(now, conn, answer),
            Message::Open(open) => self.on_open(now, conn, open),
            Message::Done => self.on_done(now, conn),
            Message::Refused(reason) => self.on_refused(now, conn, reason),
            _ => Err(Fault::Peer("it sent an unknown message of a knock".into())),
        }
    }

    // --- the knocker ---

    /// The link that we want to take at this endpoint.
    pub(super) fn knocking_at(
        &self,
        now: u64,
        peer: EndpointId,
    ) -> Result<Option<InviteId>, StoreError> {
        let links = self.open_knockings(now)?;
        let link = links.iter().find(|knocking| knocking.link.ext().endpoint == peer);
        Ok(link.map(Knocking::id))
    }

    /// Links that are still to be taken, and those that were taken but whose makers have not said
    /// yet where they are met: with what the link says about that.
    pub(super) fn links_to_reach(
        &self,
        now: u64,
    ) -> Result<Vec<(EndpointId, Vec<SocketAddr>)>, StoreError> {
        let mut links = self.open_knockings(now)?;
        for knocking in self.store.knockings()? {
            if let State::Connected { session } = knocking.state
                && self.endpoints_in(session)?.is_empty()
            {
                links.push(knocking);
            }
        }
        let place = |knocking: &Knocking| {
            let ext = knocking.link.ext();
            (ext.endpoint, ext.addresses.clone())
        };
        Ok(links.iter().map(place).collect())
    }

    /// Links that were neither answered to the end nor refused. An expired one is tried no more,
    /// unless it was answered already and only the last word was lost.
    fn open_knockings(&self, now: u64) -> Result<Vec<Knocking>, StoreError> {
        let mut links = self.store.knockings()?;
        links.retain(|knocking| knocking.state == State::Pending);
        let mut open = Vec::new();
        for knocking in links {
            let answered = self.store.contact(knocking.link.ext().identity)?.is_some();
            if answered || !knocking.link.expired_at(now) {
                open.push(knocking);
            }
        }
        Ok(open)
    }

    pub(super) fn say_knock(&mut self, conn: ConnId, invite: InviteId) -> Result<(), Fault> {
        let Some(knocking) = self.store.knocking(invite)? else { return Ok(()) };
        let Some(connection) = self.connections.0.get(&conn) else { return Ok(()) };
        let bond = bond_of_knocker(&knocking, &connection.exporter);
        let knock =
            Knock::new(&bond, invite, &self.knocker(&knocking)).map_err(peer_fault)?;
        self.say_in_knock(conn, &Message::Knock(knock));
        Ok(())
    }

    fn knocker(&self, knocking: &Knocking) -> Knocker {
        Knocker {
            card: self.own.card.clone(),
            name: self.own.name.clone(),
            commitment: knock::commitment(&knocking.nonce, self.own.device()),
        }
    }

    fn on_answer(&mut self, now: u64, conn: ConnId, answer: Answer) -> Result<(), Fault> {
        let (invite, card) = match self.connections.0.get(&conn).map(|c| &c.stage) {
            Some(Stage::Knocking { invite, card, .. }) => (*invite, card.clone()),
            _ => return Err(Fault::Peer("it answered where nobody knocked".into())),
        };
        let Some(knocking) = self.store.knocking(invite)? else {
            return Err(Fault::Close(CloseReason::NotWelcome));
        };
        let exporter = self.exporter(conn);
        let bond = bond_of_knocker(&knocking, &exporter);
        let answerer = answer.check(&bond, &self.knocker(&knocking)).map_err(peer_fault)?;
        if answerer.card != card {
            return Err(Fault::Peer("it answered with another card than it showed".into()));
        }
        let join = self.join(now, &answerer)?;
        let session = join.session();
        let verification = Verification {
            mine: Share { device: self.own.device(), nonce: knocking.nonce },
            theirs: Share { device: card.device(), nonce: answerer.nonce },
            session,
        };
        let wished = knocking.name.as_deref();
        self.met(now, card.identity(), wished, &answerer.name, verification)?;
        let open = Open::new(knocking.nonce, join.to_wire()).map_err(peer_fault)?;
        self.say_in_knock(conn, &Message::Open(open));
        self.set_stage(conn, Stage::Knocking { invite, card, session: Some(session) });
        Ok(())
    }

    /// Notes that a knock was completed with somebody, who may be a contact already.
    fn met(
        &mut self,
        now: u64,
        identity: IdentityId,
        wished: Option<&str>,
        nickname: &str,
        verification: Verification,
    ) -> Result<(), Fault> {
        let known = self.store.contact(identity)?;
        let is_new = known.is_none();
        let mut contact = match known {
            Some(contact) => contact,
            None => {
                let contacts = self.store.contacts()?;
                let name = name::suggest(wished, nickname, identity, &contacts);
                Contact::new(identity, name, nickname.to_owned(), now)
            }
        };
        contact.met(verification);
        self.store.put_contact(&contact)?;
        if is_new {
            self.notify(Notice::ContactAdded { identity });
        }
        Ok(())
    }

    /// Enters the session that the answer founds; gives our joining event, the same one if the
    /// answer comes again.
    fn join(&mut self, now: u64, answerer: &Answerer) -> Result<Event, Fault> {
        let founding = verified(&answerer.founding)?;
        let id = founding.session();
        if !self.sessions.contains_key(&id) {
            let (session, admitted) =
                Session::open(&mut self.store, &founding).map_err(open_fault)?;
            self.check_direct(&session, answerer)?;
            self.sessions.insert(id, session);
            self.admitted(now, id, &founding, admitted, None)?;
        }
        if let Some(join) = self.own_join(id)? {
            return Ok(join);
        }
        let op = Op::Join(self.own.card.clone());
        let Some(session) = self.sessions.get_mut(&id) else {
            return Err(Fault::Close(CloseReason::Trouble));
        };
        let (join, admitted) = session
            .operate(&mut self.store, &self.own.key, &op, now)
            .map_err(|error| Fault::Peer(error.to_string()))?;
        self.admitted(now, id, &join, admitted, Some(Ours))?;
        self.publish_endpoint(now, id)?;
        Ok(join)
    }

    /// The session must be one of exactly the two, founded by the device that answered.
    fn check_direct(&self, session: &Session, answerer: &Answerer) -> Result<(), Fault> {
        let roster = session.roster();
        let both = roster.members.contains_key(&self.own.identity())
            && roster.members.contains_key(&answerer.card.identity());
        let founder = roster.author(answerer.card.device()).is_some();
        if roster.kind == SessionKind::Direct && both && founder {
            return Ok(());
        }
        Err(Fault::Peer("it founded another session than one of the two of us".into()))
    }

    fn own_join(&self, id: SessionId) -> Result<Option<Event>, StoreError> {
        let Some(session) = self.sessions.get(&id) else { return Ok(None) };
        let Some(author) = session.roster().author(self.own.device()) else { return Ok(None) };
        let stored = LogStore::event(&self.store, author.added_by)?;
        Ok(stored.map(|stored| stored.event))
    }

    fn on_done(&mut self, now: u64, conn: ConnId) -> Result<(), Fault> {
        let (invite, card, session) = match self.connections.0.get(&conn).map(|c| &c.stage) {
            Some(Stage::Knocking { invite, card, session: Some(session) }) => {
                (*invite, card.clone(), *session)
            }
            _ => return Err(Fault::Peer("it ended a knock that it never answered".into())),
        };
        if let Some(mut knocking) = self.store.knocking(invite)? {
            knocking.state = State::Connected { session };
            self.store.put_knocking(&knocking)?;
        }
        self.notify(Notice::Knocked { invite, identity: card.identity(), refused: None });
        self.become_ready(now, conn, &card);
        Ok(())
    }

    fn on_refused(&mut self, now: u64, conn: ConnId, reason: Reason) -> Result<(), Fault> {
        let invite = match self.connections.0.get(&conn).map(|c| &c.stage) {
            Some(
                Stage::Knocking { invite, .. } | Stage::Silent { knocking: Some(invite) },
            ) => *invite,
            _ => return Err(Fault::Peer("it refused where nobody knocked".into())),
        };
        let Some(mut knocking) = self.store.knocking(invite)? else {
            return Err(Fault::Close(CloseReason::NotWelcome));
        };
        if knocking.refused(reason) {
            self.store.put_knocking(&knocking)?;
            let ext = knocking.link.ext();
            let (identity, endpoint) = (ext.identity, ext.endpoint);
            if reason == Reason::Used {
                self.notify(Notice::LinkReused { invite: None, identity: Some(identity) });
            }
            let refused = Some(explain(reason).to_owned());
            self.notify(Notice::Knocked { invite, identity, refused });
            self.redial.handle(redial::Input::Forget(endpoint), now, &mut self.rng);
        }
        Err(Fault::Close(CloseReason::NotWelcome))
    }

    // --- the inviter ---

    fn on_knock(&mut self, now: u64, conn: ConnId, knock: Knock) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get(&conn) else { return Ok(()) };
        let shown = match (&connection.stage, connection.role) {
            (Stage::Stranger { card }, Role::Dialled) => card.device(),
            (Stage::Ready(ready), Role::Dialled) => ready.device,
            _ => return Err(Fault::Peer("it knocked at the wrong moment".into())),
        };
        let Some(mut invite) = self.store.invite(knock.invite())? else {
            return self.refuse(conn, Reason::Unknown);
        };
        let exporter = connection.exporter;
        let secret = invite.secret.clone();
        let bond = Bond {
            exporter,
            secret: &secret,
            inviter: self.own.identity(),
            endpoint: self.own.endpoint,
        };
        let knocker = match knock.check(&bond) {
            Ok(knocker) if knocker.card.device() == shown => knocker,
            // A stranger without the secret learns nothing about invites.
            _ => return self.refuse(conn, Reason::Unknown),
        };
        let admission = invite.admit(now, knocker.card.device(), knocker.card.identity());
        self.store.put_invite(&invite)?;
        let answered = match admission {
            Ok(Admission::New) => self.first_answer(now, &invite, &knocker)?,
            Ok(Admission::Again) => match self.store.answered(invite.id(), knocker.card.device())? {
                Some(answered) if answered.may_repeat(&knocker.commitment) => answered,
                _ => return self.refuse(conn, Reason::Used),
            },
            Err(refused) => return self.refuse_admission(now, conn, &invite, refused),
        };
        self.answer(conn, &bond, knocker, &answered)
    }

    /// Fixes, and keeps, what this device will be answered however often it knocks.
    fn first_answer(
        &mut self,
        now: u64,
        invite: &Invite,
        knocker: &Knocker,
    ) -> Result<Answered, Fault> {
        let founding = Session::draft_founding(
            &self.own.key,
            &self.own.card,
            SessionKind::Direct,
            &[knocker.card.identity()],
            now,
            &mut self.rng,
        )
        .map_err(|error| Fault::Peer(error.to_string()))?;
        let nonce = knock::nonce(&mut self.rng);
        let answered = Answered {
            invite: invite.id(),
            device: knocker.card.device(),
            identity: knocker.card.identity(),
            nickname: knocker.name.clone(),
            commitment: knocker.commitment,
            nonce,
            founding: founding.to_wire(),
            at: now,
            opened: false,
        };
        self.store.put_answered(&answered)?;
        Ok(answered)
    }

    fn answer(
        &mut self,
        conn: ConnId,
        bond: &Bond<'_>,
        knocker: Knocker,
        answered: &Answered,
    ) -> Result<(), Fault> {
        let answerer = Answerer {
            card: self.own.card.clone(),
            name: self.own.name.clone(),
            nonce: answered.nonce,
            founding: answered.founding.clone(),
        };
        let answer = Answer::new(bond, &knocker, &answerer).map_err(peer_fault)?;
        if matches!(self.connections.0.get(&conn).map(|c| &c.stage), Some(Stage::Stranger { .. })) {
            self.say_hello(conn)?;
        }
        self.say_in_knock(conn, &Message::Answer(answer));
        let invite = answered.invite;
        self.set_stage(conn, Stage::Answered { invite, knocker: Box::new(knocker) });
        Ok(())
    }

    fn on_open(&mut self, now: u64, conn: ConnId, open: Open) -> Result<(), Fault> {
        let (invite, knocker) = match self.connections.0.get(&conn).map(|c| &c.stage) {
            Some(Stage::Answered { invite, knocker }) => (*invite, (**knocker).clone()),
            _ => return Err(Fault::Peer("it opened what it never committed to".into())),
        };
        let device = knocker.card.device();
        let Some(mut answered) = self.store.answered(invite, device)? else {
            return Err(Fault::Close(CloseReason::NotWelcome));
        };
        let (nonce, join) = open.check(&knocker).map_err(peer_fault)?;
        let founding = verified(&answered.founding)?;
        let join = verified(&join)?;
        let id = founding.session();
        if !self.sessions.contains_key(&id) {
            let (session, admitted) =
                Session::open(&mut self.store, &founding).map_err(open_fault)?;
            self.sessions.insert(id, session);
            self.admitted(now, id, &founding, admitted, Some(Ours))?;
            self.publish_endpoint(now, id)?;
        }
        match self.receive(now, id, &join)? {
            Receipt::Admitted(admitted) => self.admitted(now, id, &join, *admitted, None)?,
            Receipt::Known => {}
            other => return Err(Fault::Peer(format!("it did not join: {other:?}"))),
        }
        if !self.knows(&knocker.card) {
            return Err(Fault::Peer("it joined as somebody else".into()));
        }
        answered.opened = true;
        self.store.put_answered(&answered)?;
        let verification = Verification {
            mine: Share { device: self.own.device(), nonce: answered.nonce },
            theirs: Share { device, nonce },
            session: id,
        };
        let wished = self.store.invite(invite)?.and_then(|invite| invite.name);
        let identity = knocker.card.identity();
        self.met(now, identity, wished.as_deref(), &knocker.name, verification)?;
        self.notify(Notice::InviteUsed { invite, identity });
        self.say_in_knock(conn, &Message::Done);
        self.become_ready(now, conn, &knocker.card);
        Ok(())
    }

    fn refuse_admission(
        &mut self,
        now: u64,
        conn: ConnId,
        invite: &Invite,
        refused: Refused,
    ) -> Result<(), Fault> {
        if refused == (Refused::Used { suspicious: true }) {
            let identity = invite.uses.first().map(|used| used.identity);
            if let Some(identity) = identity
                && let Some(mut contact) = self.store.contact(identity)?
            {
                contact.warning = Some(Warning::LinkReused { at: now });
                self.store.put_contact(&contact)?;
            }
            self.notify(Notice::LinkReused { invite: Some(invite.id()), identity });
        }
        self.refuse(conn, refused.reason())
    }

    /// Says why not, and ends the connection unless it has another purpose.
    fn refuse(&mut self, conn: ConnId, reason: Reason) -> Result<(), Fault> {
        self.say_in_knock(conn, &Message::Refused(reason));
        match self.connections.0.get(&conn).and_then(|connection| connection.ready()) {
            Some(_) => Ok(()),
            None => Err(Fault::Close(CloseReason::NotWelcome)),
        }
    }

    fn say_in_knock(&mut self, conn: ConnId, message: &Message) {
        self.send(conn, &Frame::Knock(message.to_bytes().into()));
    }

    fn exporter(&self, conn: ConnId) -> [u8; 32] {
        self.connections.0.get(&conn).map_or([0; 32], |connection| connection.exporter)
    }
}

fn bond_of_knocker<'a>(knocking: &'a Knocking, exporter: &[u8; 32]) -> Bond<'a> {
    let ext = knocking.link.ext();
    Bond {
        exporter: *exporter,
        secret: &ext.secret,
        inviter: ext.identity,
        endpoint: ext.endpoint,
    }
}

fn verified(bytes: &[u8]) -> Result<Event, Fault> {
    Unverified::decode(bytes)
        .and_then(Unverified::verify)
        .map_err(|error| Fault::Peer(error.to_string()))
}

fn peer_fault(error: knock::Error) -> Fault {
    Fault::Peer(error.to_string())
}

fn open_fault(error: OpenError) -> Fault {
    match error {
        OpenError::Store(error) => Fault::Store(error),
        error => Fault::Peer(error.to_string()),
    }
}
