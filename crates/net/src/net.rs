//! The handle by which the engine moves the network.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use iroh::{Endpoint, EndpointAddr, Watcher};
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    task::AbortHandle,
    time::timeout,
};

use crate::{
    Answer, AskError, BindError, CloseReason, Config, ConnId, EndpointId, Event, EventSink, Limits,
    PathInfo, accept, address,
    admission::Door,
    ask, bind,
    dial::{self, UnderWay},
    lan,
    link::Link,
    raw,
};

/// How long the last packets of closed connections may take to be acknowledged at shutdown.
const PARTING: Duration = Duration::from_secs(3);

/// The network of one endpoint; cheap to clone, all clones are the same network.
///
/// No method but [`Net::bind`] and [`Net::shutdown`] waits; they may be called from any thread and
/// from inside the sink. A network that is not shut down lives as long as its runtime.
#[derive(Clone)]
pub struct Net {
    inner: Arc<Inner>,
}

/// What the tasks of a network share.
pub(crate) struct Inner {
    pub(crate) sink: EventSink,
    pub(crate) limits: Limits,
    pub(crate) door: Door,
    /// `None` after shutdown: iroh keeps its sockets as long as somebody holds it.
    endpoint: Mutex<Option<Endpoint>>,
    id: EndpointId,
    port: u16,
    runtime: Handle,
    links: Mutex<BTreeMap<ConnId, Arc<Link>>>,
    /// Tells [`Net::shutdown`] that a connection is gone.
    parted: Notify,
    next: AtomicU64,
    dials: Mutex<BTreeMap<EndpointId, UnderWay>>,
    stopping: AtomicBool,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl Net {
    /// Opens the sockets and begins to listen, on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// [`BindError`] says which address cannot be had and why. That the local network cannot be
    /// searched is no error: it is logged.
    pub async fn bind(config: Config, events: EventSink) -> Result<Self, BindError> {
        let addresses = bind::choose(&config.listen, config.port)?;
        let endpoint = bind::apply(
            raw::builder(&config.secret, config.limits.idle_time),
            &addresses,
        )?
        .bind()
        .await
        .map_err(|source| BindError::Endpoint {
            source: source.into(),
        })?;
        let inner = Arc::new(Inner {
            sink: events,
            limits: config.limits,
            door: Door::new(config.limits, Instant::now()),
            id: EndpointId::from(*endpoint.id().as_bytes()),
            port: endpoint.bound_sockets().first().map_or(0, SocketAddr::port),
            endpoint: Mutex::new(Some(endpoint.clone())),
            runtime: Handle::current(),
            links: Mutex::default(),
            parted: Notify::new(),
            next: AtomicU64::new(1),
            dials: Mutex::default(),
            stopping: AtomicBool::new(false),
            tasks: Mutex::default(),
        });
        inner.start(&endpoint, config.lan);
        Ok(Self { inner })
    }

    /// The name of this endpoint.
    pub fn endpoint(&self) -> EndpointId {
        self.inner.id
    }

    /// The addresses that others can dial, the widest reach first; loopback only if there is
    /// nothing else or it was asked for, never an unspecified one.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.inner.addresses()
    }

    /// The UDP port; the first one if different ones were asked for.
    pub fn port(&self) -> u16 {
        self.inner.port
    }

    /// Begins to dial a peer, at all addresses at once (at most 16 of them).
    ///
    /// Ends in [`Event::Connected`] or [`Event::DialFailed`] within [`Limits::dial_time`]. If a
    /// dial of this peer is under way, it goes on, tries what is new among the addresses too (16
    /// in all), and ends in one event for all calls.
    pub fn dial(&self, peer: EndpointId, addresses: Vec<SocketAddr>) {
        match self.inner.dials().entry(peer) {
            Entry::Occupied(mut dial) => dial.get_mut().add(addresses),
            Entry::Vacant(none) => {
                none.insert(UnderWay::new(addresses));
                let inner = Arc::clone(&self.inner);
                self.inner.runtime.spawn(dial::run(inner, peer));
            }
        }
    }

    /// Queues a frame of 1 byte to [`MAX_FRAME`](crate::MAX_FRAME); on a connection that is gone
    /// nothing happens.
    ///
    /// A queue over [`Limits::outbox`] closes the connection with [`CloseReason::Stalled`]; a
    /// frame of another size is the caller's mistake and closes it with
    /// [`CloseReason::Internal`].
    pub fn send(&self, conn: ConnId, frame: Vec<u8>) {
        if let Some(link) = self.inner.link(conn) {
            link.send(frame, &self.inner.limits);
        }
    }

    /// Asks the other end of a connection for something, on a stream of its own (`NET-20`).
    ///
    /// Waits where as many requests as it answers at once are under way.
    ///
    /// # Errors
    /// [`AskError::Broken`], [`AskError::Length`].
    pub async fn ask(&self, conn: ConnId, request: &[u8]) -> Result<Answer, AskError> {
        let link = self.inner.link(conn).ok_or(AskError::Broken)?;
        ask::ask(&link, request).await
    }

    /// Lifts the limits of a stranger: the engine knows who this is.
    ///
    /// To be called before the credit of the frame that showed it is dropped, and before anything
    /// is sent that tells the peer.
    pub fn authenticated(&self, conn: ConnId) {
        if let Some(link) = self.inner.link(conn) {
            link.recognise();
        }
    }

    /// Closes a connection after what was queued on it, within [`Limits::flush_time`].
    ///
    /// What the peer has sent until then still comes; [`Event::Closed`] is the last of it.
    pub fn close(&self, conn: ConnId, reason: CloseReason) {
        if let Some(link) = self.inner.link(conn) {
            link.close(reason);
        }
    }

    /// The path that each connection takes now.
    pub fn paths(&self) -> Vec<PathInfo> {
        let links: Vec<_> = self.inner.links().values().map(Arc::clone).collect();
        links.iter().filter_map(|link| link.path()).collect()
    }

    /// Closes every connection with [`CloseReason::Shutdown`] after what was queued, then the
    /// sockets, and returns when the port is free; takes a few seconds at most.
    pub async fn shutdown(self) {
        let inner = self.inner;
        inner.stopping.store(true, Ordering::Release);
        for link in inner.links().values() {
            link.close(CloseReason::Shutdown);
        }
        let patience = inner.limits.flush_time + PARTING;
        if timeout(patience, inner.solitude()).await.is_err() {
            tracing::warn!("connections did not end in time");
        }
        for task in inner.tasks().drain(..) {
            task.abort();
        }
        let endpoint = inner.endpoint_slot().take();
        if let Some(endpoint) = endpoint {
            let sockets = endpoint.bound_sockets();
            let closing = async {
                endpoint.close().await;
                drop(endpoint);
                bind::released(&sockets).await;
            };
            if timeout(PARTING, closing).await.is_err() {
                tracing::debug!("the endpoint did not close in time");
            }
        }
    }
}

impl Inner {
    fn start(self: &Arc<Self>, endpoint: &Endpoint, search: bool) {
        let (tell, addresses) = watch::channel(self.addresses());
        let accept = accept::run(Arc::clone(self), endpoint.clone());
        let watch = watch_addresses(Arc::clone(self), endpoint.watch_addr(), tell);
        let mut tasks = vec![
            tokio::spawn(accept).abort_handle(),
            tokio::spawn(watch).abort_handle(),
        ];
        if search {
            tasks.push(tokio::spawn(lan::run(Arc::clone(self), addresses)).abort_handle());
        }
        *self.tasks() = tasks;
    }

    pub(crate) fn new_conn(&self) -> ConnId {
        ConnId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn add(&self, link: Arc<Link>) {
        let mut links = self.links();
        // Looked at under the lock, so that shutdown misses nobody.
        if self.is_stopping() {
            link.close(CloseReason::Shutdown);
        }
        links.insert(link.id, link);
    }

    pub(crate) fn remove(&self, conn: ConnId) {
        self.links().remove(&conn);
        self.parted.notify_one();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// `None` after shutdown.
    pub(crate) fn endpoint(&self) -> Option<Endpoint> {
        self.endpoint_slot().clone()
    }

    pub(crate) fn id(&self) -> EndpointId {
        self.id
    }

    pub(crate) fn dials(&self) -> MutexGuard<'_, BTreeMap<EndpointId, UnderWay>> {
        self.dials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        let ours = self.endpoint().map(|endpoint| endpoint.addr());
        address::to_tell(ours.iter().flat_map(|ours| ours.ip_addrs().copied()))
    }

    fn link(&self, conn: ConnId) -> Option<Arc<Link>> {
        self.links().get(&conn).map(Arc::clone)
    }

    /// Returns once no connection is left.
    async fn solitude(&self) {
        while !self.links().is_empty() {
            self.parted.notified().await;
        }
    }

    fn endpoint_slot(&self) -> MutexGuard<'_, Option<Endpoint>> {
        self.endpoint.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<ConnId, Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<AbortHandle>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the engine and the local network when other addresses of ours can be dialled.
async fn watch_addresses(
    inner: Arc<Inner>,
    mut watcher: impl Watcher<Value = EndpointAddr>,
    tell: watch::Sender<Vec<SocketAddr>>,
) {
    while let Ok(now) = watcher.updated().await {
        let addresses = address::to_tell(now.ip_addrs().copied());
        let changed = tell.send_if_modified(|told| {
            let differs = *told != addresses;
            if differs {
                told.clone_from(&addresses);
            }
            differs
        });
        if changed {
            (inner.sink)(Event::AddressesChanged { addresses });
        }
    }
}
