//! What others may bring unasked (NODE-301 to NODE-304): a limit on what is kept of them until a
//! person has looked, not on how fast it comes.
//!
//! ```text
//! events, registers, small files of an identity in a session ──▶ counted ── too much ──▶ refused, a person is told
//!                                                                    ▲
//!                       somebody here writes or reads there ─────────┘ counted anew, compared anew
//! ```

use std::collections::BTreeMap;

use tenet_identity::keys::IdentityId;
use tenet_log::{event::Event, ids::SessionId, session::Admitted};

use super::Engine;
use crate::{input::Notice, storage::Storage};

/// How much of one identity is taken into one session until a person has written or read there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Bytes of the log, with what it costs to keep and to judge them.
    pub log: u64,
    /// Bytes of files that are fetched unasked.
    pub files: u64,
}

impl Default for Allowance {
    /// A guess: 256 MiB of log are 300,000 short messages, more than the longest absence brings; 1 GiB of
    /// files are two hundred photos.
    fn default() -> Self {
        Self {
            log: 256 << 20,
            files: 1 << 30,
        }
    }
}

/// What an event costs besides its bytes: rows, indexes, views.
const PER_EVENT: u64 = 512;

/// What an operation costs: all of a session's operations are folded anew with each.
const PER_OPERATION: u64 = 64 << 10;

/// What a file costs at least: a request, and a place in memory until it is here.
const PER_FILE: u64 = 64 << 10;

/// What was taken of everybody.
#[derive(Default)]
pub(crate) struct Allowances {
    limit: Allowance,
    taken: BTreeMap<(SessionId, IdentityId), Taken>,
}

#[derive(Default)]
struct Taken {
    log: u64,
    files: u64,
    /// The person was told that this is too much.
    told: bool,
}

impl Allowances {
    /// Another limit than the usual one.
    pub(crate) fn set(&mut self, limit: Allowance) {
        self.limit = limit;
    }

    /// Whether nothing more is taken.
    fn is_spent(&self, session: SessionId, identity: IdentityId) -> bool {
        let taken = self.taken.get(&(session, identity));
        taken.is_some_and(|taken| taken.log >= self.limit.log)
    }

    /// Counts; whether a person is to be told now.
    fn charge(&mut self, session: SessionId, identity: IdentityId, cost: u64) -> bool {
        let taken = self.taken.entry((session, identity)).or_default();
        taken.log = taken.log.saturating_add(cost);
        taken.log >= self.limit.log && !std::mem::replace(&mut taken.told, true)
    }

    /// Whether a file of this size may be fetched unasked; it is counted then.
    fn charge_file(&mut self, session: SessionId, identity: IdentityId, size: u64) -> bool {
        let taken = self.taken.entry((session, identity)).or_default();
        let after = taken.files.saturating_add(size.max(PER_FILE));
        let fits = after <= self.limit.files;
        if fits {
            taken.files = after;
        }
        fits
    }

    /// Forgets what was taken in a session; whether somebody was refused there.
    fn renew(&mut self, session: SessionId) -> bool {
        let mut refused = false;
        self.taken.retain(|(of, _), taken| {
            refused |= *of == session && taken.told;
            *of != session
        });
        refused
    }
}

impl<S: Storage> Engine<S> {
    /// Limits what others may bring unasked otherwise than usual.
    pub fn allow(&mut self, limit: Allowance) {
        self.allowances.set(limit);
    }

    /// NODE-301: whether nothing more of an identity is taken into a session. Of oneself everything is.
    pub(super) fn is_too_much(&self, session: SessionId, identity: Option<IdentityId>) -> bool {
        identity.is_some_and(|identity| {
            identity != self.own.identity() && self.allowances.is_spent(session, identity)
        })
    }

    /// Counts an event of somebody else that was taken in, with all that had to be judged anew for it.
    pub(super) fn charge_event(&mut self, event: &Event, admitted: Option<&Admitted>) {
        let judged = admitted.map_or(0, |admitted| admitted.judged as u64);
        let operation = match event.header().kind.is_roster() {
            true => PER_OPERATION,
            false => PER_EVENT,
        };
        let cost = judged.saturating_mul(PER_EVENT) + operation + event.wire_len() as u64;
        let identity = self.author_of(event);
        self.charge(event.session(), identity, cost);
    }

    /// Counts something of an identity that is kept.
    pub(super) fn charge(&mut self, session: SessionId, identity: Option<IdentityId>, cost: u64) {
        let Some(identity) = identity.filter(|identity| *identity != self.own.identity()) else {
            return;
        };
        if self.allowances.charge(session, identity, cost) {
            self.notify(Notice::TooMuch { session, identity });
        }
    }

    /// NODE-303: whether a file that somebody named may be fetched unasked.
    pub(super) fn may_fetch_unasked(&mut self, event: &Event, size: u64) -> bool {
        let Some(identity) = self.author_of(event) else {
            return false;
        };
        identity == self.own.identity()
            || self.allowances.charge_file(event.session(), identity, size)
    }

    /// NODE-304: somebody here has written or read in a session, and so seen what came: it is counted
    /// from the beginning, and who was refused is heard again.
    pub(crate) fn has_looked(&mut self, now: u64, session: SessionId) {
        if !self.allowances.renew(session) {
            return;
        }
        self.compare_anew(now, session);
    }

    /// Whose device wrote an event.
    pub(super) fn author_of(&self, event: &Event) -> Option<IdentityId> {
        let session = self.sessions.get(&event.session())?;
        session.roster().identity(event.author())
    }
}
