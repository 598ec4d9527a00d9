//! One session in memory: what is needed to take the next event in, and no more.
//!
//! The set itself stays in the store. Here are the roster, the heads of all chains and the tips of
//! the graph, so an event that follows what we hold is admitted without reading anything.

mod admit;
mod append;
mod ending;
mod entrance;
mod hidden;
mod outcome;
mod receive;
mod retire;

pub use ending::Ending;
pub use retire::Retired;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use tenet_identity::{
    card::Revocation,
    keys::{DeviceId, IdentityId},
};

use hidden::Named;

use crate::{
    clock::Hlc,
    event::{Event, HeaderError, Kind},
    fork::Forks,
    frontier::{Frontier, Past},
    ids::{Author, EventId, SessionId},
    past::{self, Seen},
    register::Register,
    roster::{Fold, Member, Op, OpError, Operation, Outcome, Policy, Roster, SessionKind},
    standing::Standing,
    store::{LogStore, Position, StoreError},
    sync::Summary,
};

/// The most events from the future that wait in one session; a further one is offered again by
/// whoever sent it. A guess: some hours of a lively chat with somebody whose clock is fast.
const MAX_HELD: usize = 256;

/// What a new event shall say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its kind.
    pub kind: Kind,
    /// What it carries.
    pub content: DraftContent,
    /// Unix milliseconds after which it need not be kept.
    pub expires: Option<u64>,
}

/// Where the app's bytes go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftContent {
    /// In a body, which can be erased later.
    Body(Vec<u8>),
    /// In the header, for good: erasures.
    Payload(Vec<u8>),
}

/// On what terms a session is founded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What sort of session.
    pub kind: SessionKind,
    /// Who is in from the start, the founder among them.
    pub members: Vec<Member>,
    /// Who may do what.
    pub policy: Policy,
}

/// A session in memory.
#[derive(Clone, Debug)]
pub struct Session {
    id: SessionId,
    /// What all operations come to.
    outcome: Outcome,
    /// The operations themselves, once something asks for them (LOG-1602).
    fold: OnceLock<Box<Fold>>,
    /// Whether they are what the outcome is of for sure, and share with the frontier what both have in common.
    unfolded: bool,
    /// Of how many operations the store keeps the outcome, and where the last of them came in; `None` where it does not.
    kept: Option<(u64, Position)>,
    frontier: Frontier,
    forks: Forks,
    latest: Hlc,
    /// This device was set back: it writes no more.
    sealed: bool,
    named: Named,
    /// All that is held, in short, from when somebody first asks for it.
    summed_up: OnceLock<Arc<Summary>>,
}

/// An event that was taken into the set, with all that changed by it.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// Where it came in.
    pub position: Position,
    /// Whether it counts.
    pub standing: Standing,
    /// Other events whose standing changed.
    pub changes: Vec<(EventId, Standing)>,
    /// Whether the roster is another than before.
    pub roster_changed: bool,
    /// How many others had to be judged anew for it, whether that changed them or not.
    pub judged: usize,
    /// Whether it shows a fork that was not known: time to compare anew with everybody (SYNC-8).
    pub forked: bool,
}

/// What became of an event from elsewhere.
#[derive(Debug)]
pub enum Receipt {
    /// It is in the set now.
    Admitted(Box<Admitted>),
    /// It was in the set before.
    Known,
    /// It waits until our clock comes near its time (Unix milliseconds).
    Held {
        /// From when it may enter.
        acceptable_from: u64,
        /// Whether it takes room that it did not take before; there may have been none.
        new: bool,
    },
    /// Something it builds on is not here; the sender must send that first.
    Lacks(EventId),
    /// No honest device sends this.
    Refused(Refusal),
}

/// Why an event is refused for good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Another session's event.
    #[error("the event belongs to another session")]
    ForeignSession,
    /// Its device was never in.
    #[error("the device was never in the session")]
    NotOnRoster,
    /// Its time is not later than that of what it builds on.
    #[error("the event is dated before what it builds on")]
    TimeRunsBackwards,
    /// A second founding, or a first event that founds nothing.
    #[error("the event founds nothing")]
    Founding,
    /// It follows nothing, or an event of another chain.
    #[error("the event does not follow its predecessor")]
    Chain,
    /// A chain of which so many operations count for nothing that no further one is taken (ROS-511).
    #[error("the device's operations count for nothing")]
    InVain,
    /// A malformed roster operation.
    #[error(transparent)]
    Op(#[from] OpError),
}

/// Why nothing could be appended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// This device is not in the session.
    #[error("this device is not in the session any more")]
    NotOnRoster,
    /// This device's chain has two histories: what it says now would not count.
    #[error("this device was set back to an earlier state and must be added anew under a new key")]
    Forked,
    /// Too large.
    #[error("too large: {len} bytes, at most {max}")]
    TooLarge {
        /// What was asked for, in bytes.
        len: usize,
        /// What fits, in bytes.
        max: usize,
    },
    /// The operation is not one.
    #[error(transparent)]
    Op(#[from] OpError),
    /// It would be refused by all (ROS-511, or the device was invited by nobody).
    #[error("this device may not change who is in the session")]
    Refused,
    /// The kind is not one.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Session {
    /// Begins a session from its founding event, ours or another's.
    ///
    /// All later events are dated after it, so a founding from the future
    /// ([`Hlc::is_too_early`]) must not be opened: that is the caller's to check.
    ///
    /// # Errors
    /// [`OpenError`] where the event founds nothing, or the store fails.
    pub fn open<S: LogStore>(store: &mut S, event: &Event) -> Result<(Self, Admitted), OpenError> {
        let operation = Operation::new(event, Past::default())
            .map_err(Refusal::Op)?
            .filter(|operation| matches!(operation.op, Op::Found(_)))
            .ok_or(Refusal::Founding)?;
        let (fold, outcome) = Fold::of(vec![operation]).ok_or(Refusal::Founding)?;
        let mut session = Self {
            id: event.session(),
            outcome,
            fold: OnceLock::from(Box::new(fold)),
            unfolded: true,
            kept: None,
            frontier: Frontier::default(),
            forks: Forks::default(),
            latest: Hlc::default(),
            sealed: false,
            named: Named::default(),
            summed_up: OnceLock::new(),
        };
        let position = session.insert(store, event, Standing::Counted)?;
        store.put_past(event.id(), &Past::default(), None)?;
        session.keep(store)?;
        let admitted = Admitted {
            position,
            standing: Standing::Counted,
            changes: Vec::new(),
            judged: 0,
            roster_changed: true,
            forked: false,
        };
        Ok((session, admitted))
    }

    /// All that is held of it, in short. With hundreds of connections each asks for that when it begins.
    pub(crate) fn summed_up<S: LogStore>(&self, store: &S) -> Result<Arc<Summary>, StoreError> {
        if let Some(summary) = self.summed_up.get() {
            return Ok(summary.clone());
        }
        let summary = Arc::new(Summary::whole(self, &store.registers(self.id)?));
        Ok(self.summed_up.get_or_init(|| summary).clone())
    }

    /// Puts a register into the store; the one way, for others are told what is held.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_register<S: LogStore>(
        &mut self,
        store: &mut S,
        register: &Register,
    ) -> Result<(), StoreError> {
        if let Some(summary) = self.summed_up.get_mut() {
            Arc::make_mut(summary).set_register(register);
        }
        store.put_register(register)
    }

    /// This device was set back to an earlier state: from now on it writes nothing here (FORK-4), until the session is
    /// loaded anew.
    pub fn seal(&mut self) {
        self.sealed = true;
    }

    /// The session's id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// When it was founded.
    pub fn founded(&self) -> Hlc {
        self.outcome.founded()
    }

    /// The device that founded it.
    pub fn founder(&self) -> DeviceId {
        self.outcome.founder()
    }

    /// Who is in it.
    pub fn roster(&self) -> &Roster {
        self.outcome.roster()
    }

    /// What is held of it.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Devices that wrote two histories.
    pub fn forked_devices(&self) -> BTreeSet<DeviceId> {
        self.forks.devices()
    }

    /// Whose device writes a chain, by the operation that begins it, whether that counts or not.
    pub fn whose(&self, chain: Author) -> Option<IdentityId> {
        self.outcome.whose(chain)
    }

    /// Whose a device is, by what begins its chains, counted or not.
    pub fn owner_of(&self, device: DeviceId) -> Option<IdentityId> {
        self.outcome.owners_of(device).next()
    }

    /// The statement by which a device was revoked, if it was here.
    pub fn revocation(&self, device: DeviceId) -> Option<&Revocation> {
        self.outcome.revocation(device)
    }

    /// Whether an operation of the set adds this device, counted or not: of such devices registers
    /// are kept (LOG-13). Unlike being in, that never ends, so holders of the same set keep the
    /// same registers.
    pub fn has_seen(&self, device: DeviceId) -> bool {
        self.outcome.has_seen(device)
    }

    /// Whether an operation of the set names this identity or adds a device of it, counted or not.
    pub fn names(&self, identity: IdentityId) -> bool {
        self.outcome.names(identity)
    }

    /// Below this place all ordinary events of a chain count, silences aside.
    pub fn counts_below(&self, author: Author) -> u64 {
        let fork = self.forks().get(&author).copied().unwrap_or(u64::MAX);
        self.roster().cut(author).min(fork)
    }

    /// What the author of an event had seen of the set, which all that it builds on is in.
    fn seen<S: LogStore>(&self, store: &S, event: &Event) -> Result<Seen, StoreError> {
        let fold = match self.forks.points().is_empty() {
            true => Some(self.fold(store)?),
            false => None,
        };
        past::of(store, &self.frontier, fold, event)
    }

    /// Where chains fork: for each the lowest `seq` that was written twice.
    pub(crate) fn forks(&self) -> &BTreeMap<Author, u64> {
        self.forks.points()
    }
}

/// Why a session could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The event founds nothing.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
pub(crate) mod tests;
