//! Frames from the peer to the engine, no faster than the engine takes them.

use bytes::Bytes;
use iroh::endpoint::{ReadError, RecvStream};
use tokio::time::timeout;

use crate::{
    CloseReason, Ended, Event,
    carry::Outcome,
    config::MAX_FRAME,
    frame::{self, Decoder, FrameError},
    link::Link,
    net::Inner,
};

/// How many bytes are taken from QUIC at once.
const CHUNK: usize = 64 << 10;

/// Reads the stream of one connection.
pub(crate) struct Reader<'a> {
    inner: &'a Inner,
    link: &'a Link,
    recv: RecvStream,
    decoder: Decoder,
    /// What a stranger has announced so far, in bytes.
    heard: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(inner: &'a Inner, link: &'a Link, recv: RecvStream) -> Self {
        Self {
            inner,
            link,
            recv,
            decoder: Decoder::default(),
            heard: 0,
        }
    }

    /// Hands over frames until the stream ends or breaks the rules.
    pub(crate) async fn run(mut self) -> Outcome {
        loop {
            match self.recv.read_chunk(CHUNK).await {
                Ok(Some(chunk)) => {
                    if let Err(reason) = self.take(chunk).await {
                        return Outcome::Close(reason);
                    }
                }
                Ok(None) => return self.end().await,
                Err(ReadError::ConnectionLost(error)) => return Outcome::Ended((&error).into()),
                Err(_) => return Outcome::Close(CloseReason::Violation),
            }
        }
    }

    async fn take(&mut self, mut input: Bytes) -> Result<(), CloseReason> {
        loop {
            if self.decoder.at_header() {
                if input.is_empty() {
                    return Ok(());
                }
                let limit = self.limit().await;
                match self.decoder.length(&mut input, limit) {
                    Ok(Some(length)) => self.count(length)?,
                    Ok(None) => return Ok(()),
                    Err(error) => return Err(self.refuse(error)),
                }
            }
            let Some(frame) = self.decoder.body(&mut input) else {
                return Ok(());
            };
            let Some(credit) = self.link.credit(frame.len()).await else {
                return Ok(());
            };
            (self.inner.sink)(Event::Frame {
                conn: self.link.id,
                frame,
                credit,
            });
        }
    }

    /// How long the next frame may be (`NET-7`, `NET-8`).
    ///
    /// A stranger's next frame is judged only after the last one was handled: that may be the one
    /// by which the engine recognised it.
    async fn limit(&self) -> usize {
        if !self.link.is_known() {
            self.link.settled().await;
        }
        if self.link.is_known() {
            MAX_FRAME
        } else {
            self.inner.limits.stranger_frame
        }
    }

    /// Counts what a stranger sends (`NET-9`).
    fn count(&mut self, length: usize) -> Result<(), CloseReason> {
        if self.link.is_known() {
            return Ok(());
        }
        self.heard += frame::HEADER + length;
        if self.heard > self.inner.limits.stranger_bytes {
            return Err(CloseReason::Excess);
        }
        Ok(())
    }

    fn refuse(&self, error: FrameError) -> CloseReason {
        tracing::debug!(conn = %self.link.id, peer = %self.link.peer, %error, "a frame is refused");
        match error {
            FrameError::Empty => CloseReason::Violation,
            FrameError::Oversized { .. } => CloseReason::Oversized,
        }
    }

    /// The peer has finished its stream: it is about to close the connection and say why.
    async fn end(&self) -> Outcome {
        if !self.decoder.is_between() {
            return Outcome::Close(CloseReason::Violation);
        }
        match timeout(self.inner.limits.flush_time * 2, self.link.quic.closed()).await {
            Ok(error) => Outcome::Ended(Ended::from(&error)),
            Err(_) => Outcome::Close(CloseReason::Done),
        }
    }
}
