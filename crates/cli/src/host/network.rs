//! The network's side of the shell: events in, outputs out, numbers kept apart.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tenet_identity::{hello::Role, keys::EndpointId};
use tenet_net::{
    Answer, Answering, AskError, BindError, Config, Event, EventSink, Limits, Net, PathInfo, Side,
};
use tenet_node::input::{AskId, CloseReason, ConnId, Input};
use zeroize::Zeroizing;

use super::engine::Handle;

/// The engine's numbers of the network's connections, both ways.
#[derive(Default)]
struct Numbers {
    next: u64,
    to_net: BTreeMap<ConnId, tenet_net::ConnId>,
    to_engine: BTreeMap<tenet_net::ConnId, ConnId>,
    /// Requests that the engine has yet to decide about.
    asks: BTreeMap<AskId, Answering>,
}

/// The network, seen from the engine.
#[derive(Clone)]
pub(super) struct Network {
    net: Net,
    numbers: Arc<Mutex<Numbers>>,
}

/// What the network is opened with.
pub(super) struct Opening {
    /// The endpoint's secret key.
    pub(super) secret: Zeroizing<[u8; 32]>,
    /// Where to listen; empty for everywhere.
    pub(super) listen: Vec<SocketAddr>,
    /// The port that this home has had.
    pub(super) port: Option<u16>,
    /// Whether to look for others on the LAN.
    pub(super) lan: bool,
}

impl Network {
    /// Opens the network; what happens on it goes to the engine.
    pub(super) async fn open(opening: Opening, engine: Handle) -> Result<Self, BindError> {
        let numbers = Arc::new(Mutex::new(Numbers::default()));
        let config = Config {
            secret: opening.secret,
            listen: opening.listen,
            port: opening.port,
            lan: opening.lan,
            limits: Limits::default(),
        };
        let sink: EventSink = {
            let numbers = Arc::clone(&numbers);
            Arc::new(move |event| pass(&numbers, &engine, event))
        };
        let net = Net::bind(config, sink).await?;
        Ok(Self { net, numbers })
    }

    /// Where others can dial us.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.net.addresses()
    }

    /// The UDP port.
    pub(super) fn port(&self) -> u16 {
        self.net.port()
    }

    pub(super) fn dial(&self, peer: EndpointId, addresses: Vec<SocketAddr>) {
        self.net.dial(peer, addresses);
    }

    pub(super) fn send(&self, conn: ConnId, frame: Vec<u8>) {
        if let Some(conn) = self.find(conn) {
            self.net.send(conn, frame);
        }
    }

    /// Asks the other end of a connection for something.
    pub(super) async fn ask(&self, conn: ConnId, request: &[u8]) -> Result<Answer, AskError> {
        let conn = self.find(conn).ok_or(AskError::Broken)?;
        self.net.ask(conn, request).await
    }

    /// The way to answer a request; once.
    pub(super) fn answering(&self, ask: AskId) -> Option<Answering> {
        lock(&self.numbers).asks.remove(&ask)
    }

    pub(super) fn authenticated(&self, conn: ConnId) {
        if let Some(conn) = self.find(conn) {
            self.net.authenticated(conn);
        }
    }

    pub(super) fn close(&self, conn: ConnId, reason: CloseReason) {
        if let Some(conn) = self.find(conn) {
            self.net.close(conn, net_reason(reason));
        }
    }

    /// The paths of all connections, by the engine's numbers.
    pub(super) fn paths(&self) -> BTreeMap<ConnId, PathInfo> {
        let paths = self.net.paths();
        let numbers = lock(&self.numbers);
        paths
            .into_iter()
            .filter_map(|path| Some((*numbers.to_engine.get(&path.conn)?, path)))
            .collect()
    }

    pub(super) async fn close_all(self) {
        self.net.shutdown().await;
    }

    fn find(&self, conn: ConnId) -> Option<tenet_net::ConnId> {
        lock(&self.numbers).to_net.get(&conn).copied()
    }
}

fn pass(numbers: &Mutex<Numbers>, engine: &Handle, event: Event) {
    match event {
        Event::Connected {
            conn,
            peer,
            side,
            exporter,
            ..
        } => {
            let connected = Input::Connected {
                conn: lock(numbers).add(conn),
                peer,
                role: role(side),
                exporter,
            };
            engine.input(connected, None);
        }
        Event::Frame {
            conn,
            frame: bytes,
            credit,
        } => {
            let found = lock(numbers).to_engine.get(&conn).copied();
            if let Some(conn) = found {
                engine.input(Input::Frame { conn, bytes }, Some(credit));
            }
        }
        Event::Asked {
            conn,
            request: bytes,
            answering,
        } => {
            let asked = lock(numbers).asked(conn, answering);
            if let Some((conn, ask)) = asked {
                engine.input(Input::Asked { conn, ask, bytes }, None);
            }
        }
        Event::Closed { conn, reason } => {
            tracing::debug!(%conn, ?reason, "a connection ended");
            let removed = lock(numbers).remove(conn);
            if let Some(conn) = removed {
                engine.input(Input::Closed { conn }, None);
            }
        }
        Event::DialFailed { peer, error } => {
            tracing::debug!(%error, "a dial failed");
            engine.input(Input::DialFailed { peer }, None);
        }
        Event::Discovered { peer, addresses } => {
            engine.input(Input::Discovered { peer, addresses }, None);
        }
        Event::AddressesChanged { addresses } => {
            engine.input(Input::AddressesChanged { addresses }, None);
        }
    }
}

fn role(side: Side) -> Role {
    match side {
        Side::Dialler => Role::Dialler,
        Side::Dialled => Role::Dialled,
    }
}

impl Numbers {
    fn add(&mut self, conn: tenet_net::ConnId) -> ConnId {
        self.next += 1;
        let number = ConnId(self.next);
        self.to_net.insert(number, conn);
        self.to_engine.insert(conn, number);
        number
    }

    fn asked(&mut self, conn: tenet_net::ConnId, answering: Answering) -> Option<(ConnId, AskId)> {
        let conn = *self.to_engine.get(&conn)?;
        self.next += 1;
        let ask = AskId(self.next);
        self.asks.insert(ask, answering);
        Some((conn, ask))
    }

    fn remove(&mut self, conn: tenet_net::ConnId) -> Option<ConnId> {
        let number = self.to_engine.remove(&conn)?;
        self.to_net.remove(&number);
        Some(number)
    }
}

fn net_reason(reason: CloseReason) -> tenet_net::CloseReason {
    match reason {
        CloseReason::Duplicate => tenet_net::CloseReason::Duplicate,
        CloseReason::Protocol => tenet_net::CloseReason::Violation,
        CloseReason::NoRoom => tenet_net::CloseReason::Stalled,
        CloseReason::Trouble => tenet_net::CloseReason::Internal,
        _ => tenet_net::CloseReason::Unwelcome,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing panics while it is held; and if something did, the tables would still be whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
