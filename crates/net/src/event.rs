//! What the network tells the engine.

use std::{fmt, net::SocketAddr, sync::Arc};

use tokio::sync::OwnedSemaphorePermit;

use crate::{Answering, DialError, Ended, EndpointId};

/// Where events go: called on the network's runtime, so it must not block.
///
/// It may call [`Net`](crate::Net) (a frame sent from inside goes out at once) and it may put the
/// event into an unbounded channel: frames that wait are bounded by their credits, the rest by the
/// number of connections and by the rates of [`Limits`](crate::Limits).
pub type EventSink = Arc<dyn Fn(Event) + Send + Sync>;

/// Something that happened on the network.
///
/// For a connection the order is: `Connected`, any number of `Frame`s in the order in which they
/// were sent, `Closed` once.
pub enum Event {
    /// A connection stands: the peer holds the private key of `peer`, nothing else is known yet.
    Connected {
        /// The connection, from now on.
        conn: ConnId,
        /// The other endpoint.
        peer: EndpointId,
        /// Which end this is. The dialler speaks first.
        side: Side,
        /// 32 bytes that only the two ends of this very connection know (RFC 8446 §7.5, `NET-4`).
        exporter: [u8; 32],
        /// The peer's address; `None` when it is met through a relay.
        remote: Option<SocketAddr>,
    },
    /// A dial came to nothing.
    DialFailed {
        /// Who was dialled.
        peer: EndpointId,
        /// Why.
        error: DialError,
    },
    /// A frame came.
    Frame {
        /// On which connection.
        conn: ConnId,
        /// 1 byte to [`MAX_FRAME`](crate::MAX_FRAME).
        frame: Vec<u8>,
        /// To drop when the frame has been handled.
        credit: Credit,
    },
    /// A known peer asks for something on a stream of its own; also after `Closed`, then in vain.
    Asked {
        /// On which connection.
        conn: ConnId,
        /// 1 byte to [`MAX_REQUEST`](crate::MAX_REQUEST).
        request: Vec<u8>,
        /// The way to answer.
        answering: Answering,
    },
    /// A connection ended; it was `Connected` before and is not heard of again.
    Closed {
        /// Which.
        conn: ConnId,
        /// How.
        reason: Ended,
    },
    /// An endpoint announces itself on the local network. Anybody there may claim this: only a
    /// connection shows whether it is true.
    Discovered {
        /// The endpoint that is said to be there.
        peer: EndpointId,
        /// The addresses that are said to be its, at most 16.
        addresses: Vec<SocketAddr>,
    },
    /// The network changed: other addresses of ours can be dialled now.
    AddressesChanged {
        /// As [`Net::addresses`](crate::Net::addresses) gives them.
        addresses: Vec<SocketAddr>,
    },
}

/// A connection of this [`Net`](crate::Net); never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub(crate) u64);

/// Which end of a connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// This end dialled, and speaks first.
    Dialler,
    /// This end was dialled.
    Dialled,
}

/// The right to one more frame: dropped, it lets the connection's reader read on.
///
/// A connection has 256 frames or 1 MiB of them; beyond it QUIC's flow control stops the sender.
/// Before [`Net::authenticated`](crate::Net::authenticated) it has one frame.
pub struct Credit {
    _permit: OwnedSemaphorePermit,
}

/// One path of a connection as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathInfo {
    /// The connection.
    pub conn: ConnId,
    /// Its other end.
    pub peer: EndpointId,
    /// Where the packets go; `None` for a relay.
    pub remote: Option<SocketAddr>,
    /// The round trip in microseconds, smoothed.
    pub rtt: u64,
    /// How the packets go.
    pub kind: PathKind,
}

/// How packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// From this machine to the peer's.
    Direct,
    /// Through a relay.
    Relay,
}

/// Without the exporter, which is a secret, and without what frames say.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected {
                conn,
                peer,
                side,
                remote,
                ..
            } => f
                .debug_struct("Connected")
                .field("conn", conn)
                .field("peer", peer)
                .field("side", side)
                .field("remote", remote)
                .finish_non_exhaustive(),
            Self::DialFailed { peer, error } => f
                .debug_struct("DialFailed")
                .field("peer", peer)
                .field("error", error)
                .finish(),
            Self::Frame { conn, frame, .. } => f
                .debug_struct("Frame")
                .field("conn", conn)
                .field("length", &frame.len())
                .finish_non_exhaustive(),
            Self::Asked { conn, request, .. } => f
                .debug_struct("Asked")
                .field("conn", conn)
                .field("length", &request.len())
                .finish_non_exhaustive(),
            Self::Closed { conn, reason } => f
                .debug_struct("Closed")
                .field("conn", conn)
                .field("reason", reason)
                .finish(),
            Self::Discovered { peer, addresses } => f
                .debug_struct("Discovered")
                .field("peer", peer)
                .field("addresses", addresses)
                .finish(),
            Self::AddressesChanged { addresses } => f
                .debug_struct("AddressesChanged")
                .field("addresses", addresses)
                .finish(),
        }
    }
}

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Credit {
    pub(crate) fn new(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: permit }
    }
}

impl fmt::Debug for Credit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credit")
    }
}
