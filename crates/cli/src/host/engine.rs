//! The engine's thread: one writer, one loop, a batch at a time.
//!
//! ```text
//! commands, network ──▶ queue ──▶ handle, handle, … ── commit ──▶ outputs carried out in order
//! ```
//!
//! Whatever waits in the queue when the loop comes round goes into one batch and one durable
//! commit, so the cost of a commit is shared by as many inputs as came in during the last one.

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tenet_log::store::StoreError;
use tenet_net::Credit;
use tenet_node::{
    Engine,
    command::{Command, CommandError, Reply},
    input::{Input, Output, Ticket},
};
use tenet_store::Store;

/// The most inputs in one batch: bounds how long the first of them waits for its commit.
const MAX_BATCH: usize = 256;

/// After how long without inputs the loop tidies up: folds the write-ahead log into the database
/// and gives memory back.
const IDLE: Duration = Duration::from_secs(5);

/// What is called with the answer to a command, on the engine's thread.
pub(super) type Answer = Box<dyn FnOnce(Result<Reply, CommandError>) + Send>;

enum Message {
    Command(Command, Answer),
    Input(Input, Option<Credit>),
    Stop,
}

/// The way to the engine.
#[derive(Clone)]
pub(super) struct Handle(Sender<Message>);

impl Handle {
    /// Asks the engine for something; the order of calls is the order of execution.
    pub(super) fn command(&self, command: Command, answer: Answer) {
        if let Err(error) = self.0.send(Message::Command(command, answer))
            && let Message::Command(_, answer) = error.0
        {
            answer(Err(CommandError::Refused("the node is closing".into())));
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
pub(super) struct Queue(Receiver<Message>);

/// A queue to an engine that is yet to start: what is put into it waits.
pub(super) fn queue() -> (Handle, Queue) {
    let (sender, receiver) = channel();
    (Handle(sender), Queue(receiver))
}

/// Starts the loop on a thread of its own.
///
/// # Errors
/// The system's, where it gives no thread.
pub(super) fn start(
    engine: Engine<Store>,
    Queue(receiver): Queue,
    outlet: impl Outlet,
) -> std::io::Result<JoinHandle<Result<Store, StoreError>>> {
    std::thread::Builder::new()
        .name("engine".into())
        .spawn(move || {
            let mut run = Run {
                engine,
                outlet,
                waiting: BTreeMap::new(),
                next: 0,
                idle: false,
            };
            run.until_stopped(&receiver);
            run.engine.into_store()
        })
}

struct Run<O> {
    engine: Engine<Store>,
    outlet: O,
    waiting: BTreeMap<Ticket, Answer>,
    next: u64,
    idle: bool,
}

impl<O: Outlet> Run<O> {
    fn until_stopped(&mut self, queue: &Receiver<Message>) {
        loop {
            let first = match queue.recv_timeout(self.patience()) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let stopped = match first {
                Some(message) => self.batch(message, queue),
                None => self.on_time(),
            };
            if stopped {
                return;
            }
        }
    }

    /// Until when nothing needs to be done, if nothing comes.
    fn patience(&self) -> Duration {
        let now = now();
        let due = self
            .engine
            .deadline()
            .map(|at| Duration::from_millis(at.saturating_sub(now)));
        match (due, self.idle) {
            (Some(due), true) => due,
            (Some(due), false) => due.min(IDLE),
            (None, false) => IDLE,
            // Nothing is due; some limit there must be.
            (None, true) => Duration::from_secs(3600),
        }
    }

    fn batch(&mut self, first: Message, queue: &Receiver<Message>) -> bool {
        self.idle = false;
        let mut credits = Vec::new();
        let mut stopped = self.take(first, &mut credits);
        for _ in 1..MAX_BATCH {
            match queue.try_recv() {
                Ok(message) if !stopped => stopped = self.take(message, &mut credits),
                _ => break,
            }
        }
        self.commit();
        drop(credits);
        stopped
    }

    fn take(&mut self, message: Message, credits: &mut Vec<Credit>) -> bool {
        let input = match message {
            Message::Stop => return true,
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
        self.handle(input);
        false
    }

    fn on_time(&mut self) -> bool {
        if self.engine.deadline().is_some_and(|at| at <= now()) {
            self.handle(Input::Tick);
            self.commit();
        } else if !self.idle {
            self.idle = true;
            let store = self.engine.store();
            if let Err(error) = store.checkpoint().and_then(|()| store.shrink()) {
                tracing::warn!(%error, "the store could not be tidied up");
            }
        }
        false
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
