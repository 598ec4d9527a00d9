//! Connections that others open.

use std::{net::SocketAddr, sync::Arc, time::Instant as StdInstant};

use iroh::{
    Endpoint,
    endpoint::{Incoming, IncomingAddr},
};
use tokio::time::{Instant, timeout_at};

use crate::{
    CloseReason, Side,
    admission::Place,
    carry::{self, Fresh},
    net::Inner,
};

/// Answers the door until the endpoint closes.
pub(crate) async fn run(inner: Arc<Inner>, endpoint: Endpoint) {
    while let Some(incoming) = endpoint.accept().await {
        let IncomingAddr::Ip(remote) = incoming.remote_addr() else {
            incoming.refuse();
            continue;
        };
        if inner.is_stopping() {
            incoming.refuse();
            continue;
        }
        // Whoever wrote the packet shows first that it can read what is sent there (`NET-11`).
        if !incoming.remote_addr_validated() {
            if let Err(error) = incoming.retry() {
                error.into_incoming().ignore();
            }
            continue;
        }
        match inner.door.admit(remote.ip(), StdInstant::now()) {
            Ok(place) => {
                let inner = Arc::clone(&inner);
                tokio::spawn(async move { receive(&inner, incoming, remote, place).await });
            }
            Err(refusal) => {
                tracing::debug!(%remote, %refusal, "a handshake is refused");
                incoming.refuse();
            }
        }
    }
}

/// Shakes hands and waits for the dialler's first bytes: the engine hears of nobody who is mute.
async fn receive(inner: &Arc<Inner>, incoming: Incoming, remote: SocketAddr, place: Place) {
    let deadline = Instant::now() + inner.limits.stranger_time;
    let Ok(accepting) = incoming.accept() else {
        return;
    };
    // Early data, which we never send, waits too: a recording of it ends here (RFC 8446 §8).
    let quic = match timeout_at(deadline, accepting).await {
        Ok(Ok(quic)) => quic,
        Ok(Err(error)) => return tracing::debug!(%remote, %error, "a handshake failed"),
        Err(_) => return tracing::debug!(%remote, "a handshake took too long"),
    };
    let streams = match timeout_at(deadline, quic.accept_bi()).await {
        Ok(Ok(streams)) => streams,
        Ok(Err(error)) => return tracing::debug!(%remote, %error, "a stranger left"),
        Err(_) => return quic.close(CloseReason::Late.varint(), b""),
    };
    let Some(exporter) = carry::exporter(&quic) else {
        return quic.close(CloseReason::Internal.varint(), b"");
    };
    let fresh = Fresh {
        quic,
        streams,
        side: Side::Dialled,
        exporter,
        remote: Some(remote),
        place: Some(place),
        deadline,
    };
    carry::run(inner, fresh).await;
}
