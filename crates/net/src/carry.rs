//! One connection from its first stream to its end: one task that reads, writes and watches.
//!
//! Reading and writing share a task so that a frame which is answered from inside the sink is
//! written in the same turn, without waiting for another task.

use std::{future::pending, net::SocketAddr, pin::pin, sync::Arc};

use iroh::endpoint::{Connection, RecvStream, SendStream};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    CloseReason, Ended, EndpointId, Event, Side,
    admission::Place,
    ask,
    link::{Closing, Link},
    net::Inner,
    read, write,
};

/// Sets the exporter of `NET-4` apart from any other use of the TLS session (RFC 8446 §7.5).
const EXPORTER_LABEL: &[u8] = b"tenet v1 connection";

/// A connection that stands and has its stream.
pub(crate) struct Fresh {
    pub(crate) quic: Connection,
    pub(crate) streams: (SendStream, RecvStream),
    pub(crate) side: Side,
    /// What [`exporter`] gives.
    pub(crate) exporter: [u8; 32],
    /// The peer's address if it is known better than from the connection's paths.
    pub(crate) remote: Option<SocketAddr>,
    /// The stranger's place that is free again once the peer is known.
    pub(crate) place: Option<Place>,
    /// When the peer must be known.
    pub(crate) deadline: Instant,
}

/// 32 bytes that only the two ends of this connection know (`NET-4`); a finished handshake always
/// has them.
pub(crate) fn exporter(quic: &Connection) -> Option<[u8; 32]> {
    let mut exporter = [0; 32];
    let exported = quic.export_keying_material(&mut exporter, EXPORTER_LABEL, b"");
    exported.ok().map(|()| exporter)
}

/// How the work on a connection came to its end.
pub(crate) enum Outcome {
    /// This side closes.
    Close(CloseReason),
    /// There is nothing left to close.
    Ended(Ended),
}

/// Carries frames until the connection ends; tells the engine its beginning and its end.
pub(crate) async fn run(inner: &Arc<Inner>, fresh: Fresh) {
    let Fresh {
        quic,
        streams,
        side,
        exporter,
        remote,
        place,
        deadline,
    } = fresh;
    let peer = EndpointId::from(*quic.remote_id().as_bytes());
    let link = Arc::new(Link::new(inner.new_conn(), peer, quic, place));
    let remote = remote.or_else(|| link.path().and_then(|path| path.remote));
    let conn = link.id;
    inner.add(Arc::clone(&link));
    (inner.sink)(Event::Connected {
        conn,
        peer,
        side,
        exporter,
        remote,
    });
    let hearing = tokio::spawn({
        let (inner, link) = (Arc::clone(inner), Arc::clone(&link));
        async move { ask::hear(&inner, &link).await }
    });
    let reason = match work(inner, &link, streams, deadline).await {
        Outcome::Ended(ended) => ended,
        Outcome::Close(reason) => {
            link.quic.close(reason.varint(), b"");
            Ended::ByUs(reason)
        }
    };
    hearing.abort();
    inner.remove(conn);
    tracing::debug!(%conn, %peer, %reason, "a connection ended");
    (inner.sink)(Event::Closed { conn, reason });
}

async fn work(
    inner: &Inner,
    link: &Link,
    (mut send, recv): (SendStream, RecvStream),
    deadline: Instant,
) -> Outcome {
    let reading = pin!(read::Reader::new(inner, link, recv).run());
    let writing = pin!(write::run(link, &mut send, inner.limits.stall_time));
    let recognition = pin!(recognition(link, deadline));
    let closing = pin!(closing(inner, link));
    tokio::select! {
        // In this order: what the reader's sink has queued is written in the same turn.
        biased;
        outcome = reading => outcome,
        outcome = writing => outcome,
        outcome = recognition => outcome,
        outcome = closing => outcome,
    }
}

/// Ends the connection of a stranger that stays one (`NET-10`).
async fn recognition(link: &Link, deadline: Instant) -> Outcome {
    match timeout_at(deadline, link.recognition()).await {
        Ok(()) => pending().await,
        Err(_) => Outcome::Close(CloseReason::Late),
    }
}

/// Ends the connection when asked to, whether or not the writer gets along.
async fn closing(inner: &Inner, link: &Link) -> Outcome {
    match link.asked_to_close().await {
        Closing::Now(reason) => Outcome::Close(reason),
        Closing::Flushed(reason) => {
            sleep(inner.limits.flush_time).await;
            Outcome::Close(reason)
        }
    }
}
