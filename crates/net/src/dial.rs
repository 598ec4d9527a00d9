//! Connections that this side opens.

use std::{collections::btree_map::Entry, error::Error, mem, net::SocketAddr, sync::Arc};

use iroh::{
    EndpointAddr, TransportAddr,
    endpoint::{
        ConnectError, ConnectWithOptsError, ConnectingError, Connection, ConnectionError,
        TransportErrorCode,
    },
};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{
    EndpointId, Event, Side, address,
    carry::{self, Fresh},
    net::Inner,
    raw,
};

/// TLS alerts that tell why a handshake failed (RFC 8446 §6.2).
mod alert {
    pub(super) const HANDSHAKE_FAILURE: u8 = 40;
    pub(super) const UNKNOWN_CA: u8 = 48;
    pub(super) const NO_APPLICATION_PROTOCOL: u8 = 120;
}

/// Why a dial came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// No address was given that can be dialled.
    #[error("no address to dial")]
    NoAddress,
    /// The endpoint is this one.
    #[error("this is the own endpoint")]
    OwnEndpoint,
    /// The endpoint id is no Ed25519 public key.
    #[error("the endpoint id is not a valid key")]
    BadEndpoint,
    /// Nobody answered at any of the addresses in time.
    #[error("no answer")]
    NoAnswer,
    /// The peer takes no connection from here now: too many, or it stops.
    #[error("the peer refuses connections for now")]
    Refused,
    /// Another endpoint answers at the address.
    #[error("another endpoint answers at this address")]
    WrongEndpoint,
    /// The peer cannot do the post-quantum key exchange, and nothing less is done (`NET-3`).
    #[error("the peer does not offer X25519MLKEM768")]
    NotPostQuantum,
    /// The peer does not speak this protocol, or no version of it that is known here (`NET-1`).
    #[error("the peer does not speak tenet/1")]
    NoCommonProtocol,
    /// The network is shut down.
    #[error("the network is shut down")]
    Stopped,
    /// Something else.
    #[error("the connection failed")]
    Failed {
        /// What went wrong below.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A dial under way, as whoever names addresses sees it.
#[derive(Default)]
pub(crate) struct UnderWay {
    /// All that were named and are tried: at most [`address::MOST`].
    tried: Vec<SocketAddr>,
    /// Those of them that no attempt has taken yet.
    fresh: Vec<SocketAddr>,
    /// Tells the dial that there are fresh ones.
    stirred: Arc<Notify>,
}

impl UnderWay {
    pub(crate) fn new(addresses: Vec<SocketAddr>) -> Self {
        let tried = address::to_dial(addresses);
        Self {
            fresh: tried.clone(),
            tried,
            stirred: Arc::default(),
        }
    }

    /// Adds the addresses that are new, as far as there is room.
    pub(crate) fn add(&mut self, addresses: Vec<SocketAddr>) {
        for at in address::to_dial(addresses) {
            if self.tried.len() < address::MOST && !self.tried.contains(&at) {
                self.tried.push(at);
                self.fresh.push(at);
            }
        }
        if !self.fresh.is_empty() {
            self.stirred.notify_one();
        }
    }
}

/// Dials and carries the connection to its end; ends in `Connected` or `DialFailed`.
pub(crate) async fn run(inner: Arc<Inner>, peer: EndpointId) {
    match dial(&inner, peer).await {
        Ok(fresh) => carry::run(&inner, fresh).await,
        Err(error) => {
            tracing::debug!(%peer, %error, "a dial failed");
            (inner.sink)(Event::DialFailed { peer, error });
        }
    }
}

async fn dial(inner: &Arc<Inner>, peer: EndpointId) -> Result<Fresh, DialError> {
    let ends = Instant::now() + inner.limits.dial_time;
    let quic = race(inner, peer, ends).await?;
    let exporter = carry::exporter(&quic).ok_or_else(|| DialError::Failed {
        source: "the TLS session has no exporter".into(),
    })?;
    let streams = timeout_at(ends, quic.open_bi()).await;
    Ok(Fresh {
        streams: streams.map_err(|_| DialError::NoAnswer)??,
        quic,
        side: Side::Dialler,
        exporter,
        remote: None,
        place: None,
        deadline: Instant::now() + inner.limits.stranger_time,
    })
}

/// Tries what was named, and at once what is named meanwhile; the first to stand wins.
///
/// An attempt that is under way says nothing to a further address until its next retransmission,
/// which may be seconds away: so each gets an attempt of its own. The others are dropped before
/// they have a stream, and the peer's engine never hears of them (`NET-10`).
async fn race(
    inner: &Arc<Inner>,
    peer: EndpointId,
    ends: Instant,
) -> Result<Connection, DialError> {
    let mut attempts = JoinSet::new();
    let mut error = None;
    let stirred = inner.dials().get(&peer).map(|dial| dial.stirred.clone());
    let stirred = stirred.unwrap_or_default();
    loop {
        let fresh = match inner.dials().entry(peer) {
            Entry::Occupied(mut dial) if !dial.get().fresh.is_empty() => {
                mem::take(&mut dial.get_mut().fresh)
            }
            // Under the same lock, so that nothing is named to a dial that is over.
            Entry::Occupied(dial) if attempts.is_empty() => {
                dial.remove();
                return Err(error.unwrap_or(DialError::NoAddress));
            }
            _ => Vec::new(),
        };
        if !fresh.is_empty() {
            attempts.spawn(connect(Arc::clone(inner), peer, fresh));
        }
        tokio::select! {
            () = stirred.notified() => {}
            () = sleep_until(ends) => {
                inner.dials().remove(&peer);
                return Err(error.unwrap_or(DialError::NoAnswer));
            }
            Some(attempt) = attempts.join_next(), if !attempts.is_empty() => match attempt {
                Ok(Ok(quic)) => {
                    inner.dials().remove(&peer);
                    return Ok(quic);
                }
                Ok(Err(failed)) => error = Some(failed),
                Err(failed) => error = Some(DialError::Failed { source: failed.into() }),
            },
        }
    }
}

async fn connect(
    inner: Arc<Inner>,
    peer: EndpointId,
    addresses: Vec<SocketAddr>,
) -> Result<Connection, DialError> {
    let endpoint = inner.endpoint().filter(|_| !inner.is_stopping());
    let endpoint = endpoint.ok_or(DialError::Stopped)?;
    let id = iroh::EndpointId::from_bytes(peer.as_bytes()).map_err(|_| DialError::BadEndpoint)?;
    let at = EndpointAddr::from_parts(id, addresses.into_iter().map(TransportAddr::Ip));
    endpoint
        .connect(at, raw::ALPN)
        .await
        .map_err(DialError::from)
}

impl From<ConnectError> for DialError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Connection { source, .. } => source.into(),
            ConnectError::Connecting {
                source: ConnectingError::ConnectionError { source, .. },
                ..
            } => source.into(),
            ConnectError::Connect {
                source: ConnectWithOptsError::SelfConnect { .. },
                ..
            } => Self::OwnEndpoint,
            ConnectError::Connect {
                source: ConnectWithOptsError::NoAddress { .. },
                ..
            } => Self::NoAddress,
            ConnectError::Connect {
                source: ConnectWithOptsError::EndpointClosed { .. },
                ..
            } => Self::Stopped,
            error => Self::Failed {
                source: error.into(),
            },
        }
    }
}

impl From<ConnectionError> for DialError {
    fn from(error: ConnectionError) -> Self {
        let code = match &error {
            ConnectionError::TimedOut => return Self::NoAnswer,
            ConnectionError::LocallyClosed => return Self::Stopped,
            ConnectionError::TransportError(error) => error.code,
            ConnectionError::ConnectionClosed(close) => close.error_code,
            _ => {
                return Self::Failed {
                    source: error.into(),
                };
            }
        };
        if code == TransportErrorCode::CONNECTION_REFUSED {
            Self::Refused
        } else if code == TransportErrorCode::crypto(alert::HANDSHAKE_FAILURE) {
            Self::NotPostQuantum
        } else if code == TransportErrorCode::crypto(alert::UNKNOWN_CA) {
            Self::WrongEndpoint
        } else if code == TransportErrorCode::crypto(alert::NO_APPLICATION_PROTOCOL) {
            Self::NoCommonProtocol
        } else {
            Self::Failed {
                source: error.into(),
            }
        }
    }
}
