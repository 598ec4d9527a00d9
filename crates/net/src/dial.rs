//! Connections that this side opens.

use std::{error::Error, net::SocketAddr, sync::Arc};

use iroh::{
    EndpointAddr, TransportAddr,
    endpoint::{
        ConnectError, ConnectWithOptsError, ConnectingError, Connection, ConnectionError,
        TransportErrorCode,
    },
};
use tokio::time::{Instant, timeout};

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

/// Dials and carries the connection to its end; ends in `Connected` or `DialFailed`.
pub(crate) async fn run(inner: Arc<Inner>, peer: EndpointId, addresses: Vec<SocketAddr>) {
    let dial = open(&inner, peer, addresses);
    let result = timeout(inner.limits.dial_time, dial).await;
    inner.dials().remove(&peer);
    match result.unwrap_or(Err(DialError::NoAnswer)) {
        Ok(fresh) => carry::run(&inner, fresh).await,
        Err(error) => {
            tracing::debug!(%peer, %error, "a dial failed");
            (inner.sink)(Event::DialFailed { peer, error });
        }
    }
}

async fn open(
    inner: &Inner,
    peer: EndpointId,
    addresses: Vec<SocketAddr>,
) -> Result<Fresh, DialError> {
    let quic = connect(inner, peer, addresses).await?;
    let exporter = carry::exporter(&quic).ok_or_else(|| DialError::Failed {
        source: "the TLS session has no exporter".into(),
    })?;
    Ok(Fresh {
        streams: quic.open_bi().await?,
        quic,
        side: Side::Dialler,
        exporter,
        remote: None,
        place: None,
        deadline: Instant::now() + inner.limits.stranger_time,
    })
}

async fn connect(
    inner: &Inner,
    peer: EndpointId,
    addresses: Vec<SocketAddr>,
) -> Result<Connection, DialError> {
    let endpoint = inner.endpoint().filter(|_| !inner.is_stopping());
    let endpoint = endpoint.ok_or(DialError::Stopped)?;
    let addresses = address::to_dial(addresses);
    if addresses.is_empty() {
        return Err(DialError::NoAddress);
    }
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
