//! Giving parts of a content to another device that may have them.

use std::{io::Write, sync::Arc};

use tenet_blob::Ranges;
use tenet_log::ids::BlobId;
use tenet_net::Answering;
use tenet_node::{ask::Span, input::AskId};
use tokio::task::spawn_blocking;

use super::{super::shared::Shared, hash, pipe};

/// Answers a request with parts of a content.
pub(in super::super) fn serve(shared: &Arc<Shared>, ask: AskId, blob: BlobId, spans: &[Span]) {
    let Some(answering) = answering(shared, ask) else {
        return;
    };
    let ranges = spans.iter().map(|span| span.start..span.end).collect();
    shared
        .runtime
        .spawn(answer(Arc::clone(shared), answering, blob, ranges));
}

/// Answers a request with no.
pub(in super::super) fn refuse(shared: &Shared, ask: AskId) {
    if let Some(answering) = answering(shared, ask) {
        answering.refuse();
    }
}

fn answering(shared: &Shared, ask: AskId) -> Option<Answering> {
    shared.network.as_ref()?.answering(ask)
}

async fn answer(shared: Arc<Shared>, mut answering: Answering, blob: BlobId, ranges: Ranges) {
    let folder = shared.transfers.folder.clone();
    let slice = spawn_blocking(move || folder.serve(&hash(blob), &ranges)).await;
    let slice = match slice {
        Ok(Ok(slice)) => slice,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a content cannot be given");
            return answering.refuse();
        }
        Err(_) => return answering.refuse(),
    };
    let (mut writer, mut chunks) = pipe::to_task();
    let writing = spawn_blocking(move || {
        slice.write(&mut writer)?;
        writer.flush().map_err(tenet_blob::Error::Sink)
    });
    while let Some(chunk) = chunks.recv().await {
        if answering.write(chunk).await.is_err() {
            return;
        }
    }
    match writing.await {
        Ok(Ok(())) => answering.finish(),
        Ok(Err(error)) => tracing::warn!(%error, "a content could not be given whole"),
        Err(_) => tracing::error!("giving a content came to no end"),
    }
}
