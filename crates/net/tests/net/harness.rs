//! An endpoint whose events are a queue, and a bare one that can misbehave.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use iroh::{
    Endpoint, EndpointAddr, TransportAddr,
    endpoint::{ConnectingError, Connection, ConnectionError, RecvStream, SendStream},
};
use tenet_net::{
    Config, ConnId, Credit, DialError, Ended, EndpointId, Event, Limits, Net, Side, raw,
};
use tokio::{sync::mpsc, time::timeout};

/// Longer than anything here takes, on the slowest of machines.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// An endpoint under test.
pub(crate) struct Node {
    pub(crate) net: Net,
    events: mpsc::UnboundedReceiver<Event>,
}

/// What `Connected` says.
pub(crate) struct Connected {
    pub(crate) conn: ConnId,
    pub(crate) peer: EndpointId,
    pub(crate) side: Side,
    pub(crate) exporter: [u8; 32],
    pub(crate) remote: Option<SocketAddr>,
}

impl Node {
    pub(crate) async fn new(seed: u8) -> Self {
        Self::with(seed, Limits::default()).await
    }

    pub(crate) async fn with(seed: u8, limits: Limits) -> Self {
        Self::at(seed, limits, "127.0.0.1:0", false).await
    }

    pub(crate) async fn at(seed: u8, limits: Limits, listen: &str, lan: bool) -> Self {
        let listen = if listen.is_empty() {
            vec![]
        } else {
            vec![listen.parse().unwrap()]
        };
        let secret = [seed; 32].into();
        let (tell, events) = mpsc::unbounded_channel();
        let sink = Arc::new(move |event| drop(tell.send(event)));
        let config = Config {
            secret,
            listen,
            port: None,
            lan,
            limits,
        };
        let net = Net::bind(config, sink).await.unwrap();
        Self { net, events }
    }

    pub(crate) fn id(&self) -> EndpointId {
        self.net.endpoint()
    }

    /// Where others reach it, as iroh writes it.
    pub(crate) fn addr(&self) -> EndpointAddr {
        let id = iroh::EndpointId::from_bytes(self.id().as_bytes()).unwrap();
        EndpointAddr::from_parts(id, self.net.addresses().into_iter().map(TransportAddr::Ip))
    }

    pub(crate) fn dial(&self, other: &Self) {
        self.net.dial(other.id(), other.net.addresses());
    }

    pub(crate) async fn event(&mut self) -> Event {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("an event")
            .expect("a sink")
    }

    /// An event that is already there.
    pub(crate) fn event_now(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    pub(crate) async fn connected(&mut self) -> Connected {
        match self.event().await {
            Event::Connected {
                conn,
                peer,
                side,
                exporter,
                remote,
            } => Connected {
                conn,
                peer,
                side,
                exporter,
                remote,
            },
            event => panic!("{event:?} instead of a connection"),
        }
    }

    pub(crate) async fn frame(&mut self) -> (Vec<u8>, Credit) {
        match self.event().await {
            Event::Frame { frame, credit, .. } => (frame, credit),
            event => panic!("{event:?} instead of a frame"),
        }
    }

    pub(crate) async fn closed(&mut self) -> Ended {
        match self.event().await {
            Event::Closed { reason, .. } => reason,
            event => panic!("{event:?} instead of the end"),
        }
    }

    pub(crate) async fn dial_failed(&mut self) -> DialError {
        match self.event().await {
            Event::DialFailed { error, .. } => error,
            event => panic!("{event:?} instead of a failed dial"),
        }
    }
}

/// Two nodes that know each other; the first dialled and said `hello`.
pub(crate) async fn pair(limits: Limits) -> (Node, ConnId, Node, ConnId) {
    let (mut a, mut b) = (Node::with(1, limits).await, Node::with(2, limits).await);
    a.dial(&b);
    let ab = a.connected().await.conn;
    a.net.authenticated(ab);
    a.net.send(ab, b"hello".to_vec());
    let ba = b.connected().await.conn;
    let (frame, _credit) = b.frame().await;
    assert_eq!(frame, b"hello");
    b.net.authenticated(ba);
    (a, ab, b, ba)
}

/// A bare endpoint with the right TLS and no manners.
pub(crate) struct Stranger {
    pub(crate) endpoint: Endpoint,
}

impl Stranger {
    pub(crate) async fn new(seed: u8) -> Self {
        Self::from(raw::builder(&[seed; 32], raw::IDLE)).await
    }

    pub(crate) async fn from(builder: iroh::endpoint::Builder) -> Self {
        let builder = builder
            .clear_ip_transports()
            .bind_addr("127.0.0.1:0")
            .unwrap();
        Self {
            endpoint: builder.bind().await.unwrap(),
        }
    }

    pub(crate) fn id(&self) -> EndpointId {
        EndpointId::from(*self.endpoint.id().as_bytes())
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.endpoint.bound_sockets()
    }

    pub(crate) async fn connect(&self, node: &Node) -> Connection {
        self.try_connect(node).await.unwrap()
    }

    pub(crate) async fn try_connect(
        &self,
        node: &Node,
    ) -> Result<Connection, iroh::endpoint::ConnectError> {
        timeout(PATIENCE, self.endpoint.connect(node.addr(), raw::ALPN))
            .await
            .unwrap()
    }

    /// Connects and writes these bytes on the stream.
    pub(crate) async fn write(
        &self,
        node: &Node,
        bytes: &[u8],
    ) -> (Connection, SendStream, RecvStream) {
        let quic = self.connect(node).await;
        let (mut send, recv) = quic.open_bi().await.unwrap();
        send.write_all(bytes).await.unwrap();
        (quic, send, recv)
    }

    pub(crate) async fn accept(&self) -> Connection {
        self.answer().await.unwrap()
    }

    /// Answers the next handshake once its address is validated: an error is told only then.
    pub(crate) async fn answer(&self) -> Result<Connection, ConnectingError> {
        loop {
            let incoming = timeout(PATIENCE, self.endpoint.accept())
                .await
                .unwrap()
                .unwrap();
            if incoming.remote_addr_validated() {
                return incoming.await;
            }
            incoming.retry().unwrap();
        }
    }
}

/// The code with which the other side closes.
pub(crate) async fn close_code(quic: &Connection) -> u64 {
    match timeout(PATIENCE, quic.closed()).await.expect("the end") {
        ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
        error => panic!("{error:?} instead of a close code"),
    }
}

/// A frame as it is on the stream.
pub(crate) fn framed(frame: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(frame.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(frame);
    bytes
}
