//! Requests beside the frames: each on a stream of its own, so that bulk never stands before speech.
//!
//! ```text
//! asks      open a stream ─ length, request ─ finish ─▶ … Answer::chunk, chunk, chunk, end
//! answers   ◀ Event::Asked { request, answering } ─ Answering::write, write, finish, or refuse
//! ```

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use iroh::endpoint::{ReadError, ReadExactError, RecvStream, SendStream, VarInt};
use tokio::time::timeout;

use crate::{Event, link::Link, net::Inner};

/// How many requests of one peer are answered at once (`NET-20`).
pub(crate) const ASKS: u32 = 16;

/// The longest request, in bytes (`NET-20`).
pub const MAX_REQUEST: usize = 4096;

/// Frames go before answers on the same connection.
const PRIORITY: i32 = -1;

/// How long a request may take to come whole once its stream is open.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// The stream error code that says no (`NET-21`).
const REFUSED: VarInt = VarInt::from_u32(1);
/// The stream error code of whoever wants no more of an answer, or can give no more.
const ENOUGH: VarInt = VarInt::from_u32(0);

/// What comes back for a request; dropped, it tells the other end to stop.
#[derive(Debug)]
pub struct Answer {
    recv: RecvStream,
}

/// The way to answer a request; dropped before [`Answering::finish`], it breaks the answer off.
#[derive(Debug)]
pub struct Answering {
    send: SendStream,
    finished: bool,
}

/// Why an answer ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The other end does not give it.
    #[error("the other device does not give it")]
    Refused,
    /// The connection is gone, or the stream was broken off.
    #[error("the connection broke")]
    Broken,
    /// The request is empty or too long: the caller's mistake.
    #[error("a request of {0} bytes")]
    Length(usize),
}

impl Answer {
    /// The next bytes, at most `most`; `None` at the end.
    ///
    /// # Errors
    /// [`AskError::Refused`], [`AskError::Broken`].
    pub async fn chunk(&mut self, most: usize) -> Result<Option<Bytes>, AskError> {
        match self.recv.read_chunk(most).await {
            Ok(chunk) => Ok(chunk),
            Err(ReadError::Reset(code)) if code == REFUSED => Err(AskError::Refused),
            Err(_) => Err(AskError::Broken),
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // An answer that has ended cannot be stopped, and need not be.
        let _ = self.recv.stop(ENOUGH);
    }
}

impl Answering {
    /// Writes on; waits while the other end is not ready to take more.
    ///
    /// # Errors
    /// [`AskError::Broken`]: nobody wants it any more.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), AskError> {
        let written = self.send.write_chunk(bytes).await;
        written.map_err(|_| AskError::Broken)
    }

    /// Says that this was all.
    pub fn finish(mut self) {
        // A stream that is closed already has nobody left to tell.
        let _ = self.send.finish();
        self.finished = true;
    }

    /// Says that this was all, and waits until the other end has all of it.
    ///
    /// # Errors
    /// [`AskError::Broken`]: nobody knows what the other end has.
    pub async fn deliver(mut self) -> Result<(), AskError> {
        // A stream that is closed already shows in what follows.
        let _ = self.send.finish();
        self.finished = true;
        match self.send.stopped().await {
            Ok(None) => Ok(()),
            Ok(Some(_)) | Err(_) => Err(AskError::Broken),
        }
    }

    /// Says no.
    pub fn refuse(mut self) {
        // As above.
        let _ = self.send.reset(REFUSED);
        self.finished = true;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if !self.finished {
            // As above.
            let _ = self.send.reset(ENOUGH);
        }
    }
}

/// Sends a request.
pub(crate) async fn ask(link: &Link, request: &[u8]) -> Result<Answer, AskError> {
    let length = u32::try_from(request.len()).unwrap_or(u32::MAX);
    if request.is_empty() || request.len() > MAX_REQUEST {
        return Err(AskError::Length(request.len()));
    }
    let broken = |_| AskError::Broken;
    let (mut send, recv) = link.quic.open_bi().await.map_err(broken)?;
    let answer = Answer { recv };
    let whole = [&length.to_be_bytes(), request].concat();
    send.write_all(&whole).await.map_err(|_| AskError::Broken)?;
    // A stream that is closed already shows in what is read.
    let _ = send.finish();
    Ok(answer)
}

/// Hands the requests of a peer to the engine, once it is known who that is.
pub(crate) async fn hear(inner: &Arc<Inner>, link: &Arc<Link>) {
    link.recognition().await;
    // The connection's end is found by the reader.
    while let Ok((send, recv)) = link.quic.accept_bi().await {
        let (inner, link) = (Arc::clone(inner), Arc::clone(link));
        tokio::spawn(async move {
            let answering = Answering {
                send,
                finished: false,
            };
            // A peer that says nothing, or nonsense, is told no when this is dropped.
            if let Ok(Ok(request)) = timeout(REQUEST_TIME, read_request(recv)).await {
                // It only sets the order among streams; on a closed one nothing is left to order.
                let _ = answering.send.set_priority(PRIORITY);
                (inner.sink)(Event::Asked {
                    conn: link.id,
                    request,
                    answering,
                });
            }
        });
    }
}

async fn read_request(mut recv: RecvStream) -> Result<Vec<u8>, AskError> {
    let broken = |_: ReadExactError| AskError::Broken;
    let mut length = [0; 4];
    recv.read_exact(&mut length).await.map_err(broken)?;
    let length = u32::from_be_bytes(length) as usize;
    if length == 0 || length > MAX_REQUEST {
        return Err(AskError::Length(length));
    }
    let mut request = vec![0; length];
    recv.read_exact(&mut request).await.map_err(broken)?;
    Ok(request)
}
