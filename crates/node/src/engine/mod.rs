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
mod allowance;
mod asked;
mod batch;
mod bringing;
mod bygone;
mod claimed;
mod debts;
mod depart;
mod dial;
mod enter;
mod entrance;
mod erasure;
mod fanout;
mod files;
mod floor;
mod flush;
mod former;
mod frames;
mod greet;
mod knock;
mod linking;
mod meet;
mod mend;
mod outside;
mod own;
mod profile;
mod registers;
mod retire;
mod revoked;
mod search;
mod sessions;
mod sizes;
mod sources;
mod status;
mod suspend;
mod synchronise;
mod take;
mod typing;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tenet_apps::contacts::Profile;
use tenet_delivery::redial::{self, Redial};
use tenet_identity::{
    hello::Role,
    keys::{DeviceId, EndpointId, IdentityId},
};
use tenet_log::{
    event::{AtOnce, Checks},
    ids::{EventId, SessionId},
    register::Register,
    session::{AppendError, Session},
    store::StoreError,
    sync::Recent,
};

use admitted::Afterwards;
pub(crate) use admitted::Ours;
pub use allowance::Allowance;
use allowance::Allowances;
use batch::Batch;
pub(crate) use bringing::Bringing;
pub use bringing::Progress;
use bygone::Bygone;
pub(crate) use enter::{Early, Place};
pub(crate) use entrance::Host;
use entrance::{Asking, Looks};
use fanout::FanOut;
use files::Fetching;
use floor::Since;
use former::Former;
pub(crate) use linking::Linking;
use mend::Mending;
use outside::Outside;
use status::Machine;
use typing::Typing;

use crate::{
    connection::{Connection, Connections, Stage},
    frame::Frame,
    input::{CloseReason, ConnId, Notice, Output},
    own::Own,
    storage::Storage,
};

/// The engine of one device of one identity.
///
/// Contract: [`handle`](Self::handle) any number of inputs, then [`commit`](Self::commit) and carry
/// out what it gives, in order. Call `handle` with [`Input::Tick`](crate::input::Input::Tick) when
/// [`deadline`](Self::deadline) has passed. `now` is Unix milliseconds.
pub struct Engine<S> {
    pub(crate) store: S,
    pub(crate) own: Own,
    /// What this person says of themselves, once they did.
    profile: Option<Profile>,
    pub(crate) rng: ChaCha20Rng,
    checks: Box<dyn Checks>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    /// Which identity's device, and in which sessions: every device that may meet us.
    pub(crate) devices: BTreeMap<DeviceId, Acquaintance>,
    /// Whose further devices may meet us too, and in which sessions (NODE-35).
    pub(crate) members: BTreeMap<IdentityId, BTreeSet<SessionId>>,
    /// To whom we listen in sessions that they or we are out of (NODE-106, NODE-108).
    outside: BTreeMap<SessionId, Outside>,
    /// Devices that are out of a session and know it.
    told: BTreeMap<(SessionId, DeviceId), (IdentityId, BTreeSet<EventId>)>,
    /// Devices that their identity revoked.
    pub(crate) revoked: BTreeSet<(IdentityId, DeviceId)>,
    /// Devices of ours that the others do not speak with.
    pub(crate) suspended: BTreeSet<DeviceId>,
    pub(crate) connections: Connections,
    /// By which connection each device is met, as was told last.
    met: BTreeMap<DeviceId, ConnId>,
    pub(crate) redial: Redial,
    /// Where endpoints are met, as far as we were told.
    pub(crate) addresses: BTreeMap<EndpointId, Vec<SocketAddr>>,
    /// Where we are met.
    pub(crate) own_addresses: Vec<SocketAddr>,
    /// What came last into each session, so that passing it on reads nothing back.
    pub(crate) recent: BTreeMap<SessionId, Recent>,
    /// Conversations by the words that named them, until anything about contacts changes.
    pub(crate) named: BTreeMap<String, SessionId>,
    /// Which devices this one was (BACK rules).
    former: Former,
    /// From when on what was said in each session is for us.
    floors: BTreeMap<SessionId, Since>,
    /// To whom we are silent.
    pub(crate) blocked: BTreeSet<IdentityId>,
    /// Sessions that we are out of (NODE-109).
    bygone: Bygone,
    /// Devices that named a session since they were out of it (NODE-106).
    back: BTreeSet<(SessionId, DeviceId)>,
    /// Sessions that we left and in which somebody knows that (NODE-104).
    left_known: BTreeSet<SessionId>,
    /// Devices may be in no session of ours any more.
    strangers: bool,
    pub(crate) fetching: Fetching,
    allowances: Allowances,
    mending: Mending,
    /// The link by which another device of ours is let in, while it is open.
    pub(crate) linking: Option<Linking>,
    typing: Typing,
    fanout: FanOut,
    /// Who asks here to come into groups.
    asking: Asking,
    /// Groups of which we want to know what they are.
    looks: Looks,
    machine: Machine,
    outputs: Vec<Output>,
    /// Registers to be passed on when the batch ends, and to which device not.
    spreading: Vec<(Register, Option<DeviceId>)>,
    /// How many of them were there before the input that is being handled.
    spreading_before: usize,
    batch: Option<Batch>,
    /// When to look again at what is held back behind a session that does not move, in Unix milliseconds.
    bring_at: Option<u64>,
    /// When to offer again what was too early for somebody (by connection and session).
    pub(crate) resume: BTreeMap<(ConnId, SessionId), u64>,
    /// When the first of the events that are held back may enter, in Unix milliseconds.
    held_at: Option<u64>,
    /// Foundings that were brought and are from the future (NODE-603).
    pub(crate) early: BTreeMap<ConnId, Vec<Early>>,
    afterwards: Afterwards,
    /// Whether a link that is still to be taken may be knocked with on a connection that stands.
    pub(crate) knock_again: bool,
    /// When to keep the words of what was said, in Unix milliseconds.
    index_at: Option<u64>,
    /// When to have words leave the pages that are found no more, in Unix milliseconds.
    forget_at: Option<u64>,
    /// When the next body expires, in Unix milliseconds.
    expire_at: Option<u64>,
    /// When to make up for what may have been undone, in Unix milliseconds.
    recover_at: Option<u64>,
    /// When to hand in revocations where they lack still, in Unix milliseconds.
    hand_in_at: Option<u64>,
    /// The time of the last input.
    clock: u64,
}

/// A device of somebody in some session of ours.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acquaintance {
    pub(crate) identity: Option<IdentityId>,
    pub(crate) sessions: Vec<SessionId>,
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

/// Of what this device itself writes: only the store is not at its own fault.
impl From<AppendError> for Fault {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Store(error) => Self::Store(error),
            error => Self::Own(error.to_string()),
        }
    }
}

impl<S: Storage> Engine<S> {
    /// Starts on a store. All randomness comes from the seed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(store: S, own: Own, seed: [u8; 32], now: u64) -> Result<Self, StoreError> {
        let mut engine = Self::unread(store, own, seed, now);
        engine.load_sessions()?;
        engine.keep_outcomes()?;
        engine.say_the_unheard()?;
        engine.ensure_own_session(now)?;
        engine.take_places_at_start(now)?;
        engine.expire_at_start(now)?;
        engine.want_everybody(now)?;
        engine.hand_in_soon(now);
        Ok(engine)
    }

    /// Before anything of the store was read.
    fn unread(store: S, own: Own, seed: [u8; 32], now: u64) -> Self {
        Self {
            store,
            own,
            profile: None,
            rng: ChaCha20Rng::from_seed(seed),
            checks: Box::new(AtOnce),
            sessions: BTreeMap::new(),
            devices: BTreeMap::new(),
            members: BTreeMap::new(),
            outside: BTreeMap::new(),
            bygone: Bygone::default(),
            afterwards: Afterwards::default(),
            told: BTreeMap::new(),
            revoked: BTreeSet::new(),
            suspended: BTreeSet::new(),
            connections: Connections::default(),
            met: BTreeMap::new(),
            redial: Redial::new(),
            addresses: BTreeMap::new(),
            own_addresses: Vec::new(),
            recent: BTreeMap::new(),
            named: BTreeMap::new(),
            former: Former::default(),
            floors: BTreeMap::new(),
            blocked: BTreeSet::new(),
            back: BTreeSet::new(),
            left_known: BTreeSet::new(),
            strangers: false,
            fetching: Fetching::default(),
            allowances: Allowances::default(),
            mending: Mending::default(),
            linking: None,
            typing: Typing::default(),
            fanout: FanOut::default(),
            asking: Asking::default(),
            looks: Looks::default(),
            machine: Machine::default(),
            outputs: Vec::new(),
            spreading: Vec::new(),
            spreading_before: 0,
            batch: None,
            bring_at: None,
            resume: BTreeMap::new(),
            held_at: None,
            early: BTreeMap::new(),
            knock_again: false,
            index_at: None,
            forget_at: None,
            expire_at: None,
            recover_at: None,
            hand_in_at: None,
            clock: now,
        }
    }

    /// Has signatures checked by somebody else, where many come together.
    pub fn check_with(&mut self, checks: Box<dyn Checks>) {
        self.checks = checks;
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

    /// When [`Input::Tick`](crate::input::Input::Tick) is due, in Unix milliseconds.
    pub fn deadline(&self) -> Option<u64> {
        let upkeep = self.fanout.upkeep_at();
        let upkeep = upkeep.map(|at| self.recover_at.map_or(at, |recover| at.max(recover)));
        self.work_deadline().into_iter().chain(upkeep).min()
    }

    /// The same without what recurs for ever and changes nothing by itself (NODE-1707, FAN-15): nothing is left to be
    /// done where there is none.
    pub fn work_deadline(&self) -> Option<u64> {
        let resume = self.resume.values().min().copied();
        // What a store that failed just now could not take is not tried again at once.
        let early = self.early.values().flatten().map(|early| early.at).min();
        let stored = [
            self.held_at,
            resume,
            early,
            self.index_at,
            self.forget_at,
            self.expire_at,
            self.hand_in_at,
            self.fanout.deadline(),
            self.knock_again_at(),
        ]
        .into_iter()
        .flatten()
        .min();
        let stored = stored.map(|at| self.recover_at.map_or(at, |recover| at.max(recover)));
        let fetching = self.fetching.deadline();
        let typing = self.typing.deadline();
        [
            self.redial.deadline(),
            stored,
            self.recover_at,
            fetching,
            typing,
            self.bring_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn on_tick(&mut self, now: u64) -> Result<(), Fault> {
        self.redial.handle(redial::Input::Tick, now, &mut self.rng);
        self.fetching.on_tick(now);
        self.typing_due(now);
        if self.recover_at.is_some_and(|at| now < at) {
            return Ok(());
        }
        if self.recover_at.take().is_some() {
            self.publish_endpoints(now)?;
            self.want_everybody(now)?;
        }
        self.fan_out_due(now)?;
        self.resume_due(now)?;
        self.knock_due(now);
        self.bring_due(now)?;
        self.admit_due(now)?;
        self.expire_due(now)?;
        self.hand_in_due(now)?;
        self.forget_due(now)?;
        Ok(self.index_due(now)?)
    }

    fn on_connected(
        &mut self,
        now: u64,
        conn: ConnId,
        peer: EndpointId,
        role: Role,
        exporter: [u8; 32],
    ) -> Result<(), Fault> {
        self.connections
            .0
            .insert(conn, Connection::new(peer, role, exporter));
        if role == Role::Dialler {
            // Else a connection that ends before the two know each other would be a dial that
            // never ends.
            self.redial
                .handle(redial::Input::Connected(peer), now, &mut self.rng);
            let knocking = self.knocking_at(now, peer)?;
            self.say_hello(conn)?;
            if let Some(invite) = knocking {
                self.knock(conn, invite)?;
            }
        }
        Ok(())
    }

    fn on_closed(&mut self, now: u64, conn: ConnId) {
        let Some(connection) = self.connections.0.remove(&conn) else {
            return;
        };
        self.resume.retain(|(resumed, _), _| *resumed != conn);
        self.on_host_gone(connection.host.clone());
        self.early.remove(&conn);
        self.fetching.on_closed(conn);
        self.mending.on_closed(conn);
        self.knock_again = true;
        let others = self
            .connections
            .0
            .values()
            .any(|other| other.peer == connection.peer);
        if !others {
            // NODE-20: a dial whose connection ends before both know each other is a failed one.
            let end = match connection.stage {
                Stage::Ready(_) => redial::Input::Lost(connection.peer),
                _ => redial::Input::Unmet(connection.peer),
            };
            self.redial.handle(end, now, &mut self.rng);
        }
        if let Stage::Ready(ready) = connection.stage {
            self.tell_connection(ready.identity, ready.device);
            self.typing_gone(ready.identity);
            if !self.met.contains_key(&ready.device) {
                self.is_gone_from_crowds(ready.device);
            }
        }
    }

    /// Tells by which connection a device is met now, or that it is not, where that is new.
    fn tell_connection(&mut self, identity: IdentityId, device: DeviceId) {
        let conn = self.connections.of_device(device).pop();
        let told = match conn {
            Some(conn) => self.met.insert(device, conn),
            None => self.met.remove(&device),
        };
        if told != conn {
            self.notify(Notice::Connection {
                identity,
                device,
                conn,
            });
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
        self.outputs.push(Output::Send {
            conn,
            frame: frame.encode(),
        });
    }

    pub(crate) fn output(&mut self, output: Output) {
        self.outputs.push(output);
    }

    pub(crate) fn notify(&mut self, notice: Notice) {
        self.outputs.push(Output::Notice(notice));
    }

    fn device_on(&self, conn: ConnId) -> Option<DeviceId> {
        Some(self.connections.0.get(&conn)?.ready()?.device)
    }
}
