//! What one connection is to the rest of the crate.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::{BufMut, Bytes, BytesMut};
use iroh::endpoint::Connection;
use tokio::sync::{Notify, Semaphore};

use crate::{
    CloseReason, ConnId, Credit, EndpointId, Limits, PathInfo, PathKind,
    admission::Place,
    config::{CREDIT_BYTES, CREDIT_FRAMES, MAX_FRAME},
    frame, raw,
};

/// How many bytes are written at once. 64 KiB: a full batch of segments to the kernel.
const BATCH: usize = 64 << 10;

/// One connection: shared by its task, which reads and writes, and the handle, which asks.
pub(crate) struct Link {
    pub(crate) id: ConnId,
    pub(crate) peer: EndpointId,
    pub(crate) quic: Connection,
    outbox: Mutex<Outbox>,
    /// Tells the writer that the outbox changed.
    stirred: Notify,
    /// Tells the task, even where the writer is stuck, that the connection is to be closed.
    closing: Notify,
    known: AtomicBool,
    /// Tells the stranger's clock to stop.
    recognised: Notify,
    place: Mutex<Option<Place>>,
    credits: Arc<Semaphore>,
}

/// What the writer is to do next.
pub(crate) enum Next {
    /// Write these bytes.
    Write(Vec<Bytes>),
    /// Wait until there is something.
    Wait,
    /// All that was queued is written, and this was to be the end.
    Finish(CloseReason),
}

/// That a connection is to be closed from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// With all that was queued.
    Flushed(CloseReason),
    /// At once.
    Now(CloseReason),
}

#[derive(Default)]
struct Outbox {
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
    closing: Option<Closing>,
}

impl Link {
    pub(crate) fn new(
        id: ConnId,
        peer: EndpointId,
        quic: Connection,
        place: Option<Place>,
    ) -> Self {
        Self {
            id,
            peer,
            quic,
            outbox: Mutex::default(),
            stirred: Notify::new(),
            closing: Notify::new(),
            known: AtomicBool::new(false),
            recognised: Notify::new(),
            place: Mutex::new(place),
            credits: Arc::new(Semaphore::new(CREDIT_BYTES as usize)),
        }
    }

    /// Queues a frame; what cannot be queued closes the connection.
    pub(crate) fn send(&self, frame: Vec<u8>, limits: &Limits) {
        let mut outbox = self.outbox();
        if outbox.closing.is_some() {
            return;
        }
        if frame.is_empty() || frame.len() > MAX_FRAME {
            tracing::error!(conn = %self.id, length = frame.len(), "a frame that no peer takes");
            outbox.fail(CloseReason::Internal);
        } else if outbox.bytes + frame.len() > limits.outbox {
            outbox.fail(CloseReason::Stalled);
        } else {
            outbox.bytes += frame.len();
            outbox.frames.push_back(frame);
            drop(outbox);
            return self.stirred.notify_one();
        }
        drop(outbox);
        self.closing.notify_one();
    }

    /// Asks for the end, after what was queued.
    pub(crate) fn close(&self, reason: CloseReason) {
        self.outbox()
            .closing
            .get_or_insert(Closing::Flushed(reason));
        self.stirred.notify_one();
        self.closing.notify_one();
    }

    /// Returns once the connection is to be closed; for one waiter.
    pub(crate) async fn asked_to_close(&self) -> Closing {
        loop {
            let closing = self.outbox().closing;
            match closing {
                Some(closing) => return closing,
                None => self.closing.notified().await,
            }
        }
    }

    /// Lifts a stranger's limits.
    pub(crate) fn recognise(&self) {
        if !self.known.swap(true, Ordering::AcqRel) {
            raw::widen(&self.quic);
            self.place
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            self.recognised.notify_waiters();
        }
    }

    /// Whether the engine has recognised the peer.
    pub(crate) fn is_known(&self) -> bool {
        self.known.load(Ordering::Acquire)
    }

    /// Returns once the engine has recognised the peer.
    pub(crate) async fn recognition(&self) {
        // Before looking, so that what happens in between is not missed.
        let recognised = self.recognised.notified();
        if !self.is_known() {
            recognised.await;
        }
    }

    /// What the writer is to do next; takes it out of the outbox.
    pub(crate) fn next(&self) -> Next {
        let mut outbox = self.outbox();
        match (outbox.take(), outbox.closing) {
            (Some(chunks), _) => Next::Write(chunks),
            (None, Some(Closing::Flushed(reason))) => Next::Finish(reason),
            (None, None | Some(Closing::Now(_))) => Next::Wait,
        }
    }

    /// Returns once the outbox changed since the last time; for one waiter.
    pub(crate) async fn stirring(&self) {
        self.stirred.notified().await;
    }

    /// Waits for the right to hand over a frame: of a stranger one at a time.
    pub(crate) async fn credit(&self, length: usize) -> Option<Credit> {
        let least = CREDIT_BYTES / CREDIT_FRAMES;
        let cost = match u32::try_from(length) {
            Ok(length) if self.is_known() => length.clamp(least, CREDIT_BYTES),
            _ => CREDIT_BYTES,
        };
        Arc::clone(&self.credits)
            .acquire_many_owned(cost)
            .await
            .ok()
            .map(Credit::new)
    }

    /// Returns once every frame that was handed over has been handled.
    pub(crate) async fn settled(&self) {
        // The semaphore is never closed.
        let _all = self.credits.acquire_many(CREDIT_BYTES).await;
    }

    /// The path that packets take now.
    pub(crate) fn path(&self) -> Option<PathInfo> {
        let paths = self.quic.paths();
        let path = paths
            .iter()
            .find(|path| path.is_selected())
            .or_else(|| paths.iter().next())?;
        Some(PathInfo {
            conn: self.id,
            peer: self.peer,
            remote: match path.remote_addr() {
                iroh::TransportAddr::Ip(address) => Some(*address),
                _ => None,
            },
            rtt: u64::try_from(path.rtt().as_micros()).unwrap_or(u64::MAX),
            kind: if path.is_relay() {
                PathKind::Relay
            } else {
                PathKind::Direct
            },
        })
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    fn fail(&mut self, reason: CloseReason) {
        self.frames.clear();
        self.bytes = 0;
        self.closing = Some(Closing::Now(reason));
    }

    /// Takes up to [`BATCH`] bytes: small frames in one buffer, a large one as it is.
    fn take(&mut self) -> Option<Vec<Bytes>> {
        let mut chunks = Vec::new();
        let mut buffer = BytesMut::new();
        let mut taken = 0;
        while taken < BATCH
            && let Some(frame) = self.frames.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(frame.len());
            // Checked when the frame was queued.
            let Some(header) = frame::header(frame.len(), MAX_FRAME) else {
                continue;
            };
            taken += frame::HEADER + frame.len();
            buffer.put_slice(&header);
            if frame.len() < BATCH / 4 {
                buffer.put_slice(&frame);
            } else {
                chunks.push(buffer.split().freeze());
                chunks.push(Bytes::from(frame));
            }
        }
        if !buffer.is_empty() {
            chunks.push(buffer.freeze());
        }
        (!chunks.is_empty()).then_some(chunks)
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    fn outbox(frames: &[usize]) -> Outbox {
        let frames: VecDeque<_> = frames.iter().map(|length| vec![7; *length]).collect();
        Outbox {
            bytes: frames.iter().map(Vec::len).sum(),
            frames,
            closing: None,
        }
    }

    #[test]
    fn small_frames_share_a_buffer() {
        let mut outbox = outbox(&[1, 2, 3]);
        let chunks = outbox.take().unwrap();
        assert_eq!(
            chunks,
            [&[0, 0, 0, 1, 7, 0, 0, 0, 2, 7, 7, 0, 0, 0, 3, 7, 7, 7][..]]
        );
        assert!(outbox.take().is_none());
        assert_eq!(outbox.bytes, 0);
    }

    #[test]
    fn large_frames_are_not_copied_and_order_stays() {
        let mut outbox = outbox(&[1, BATCH, 2]);
        let lengths: Vec<_> = outbox.take().unwrap().iter().map(Bytes::len).collect();
        assert_eq!(lengths, [9, BATCH]);
        let lengths: Vec<_> = outbox.take().unwrap().iter().map(Bytes::len).collect();
        assert_eq!(lengths, [6]);
    }

    #[test]
    fn a_batch_is_bounded() {
        let mut outbox = outbox(&[1000; 200]);
        let total: usize = outbox.take().unwrap().iter().map(Bytes::len).sum();
        assert!((BATCH..BATCH + 1004).contains(&total));
    }
}
