//! A program's end: many calls at once over one connection, and events.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::AsyncWriteExt;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc, oneshot};
use zeroize::Zeroizing;

use crate::api::{Call, Error, Gap, Kind, Notice, Subscribe, Subscribed};
use crate::frame::{self, Told};
use crate::lines::{Line, Lines};
use crate::socket;

/// How many events may wait for the program before it is told of a gap instead.
const MAX_EVENTS: usize = 4096;

/// A connection to the node that runs on a home; clones share it.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    out: mpsc::UnboundedSender<Zeroizing<Vec<u8>>>,
}

/// The events of a subscription.
#[derive(Debug)]
pub struct Events {
    stream: Arc<Stream>,
}

/// What a subscription gets.
#[derive(Clone, Debug, PartialEq)]
pub enum Occurrence {
    /// Something happened.
    Event(Box<Notice>),
    /// Something happened that this program was too slow for.
    Gap(Gap),
}

/// Why a node cannot be reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody listens there.
    #[error("no node runs on this home")]
    NoNode,
    /// The system does not let this program in.
    #[error("cannot reach the node that runs on this home: {0}")]
    Io(#[source] io::Error),
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The node said so.
    #[error(transparent)]
    Refused(#[from] Error),
    /// The node is gone; whether it did what was asked is not known.
    #[error("the node closed the connection before it answered")]
    Closed,
    /// The parameters or the answer have another form: the node is of another version.
    #[error("the node and this program do not understand each other: {0}")]
    Form(#[from] serde_json::Error),
}

type Outcome = Result<Box<str>, Error>;

#[derive(Debug, Default)]
struct Shared {
    next: AtomicU64,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Who waits for which answer.
    answers: BTreeMap<u64, oneshot::Sender<Outcome>>,
    events: Option<Arc<Stream>>,
    /// The connection is gone.
    closed: bool,
}

/// The way to the program's [`Events`].
#[derive(Debug, Default)]
struct Stream {
    queue: Mutex<Queue>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    occurrences: VecDeque<Occurrence>,
    /// What came when the queue was full: everything from there on, until the program has caught up.
    missed: Option<Gap>,
    closed: bool,
}

/// Takes a call off the list when nobody waits for it any more.
struct Ticket<'s> {
    shared: &'s Shared,
    id: u64,
}

impl Client {
    /// Connects to the node that listens at this path.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(path: &Path) -> Result<Self, ConnectError> {
        let stream = socket::connect(path)
            .await
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ConnectError::NoNode,
                _ => ConnectError::Io(error),
            })?;
        let (reader, writer) = stream.into_split();
        let shared = Arc::new(Shared::default());
        let (out, lines) = mpsc::unbounded_channel();
        tokio::spawn(write(lines, writer));
        tokio::spawn(read(reader, Arc::clone(&shared)));
        Ok(Self { shared, out })
    }

    /// Calls a method. Calls are put on their way in the order in which they are first polled.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call<C: Call>(&self, params: C) -> Result<C::Answer, CallError> {
        let answer = self.ask(C::METHOD, &params).await?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// Calls a method by its name and answers the JSON of its answer.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn ask(
        &self,
        method: &str,
        params: &impl serde::Serialize,
    ) -> Result<Box<str>, CallError> {
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let mut line = Zeroizing::new(Vec::with_capacity(256));
        frame::write_request(&mut line, id, method, params)?;
        let (sender, receiver) = oneshot::channel();
        self.shared.await_answer(id, sender)?;
        let _ticket = Ticket {
            shared: &self.shared,
            id,
        };
        self.out.send(line).map_err(|_| CallError::Closed)?;
        Ok(receiver.await.map_err(|_| CallError::Closed)??)
    }

    /// Asks for events; a second subscription ends the first.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn subscribe(&self, since: Option<u64>) -> Result<(Subscribed, Events), CallError> {
        let stream = Arc::new(Stream::default());
        // In place before the node can send the first event.
        self.shared.stream_to(Some(Arc::clone(&stream)));
        let subscribed = self.call(Subscribe { since }).await?;
        Ok((subscribed, Events { stream }))
    }
}

impl Events {
    /// What happened next; `None` when the node is gone or locked.
    pub async fn next(&mut self) -> Option<Occurrence> {
        loop {
            // Made before looking, so that nothing is put between looking and waiting unnoticed.
            let changed = self.stream.changed.notified();
            {
                let mut queue = self.stream.queue();
                if let Some(occurrence) = queue.take() {
                    return Some(occurrence);
                }
                if queue.closed {
                    return None;
                }
            }
            changed.await;
        }
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::NoNode => Self::new(Kind::NoNode, "no node runs on this home: tenet up"),
            ConnectError::Io(_) => Self::failure(error.to_string()),
        }
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(error) => error,
            CallError::Closed | CallError::Form(_) => Self::failure(error.to_string()),
        }
    }
}

/// Writes lines as they come, those that came together in one go.
async fn write(
    mut lines: mpsc::UnboundedReceiver<Zeroizing<Vec<u8>>>,
    mut writer: OwnedWriteHalf,
) -> io::Result<()> {
    let mut together = Zeroizing::new(Vec::new());
    while let Some(line) = lines.recv().await {
        together.extend_from_slice(&line);
        while let Ok(line) = lines.try_recv() {
            together.extend_from_slice(&line);
        }
        writer.write_all(&together).await?;
        together.clear();
    }
    Ok(())
}

/// Reads until the node is gone; then everybody who waits is told.
async fn read(mut reader: OwnedReadHalf, shared: Arc<Shared>) {
    let mut lines = Lines::new(frame::MAX_ANSWER);
    while let Ok(true) = lines.fill(&mut reader).await {
        while let Some(line) = lines.next() {
            let told = match line {
                Line::Text(text) => frame::read_told(text).ok(),
                Line::TooLong => None,
            };
            match told {
                Some(told) => shared.take(told),
                None => tracing::warn!("the node said something that is no answer"),
            }
        }
    }
    shared.stream_to(None);
    let mut waiting = shared.waiting();
    waiting.closed = true;
    waiting.answers.clear();
}

impl Shared {
    /// The lists are whole after every statement, so a panic elsewhere does not spoil them.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn await_answer(&self, id: u64, sender: oneshot::Sender<Outcome>) -> Result<(), CallError> {
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(CallError::Closed);
        }
        waiting.answers.insert(id, sender);
        Ok(())
    }

    fn take(&self, told: Told<'_>) {
        match told {
            Told::Answer(id, outcome) => {
                let sender = self.waiting().answers.remove(&id);
                if let Some(sender) = sender {
                    let _ = sender.send(outcome.map(Box::from));
                }
            }
            Told::Notice(method, params) => self.notice(&method, params),
            // It belongs to none of ours: the node turned the whole connection away.
            Told::Stray(error) => {
                for (_, sender) in std::mem::take(&mut self.waiting().answers) {
                    let _ = sender.send(Err(error.clone()));
                }
            }
        }
    }

    /// Sends events there from now on; whoever got them before gets no more.
    fn stream_to(&self, stream: Option<Arc<Stream>>) {
        let before = std::mem::replace(&mut self.waiting().events, stream);
        if let Some(before) = before {
            before.queue().closed = true;
            before.changed.notify_one();
        }
    }

    fn notice(&self, method: &str, params: &str) {
        let occurrence = match method {
            frame::EVENT => serde_json::from_str(params).map(|n| Occurrence::Event(Box::new(n))),
            frame::GAP => serde_json::from_str(params).map(Occurrence::Gap),
            frame::CLOSED => return self.stream_to(None),
            _ => return,
        };
        match occurrence {
            Ok(occurrence) => {
                if let Some(stream) = &self.waiting().events {
                    stream.queue().put(occurrence);
                    stream.changed.notify_one();
                }
            }
            Err(error) => tracing::warn!(%error, "an event of the node has another form"),
        }
    }
}

impl Stream {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn put(&mut self, occurrence: Occurrence) {
        if self.missed.is_none() && self.occurrences.len() < MAX_EVENTS {
            self.occurrences.push_back(occurrence);
            return;
        }
        let (from, to) = match occurrence {
            Occurrence::Event(notice) => (notice.seq, notice.seq),
            Occurrence::Gap(gap) => (gap.from, gap.to),
        };
        let from = self.missed.map_or(from, |missed| missed.from);
        self.missed = Some(Gap { from, to });
    }

    fn take(&mut self) -> Option<Occurrence> {
        let next = self.occurrences.pop_front();
        next.or_else(|| self.missed.take().map(Occurrence::Gap))
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.shared.waiting().answers.remove(&self.id);
    }
}
