//! The engine: one machine that turns inputs into outputs, and commits in between.
//!
//! ```text
//! handle(input, now)   savepoint ─ do it ─ release, or undo if it failed
//! handle(input, now)   …
//! commit(now)          what each peer lacks ─ COMMIT ─▶ outputs leave
//! ```
//!
//! Nothing that depends on an input leaves before the commit that holds it. An input that fails is
//! undone alone; a commit that fails undoes its batch, answers its commands with the reason, and
//! drops every connection, so that all is compared anew.

mod admitted;
mod dial;
mod frames;
mod greet;
mod knock;
mod meet;
mod registers;
mod sessions;
mod synchronise;

use std::{collections::BTreeMap, net::SocketAddr};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tenet_delivery::redial::{self, Redial};
use tenet_identity::{
    hello::Role,
    keys::{DeviceId, EndpointId, IdentityId},
};
use tenet_log::{
    ids::SessionId,
    session::Session,
    store::{Durability, StoreError},
    sync::Recent,
};

pub(crate) use admitted::Ours;

use crate::{
    command::{Command, CommandError},
    connection::{Connection, Connections, Stage},
    frame::Frame,
    input::{CloseReason, ConnId, Input, Notice, Output, Ticket},
    own::Own,
    storage::Storage,
};

/// The engine of one device of one identity.
///
/// Contract: [`handle`](Self::handle) any number of inputs, then [`commit`](Self::commit) and carry
/// out what it gives, in order. Call `handle` with [`Input::Tick`] when
/// [`deadline`](Self::deadline) has passed. `now` is Unix milliseconds.
pub struct Engine<S> {
    pub(crate) store: S,
    pub(crate) own: Own,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    /// Which identity's device, and in which sessions: every device that may meet us.
    pub(crate) devices: BTreeMap<DeviceId, Acquaintance>,
    pub(crate) connections: Connections,
    pub(crate) redial: Redial,
    /// Where endpoints are met, as far as we were told.
    pub(crate) addresses: BTreeMap<EndpointId, Vec<SocketAddr>>,
    /// Where we are met.
    pub(crate) own_addresses: Vec<SocketAddr>,
    /// What came last into each session, so that passing it on reads nothing back.
    pub(crate) recent: BTreeMap<SessionId, Recent>,
    /// Conversations by the words that named them, until anything about contacts changes.
    pub(crate) named: BTreeMap<String, SessionId>,
    outputs: Vec<Output>,
    batch: Option<Batch>,
    /// When to offer again what was too early for somebody (by connection and session).
    pub(crate) resume: BTreeMap<(ConnId, SessionId), u64>,
    /// Whether a link that is still to be taken may be knocked with on a connection that stands.
    pub(crate) knock_again: bool,
}

/// A device of somebody in some session of ours.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acquaintance {
    pub(crate) identity: Option<IdentityId>,
    pub(crate) sessions: Vec<SessionId>,
}

/// What happened since the last commit.
struct Batch {
    durability: Durability,
    tickets: Vec<Ticket>,
}

/// Why one input came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The store failed: ours to bear.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The other end did what no honest node does.
    #[error("{0}")]
    Peer(String),
    /// The connection has no further purpose; what was done stays done.
    #[error("closed")]
    Close(CloseReason),
    /// This program did what it must not: a mistake in it.
    #[error("{0}")]
    Own(String),
}

impl<S: Storage> Engine<S> {
    /// Starts on a store. All randomness comes from the seed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(store: S, own: Own, seed: [u8; 32], now: u64) -> Result<Self, StoreError> {
        let mut engine = Self {
            store,
            own,
            rng: ChaCha20Rng::from_seed(seed),
            sessions: BTreeMap::new(),
            devices: BTreeMap::new(),
            connections: Connections::default(),
            redial: Redial::new(),
            addresses: BTreeMap::new(),
            own_addresses: Vec::new(),
            recent: BTreeMap::new(),
            named: BTreeMap::new(),
            outputs: Vec::new(),
            batch: None,
            resume: BTreeMap::new(),
            knock_again: false,
        };
        engine.load_sessions()?;
        engine.ensure_own_session(now)?;
        engine.want_everybody(now)?;
        Ok(engine)
    }

    /// Who this is.
    pub fn own(&self) -> &Own {
        &self.own
    }

    /// The store, to read in.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Ends the engine; what was not committed is gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn into_store(mut self) -> Result<S, StoreError> {
        self.store.abandon()?;
        Ok(self.store)
    }

    /// Takes one input. What it causes comes out of the next [`commit`](Self::commit).
    ///
    /// # Errors
    /// [`StoreError`] where not even a failed input could be undone; call `commit` then, it gives
    /// up the batch in good order.
    pub fn handle(&mut self, now: u64, input: Input) -> Result<(), StoreError> {
        if self.batch.is_none() {
            self.store.begin()?;
            self.batch = Some(Batch { durability: Durability::Process, tickets: Vec::new() });
        }
        self.store.savepoint()?;
        let mark = self.outputs.len();
        match input {
            Input::Command { ticket, command } => self.on_command(now, ticket, command, mark),
            Input::Frame { conn, bytes } => {
                let result = self.on_frame(now, conn, &bytes);
                self.settle(now, Some(conn), result, mark)
            }
            Input::Connected { conn, peer, role, exporter } => {
                let result = self.on_connected(now, conn, peer, role, exporter);
                self.settle(now, Some(conn), result, mark)
            }
            Input::Closed { conn } => {
                self.on_closed(now, conn);
                self.store.keep()
            }
            Input::DialFailed { peer } => {
                self.redial.handle(redial::Input::DialFailed(peer), now, &mut self.rng);
                self.store.keep()
            }
            Input::Discovered { peer, addresses } => {
                self.on_discovered(now, peer, addresses);
                self.store.keep()
            }
            Input::AddressesChanged { addresses } => {
                let result = self.on_addresses(now, addresses);
                self.settle(now, None, result, mark)
            }
            Input::Tick => {
                let result = self.on_tick(now);
                self.settle(now, None, result, mark)
            }
        }
    }

    /// Ends an input: keeps what it did, or undoes it and answers for it.
    fn settle(
        &mut self,
        now: u64,
        conn: Option<ConnId>,
        result: Result<(), Fault>,
        mark: usize,
    ) -> Result<(), StoreError> {
        let Err(fault) = result else { return self.store.keep() };
        let reason = match &fault {
            // Nothing was written, and what was said before stays said.
            Fault::Close(reason) => {
                self.store.keep()?;
                *reason
            }
            Fault::Peer(what) => {
                self.undo(mark)?;
                let device = conn.and_then(|conn| self.device_on(conn));
                self.notify(Notice::Misbehaved { device, what: what.clone() });
                CloseReason::Protocol
            }
            Fault::Own(what) => {
                tracing::error!(%what, "an input met a mistake in this program");
                self.undo(mark)?;
                CloseReason::Trouble
            }
            Fault::Store(error) => {
                tracing::error!(%error, "an input could not be stored");
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
        match self.execute(now, command) {
            Ok(reply) => {
                self.outputs.push(Output::Reply { ticket, result: Ok(reply) });
                self.store.keep()
            }
            Err(error) => {
                let undone = self.undo(mark);
                self.outputs.push(Output::Reply { ticket, result: Err(error) });
                undone
            }
        }
    }

    fn undo(&mut self, mark: usize) -> Result<(), StoreError> {
        self.outputs.truncate(mark);
        self.store.undo()?;
        self.load_sessions()
    }

    /// Ends the batch: sends each peer what it lacks, commits, and gives what may leave now.
    ///
    /// Where the store does not take the batch, its commands are answered with the reason, all
    /// connections are dropped, and the engine stands as before the batch.
    pub fn commit(&mut self, now: u64) -> Vec<Output> {
        let Some(batch) = self.batch.take() else { return std::mem::take(&mut self.outputs) };
        let done = self.flush(now).and_then(|()| self.store.commit(batch.durability));
        match done {
            Ok(()) => self.recent.values_mut().for_each(Recent::forget),
            Err(error) => self.give_up(now, &batch.tickets, &error),
        }
        self.dial_due(now);
        std::mem::take(&mut self.outputs)
    }

    fn give_up(&mut self, now: u64, tickets: &[Ticket], error: &StoreError) {
        tracing::error!(%error, "a batch could not be committed");
        self.outputs.clear();
        if let Err(error) = self.store.abandon().and_then(|()| self.load_sessions()) {
            tracing::error!(%error, "the store does not come back");
        }
        if matches!(error, StoreError::Full) {
            self.notify(Notice::DiskFull);
        }
        for ticket in tickets {
            let result = Err(CommandError::NotStored(error.to_string()));
            self.outputs.push(Output::Reply { ticket: *ticket, result });
        }
        let conns: Vec<ConnId> = self.connections.0.keys().copied().collect();
        for conn in conns {
            self.close(now, conn, CloseReason::Trouble);
        }
    }

    /// When [`Input::Tick`] is due, in Unix milliseconds.
    pub fn deadline(&self) -> Option<u64> {
        let held = self.store.next_due().ok().flatten();
        let resume = self.resume.values().min().copied();
        [self.redial.deadline(), held, resume].into_iter().flatten().min()
    }

    fn on_tick(&mut self, now: u64) -> Result<(), Fault> {
        self.redial.handle(redial::Input::Tick, now, &mut self.rng);
        self.resume_due(now)?;
        self.admit_due(now)
    }

    fn on_connected(
        &mut self,
        now: u64,
        conn: ConnId,
        peer: EndpointId,
        role: Role,
        exporter: [u8; 32],
    ) -> Result<(), Fault> {
        let knocking = match role {
            Role::Dialler => self.knocking_at(now, peer)?,
            Role::Dialled => None,
        };
        let mut connection = Connection::new(peer, role, exporter);
        connection.knocked = knocking.map(|invite| (invite, None));
        self.connections.0.insert(conn, connection);
        if role == Role::Dialler {
            // Else a connection that ends before the two know each other would be a dial that
            // never ends.
            self.redial.handle(redial::Input::Connected(peer), now, &mut self.rng);
            self.say_hello(conn)?;
            if let Some(invite) = knocking {
                self.say_knock(conn, invite)?;
            }
        }
        Ok(())
    }

    fn on_closed(&mut self, now: u64, conn: ConnId) {
        let Some(connection) = self.connections.0.remove(&conn) else { return };
        self.resume.retain(|(resumed, _), _| *resumed != conn);
        self.knock_again = true;
        let others = self.connections.0.values().any(|other| other.peer == connection.peer);
        if !others {
            self.redial.handle(redial::Input::Lost(connection.peer), now, &mut self.rng);
        }
        if let Stage::Ready(ready) = connection.stage {
            let (identity, device) = (ready.identity, ready.device);
            let conn = self.connections.of_device(device).pop();
            self.notify(Notice::Connection { identity, device, conn });
        }
    }

    /// Ends a connection from our side.
    pub(crate) fn close(&mut self, now: u64, conn: ConnId, reason: CloseReason) {
        if self.connections.0.contains_key(&conn) {
            self.outputs.push(Output::Close { conn, reason });
            self.on_closed(now, conn);
        }
    }

    pub(crate) fn send(&mut self, conn: ConnId, frame: &Frame) {
        self.outputs.push(Output::Send { conn, frame: frame.encode() });
    }

    pub(crate) fn output(&mut self, output: Output) {
        self.outputs.push(output);
    }

    pub(crate) fn notify(&mut self, notice: Notice) {
        self.outputs.push(Output::Notice(notice));
    }

    /// This batch holds something that others will rely on: it must survive a power cut.
    pub(crate) fn must_last(&mut self) {
        if let Some(batch) = &mut self.batch {
            batch.durability = Durability::Power;
        }
    }

    fn device_on(&self, conn: ConnId) -> Option<DeviceId> {
        Some(self.connections.0.get(&conn)?.ready()?.device)
    }
}
