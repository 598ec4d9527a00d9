//! Frames from the outbox to the peer.

use std::{future::pending, time::Duration};

use bytes::Bytes;
use iroh::endpoint::{SendStream, WriteError};
use tokio::time::timeout;

use crate::{
    CloseReason,
    carry::Outcome,
    link::{Link, Next},
};

/// Writes what is queued until the end of the connection is asked for and everything is delivered.
///
/// A lost connection is left to the reader to find: what the peer sent before comes first.
pub(crate) async fn run(link: &Link, send: &mut SendStream, stall_time: Duration) -> Outcome {
    loop {
        match link.next() {
            Next::Wait => link.stirring().await,
            Next::Write(chunks) => match write(send, chunks, stall_time).await {
                Ok(()) => {}
                Err(WriteFailure::Stalled) => return Outcome::Close(CloseReason::Stalled),
                Err(WriteFailure::Stopped) => return Outcome::Close(CloseReason::Violation),
                Err(WriteFailure::Lost) => return pending().await,
            },
            Next::Finish(reason) => {
                // An error says that there is nobody left to deliver to.
                if send.finish().is_ok() {
                    let _delivered = send.stopped().await;
                }
                return Outcome::Close(reason);
            }
        }
    }
}

enum WriteFailure {
    Stalled,
    Stopped,
    Lost,
}

async fn write(
    send: &mut SendStream,
    mut chunks: Vec<Bytes>,
    stall_time: Duration,
) -> Result<(), WriteFailure> {
    let mut rest = chunks.as_mut_slice();
    while !rest.is_empty() {
        match timeout(stall_time, send.write_many_chunks(&mut rest)).await {
            Ok(Ok(_written)) => {}
            Ok(Err(WriteError::ConnectionLost(_))) => return Err(WriteFailure::Lost),
            Ok(Err(_)) => return Err(WriteFailure::Stopped),
            Err(_) => return Err(WriteFailure::Stalled),
        }
    }
    Ok(())
}
