//! Revocations of devices of mine, handed in where they are not known.

use rand_core::Rng;
use tenet_identity::{card::Revocation, keys::DeviceId};
use tenet_log::{ids::SessionId, roster::Op};

use super::{Engine, Fault, Ours, Place};
use crate::storage::Storage;

/// How long a revocation may lack in a session before it is handed in, in milliseconds, and as much again by chance.
///
/// Whoever revokes says so in every session, and what is said comes in one session after the other: it is not said twice
/// for that. By chance, so that of several devices one is first.
const PATIENCE_MS: u64 = 60_000;

/// How long after a process began it may lack if it was said long before, in milliseconds: what comes with the first
/// connections is waited for.
const AT_START_MS: u64 = 2_000;

impl<S: Storage> Engine<S> {
    /// NODE-604: looks for sessions in which a revocation lacks, and at them again when it had time to come.
    pub(super) fn plan_handing_in(&mut self, now: u64) {
        if self.hand_in_at.is_none() && self.lacking().next().is_some() {
            self.hand_in_at = Some(self.after_a_while(now));
        }
    }

    /// What was said long before a process began had its time to come, and many a process does not live as long as that.
    pub(super) fn hand_in_soon(&mut self, now: u64) {
        let lacking = self
            .lacking()
            .filter_map(|(_, device)| self.revocation(device));
        let patient = lacking.map(|one| one.time().saturating_add(2 * PATIENCE_MS));
        let at = patient
            .max()
            .map(|at| at.min(now.saturating_add(2 * PATIENCE_MS)));
        self.hand_in_at = at.map(|at| at.max(now.saturating_add(AT_START_MS)));
    }

    fn after_a_while(&mut self, now: u64) -> u64 {
        now.saturating_add(PATIENCE_MS + self.rng.next_u64() % PATIENCE_MS)
    }

    /// NODE-604: what was said of a device of mine holds also where whoever said so was not in yet, or where the
    /// device comes in because nobody there has heard of it.
    pub(super) fn hand_in_due(&mut self, now: u64) -> Result<(), Fault> {
        if self.hand_in_at.is_none_or(|at| now < at) {
            return Ok(());
        }
        // What fails is not to be due again at once, for ever; what is undone is planned anew.
        self.hand_in_at = Some(self.after_a_while(now));
        for (id, device) in self.lacking().collect::<Vec<_>>() {
            // One of them may be this device: after that it says nothing there.
            if self.place(id) == Place::In {
                self.hand_in(now, id, device)?;
            }
        }
        self.hand_in_at = None;
        Ok(())
    }

    /// Devices of mine that were revoked, and sessions in which both I and they are still.
    fn lacking(&self) -> impl Iterator<Item = (SessionId, DeviceId)> {
        let me = self.own.identity();
        let mine = self.revoked.iter().filter(move |(who, _)| *who == me);
        let mine = mine.filter(|_| !self.is_set_back());
        mine.flat_map(|(_, device)| {
            let sessions = self.sessions.iter().filter(|(id, session)| {
                let roster = session.roster();
                let active = roster.author(*device).is_some();
                active && !roster.revoked.contains(device) && self.place(**id) == Place::In
            });
            sessions.map(|(id, _)| (*id, *device))
        })
    }

    fn revocation(&self, device: DeviceId) -> Option<&Revocation> {
        self.sessions.values().find_map(|it| it.revocation(device))
    }

    fn hand_in(&mut self, now: u64, id: SessionId, device: DeviceId) -> Result<(), Fault> {
        let Some(op) = self.revocation(device).map(|one| Op::Revoke(one.clone())) else {
            return Ok(());
        };
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(());
        };
        let (event, admitted) = session.operate(&mut self.store, &self.own.key, &op, now)?;
        self.admitted(now, id, &event, admitted, Some(Ours))
    }
}
