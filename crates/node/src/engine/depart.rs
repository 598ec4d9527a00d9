//! Who is no company any more: whom we block, whom we left, who left us.

use std::collections::BTreeSet;

use tenet_delivery::state::Failure;
use tenet_identity::keys::{DeviceId, EndpointId, IdentityId};
use tenet_log::{
    event::{Event, Unverified},
    ids::{EventId, SessionId},
    roster::{Op, SessionKind},
    store::{LogStore, Position, StoreError},
    sync::{Message, Objection, Tag},
};

use super::{Engine, Fault, Ours, Place};
use crate::{
    command::CommandError,
    connection::Connection,
    input::{CloseReason, ConnId, Notice},
    storage::Storage,
};
use tenet_delivery::redial;

impl<S: Storage> Engine<S> {
    pub(super) fn load_blocked(&mut self) -> Result<(), StoreError> {
        let contacts = self.store.contacts()?.into_iter();
        let blocked = contacts.filter(|contact| contact.blocked);
        self.blocked = blocked.map(|contact| contact.identity).collect();
        Ok(())
    }

    /// NODE-103: ends all that goes on with somebody whom we do not want to hear.
    pub(crate) fn silence(&mut self, now: u64, identity: IdentityId) -> Result<(), StoreError> {
        let endpoints = self.endpoints_of(identity)?;
        self.blocked.insert(identity);
        self.close_those(now, |connection| {
            connection.shown().is_some_and(|(who, _)| who == identity)
        });
        for endpoint in endpoints {
            self.forget_unwanted(now, endpoint)?;
        }
        Ok(())
    }

    /// We want to hear somebody again: they are dialled at once.
    pub(crate) fn hear_again(&mut self, now: u64, identity: IdentityId) -> Result<(), StoreError> {
        self.blocked.remove(&identity);
        self.want_everybody(now)?;
        for endpoint in self.endpoints_of(identity)? {
            self.redial
                .handle(redial::Input::News(endpoint), now, &mut self.rng);
        }
        Ok(())
    }

    /// Where somebody's devices are met.
    fn endpoints_of(&self, identity: IdentityId) -> Result<Vec<EndpointId>, StoreError> {
        let theirs = self.devices.values();
        let theirs = theirs.filter(|device| device.identity == Some(identity));
        let mut endpoints = Vec::new();
        for session in theirs.flat_map(|device| &device.sessions) {
            let met = self.endpoints_in(*session)?;
            endpoints.extend(met.iter().map(|endpoint| endpoint.id));
        }
        Ok(endpoints)
    }

    /// NODE-104: leaves a session; the others are told, as soon as each can be reached.
    pub(crate) fn leave(&mut self, now: u64, id: SessionId) -> Result<(), CommandError> {
        if self.has_left(id) {
            return Ok(());
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(());
        };
        let (event, admitted) = session.operate(&mut self.store, &self.own.key, &Op::Leave, now)?;
        Ok(self.admitted(now, id, &event, admitted, Some(Ours))?)
    }

    /// Whether we are in a session no more.
    pub(crate) fn has_left(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session) && self.place(session) == Place::Left
    }

    /// Whether something that we wrote has not reached a device yet.
    pub(super) fn is_owed(&self, device: DeviceId) -> Result<bool, StoreError> {
        let first = self.store.pending(device, Position::default(), 1)?;
        Ok(!first.is_empty())
    }

    /// NODE-104: whether somebody else in a session that we left has all that we wrote there, our leaving above all: the
    /// others hear it from them. One of them may have gone for good, and nobody would tell us.
    pub(super) fn is_leaving_known(&self, id: SessionId) -> Result<bool, StoreError> {
        let Some(session) = self.sessions.get(&id) else {
            return Ok(false);
        };
        let me = self.own.identity();
        let active = session.roster().active();
        for (author, _) in active.filter(|(_, chain)| chain.identity != me) {
            if !self.is_owed_in(id, author.device)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// NODE-404: of what is said in a session that we left, one thing matters: that the other device has left
    /// too, each of us before hearing of it. Neither takes the other's word there; so it is answered with an
    /// objection, and we owe that device nothing more.
    pub(super) fn on_said_in_vain(
        &mut self,
        now: u64,
        conn: ConnId,
        tag: Tag,
        session: SessionId,
        message: &Message,
    ) -> Result<(), Fault> {
        let (Message::Events(events), Some(device)) = (message, self.device_on(conn)) else {
            return Ok(());
        };
        for bytes in events {
            let event = Unverified::decode(bytes).and_then(Unverified::verify);
            let event = event.map_err(|error| Fault::Peer(error.to_string()))?;
            let theirs = event.session() == session && event.author().device == device;
            if theirs && is_leave(&event) {
                self.say(conn, tag, Message::Object(event.id(), Objection::Invalid));
                self.owe_nothing(now, session, device)?;
                break;
            }
        }
        Ok(())
    }

    /// NODE-404: somebody objects to our leaving because they have left too.
    pub(super) fn on_gone_too(
        &mut self,
        now: u64,
        conn: ConnId,
        session: SessionId,
        id: EventId,
    ) -> Result<(), Fault> {
        let (true, Some(device)) = (self.has_left(session), self.device_on(conn)) else {
            return Ok(());
        };
        let ours = LogStore::event(&self.store, id)?.filter(|stored| {
            let event = &stored.event;
            event.session() == session && event.author().device == self.own.device()
        });
        match ours.is_some_and(|stored| is_leave(&stored.event)) {
            true => self.owe_nothing(now, session, device),
            false => Ok(()),
        }
    }

    /// A device needs nothing of a session that we left.
    fn owe_nothing(&mut self, now: u64, session: SessionId, device: DeviceId) -> Result<(), Fault> {
        self.must_last();
        for alone in self.store.forget(session, device)? {
            self.store.fail(alone, Failure::NobodyThere)?;
        }
        self.forget_who_heard(now, session)
    }

    /// CON-105: whoever leaves the session of two ends the contact.
    pub(super) fn note_departure(&mut self, id: SessionId) -> Result<(), Fault> {
        let Some(session) = self.sessions.get(&id) else {
            return Ok(());
        };
        let roster = session.roster();
        if roster.kind != SessionKind::Direct || roster.members.len() > 1 {
            return Ok(());
        }
        let by_me = !roster.members.contains_key(&self.own.identity());
        for mut contact in self.store.contacts()? {
            if !contact.ended(id) {
                continue;
            }
            let identity = contact.identity;
            self.forget_meeting(identity)?;
            if by_me && contact.is_over() && !contact.blocked {
                // Another device of mine has removed them.
                self.named.clear();
                self.store.remove_contact(identity)?;
                self.store.put_former(&contact)?;
                self.notify(Notice::ContactRemoved { identity });
            } else {
                self.put_contact(&contact)?;
                self.notify(Notice::ContactLeft { identity });
            }
        }
        Ok(())
    }

    /// CON-105: what was answered to somebody's knocks is answered no more; by a link for several
    /// they may ask again.
    pub(crate) fn forget_meeting(&mut self, identity: IdentityId) -> Result<(), StoreError> {
        for mut invite in self.store.invites()? {
            for answered in self.store.all_answered(invite.id())? {
                if answered.identity == identity {
                    self.store.remove_answered(invite.id(), answered.device)?;
                }
            }
            if invite.forget(identity) {
                self.store.put_invite(&invite)?;
            }
        }
        Ok(())
    }

    /// At the end of a batch, when it was acknowledged that they left: devices that are in no
    /// session of ours any more have no business with us.
    pub(super) fn drop_strangers(&mut self, now: u64) {
        if !std::mem::take(&mut self.strangers) {
            return;
        }
        let ready = self.connections.0.iter();
        let ready = ready.filter_map(|(conn, one)| Some((*conn, one.ready()?)));
        let strange = ready.filter(|(_, it)| !self.is_company(it.identity, it.device));
        let strange: BTreeSet<ConnId> = strange.map(|(conn, _)| conn).collect();
        for conn in strange {
            self.close(now, conn, CloseReason::NotWelcome);
        }
    }

    fn close_those(&mut self, now: u64, which: impl Fn(&Connection) -> bool) {
        let connections = self.connections.0.iter();
        let those = connections.filter(|(_, connection)| which(connection));
        let those: Vec<ConnId> = those.map(|(conn, _)| *conn).collect();
        for conn in those {
            self.close(now, conn, CloseReason::NotWelcome);
        }
    }
}

fn is_leave(event: &Event) -> bool {
    matches!(Op::of(event), Ok(Some(Op::Leave)))
}
