//! One end of a pipe: what goes and what comes, and how far both are.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tenet_identity::keys::{DeviceId, IdentityId};
use tenet_log::ids::SessionId;
use tenet_rpc::api;
use tokio::sync::watch;

/// How many bytes are kept that the other end has not said it has, in each direction: as many as
/// are given in two turns.
const KEPT: usize = 2 << 20;

/// How many bytes are given or taken out at once.
const PIECE: usize = 64 << 10;

/// One end of a pipe.
pub(super) struct End {
    /// Whose the other end is.
    pub(super) identity: IdentityId,
    /// The session between the two.
    pub(super) session: SessionId,
    /// How the other end tells this one from another that was open before.
    pub(super) number: [u8; 16],
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

/// The other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Other {
    /// On which device.
    pub(super) device: DeviceId,
    /// Which of those that were ever open.
    pub(super) end: [u8; 16],
}

#[derive(Default)]
struct State {
    other: Option<Other>,
    /// Grows with each request: only the last one is answered.
    turn: u64,
    out: Going,
    come: Coming,
    held: bool,
    closed: bool,
}

/// What goes there.
#[derive(Default)]
struct Going {
    /// How many bytes the other end has said it has.
    base: u64,
    /// Those after them.
    kept: VecDeque<u8>,
    ended: bool,
    /// The other end has all of it.
    delivered: bool,
}

/// What came from there.
#[derive(Default)]
struct Coming {
    /// How many bytes came.
    offset: u64,
    /// Those that nobody took out yet.
    waiting: VecDeque<u8>,
    ended: bool,
    /// Whoever takes out was told so.
    told: bool,
}

/// What there is to give from a place on.
pub(super) enum Piece {
    Bytes(Vec<u8>),
    /// There is no more.
    End,
    /// Somebody else is given now, or the pipe is closed.
    Over,
}

impl End {
    pub(super) fn new(identity: IdentityId, session: SessionId) -> Result<Self, api::Error> {
        let mut number = [0; 16];
        getrandom::fill(&mut number).map_err(|error| api::Error::internal(error.to_string()))?;
        Ok(Self {
            identity,
            session,
            number,
            state: Mutex::default(),
            changes: watch::Sender::new(0),
        })
    }

    /// Something changed for whoever waits.
    pub(super) fn stir(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Somebody waits for the end of this pipe; false where somebody did before.
    pub(super) fn hold(&self) -> bool {
        !std::mem::replace(&mut self.lock().held, true)
    }

    pub(super) fn is_held(&self) -> bool {
        self.lock().held
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.stir();
    }

    /// The other end, once it is known.
    pub(super) fn other(&self) -> Option<Other> {
        self.lock().other
    }

    /// The other end asks from a place on: what is before need not be kept. Gives the number of its
    /// turn; `None` where it is not the other end, or asks for what it cannot want.
    pub(super) fn asked(&self, asking: Other, offset: u64) -> Option<u64> {
        let mut state = self.lock();
        if state.closed || state.other.is_some_and(|other| other != asking) {
            return None;
        }
        let had = offset.checked_sub(state.out.base)?;
        let had = usize::try_from(had).ok()?;
        if had > state.out.kept.len() {
            return None;
        }
        state.other = Some(asking);
        state.out.kept.drain(..had);
        state.out.base = offset;
        state.turn += 1;
        let turn = state.turn;
        drop(state);
        self.stir();
        Some(turn)
    }

    /// What there is to give from a place on, when there is something.
    pub(super) async fn piece(&self, turn: u64, from: u64) -> Piece {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            {
                let state = self.lock();
                if state.closed || state.turn != turn {
                    return Piece::Over;
                }
                let skip =
                    usize::try_from(from.saturating_sub(state.out.base)).unwrap_or(usize::MAX);
                let bytes: Vec<u8> = state
                    .out
                    .kept
                    .iter()
                    .skip(skip)
                    .take(PIECE)
                    .copied()
                    .collect();
                if !bytes.is_empty() {
                    return Piece::Bytes(bytes);
                }
                if state.out.ended {
                    return Piece::End;
                }
            }
            // The sender of changes lives as long as this.
            let _ = changes.changed().await;
        }
    }

    /// Where the turn begins.
    pub(super) fn base(&self) -> u64 {
        self.lock().out.base
    }

    /// The other end has all that was said.
    pub(super) fn delivered(&self) {
        self.lock().out.delivered = true;
        self.stir();
    }

    /// Takes bytes that go there, when there is room.
    pub(super) async fn write(&self, bytes: &[u8], end: bool) {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            {
                let mut state = self.lock();
                if state.closed || state.out.ended {
                    return;
                }
                if state.out.kept.len() + bytes.len() <= KEPT {
                    state.out.kept.extend(bytes);
                    state.out.ended = end;
                    break;
                }
            }
            // As above.
            let _ = changes.changed().await;
        }
        self.stir();
    }

    /// How many bytes came.
    pub(super) fn offset(&self) -> u64 {
        self.lock().come.offset
    }

    /// Keeps bytes that came, when there is room.
    pub(super) async fn came(&self, bytes: &[u8]) {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            {
                let mut state = self.lock();
                if state.come.waiting.len() + bytes.len() <= KEPT {
                    state.come.waiting.extend(bytes);
                    state.come.offset += bytes.len() as u64;
                    break;
                }
            }
            // As above.
            let _ = changes.changed().await;
        }
        self.stir();
    }

    /// No more will come.
    pub(super) fn came_all(&self) {
        self.lock().come.ended = true;
        self.stir();
    }

    /// Takes out bytes that came, when there are some; and whether they were the last.
    pub(super) async fn read(&self) -> (Vec<u8>, bool) {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            {
                let mut state = self.lock();
                let come = &mut state.come;
                let length = come.waiting.len().min(PIECE);
                let bytes: Vec<u8> = come.waiting.drain(..length).collect();
                let ended = come.ended && come.waiting.is_empty();
                if !bytes.is_empty() || ended || state.closed {
                    state.come.told |= ended;
                    drop(state);
                    self.stir();
                    return (bytes, ended);
                }
            }
            // As above.
            let _ = changes.changed().await;
        }
    }

    /// When both ends have said all, and both have it.
    pub(super) async fn ended(&self) -> api::PipeEnded {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            {
                let state = self.lock();
                if state.out.delivered && state.come.told {
                    return api::PipeEnded {
                        sent: state.out.base + state.out.kept.len() as u64,
                        received: state.come.offset,
                    };
                }
            }
            // As above.
            let _ = changes.changed().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
