//! Giving parts of a content to another device that may have them.

use std::{io::Write, sync::Arc};

use tenet_blob::{Error, Ranges, State};
use tenet_log::ids::BlobId;
use tenet_net::Answering;
use tenet_node::{ask::Span, input::AskId};
use tokio::task::spawn_blocking;

use super::{super::shared::Shared, Meter, hash, pipe};

/// Answers a request with parts of a content.
pub(in super::super) fn serve(shared: &Arc<Shared>, ask: AskId, blob: BlobId, spans: &[Span]) {
    let Some(answering) = answering(shared, ask) else {
        return;
    };
    let ranges = spans.iter().map(|span| span.start..span.end).collect();
    let shared = Arc::clone(shared);
    shared.runtime.clone().spawn(async move {
        let (number, going) = shared.transfers.going(blob);
        answer(&shared, answering, blob, ranges, &going.meter).await;
        shared.transfers.gone(number);
    });
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

async fn answer(
    shared: &Shared,
    mut answering: Answering,
    blob: BlobId,
    ranges: Ranges,
    meter: &Meter,
) {
    let folder = shared.transfers.folder.clone();
    let opened = spawn_blocking(move || {
        let whole = match folder.state(&hash(blob))? {
            State::Whole { size } | State::Partial { size, .. } => size,
            State::Absent => 0,
        };
        let asked = ranges.bytes(whole);
        let slice = folder.serve(&hash(blob), &ranges)?;
        Ok::<_, Error>((slice, whole.saturating_sub(asked)))
    });
    let slice = match opened.await {
        Ok(Ok((slice, elsewhere))) => {
            // What is not asked for is there already.
            meter.start(elsewhere);
            slice
        }
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
        let bytes = chunk.len() as u64;
        if answering.write(chunk).await.is_err() {
            return;
        }
        meter.add(bytes);
    }
    match writing.await {
        Ok(Ok(())) => answering.finish(),
        Ok(Err(error)) => tracing::warn!(%error, "a content could not be given whole"),
        Err(_) => tracing::error!("giving a content came to no end"),
    }
}
