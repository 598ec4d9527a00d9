//! When to dial which endpoint again.
//!
//! ```text
//!             Want                  Dial                 Connected
//! (unknown) ───────▶ Waiting ─────────────▶ Dialling ───────────────▶ Connected
//!                       ▲   └─ until `until`    │                         │
//!                       └───────────────────────┴── DialFailed, Lost ─────┘
//! ```
//!
//! A connection with an endpoint that is not wanted is remembered as long as it stands: who calls and is wanted only then
//! is not dialled.
//!
//! Everything that could have made a device reachable again (our network changed, it was seen on
//! the LAN, it published a new endpoint register) ends the waiting at once. Only without any such
//! news does the wait double. News of where it is met reach a dial that is under way, too.

mod peer;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand_core::CryptoRng;
use tenet_identity::keys::EndpointId;

use peer::{Keep, Peer};

/// The wait after the first failure, in milliseconds.
///
/// A peer that restarts is back in about a second.
pub const FIRST_WAIT_MS: u64 = 1_000;

/// The longest wait, in milliseconds: five minutes.
///
/// A device that comes back dials too, at once. So this bounds only how long we do not notice a
/// device that cannot reach us and of which no news comes; a dial costs a few packets.
pub const LONGEST_WAIT_MS: u64 = 5 * 60 * 1_000;

/// The least time between the beginnings of two dials of one peer, in milliseconds.
///
/// News from the LAN can be forged; without this floor a forger would have us dial without pause.
pub const LEAST_GAP_MS: u64 = 1_000;

/// How long a connection must last so that the failures before it are forgotten, in milliseconds.
///
/// A peer that accepts and hangs up at once shall not be dialled without pause either.
pub const LASTING_MS: u64 = 10_000;

/// The most dials under way at a time.
///
/// A guess: enough that a few dead devices, each costing the whole time limit of a dial, do not
/// hold up the living ones, and that a plan's first head reaches up to 52 before the second takes it for dead; few
/// enough that a home router's table does not notice.
pub const MAX_UNDER_WAY: usize = 32;

/// What the machine is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// There is reason to be connected to the endpoint from now on (`DEL-8`).
    Want(EndpointId),
    /// There is none any more. A dial under way still ends by itself.
    Forget(EndpointId),
    /// A connection with the endpoint stands, whoever dialled.
    Connected(EndpointId),
    /// The last connection with the endpoint has ended.
    Lost(EndpointId),
    /// The connection with the endpoint ended before both ends knew each other: a dial that failed, however
    /// long it stood.
    Unmet(EndpointId),
    /// A dial ended without a connection.
    DialFailed(EndpointId),
    /// The endpoint was seen on the LAN, or its addresses were published.
    News(EndpointId),
    /// The addresses or routes of this machine changed.
    NetworkChanged,
    /// The deadline has passed.
    Tick,
}

/// What shall be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Dial the endpoint; exactly one [`Input::Connected`] or [`Input::DialFailed`] must follow
    /// within bounded time. If a dial of it is under way, that one takes the addresses that are
    /// new, and what follows is the answer to both.
    Dial(EndpointId),
}

/// When to dial which endpoint again.
///
/// After every [`handle`](Self::handle) the caller takes [`poll`](Self::poll) until it gives
/// `None`, and calls `handle` with [`Input::Tick`] when [`deadline`](Self::deadline) has passed.
/// Times are Unix milliseconds; a clock that is set back prolongs no wait beyond
/// [`LONGEST_WAIT_MS`].
#[derive(Clone, Debug, Default)]
pub struct Redial {
    peers: BTreeMap<EndpointId, Peer>,
    /// Those that wait, by when they are due.
    due: BTreeSet<(u64, EndpointId)>,
    /// Those of which the dial under way is to take further addresses, by when.
    due_again: BTreeSet<(u64, EndpointId)>,
    under_way: usize,
    /// When it was last told something.
    told: u64,
    outputs: VecDeque<Output>,
}

impl Redial {
    /// A machine that wants nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one input.
    pub fn handle<R: CryptoRng + ?Sized>(&mut self, input: Input, now: u64, rng: &mut R) {
        if now < self.told {
            self.change_all(|peer| peer.clamp(now));
        }
        self.told = now;
        match input {
            Input::Want(id) => {
                if !self.peers.contains_key(&id) {
                    self.enter(id, Peer::new(now));
                }
                self.change(id, Peer::want);
            }
            Input::Forget(id) => self.change(id, Peer::forget),
            Input::Connected(id) => {
                if !self.peers.contains_key(&id) {
                    self.enter(id, Peer::calling(now));
                }
                self.change(id, |peer| peer.connected(now));
            }
            Input::Lost(id) => self.change(id, |peer| peer.lost(now, rng)),
            Input::Unmet(id) => self.change(id, |peer| peer.unmet(now, rng)),
            Input::DialFailed(id) => self.change(id, |peer| peer.dial_failed(now, rng)),
            Input::News(id) => self.change(id, |peer| peer.moved(now)),
            Input::NetworkChanged => self.change_all(|peer| peer.news(now)),
            Input::Tick => {}
        }
        self.start(now);
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the next endpoint is due, in Unix milliseconds; `None` while nobody waits, or while no
    /// further dial may begin before one has ended.
    pub fn deadline(&self) -> Option<u64> {
        let again = self.due_again.first();
        let due = self.due.first().filter(|_| self.room() > 0);
        [again, due].into_iter().flatten().map(|(at, _)| *at).min()
    }

    /// How many dials are under way.
    pub fn under_way(&self) -> usize {
        self.under_way
    }

    fn room(&self) -> usize {
        MAX_UNDER_WAY.saturating_sub(self.under_way)
    }

    /// Tells a peer, and drops it where nothing is to be kept about it.
    fn change(&mut self, id: EndpointId, tell: impl FnOnce(&mut Peer) -> Keep) {
        let Some(mut peer) = self.peers.remove(&id) else {
            return;
        };
        if let Some(at) = peer.due() {
            self.due.remove(&(at, id));
        }
        if let Some(at) = peer.due_again() {
            self.due_again.remove(&(at, id));
        }
        self.under_way -= usize::from(peer.is_dialling());
        if tell(&mut peer) == Keep::Yes {
            self.enter(id, peer);
        }
    }

    fn change_all(&mut self, tell: impl Fn(&mut Peer) -> Keep) {
        let all: Vec<EndpointId> = self.peers.keys().copied().collect();
        for id in all {
            self.change(id, &tell);
        }
    }

    /// Enters a peer where it is found by when it is due.
    fn enter(&mut self, id: EndpointId, peer: Peer) {
        self.due.extend(peer.due().map(|at| (at, id)));
        self.due_again.extend(peer.due_again().map(|at| (at, id)));
        self.under_way += usize::from(peer.is_dialling());
        self.peers.insert(id, peer);
    }

    /// Begins what is due, the longest due first, as far as there is room (`DEL-12`); a dial under
    /// way has its room.
    fn start(&mut self, now: u64) {
        // Thousands may be due: no more are looked at than there is room for.
        let by_now = |due: &BTreeSet<(u64, EndpointId)>, most: usize| {
            let due = due.iter().take_while(|(at, _)| *at <= now);
            due.take(most).map(|(_, id)| *id).collect::<Vec<_>>()
        };
        let mut again = by_now(&self.due_again, usize::MAX);
        again.sort_unstable();
        let due = by_now(&self.due, self.room());
        for id in again.into_iter().chain(due) {
            self.change(id, |peer| peer.dial(now));
            self.outputs.push_back(Output::Dial(id));
        }
    }
}

#[cfg(test)]
mod tests;
