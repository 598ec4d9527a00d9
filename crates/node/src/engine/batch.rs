//! Batches (NODE-17, NODE-18): each input in its savepoint, all of them in one commit, and what follows a failure.
//!
//! ```text
//! input fails            undone alone; its connection is closed or its command answered
//! undoing fails          the batch is lost: what still comes is only noted
//! commit fails, or lost  all is undone, commands are answered, connections closed
//! ```

use tenet_log::{
    store::{Durability, StoreError},
    sync::Recent,
};

use super::{Engine, Fault};
use crate::{
    command::{Command, CommandError},
    connection::Connection,
    input::{CloseReason, ConnId, Input, Notice, Output, Ticket},
    storage::Storage,
};
use tenet_delivery::redial;

/// How long a store that failed is left alone by what nobody waits for, in milliseconds.
///
/// A guess: soon enough for a disk that was full for a moment, seldom enough for one that stays so.
const RECOVER_MS: u64 = 10_000;

/// What happened since the last commit.
pub(super) struct Batch {
    durability: Durability,
    tickets: Vec<Ticket>,
    /// Why nothing of it can be kept: not even a failed input could be undone.
    lost: Option<StoreError>,
}

impl<S: Storage> Engine<S> {
    /// Takes one input. What it causes comes out of the next [`commit`](Self::commit).
    ///
    /// # Errors
    /// [`StoreError`] where not even a failed input could be undone: the batch is lost, and
    /// `commit`, which must follow, answers for it.
    pub fn handle(&mut self, now: u64, input: Input) -> Result<(), StoreError> {
        self.watch_clock(now);
        if self.batch.is_none() {
            self.batch = Some(Batch {
                durability: Durability::Process,
                tickets: Vec::new(),
                lost: None,
            });
            if let Err(error) = self.store.begin() {
                return self.lose(now, input, error);
            }
        }
        if self
            .batch
            .as_ref()
            .is_some_and(|batch| batch.lost.is_some())
        {
            self.note(now, input);
            return Ok(());
        }
        if let Err(error) = self.store.savepoint() {
            return self.lose(now, input, error);
        }
        match self.carry_out(now, input) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.lost(&error);
                Err(error)
            }
        }
    }

    /// Ends the batch: sends each peer what it lacks, commits, and gives what may leave now.
    ///
    /// Where the store does not take the batch, its commands are answered with the reason, all
    /// connections are dropped, and the engine stands as before the batch.
    pub fn commit(&mut self, now: u64) -> Vec<Output> {
        let Some(batch) = self.batch.take() else {
            return std::mem::take(&mut self.outputs);
        };
        let done = match batch.lost {
            Some(error) => Err(error),
            None => self
                .flush(now)
                .map(|()| self.drop_strangers(now))
                .and_then(|()| self.store.commit(batch.durability)),
        };
        match done {
            Ok(()) => self.recent.values_mut().for_each(Recent::forget),
            Err(error) => self.give_up(now, &batch.tickets, &error),
        }
        self.begin_fetches();
        self.dial_due(now);
        std::mem::take(&mut self.outputs)
    }

    /// NODE-19: this batch holds something that others will rely on: it must survive a power cut.
    pub(crate) fn must_last(&mut self) {
        if let Some(batch) = &mut self.batch {
            batch.durability = Durability::Power;
        }
    }

    fn carry_out(&mut self, now: u64, input: Input) -> Result<(), StoreError> {
        let mark = self.outputs.len();
        self.spreading_before = self.spreading.len();
        match input {
            Input::Command { ticket, command } => self.on_command(now, ticket, command, mark),
            Input::Frame { conn, bytes } => {
                let result = self.on_frame(now, conn, &bytes);
                self.settle(now, Some(conn), result, mark)
            }
            Input::Connected {
                conn,
                peer,
                role,
                exporter,
            } => {
                let result = self.on_connected(now, conn, peer, role, exporter);
                self.settle(now, Some(conn), result, mark)
            }
            Input::Asked { conn, ask, bytes } => {
                let result = self.on_asked(conn, ask, &bytes);
                self.settle(now, Some(conn), result, mark)
            }
            Input::Fetched { conn, blob, end } => {
                let result = self.on_fetched(now, conn, blob, end);
                if matches!(result, Err(Fault::Store(_))) {
                    // Else it would be fetched and fail again at once.
                    self.fetching.give_up(now, conn, blob);
                }
                self.settle(now, None, result, mark)
            }
            Input::AddressesChanged { addresses } => {
                let result = self.on_addresses(now, addresses);
                self.settle(now, None, result, mark)
            }
            Input::Tick => {
                let result = self.on_tick(now);
                let failed = matches!(result, Err(Fault::Store(_)));
                self.settle(now, None, result, mark)?;
                if failed {
                    // What was due is noted no more: all is compared anew instead.
                    self.close_all(now, CloseReason::Trouble);
                }
                Ok(())
            }
            Input::Closed { .. } | Input::DialFailed { .. } | Input::Discovered { .. } => {
                self.note(now, input);
                self.settle(now, None, Ok(()), mark)
            }
        }
    }

    /// Takes in what needs no store, and of the rest what must not be forgotten.
    fn note(&mut self, now: u64, input: Input) {
        match input {
            Input::Command { ticket, .. } => {
                if let Some(batch) = &mut self.batch {
                    batch.tickets.push(ticket);
                }
            }
            // `give_up` closes it.
            Input::Connected {
                conn,
                peer,
                role,
                exporter,
            } => {
                self.connections
                    .0
                    .insert(conn, Connection::new(peer, role, exporter));
                self.redial
                    .handle(redial::Input::Connected(peer), now, &mut self.rng);
            }
            Input::AddressesChanged { addresses } => self.own_addresses = addresses,
            Input::Closed { conn } => self.on_closed(now, conn),
            Input::DialFailed { peer } => {
                self.redial
                    .handle(redial::Input::DialFailed(peer), now, &mut self.rng);
                self.not_reached(now, peer);
            }
            Input::Discovered { peer, addresses } => self.on_discovered(now, peer, addresses),
            // All that runs over it ends with its connection, which `give_up` closes.
            Input::Asked { .. } | Input::Fetched { .. } | Input::Frame { .. } | Input::Tick => {}
        }
    }

    fn lose(&mut self, now: u64, input: Input, error: StoreError) -> Result<(), StoreError> {
        self.lost(&error);
        self.note(now, input);
        Err(error)
    }

    /// From here on the store would keep half of what the batch was to do.
    fn lost(&mut self, error: &StoreError) {
        if let Some(batch) = &mut self.batch {
            batch.lost = Some(match error {
                StoreError::Full => StoreError::Full,
                StoreError::Damaged(what) => StoreError::Damaged(what),
                error => StoreError::Medium(error.to_string().into()),
            });
        }
    }

    /// What follows from an input once all of it is done.
    fn conclude(&mut self, now: u64) -> Result<(), Fault> {
        while self.fanout.is_due() || !self.afterwards.meet.is_empty() {
            self.fan_out(now)?;
            self.say_meets()?;
        }
        Ok(())
    }

    /// Ends an input: keeps what it did, or undoes it and answers for it.
    fn settle(
        &mut self,
        now: u64,
        conn: Option<ConnId>,
        result: Result<(), Fault>,
        mark: usize,
    ) -> Result<(), StoreError> {
        let Err(fault) = result.and_then(|()| self.conclude(now)) else {
            return self.store.keep();
        };
        let reason = match &fault {
            Fault::Close(reason) => {
                self.store.keep()?;
                *reason
            }
            Fault::Peer(what) => {
                self.undo(mark)?;
                let device = conn.and_then(|conn| self.device_on(conn));
                self.notify(Notice::Misbehaved {
                    device,
                    what: what.clone(),
                });
                CloseReason::Protocol
            }
            Fault::Own(what) => {
                tracing::error!(%what, "an input met a mistake in this program");
                self.undo(mark)?;
                CloseReason::Trouble
            }
            Fault::Store(error) => {
                tracing::error!(%error, "an input could not be stored");
                self.recover_later(now);
                self.undo(mark)?;
                match error {
                    StoreError::Full => {
                        self.notify(Notice::DiskFull);
                        CloseReason::NoRoom
                    }
                    _ => CloseReason::Trouble,
                }
            }
        };
        if let Some(conn) = conn {
            self.close(now, conn, reason);
        }
        Ok(())
    }

    fn on_command(
        &mut self,
        now: u64,
        ticket: Ticket,
        command: Command,
        mark: usize,
    ) -> Result<(), StoreError> {
        if let Some(batch) = &mut self.batch {
            batch.tickets.push(ticket);
        }
        let result = self.execute(now, command);
        let result = result.and_then(|reply| Ok(self.conclude(now).map(|()| reply)?));
        match result {
            Ok(reply) => {
                self.outputs.push(Output::Reply {
                    ticket,
                    result: Ok(reply),
                });
                self.store.keep()
            }
            Err(error) => {
                if matches!(error, CommandError::NotStored(_)) {
                    self.recover_later(now);
                }
                let undone = self.undo(mark);
                self.outputs.push(Output::Reply {
                    ticket,
                    result: Err(error),
                });
                undone
            }
        }
    }

    fn recover_later(&mut self, now: u64) {
        self.recover_at
            .get_or_insert(now.saturating_add(RECOVER_MS));
    }

    fn undo(&mut self, mark: usize) -> Result<(), StoreError> {
        self.take_back(mark, self.spreading_before);
        self.afterwards.meet.clear();
        self.fanout.undo();
        self.store.undo()?;
        self.load_sessions()
    }

    /// Takes back what was to leave beyond so many outputs and registers, but for the ends of connections, and
    /// what is noted in memory alone: that is so.
    fn take_back(&mut self, mark: usize, spreading: usize) {
        self.spreading.truncate(spreading);
        let taken = self.outputs.split_off(mark.min(self.outputs.len()));
        self.outputs.extend(taken.into_iter().filter(|output| {
            matches!(
                output,
                Output::Close { .. }
                    | Output::Notice(Notice::Connection { .. } | Notice::Typing { .. })
            )
        }));
    }

    fn give_up(&mut self, now: u64, tickets: &[Ticket], error: &StoreError) {
        tracing::error!(%error, "a batch could not be committed");
        self.take_back(0, 0);
        self.fanout.clear();
        self.recover_later(now);
        if let Err(error) = self.store.abandon().and_then(|()| self.load_sessions()) {
            tracing::error!(%error, "the store does not come back");
        }
        if matches!(error, StoreError::Full) {
            self.notify(Notice::DiskFull);
        }
        for ticket in tickets {
            let result = Err(CommandError::NotStored(error.to_string()));
            self.outputs.push(Output::Reply {
                ticket: *ticket,
                result,
            });
        }
        self.close_all(now, CloseReason::Trouble);
    }

    fn close_all(&mut self, now: u64, reason: CloseReason) {
        let conns: Vec<ConnId> = self.connections.0.keys().copied().collect();
        for conn in conns {
            self.close(now, conn, reason);
        }
    }
}
