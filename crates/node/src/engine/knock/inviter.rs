//! The inviter: answering who knocks, so that each device always gets the same answer.

use tenet_apps::contacts::{
    Answered, Invite, Request,
    contact::{Share, Verification, Warning},
    invite::{Admission, Refused},
    request::Decision,
};
use tenet_identity::meeting::knock::{
    self, Answer, Answerer, Bond, Knock, Knocker, Message, Open, Reason, Refusal,
};
use tenet_log::{
    event::Event,
    ids::SessionId,
    roster::SessionKind,
    session::{Receipt, Session},
};

use super::{open_fault, own_fault, peer_fault, verified};
use crate::{
    engine::{Engine, Fault, Ours},
    input::{CloseReason, ConnId, Notice},
    storage::Storage,
};

impl<S: Storage> Engine<S> {
    pub(super) fn on_knock(&mut self, now: u64, conn: ConnId, knock: Knock) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get(&conn) else {
            return Ok(());
        };
        let Some((identity, shown)) = connection.shown() else {
            return Err(Fault::Peer("it knocked before it said who it is".into()));
        };
        if self.is_unwelcome(identity, shown) {
            return self.refuse(conn, Reason::Unknown);
        }
        let Some(mut invite) = self.store.invite(knock.invite())? else {
            return self.refuse(conn, Reason::Unknown);
        };
        let request = self.store.request(invite.id(), identity)?;
        if request.is_none() && invite.is_shut_to(now, shown, identity) {
            return self.refuse(conn, Reason::Unknown);
        }
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
        let (device, identity) = (knocker.card.device(), knocker.card.identity());
        let word = self.word_about(identity, request.as_ref())?;
        let admission = invite.admit_by(now, device, identity, word);
        self.store.put_invite(&invite)?;
        let answered = match admission {
            Ok(Admission::Ask) => return self.ask(now, conn, &invite, &knocker, request),
            Ok(Admission::New) => self.first_answer(now, &invite, &knocker)?,
            Ok(Admission::Again) => {
                match self.store.answered(invite.id(), knocker.card.device())? {
                    Some(answered) if answered.may_repeat(&knocker.commitment) => answered,
                    _ => return self.refuse(conn, Reason::Used),
                }
            }
            Err(refused) => {
                return self.refuse_admission(now, conn, &invite, refused, request);
            }
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
        )?;
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
            name: self.profile().name,
            nonce: answered.nonce,
            founding: answered.founding.clone(),
        };
        let answer = Answer::new(bond, &knocker, &answerer).map_err(own_fault)?;
        if self
            .connections
            .0
            .get(&conn)
            .is_some_and(|connection| !connection.greeted)
        {
            self.say_hello(conn)?;
        }
        self.say_in_knock(conn, &Message::Answer(answer));
        if let Some(connection) = self.connections.0.get_mut(&conn) {
            connection.answered = Some((answered.invite, Box::new(knocker)));
        }
        Ok(())
    }

    pub(super) fn on_open(&mut self, now: u64, conn: ConnId, open: Open) -> Result<(), Fault> {
        let connection = self.connections.0.get_mut(&conn);
        let Some((invite, knocker)) = connection.and_then(|connection| connection.answered.take())
        else {
            return Err(Fault::Peer("it opened what it never committed to".into()));
        };
        let device = knocker.card.device();
        let Some(mut answered) = self.store.answered(invite, device)? else {
            return Err(Fault::Close(CloseReason::NotWelcome));
        };
        let (nonce, join) = open.check(&knocker).map_err(peer_fault)?;
        let founding = verified(&answered.founding)?;
        let join = verified(&join)?;
        let theirs = join.header().time;
        if theirs.is_too_early(now) {
            // The same join is good when its time has come.
            self.notify(Notice::TooEarly {
                device,
                theirs: theirs.millis(),
                ours: now,
            });
            return self.refuse(conn, Reason::Busy);
        }
        let session = self.let_in(now, &founding, &join, &knocker)?;
        let first = !std::mem::replace(&mut answered.opened, true);
        self.store.put_answered(&answered)?;
        let verification = Verification {
            mine: Share {
                device: self.own.device(),
                nonce: answered.nonce,
            },
            theirs: Share { device, nonce },
            session,
        };
        let wished = self.store.invite(invite)?.and_then(|invite| invite.name);
        let identity = knocker.card.identity();
        self.met(
            now,
            identity,
            wished.as_deref(),
            &knocker.name,
            verification,
        )?;
        if first {
            self.notify(Notice::InviteUsed { invite, identity });
        }
        self.say_in_knock(conn, &Message::Done);
        let connection = self.connections.0.get(&conn);
        if connection.is_some_and(|connection| connection.ready().is_some()) {
            return Ok(());
        }
        self.become_ready(now, conn, &knocker.card)
    }

    /// Founds the session, unless that was done the last time, and takes the knocker's join.
    fn let_in(
        &mut self,
        now: u64,
        founding: &Event,
        join: &Event,
        knocker: &Knocker,
    ) -> Result<SessionId, Fault> {
        let id = founding.session();
        if !self.sessions.contains_key(&id) {
            let (session, admitted) =
                Session::open(&mut self.store, founding).map_err(open_fault)?;
            self.sessions.insert(id, session);
            self.admitted(now, id, founding, admitted, Some(Ours))?;
            self.publish_endpoint(now, id)?;
            self.publish_profile(now, id)?;
        }
        match self.receive(now, id, join)? {
            Some(Receipt::Admitted(admitted)) => self.admitted(now, id, join, *admitted, None)?,
            Some(Receipt::Known) => {}
            other => return Err(Fault::Peer(format!("it did not join: {other:?}"))),
        }
        if !self.knows(&knocker.card) {
            return Err(Fault::Peer("it joined as somebody else".into()));
        }
        Ok(id)
    }

    fn refuse_admission(
        &mut self,
        now: u64,
        conn: ConnId,
        invite: &Invite,
        refused: Refused,
        request: Option<Request>,
    ) -> Result<(), Fault> {
        if refused == (Refused::Used { suspicious: true }) {
            let identity = invite.uses.first().map(|used| used.identity);
            if let Some(identity) = identity
                && let Some(mut contact) = self.store.contact(identity)?
            {
                contact.warning = Some(Warning::LinkReused { at: now });
                self.put_contact(&contact)?;
            }
            self.notify(Notice::LinkReused {
                invite: Some(invite.id()),
                identity,
            });
        }
        let remark = match request.map(|request| request.decision) {
            Some(Decision::Rejected { remark }) if refused == Refused::Rejected => remark,
            _ => None,
        };
        let reason = refused.reason();
        self.refuse(conn, Refusal { reason, remark })
    }

    /// Says why not, and ends the connection unless it has another purpose.
    pub(in crate::engine) fn refuse(
        &mut self,
        conn: ConnId,
        refusal: impl Into<Refusal>,
    ) -> Result<(), Fault> {
        self.say_in_knock(conn, &Message::Refused(refusal.into()));
        match self.connections.0.get(&conn) {
            Some(connection) if connection.ready().is_some() || connection.in_knock() => Ok(()),
            _ => Err(Fault::Close(CloseReason::NotWelcome)),
        }
    }
}
