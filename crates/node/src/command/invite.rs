//! Links: making, withdrawing, taking them.

use tenet_apps::contacts::{Invite, Knocking, knocking::State};
use tenet_delivery::redial;
use tenet_identity::{
    keys::EndpointId,
    meeting::{
        invite::{InviteKey, Secret},
        knock,
        link::{Ext, Link, MAX_ADDRESSES},
    },
};

use super::{CommandError, Reply, line};
use crate::{engine::Engine, input::CloseReason, storage::Storage};

/// The least number of digits by which an invite may be named.
const LEAST_DIGITS: usize = 4;

impl<S: Storage> Engine<S> {
    pub(super) fn invite(
        &mut self,
        now: u64,
        name: Option<String>,
        reusable: bool,
        lasts_ms: u64,
        question: Option<String>,
    ) -> Result<Reply, CommandError> {
        let key = InviteKey::generate(&mut self.rng);
        let secret = Secret::generate(&mut self.rng);
        let expires = now.saturating_add(lasts_ms);
        let mut invite = Invite::new(key, secret.clone(), reusable, now, expires);
        invite.question = line(question)?;
        if invite.question.is_some() && !reusable {
            return Err(CommandError::Usage(
                "only who comes by a link for several is asked something".into(),
            ));
        }
        invite.name = name
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty());
        if let Some(name) = &invite.name {
            tenet_identity::name::check(name)
                .map_err(|error| CommandError::Usage(error.to_string()))?;
        }
        let ext = Ext {
            reusable,
            ..self.link_to_here(secret, expires)
        };
        let link = Link::new(invite.key.public(), None, ext)
            .map_err(|error| CommandError::Usage(error.to_string()))?;
        self.must_last();
        self.store.put_invite(&invite)?;
        Ok(Reply::Invited {
            id: invite.id(),
            link: Box::new(link),
        })
    }

    /// What a link to this device says.
    pub(super) fn link_to_here(&self, secret: Secret, expires_ms: u64) -> Ext {
        let addresses = self.own_addresses.iter().copied();
        Ext {
            identity: self.own.identity(),
            endpoint: self.own.endpoint,
            addresses: addresses.take(MAX_ADDRESSES).collect(),
            secret,
            expires_ms,
            reusable: false,
            name: Some(self.profile().name).filter(|name| !name.is_empty()),
            device: false,
            group: None,
        }
    }

    pub(super) fn revoke_invite(&mut self, now: u64, id: &str) -> Result<Reply, CommandError> {
        let id = id.trim().to_ascii_lowercase();
        let mut found: Vec<Invite> = self.store.invites()?;
        found.retain(|invite| {
            let begins = invite.id().to_string().starts_with(&id);
            !invite.door && id.len() >= LEAST_DIGITS && begins
        });
        match (found.pop(), found.is_empty()) {
            (Some(mut invite), true) => {
                invite.revoke(now);
                self.must_last();
                self.store.put_invite(&invite)?;
                Ok(Reply::Revoked { id: invite.id() })
            }
            (Some(_), false) => Err(CommandError::Usage(format!(
                "several links begin with {id}; give more of the id"
            ))),
            (None, _) => Err(CommandError::NotFound(format!(
                "no link has the id {id}; `tenet invites` lists them"
            ))),
        }
    }

    pub(super) fn accept(
        &mut self,
        now: u64,
        link: Link,
        name: Option<String>,
        remark: Option<String>,
    ) -> Result<Reply, CommandError> {
        let remark = line(remark)?;
        let ext = link.ext();
        if ext.group.is_some() {
            return self.accept_into(now, link, remark);
        }
        let (identity, endpoint) = (ext.identity, ext.endpoint);
        if ext.device && identity != self.own.identity() {
            return Err(CommandError::Usage(
                "this link lets in another device of the person who made it; take it with an empty \
                 home of theirs: tenet device join"
                    .into(),
            ));
        }
        if identity == self.own.identity() && endpoint == self.own.endpoint {
            return Err(CommandError::Usage(
                "this is your own link; give it to somebody else".into(),
            ));
        }
        let invite = link.invite().id();
        if self.blocked.contains(&identity) {
            return Err(CommandError::Refused(
                "you have blocked the person whose link this is; unblock them first".into(),
            ));
        }
        let mut known = self.store.knocking(invite)?;
        if let Some(State::Connected { session }) = known.as_ref().map(|known| known.state) {
            if self.is_contact_in(identity, session)? {
                return Ok(Reply::Accepting {
                    invite,
                    identity,
                    connected: true,
                });
            }
            may_take_again(&link)?;
            known = None;
        }
        if link.expired_at(now) && known.is_none() {
            return Err(CommandError::Refused(
                "the link has expired; ask for a new one".into(),
            ));
        }
        self.also_met_at(endpoint, &ext.addresses);
        // The nonce stays: the other side answers only to the commitment that it saw first.
        let nonce = known.as_ref().map(|known| known.nonce);
        let nonce = nonce.unwrap_or_else(|| knock::nonce(&mut self.rng));
        let mut knocking = Knocking::new(link, name, nonce, now);
        knocking.remark = remark.or_else(|| known.and_then(|known| known.remark));
        self.must_last();
        self.store.put_knocking(&knocking)?;
        self.knock_at_once(invite);
        self.come_to(now, endpoint);
        Ok(Reply::Accepting {
            invite,
            identity,
            connected: false,
        })
    }

    /// Dials an endpoint at once, to knock there.
    pub(super) fn come_to(&mut self, now: u64, endpoint: EndpointId) {
        // One that is only being made was not made to knock.
        for conn in self.connections.with_endpoint(endpoint) {
            if self
                .connections
                .0
                .get(&conn)
                .is_some_and(|connection| connection.ready().is_none())
            {
                self.close(now, conn, CloseReason::Duplicate);
            }
        }
        for news in [redial::Input::Want, redial::Input::News] {
            self.redial.handle(news(endpoint), now, &mut self.rng);
        }
    }

    /// Dials everybody now.
    pub(super) fn reach(&mut self, now: u64) -> Result<Reply, CommandError> {
        self.redial
            .handle(redial::Input::NetworkChanged, now, &mut self.rng);
        Ok(Reply::Done)
    }
}

/// CON-105: a link that made two people contacts, which has ended, makes them so again only where
/// several may use it.
fn may_take_again(link: &Link) -> Result<(), CommandError> {
    if link.ext().reusable {
        return Ok(());
    }
    Err(CommandError::Refused(
        "this link made you contacts once, and that has ended; ask for a new one".into(),
    ))
}
