//! Fetching a content from another device.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{Arc, atomic::Ordering},
};

use tenet_blob::{Error, Incoming, Ranges, seal::sealed_size};
use tenet_log::ids::BlobId;
use tenet_net::{Answer, AskError};
use tenet_node::{
    ask::{Ask, MAX_SPANS, Span},
    input::{ConnId, FetchEnd, Input},
};
use tokio::task::spawn_blocking;

use super::{
    super::{network::Network, shared::Shared},
    Coming, hash, pipe,
};

/// Fetches a content and tells the engine how it ended.
pub(in super::super) fn fetch(shared: &Arc<Shared>, conn: ConnId, blob: BlobId, size: u64) {
    let coming = Arc::new(Coming::default());
    shared.transfers.lock().insert(blob, Arc::clone(&coming));
    let shared = Arc::clone(shared);
    shared.runtime.clone().spawn(async move {
        let end = match run(&shared, conn, blob, size, &coming).await {
            Ok(()) => FetchEnd::Whole,
            Err(end) => end,
        };
        tracing::debug!(?conn, ?end, "a fetch ended");
        forget(&mut shared.transfers.lock(), blob, &coming);
        shared
            .engine
            .input(Input::Fetched { conn, blob, end }, None);
    });
}

/// A fetch over a connection that is gone may end after the next one of the same content has begun.
fn forget(all: &mut BTreeMap<BlobId, Arc<Coming>>, blob: BlobId, coming: &Arc<Coming>) {
    if all.get(&blob).is_some_and(|now| Arc::ptr_eq(now, coming)) {
        all.remove(&blob);
    }
}

async fn run(
    shared: &Shared,
    conn: ConnId,
    blob: BlobId,
    size: u64,
    coming: &Arc<Coming>,
) -> Result<(), FetchEnd> {
    let network = shared.network.as_ref().ok_or(FetchEnd::Interrupted)?;
    let sealed = sealed_size(size).ok_or(FetchEnd::Mismatch)?;
    let folder = shared.transfers.folder.clone();
    let begin = move || folder.receive(&hash(blob), sealed, sealed);
    let Some(incoming) = blocking(begin).await? else {
        return Ok(());
    };
    let incoming = Arc::new(incoming);
    coming.meter.start(incoming.verified());
    loop {
        let missing: Ranges = incoming.missing().iter().take(MAX_SPANS).collect();
        if missing.is_empty() {
            break;
        }
        let answer = ask(network, conn, blob, &missing).await?;
        take(&incoming, missing, answer, coming).await?;
    }
    let incoming = Arc::into_inner(incoming).ok_or(FetchEnd::Interrupted)?;
    let transfers = &shared.transfers;
    transfers
        .finishing
        .finish(&transfers.folder, incoming)
        .await
}

async fn ask(
    network: &Network,
    conn: ConnId,
    blob: BlobId,
    missing: &Ranges,
) -> Result<Answer, FetchEnd> {
    let spans = missing.iter().map(|bytes| Span {
        start: bytes.start,
        end: bytes.end,
    });
    let request = Ask::Blob(blob, spans.collect()).encode();
    let asked = network.ask(conn, &request).await;
    asked.map_err(|_| FetchEnd::Interrupted)
}

/// Brings what comes to the thread that proves it and writes it down.
async fn take(
    incoming: &Arc<Incoming>,
    ranges: Ranges,
    mut answer: Answer,
    coming: &Arc<Coming>,
) -> Result<(), FetchEnd> {
    let (sender, reader) = pipe::to_thread();
    let (incoming, progress) = (Arc::clone(incoming), Arc::clone(coming));
    let taking = spawn_blocking(move || {
        incoming.take(&ranges, reader, &mut |verified| {
            progress.meter.reach(verified);
            match progress.stopped.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
    });
    let mut failure = None;
    loop {
        match answer.chunk(pipe::CHUNK).await {
            // The thread wants no more when it failed or was stopped.
            Ok(Some(chunk)) => {
                coming.meter.take(chunk.len() as u64);
                if sender.send(chunk).await.is_err() {
                    break;
                }
            }
            Ok(None) => break,
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    drop(sender);
    match (taking.await, failure) {
        (Ok(Ok(())), _) => Ok(()),
        (Ok(Err(Error::Ended { .. })), Some(AskError::Refused)) => Err(FetchEnd::Refused),
        (Ok(Err(error)), _) => Err(end(&error)),
        (Err(_), _) => Err(FetchEnd::Interrupted),
    }
}

async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, FetchEnd> {
    match spawn_blocking(job).await {
        Ok(done) => done.map_err(|error| end(&error)),
        Err(_) => Err(FetchEnd::Interrupted),
    }
}

pub(super) fn end(error: &Error) -> FetchEnd {
    tracing::debug!(%error, "a fetch failed");
    match error {
        Error::Full => FetchEnd::NoRoom,
        Error::Cancelled => FetchEnd::Stopped,
        Error::Mismatch { .. } | Error::Size { .. } => FetchEnd::Mismatch,
        _ => FetchEnd::Interrupted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetch_that_ends_late_leaves_the_next_one_known() {
        let blob = BlobId::from([1; 32]);
        let [old, new] = [(); 2].map(|()| Arc::new(Coming::default()));
        let mut all = BTreeMap::from([(blob, Arc::clone(&new))]);
        forget(&mut all, blob, &old);
        assert_eq!(all.len(), 1);
        forget(&mut all, blob, &new);
        assert_eq!(all.len(), 0);
    }
}
