//! What all parts of an open node share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenet_apps::contacts::{
    Contact,
    resolve::{self, Who},
    store::ContactStore,
};
use tenet_identity::keys::{DeviceId, EndpointId, IdentityId};
use tenet_log::{ids::SessionId, store::StoreError};
use tenet_node::{
    command::{Command, Reply},
    groups,
};
use tenet_rpc::{api, server::Feed};
use tenet_store::Store;
use tokio::sync::{oneshot, watch};

use super::{
    engine::Handle, groups::Groups, live::Live, machine::Machine, network::Network, pipes::Pipes,
    present, reader::Reader, transfer::Transfers, waiters::Waiters,
};

/// Who this node is.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) identity: IdentityId,
    pub(super) device: DeviceId,
    /// Where this device is met.
    pub(super) endpoint: EndpointId,
    /// What this person calls themselves, which may change.
    pub(super) called: Arc<Mutex<String>>,
    /// Whether the phrase is kept here.
    pub(super) phrase: bool,
    /// Whether the identity's key is not: another device let this one in.
    pub(super) linked: bool,
    /// The sessions among one's own devices, the one that is written in first.
    pub(super) sessions: Arc<Mutex<Vec<SessionId>>>,
}

/// What all parts of an open node share.
pub(super) struct Shared {
    pub(super) own: Own,
    pub(super) engine: Handle,
    pub(super) reader: Reader,
    pub(super) network: Option<Network>,
    pub(super) transfers: Transfers,
    pub(super) pipes: Pipes,
    pub(super) live: Live,
    pub(super) groups: Groups,
    pub(super) machine: Machine,
    pub(super) waiters: Waiters,
    pub(super) feed: Feed,
    /// Whether this device is to go on under another key.
    pub(super) set_back: watch::Sender<bool>,
    pub(super) runtime: tokio::runtime::Handle,
}

impl Own {
    /// The sessions among one's own devices, the one that is written in first.
    pub(super) fn sessions(&self) -> Vec<SessionId> {
        let sessions = self.sessions.lock();
        sessions.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// There are others now.
    pub(super) fn set_sessions(&self, now: Vec<SessionId>) {
        *self.sessions.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// What this person calls themselves.
    pub(super) fn name(&self) -> String {
        self.lock().clone()
    }

    /// They call themselves something else.
    pub(super) fn rename(&self, name: String) {
        *self.lock() = name;
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.called.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Has the engine do something; what it came to.
    pub(super) async fn command(&self, command: Command) -> Result<Reply, api::Error> {
        let (tell, told) = oneshot::channel();
        // Whoever asked may be gone.
        let done = move |result| drop(tell.send(result));
        self.engine.command(command, Box::new(done));
        match told.await {
            Ok(result) => result.map_err(|error| present::command_error(&error)),
            Err(_) => Err(closing()),
        }
    }

    /// Has the reader find something out.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Store) -> T + Send + 'static,
    ) -> Result<T, api::Error> {
        let (tell, told) = oneshot::channel();
        // As above.
        self.reader
            .read(move |store| drop(tell.send(question(store))));
        told.await.map_err(|_| closing())
    }

    /// Whether somebody is there, as far as one can know.
    pub(super) fn presence(&self, identity: IdentityId) -> api::Presence {
        match &self.network {
            None => api::Presence::Unknown,
            Some(_) if self.live.is_online(identity) => api::Presence::Online,
            Some(_) => api::Presence::Offline,
        }
    }

    /// The sessions of a conversation: several where two people met twice.
    pub(super) fn sessions_of(
        &self,
        store: &Store,
        who: &str,
    ) -> Result<Vec<SessionId>, api::Error> {
        match self.who(store, who)? {
            Whom::Own => Ok(self.own.sessions()),
            Whom::Contact(contact) => Ok(contact.shown().collect()),
            Whom::Group(session) => Ok(vec![session]),
        }
    }

    /// Whom a word means.
    pub(super) fn who(&self, store: &Store, who: &str) -> Result<Whom, api::Error> {
        let own = resolve::Own {
            identity: self.own.identity,
            session: self.own.sessions().first().copied(),
        };
        let contacts = store.contacts().map_err(failed)?;
        let found = match resolve::resolve(who, &own, &contacts) {
            Ok(found) => found,
            // Contacts first: what others call a group does not take a contact's place.
            Err(error) => {
                let group = self.groups.find(who).map(Whom::Group);
                let several = || groups::several(who, &self.groups.all());
                let why = || several().unwrap_or_else(|| error.to_string());
                return group.ok_or_else(|| api::Error::not_found(why()));
            }
        };
        match found {
            Who::Own => Ok(Whom::Own),
            Who::Contact(identity) => contacts
                .into_iter()
                .find(|contact| contact.identity == identity)
                .map(|contact| Whom::Contact(Box::new(contact)))
                .ok_or_else(|| api::Error::not_found(format!("no contact \"{who}\""))),
        }
    }
}

/// Whom a word means.
pub(super) enum Whom {
    /// Oneself.
    Own,
    /// A contact.
    Contact(Box<Contact>),
    /// A session of many.
    Group(SessionId),
}

/// What is said where something was asked for while the node ended.
pub(super) const CLOSING: &str = "the node is closing";

/// Says that something was not done, but for the node's end: what it does by itself it does again after its start.
pub(super) fn warn_of(error: &api::Error, what: &str) {
    if error.message != CLOSING {
        tracing::warn!(%error, "{what}");
    }
}

fn closing() -> api::Error {
    api::Error::failure(CLOSING)
}

/// A query that failed.
pub(super) fn failed(error: StoreError) -> api::Error {
    present::store_error(&error)
}
