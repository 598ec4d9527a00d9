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
//! Where several may come by a link a person is asked first: the inviter keeps the request and says
//! Waiting, the knock is made again later, and after a yes it is answered (NODE-101, NODE-102).
//!
//! Every step is kept before it is said (NODE-8), and the same device knocking again with the same
//! commitment gets the same answer: so the two may lose each other at any point and go on later.
//! Another commitment under an answer that was given is refused, or the knocker could choose its
//! nonce after having seen ours.

mod again;
mod asking;
mod inviter;
mod knocker;
mod refused;

use tenet_apps::contacts::{Contact, Knocking, contact::Verification, name};
use tenet_identity::{
    keys::{EndpointId, IdentityId},
    meeting::knock::{self, Message},
};
use tenet_log::{
    event::{Event, Unverified},
    ids::SessionId,
    session::OpenError,
    store::StoreError,
};

use super::{Engine, Fault, Place, entrance::is_into_group};
use crate::{
    frame::Frame,
    input::{ConnId, Notice},
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
            Message::Refused(refusal) => self.on_refused(now, conn, &refusal),
            Message::Group(knock) => self.on_group_knock(now, conn, knock),
            Message::Preview(preview) => self.on_preview(now, conn, preview),
            Message::Arrived(session) => self.on_arrived(session.into()),
            _ => Err(Fault::Peer("it sent an unknown message of a knock".into())),
        }
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
            None => self.new_contact(now, identity, wished, nickname)?,
        };
        contact.met(verification);
        self.put_contact(&contact)?;
        self.forget_requests_of(identity)?;
        if is_new {
            self.notify(Notice::ContactAdded { identity });
        }
        Ok(())
    }

    /// Somebody who was no contact; what was between us before I removed them is shown again.
    pub(crate) fn new_contact(
        &mut self,
        now: u64,
        identity: IdentityId,
        wished: Option<&str>,
        nickname: &str,
    ) -> Result<Contact, StoreError> {
        let former = self.store.former(identity)?;
        self.store.remove_former(identity)?;
        let (name, past) =
            former.map_or_else(Default::default, |former| (former.name, former.past));
        let wished = wished.or(Some(name.as_str()).filter(|name| !name.is_empty()));
        let name = name::suggest(wished, nickname, identity, &self.store.contacts()?);
        let mut contact = Contact::new(identity, name, nickname.to_owned(), now);
        contact.past = past;
        Ok(contact)
    }

    pub(in crate::engine) fn say_in_knock(&mut self, conn: ConnId, message: &Message) {
        self.send(conn, &Frame::Knock(message.to_bytes().into()));
    }

    fn exporter(&self, conn: ConnId) -> [u8; 32] {
        self.connections
            .0
            .get(&conn)
            .map_or([0; 32], |connection| connection.exporter)
    }

    /// Whether what a link that was taken led to still stands.
    pub(super) fn has_led_to(
        &self,
        knocking: &Knocking,
        session: SessionId,
    ) -> Result<bool, StoreError> {
        match is_into_group(knocking) {
            true => Ok(self.place(session) == Place::In),
            false => self.is_contact_in(knocking.link.ext().identity, session),
        }
    }

    /// Whether a device said in a session that it is met at this endpoint, also one that is out by now.
    pub(super) fn was_met_at(
        &self,
        session: SessionId,
        at: EndpointId,
    ) -> Result<bool, StoreError> {
        let met = self.met_in(session)?;
        Ok(met.iter().any(|(_, endpoint)| endpoint.id == at))
    }

    /// Whether the contact that a link led to still stands, and we want to hear them.
    pub(crate) fn is_contact_in(
        &self,
        identity: IdentityId,
        session: SessionId,
    ) -> Result<bool, StoreError> {
        if identity == self.own.identity() {
            return Ok(self.place(session) == Place::In);
        }
        let contact = self.store.contact(identity)?;
        Ok(contact.is_some_and(|contact| !contact.blocked && contact.sessions.contains(&session)))
    }

    /// Whether a link of this identity is still to be taken.
    pub(super) fn knocks_at(&self, identity: IdentityId) -> Result<bool, StoreError> {
        let mut links = self.store.knockings()?.into_iter();
        Ok(links.any(|link| {
            link.is_open() && !is_into_group(&link) && link.link.ext().identity == identity
        }))
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

/// What this device itself made is at fault, not the other side.
fn own_fault(error: knock::Error) -> Fault {
    Fault::Own(error.to_string())
}
