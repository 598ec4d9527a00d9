//! Knocks about which a person is asked: kept as requests, and answered after a yes.

use rand_core::Rng;
use tenet_apps::contacts::{
    Endpoint, Invite, Request,
    invite::Word,
    request::{self, Decision, RequestId},
};
use tenet_identity::{
    card::DeviceCard,
    keys::{EndpointId, IdentityId},
    meeting::knock::{Knocker, Reason, Refusal},
};
use tenet_log::store::StoreError;

use crate::{
    engine::{Engine, Fault},
    input::{ConnId, Notice},
    storage::Storage,
};

impl<S: Storage> Engine<S> {
    /// What is known of somebody who knocks where I decide (CON-101).
    pub(super) fn word_about(
        &self,
        identity: IdentityId,
        request: Option<&Request>,
    ) -> Result<Word, StoreError> {
        let known = self.store.contact(identity)?.is_some() || self.knocks_at(identity)?;
        Ok(match (request.map(Request::word), known) {
            // Who asked in time is not sent away because the link has ended since.
            (Some(Word::Yes), _) | (Some(_), true) => Word::Yes,
            (None, true) => Word::Known,
            (Some(word), false) => word,
            (None, false) => Word::None,
        })
    }

    /// NODE-101: keeps that somebody asks, and tells the person, who decides when they like.
    pub(super) fn ask(
        &mut self,
        now: u64,
        conn: ConnId,
        invite: &Invite,
        knocker: &Knocker,
        known: Option<Request>,
    ) -> Result<(), Fault> {
        let Some(peer) = self.connections.0.get(&conn).map(|conn| conn.peer) else {
            return Ok(());
        };
        let plea = &knocker.plea;
        if let (None, None, Some(question)) = (&known, &plea.remark, &invite.question) {
            return self.refuse(
                conn,
                Refusal {
                    reason: Reason::Question,
                    remark: Some(question.clone()),
                },
            );
        }
        let identity = knocker.card.identity();
        let mut id = [0; 8];
        self.rng.fill_bytes(&mut id);
        let first = known.as_ref();
        let request = Request {
            id: first.map_or_else(|| RequestId::from(id), |known| known.id),
            invite: invite.id(),
            identity,
            device: knocker.card.device(),
            place: Endpoint::new(peer, &plea.addresses, 0),
            name: knocker.name.clone(),
            remark: plea
                .remark
                .clone()
                .or_else(|| first.and_then(|known| known.remark.clone())),
            first: first.map_or(now, |known| known.first),
            last: now,
            decision: Decision::Waiting,
        };
        let news = first.is_none_or(|known| known.remark != request.remark);
        if known.is_none() {
            self.make_room(now, invite)?;
        }
        self.store.put_request(&request)?;
        if news {
            let invite = invite.id();
            self.notify(Notice::Request { invite, identity });
        }
        self.refuse(conn, Reason::Waiting)
    }

    /// CON-102: one more request by this link can be kept.
    fn make_room(&mut self, now: u64, invite: &Invite) -> Result<(), StoreError> {
        let mut of_link = self.store.requests()?;
        of_link.retain(|request| request.invite == invite.id());
        for identity in request::to_forget(&of_link, now) {
            self.store.remove_request(invite.id(), identity)?;
        }
        Ok(())
    }

    /// NODE-102: where those are met who knocked, to whom a person has said yes since, and who have
    /// not been here again.
    pub(in crate::engine) fn requests_to_reach(
        &self,
        now: u64,
    ) -> Result<Vec<Endpoint>, StoreError> {
        let mut requests = self.store.requests()?;
        requests.retain(|request| request.decision == Decision::Accepted && !request.is_over(now));
        Ok(requests.into_iter().map(|request| request.place).collect())
    }

    /// Whether this is the device that knocked from there and may come in now.
    pub(in crate::engine) fn expects(
        &self,
        card: &DeviceCard,
        peer: EndpointId,
    ) -> Result<bool, StoreError> {
        let requests = self.store.requests()?;
        Ok(requests.iter().any(|request| {
            let there = (request.device, request.identity, request.place.id);
            let accepted = request.decision == Decision::Accepted;
            accepted && there == (card.device(), card.identity(), peer)
        }))
    }

    /// Somebody is a contact: nothing is asked about them any more.
    pub(crate) fn forget_requests_of(&mut self, identity: IdentityId) -> Result<(), StoreError> {
        for request in self.store.requests()? {
            if request.identity == identity {
                self.store.remove_request(request.invite, identity)?;
            }
        }
        Ok(())
    }
}
