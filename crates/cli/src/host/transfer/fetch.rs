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
    ask::{Ask, Span},
    input::{ConnId, FetchEnd, Input},
};
use tokio::task::spawn_blocking;

use super::{
    super::{network::Network, shared::Shared},
    Coming,
    claims::Claim,
    hash, pipe,
};

/// Fetches a content from one of its sources and tells the engine how that ended.
pub(in super::super) fn fetch(shared: &Arc<Shared>, conn: ConnId, blob: BlobId, size: u64) {
    let coming = join(&mut shared.transfers.lock(), blob);
    let shared = Arc::clone(shared);
    shared.runtime.clone().spawn(async move {
        let end = match run(&shared, conn, blob, size, &coming).await {
            Ok(()) => FetchEnd::Whole,
            Err(end) => end,
        };
        tracing::debug!(?conn, ?end, "a fetch ended");
        leave(&mut shared.transfers.lock(), blob, &coming);
        shared
            .engine
            .input(Input::Fetched { conn, blob, end }, None);
    });
}

/// A further source of a content that is coming, or the first; one that was stopped is begun anew.
fn join(all: &mut BTreeMap<BlobId, Arc<Coming>>, blob: BlobId) -> Arc<Coming> {
    let known = all.get(&blob).filter(|known| !*known.stopped.borrow());
    let coming = known.map(Arc::clone).unwrap_or_default();
    coming.sources.fetch_add(1, Ordering::Relaxed);
    all.insert(blob, Arc::clone(&coming));
    coming
}

/// A source is done. A fetch over a connection that is gone may end after the next one of the same content has
/// begun.
fn leave(all: &mut BTreeMap<BlobId, Arc<Coming>>, blob: BlobId, coming: &Arc<Coming>) {
    let last = coming.sources.fetch_sub(1, Ordering::Relaxed) == 1;
    if last && all.get(&blob).is_some_and(|now| Arc::ptr_eq(now, coming)) {
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
    if !coming.begun.swap(true, Ordering::Relaxed) {
        coming.meter.start(incoming.verified());
    }
    while let Some(claim) = coming.claims.take(&incoming.missing()) {
        let answer = ask(network, conn, blob, &claim.asked).await?;
        take(&incoming, &Arc::new(claim), answer, coming).await?;
    }
    let mut finished = coming.finished.lock().await;
    if !*finished {
        let incoming = Arc::into_inner(incoming).ok_or(FetchEnd::Interrupted)?;
        let transfers = &shared.transfers;
        let finishing = &transfers.finishing;
        finishing.finish(&transfers.folder, incoming).await?;
        *finished = true;
    }
    Ok(())
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

/// Brings what comes to the thread that proves it and writes it down, until all that this source is to give is
/// there.
async fn take(
    incoming: &Arc<Incoming>,
    claim: &Arc<Claim>,
    mut answer: Answer,
    coming: &Arc<Coming>,
) -> Result<(), FetchEnd> {
    let (sender, reader) = pipe::to_thread();
    let mut stopped = coming.stopped.subscribe();
    let taking = spawn_blocking({
        let (incoming, claim) = (Arc::clone(incoming), Arc::clone(claim));
        let coming = Arc::clone(coming);
        move || {
            incoming.take(&claim.asked, reader, &mut |verified| {
                coming.meter.reach(verified);
                match *coming.stopped.borrow() || claim.is_done(&incoming.missing()) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })
        }
    });
    let mut failure = None;
    loop {
        let chunk = tokio::select! {
            chunk = answer.chunk(pipe::CHUNK) => chunk,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        match chunk {
            // The thread wants no more when it failed, was stopped or has what it is to have.
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
    let taken = taking.await;
    let is_stopped = *coming.stopped.borrow();
    match (taken, failure) {
        (Ok(Ok(())), _) => Ok(()),
        (Ok(Err(_)), _) if is_stopped => Err(FetchEnd::Stopped),
        (Ok(Err(Error::Cancelled)), _) => Ok(()),
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
        let mut all = BTreeMap::new();
        let old = join(&mut all, blob);
        old.stopped.send_replace(true);
        let new = join(&mut all, blob);
        assert!(!Arc::ptr_eq(&old, &new));
        leave(&mut all, blob, &old);
        assert_eq!(all.len(), 1);
        let beside = join(&mut all, blob);
        assert!(Arc::ptr_eq(&new, &beside));
        leave(&mut all, blob, &new);
        assert_eq!(all.len(), 1);
        leave(&mut all, blob, &beside);
        assert_eq!(all.len(), 0);
    }
}
