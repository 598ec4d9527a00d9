//! One program's connection, as one task.
//!
//! ```text
//! reader ─▶ Lines ─▶ Talk ─▶ Handler::call, Handler::subscribe
//! writer ◀─ unsent ◀─ Talk ◀─ answers, events
//! ```
//!
//! Memory is bounded (`API-11`): while too much is in flight or unsent, no line is read; while too
//! much is unsent, no answer is collected and no event fetched either.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use super::Handler;
use super::talk::Talk;
use crate::frame;
use crate::lines::Lines;

/// How long answers are still written to a program that says no more (`API-14`; `echo … | nc -U`
/// does so).
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// A connection and all that is under way on it.
pub(super) struct Connection {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    lines: Lines,
    /// Whole lines may be waiting in `lines`.
    more: bool,
    talk: Talk,
}

impl Connection {
    pub(super) fn new(stream: UnixStream, handler: Arc<dyn Handler>) -> Self {
        let (reader, writer) = stream.into_split();
        Self {
            reader,
            writer,
            lines: Lines::new(frame::MAX_REQUEST),
            more: false,
            talk: Talk::new(handler),
        }
    }

    /// Serves until the program is gone or `stopped` says so.
    pub(super) async fn run(mut self, stopped: watch::Receiver<bool>) {
        if let Err(error) = self.serve(stopped).await {
            tracing::debug!(%error, "a program's connection to the local API broke");
        }
    }

    async fn serve(&mut self, mut stopped: watch::Receiver<bool>) -> io::Result<()> {
        loop {
            self.take_lines();
            self.talk.collect();
            self.write_now()?;
            let (room, full) = (self.talk.has_room(), self.talk.is_full());
            if room && self.more {
                // A place became free; the lines that wait come before those not read yet.
                tokio::task::yield_now().await;
                continue;
            }
            let unsent = !self.talk.unsent().is_empty();
            tokio::select! {
                () = stop(&mut stopped) => return self.write_all().await,
                read = self.lines.fill(&mut self.reader), if room => {
                    if !read? {
                        return self.finish().await;
                    }
                    self.more = true;
                }
                saying = self.talk.next(), if !full => self.talk.say(saying),
                writable = self.writer.writable(), if unsent => writable?,
            }
        }
    }

    /// Hands on the lines that were read, as many as may be in flight.
    fn take_lines(&mut self) {
        while self.more && self.talk.has_room() {
            match self.lines.next() {
                Some(line) => {
                    if self.talk.take(&line) {
                        self.lines.wipe();
                    }
                }
                None => self.more = false,
            }
        }
    }

    /// Writes what the socket takes without waiting: what came together goes together.
    fn write_now(&mut self) -> io::Result<()> {
        while !self.talk.unsent().is_empty() {
            match self.writer.try_write(self.talk.unsent()) {
                Ok(count) => self.talk.sent(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn write_all(&mut self) -> io::Result<()> {
        self.talk.collect();
        self.write_now()?;
        while !self.talk.unsent().is_empty() {
            self.writer.writable().await?;
            self.write_now()?;
        }
        Ok(())
    }

    /// The program says no more, but may still be listening.
    async fn finish(&mut self) -> io::Result<()> {
        let answers = async {
            while let Some(saying) = self.talk.next_answer().await {
                self.talk.say(saying);
                self.write_all().await?;
            }
            self.write_all().await
        };
        tokio::time::timeout(LAST_ANSWERS, answers)
            .await
            .unwrap_or(Ok(()))
    }
}

/// Ready when the node stops, or when whoever could say so is gone.
async fn stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
