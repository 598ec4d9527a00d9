//! The engine's loop: one writer, a batch at a time.
//!
//! ```text
//! commands, network ──▶ queue ──▶ handle, handle, … ── commit ──▶ outputs carried out in order
//!                                 └──────────── a turn ──────────┘
//! ```
//!
//! Whatever waits in the queue when the loop comes round goes into one batch and one durable
//! commit, so the cost of a commit is shared by as many inputs as came in during the last one.
//!
//! A turn blocks. Where little happens and turns are short, they run where the network runs: to
//! wake another thread and be woken by it would cost a message a good part of a commit. Where much
//! happens, or the disk is slow, a thread of their own keeps the network going meanwhile.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tenet_log::store::StoreError;
use tenet_net::Credit;
use tenet_node::{
    Engine,
    command::{Command, CommandError, Reply},
    input::{Input, Output, Ticket},
};
use tenet_store::Store;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

/// The most inputs in one batch: bounds how long the first of them waits for its commit.
const MAX_BATCH: usize = 256;

/// How long a turn may have taken for the next to run where the network runs: such a delay no peer
/// and no caller notices.
const SHORT: Duration = Duration::from_millis(1);

/// How many inputs it may have had: where more come together, two threads do more than one.
const FEW: usize = 1;

/// After how long without inputs the loop tidies up: folds the write-ahead log into the database
/// and gives memory back.
const IDLE: Duration = Duration::from_secs(5);

/// What is called with the answer to a command, by the loop.
pub(super) type Answer = Box<dyn FnOnce(Result<Reply, CommandError>) + Send>;

enum Message {
    Command(Command, Answer),
    Input(Input, Option<Credit>),
    Stop,
}

/// The way to the engine.
#[derive(Clone)]
pub(super) struct Handle(UnboundedSender<Message>);

impl Handle {
    /// Asks the engine for something; the order of calls is the order of execution.
    pub(super) fn command(&self, command: Command, answer: Answer) {
        if let Err(error) = self.0.send(Message::Command(command, answer))
            && let Message::Command(_, answer) = error.0
        {
            answer(Err(CommandError::Refused(super::shared::CLOSING.into())));
        }
    }

    /// Tells the engine what happened on the network.
    pub(super) fn input(&self, input: Input, credit: Option<Credit>) {
        // A closed engine needs to know nothing more.
        let _ = self.0.send(Message::Input(input, credit));
    }

    /// Ends the loop after what is queued now.
    pub(super) fn stop(&self) {
        let _ = self.0.send(Message::Stop);
    }
}

/// Whoever carries out what the engine says, but for replies.
pub(super) trait Outlet: Send + 'static {
    /// Carries out one output.
    fn carry_out(&mut self, output: Output);
}

/// The queue's far end.
pub(super) struct Queue(UnboundedReceiver<Message>);

/// A queue to an engine that is yet to start: what is put into it waits.
pub(super) fn queue() -> (Handle, Queue) {
    let (sender, receiver) = unbounded_channel();
    (Handle(sender), Queue(receiver))
}

/// Starts the loop on this runtime; when it is stopped it gives the store back.
pub(super) fn start(
    engine: Engine<Store>,
    Queue(queue): Queue,
    outlet: impl Outlet,
) -> JoinHandle<Result<Store, StoreError>> {
    let run = Run {
        engine,
        queue,
        outlet,
        waiting: BTreeMap::new(),
        next: 0,
        inputs: 0,
        due: None,
        idle: false,
        stopped: false,
    };
    tokio::spawn(run.until_stopped())
}

struct Run<O> {
    engine: Engine<Store>,
    queue: UnboundedReceiver<Message>,
    outlet: O,
    waiting: BTreeMap<Ticket, Answer>,
    next: u64,
    /// How many inputs the last batch had.
    inputs: usize,
    /// When the engine wants to be called, as it said after its last commit.
    due: Option<u64>,
    idle: bool,
    stopped: bool,
}

impl<O: Outlet> Run<O> {
    async fn until_stopped(mut self) -> Result<Store, StoreError> {
        let mut quiet = false;
        while !self.stopped {
            self.due = self.engine.deadline();
            let first = match timeout(self.patience(), self.queue.recv()).await {
                Ok(Some(message)) => Some(message),
                Ok(None) => break,
                Err(_) => None,
            };
            let begin = Instant::now();
            self = match first {
                Some(first) if quiet => self.batch(first),
                // Tidying up may take long.
                first => spawn_blocking(|| self.turn(first))
                    .await
                    .map_err(|error| StoreError::Medium(error.into()))?,
            };
            quiet = begin.elapsed() <= SHORT && self.inputs <= FEW;
        }
        self.engine.into_store()
    }

    /// Until when nothing needs to be done, if nothing comes.
    fn patience(&self) -> Duration {
        let now = now();
        let due = self
            .due
            .map(|at| Duration::from_millis(at.saturating_sub(now)));
        match (due, self.idle) {
            (Some(due), true) => due,
            (Some(due), false) => due.min(IDLE),
            (None, false) => IDLE,
            // Nothing is due; some limit there must be.
            (None, true) => Duration::from_secs(3600),
        }
    }

    fn turn(self, first: Option<Message>) -> Self {
        match first {
            Some(message) => self.batch(message),
            None => self.on_time(),
        }
    }

    fn batch(mut self, first: Message) -> Self {
        self.idle = false;
        self.inputs = 0;
        let mut credits = Vec::new();
        self.take(first, &mut credits);
        while self.inputs < MAX_BATCH && !self.stopped {
            match self.queue.try_recv() {
                Ok(message) => self.take(message, &mut credits),
                Err(_) => break,
            }
        }
        // However much comes in, what is due is done.
        if self.due.is_some_and(|at| at <= now()) {
            self.handle(Input::Tick);
        }
        self.commit();
        drop(credits);
        self
    }

    fn take(&mut self, message: Message, credits: &mut Vec<Credit>) {
        let input = match message {
            Message::Stop => {
                self.stopped = true;
                return;
            }
            Message::Input(input, credit) => {
                credits.extend(credit);
                input
            }
            Message::Command(command, answer) => {
                self.next += 1;
                let ticket = Ticket(self.next);
                self.waiting.insert(ticket, answer);
                Input::Command { ticket, command }
            }
        };
        self.inputs += 1;
        self.handle(input);
    }

    fn on_time(mut self) -> Self {
        if self.due.is_some_and(|at| at <= now()) {
            self.handle(Input::Tick);
            self.commit();
        } else if !self.idle {
            self.idle = true;
            let store = self.engine.store();
            if let Err(error) = store.checkpoint().and_then(|()| store.shrink()) {
                tracing::warn!(%error, "the store could not be tidied up");
            }
        }
        self
    }

    fn handle(&mut self, input: Input) {
        if let Err(error) = self.engine.handle(now(), input) {
            // The batch is lost, and `commit` will say so to whoever waits.
            tracing::error!(%error, "an input could not be undone");
        }
    }

    fn commit(&mut self) {
        for output in self.engine.commit(now()) {
            match output {
                Output::Reply { ticket, result } => {
                    if let Some(answer) = self.waiting.remove(&ticket) {
                        answer(result);
                    }
                }
                output => self.outlet.carry_out(output),
            }
        }
    }
}

/// Unix milliseconds by this machine's clock.
pub(super) fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
