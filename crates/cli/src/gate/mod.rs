//! The door before a node: closed while the home is locked, and the keeper of the PIN.
//!
//! ```text
//!               ┌─ lock, unlock, pin_*, phrase (its PIN) ─▶ vault
//! request ─▶ Gate
//!               └─ everything else ─▶ host::Node, while there is one; else "locked"
//! ```
//!
//! The same gate stands on the socket of a running node and inside a command that opened the home
//! itself. While it is locked this process holds no key (`HOME-9`), and answers only
//! what needs none (`API-16`).

mod pin;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use tenet_rpc::api::{Error, Mode, NodeStatus, Request, Secret};
use tenet_rpc::server::{Handler, Outcome, Pending, Subscription, answer};
use tokio::sync::Mutex;

use crate::home::{Held, Place, Vault};
use crate::host::{self, Node, Options};
use crate::time;

/// A held identity and, while it is open, its node; clones share it.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    held: Held,
    vault: Vault,
    options: Options,
    mode: Mode,
    started: u64,
    /// Opening, closing and trying PINs take turns on this.
    node: Mutex<Option<Node>>,
    /// Whom requests go to; nobody while it is locked.
    door: RwLock<Option<Arc<dyn Handler>>>,
}

impl Gate {
    /// The gate of an identity, closed.
    pub fn closed(held: Held, options: Options, mode: Mode) -> Self {
        let vault = held.place().vault();
        let inner = Inner {
            held,
            vault,
            options,
            mode,
            started: time::now(),
            node: Mutex::new(None),
            door: RwLock::new(None),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Opens the home, with its PIN if it has one.
    ///
    /// # Errors
    /// [`home::Error`](crate::home::Error)'s about the PIN and the machine secret, and the store's.
    pub async fn open(&self, pin: Option<Secret>) -> Result<(), Error> {
        let mut node = self.inner.node.lock().await;
        if node.is_some() {
            return Ok(());
        }
        let key = self.vault_key(pin).await?;
        let folder = self.place().folder();
        let opened = Node::open(folder, key, self.inner.options.clone()).await?;
        self.watch(&opened);
        self.stand_before(&mut node, opened);
        Ok(())
    }

    fn stand_before(&self, node: &mut Option<Node>, opened: Node) {
        self.set_door(Some(opened.handler()));
        *node = Some(opened);
    }

    /// BACK-3: once this device is found to have been set back it goes on under another key.
    fn watch(&self, node: &Node) {
        let (inner, mut set_back) = (Arc::downgrade(&self.inner), node.set_back());
        tokio::spawn(async move {
            // An error says that this node has ended.
            let gone = set_back.wait_for(|set_back| *set_back).await.is_err();
            let Some(inner) = inner.upgrade().filter(|_| !gone) else {
                return;
            };
            if let Err(error) = (Self { inner }).go_on().await {
                tracing::error!(%error, "this device could not go on under another key");
            }
        });
    }

    async fn go_on(self) -> Result<(), Error> {
        let mut node = self.inner.node.lock().await;
        let Some(former) = node.take() else {
            return Ok(());
        };
        self.set_door(Some(Arc::new(Waiting(Arc::downgrade(&self.inner)))));
        let key = former.close().await;
        let folder = self.place().folder();
        let renewed = host::rekey(folder, &key);
        let opened = Node::open(folder, key, self.inner.options.clone()).await;
        let opened = opened.inspect_err(|_| self.set_door(None))?;
        if renewed.is_ok() {
            self.watch(&opened);
        }
        self.stand_before(&mut node, opened);
        renewed
    }

    /// Closes the home; what is under way is answered or fails, and the keys are forgotten.
    pub async fn close(&self) {
        let mut node = self.inner.node.lock().await;
        self.set_door(None);
        if let Some(node) = node.take() {
            drop(node.close().await);
        }
    }

    /// Where the identity lies that it guards.
    pub fn place(&self) -> &Place {
        self.inner.held.place()
    }

    fn door(&self) -> Option<Arc<dyn Handler>> {
        self.inner
            .door
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_door(&self, handler: Option<Arc<dyn Handler>>) {
        *self
            .inner
            .door
            .write()
            .unwrap_or_else(PoisonError::into_inner) = handler;
    }

    /// Runs to its end even if nobody waits for it any more: a home is not left half open.
    fn task(work: impl Future<Output = Outcome> + Send + 'static) -> Pending {
        let (answerer, pending) = Pending::channel();
        tokio::spawn(async move { answerer.answer(work.await) });
        pending
    }

    /// What the node says of itself, and what only the gate knows.
    async fn status(self) -> Outcome {
        let status = match self.door() {
            Some(handler) => {
                let outcome = handler.call(Request::Status(Default::default())).await?;
                let status: NodeStatus = serde_json::from_str(&outcome)
                    .map_err(|error| Error::internal(error.to_string()))?;
                NodeStatus {
                    mode: self.inner.mode,
                    ..status
                }
            }
            None => locked(),
        };
        answer(Ok(NodeStatus {
            version: env!("CARGO_PKG_VERSION").into(),
            pin: self.inner.vault.has_pin()?,
            started: self.inner.started,
            ..status
        }))
    }
}

impl Handler for Gate {
    fn call(&self, request: Request) -> Pending {
        let gate = self.clone();
        match request {
            Request::Lock(_) => Self::task(gate.lock()),
            Request::Unlock(unlock) => Self::task(gate.unlock(unlock)),
            Request::PinSet(set) => Self::task(gate.pin_set(set)),
            Request::PinChange(change) => Self::task(gate.pin_change(change)),
            Request::PinRemove(remove) => Self::task(gate.pin_remove(remove)),
            Request::Phrase(phrase) => Self::task(gate.phrase(phrase)),
            Request::Status(_) => Pending::future(gate.status()),
            request => match self.door() {
                Some(handler) => handler.call(request),
                None => Pending::ready(Err(Error::locked())),
            },
        }
    }

    fn subscribe(&self, since: Option<u64>) -> Result<Subscription, Error> {
        self.door().ok_or_else(Error::locked)?.subscribe(since)
    }
}

/// Stands at the door while the node behind it is another in a moment: requests wait for that.
struct Waiting(Weak<Inner>);

impl Handler for Waiting {
    fn call(&self, request: Request) -> Pending {
        let inner = self.0.clone();
        Pending::future(async move {
            let inner = inner.upgrade().ok_or_else(Error::locked)?;
            drop(inner.node.lock().await);
            let door = Gate { inner }.door().ok_or_else(Error::locked)?;
            door.call(request).await
        })
    }

    fn subscribe(&self, _: Option<u64>) -> Result<Subscription, Error> {
        let why = "this device is being given another key; subscribe again in a moment";
        Err(Error::refused(why))
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("open", &self.door().is_some())
            .finish_non_exhaustive()
    }
}

/// What is known of a home that is locked.
pub(crate) fn locked() -> NodeStatus {
    NodeStatus {
        mode: Mode::Locked,
        version: env!("CARGO_PKG_VERSION").into(),
        did: None,
        name: None,
        device: None,
        pin: true,
        started: 0,
        addrs: Vec::new(),
        ui: None,
        contacts: 0,
        connected: 0,
        bringing: None,
        pending: 0,
        accepting: 0,
    }
}

#[cfg(test)]
mod tests;
