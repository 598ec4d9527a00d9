//! Whoever waits: for a message to be delivered or read, for a link to be taken, for quiet.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tenet_identity::meeting::invite::InviteId;
use tenet_log::ids::{EventId, SessionId};
use tenet_rpc::{
    api,
    server::{Answerer, answer},
};
use tokio::sync::watch;

/// Somebody who waits for an own message.
pub(super) struct ForMessage {
    number: u64,
    pub(super) session: SessionId,
    wanted: api::State,
    answerer: Answerer,
}

/// Somebody who waits for a link that was accepted here.
pub(super) struct ForLink {
    number: u64,
    pub(super) answerer: Answerer,
}

/// All who wait. Nobody is woken for nothing: whoever is answered leaves.
pub(super) struct Waiters {
    waiting: Mutex<Waiting>,
    activity: watch::Sender<u64>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    messages: BTreeMap<EventId, Vec<ForMessage>>,
    links: BTreeMap<InviteId, Vec<ForLink>>,
    looks: BTreeMap<InviteId, Vec<Answerer>>,
}

impl Default for Waiters {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            activity: watch::Sender::new(0),
        }
    }
}

impl Waiters {
    /// Begins to wait for a message; the number is for [`Self::give_up_message`].
    pub(super) fn for_message(
        &self,
        id: EventId,
        session: SessionId,
        wanted: api::State,
        answerer: Answerer,
    ) -> u64 {
        let mut waiting = self.lock();
        let number = waiting.number();
        let waiter = ForMessage {
            number,
            session,
            wanted,
            answerer,
        };
        waiting.messages.entry(id).or_default().push(waiter);
        number
    }

    /// Messages have reached a state: whoever waits for it or less is answered.
    pub(super) fn reached(&self, ids: &[EventId], state: api::State) {
        let mut waiting = self.lock();
        if waiting.messages.is_empty() {
            return;
        }
        for id in ids {
            let Some(waiters) = waiting.messages.remove(id) else {
                continue;
            };
            let (done, left): (Vec<_>, Vec<_>) = waiters
                .into_iter()
                .partition(|waiter| state.reaches(waiter.wanted));
            if !left.is_empty() {
                waiting.messages.insert(*id, left);
            }
            for waiter in done {
                waiter.answer(*id, state, None);
            }
        }
    }

    /// A message stands under another id: whoever waits for it waits for that one.
    pub(super) fn moved(&self, old: EventId, new: EventId) {
        let mut waiting = self.lock();
        let waiters = waiting.messages.remove(&old).unwrap_or_default();
        if !waiters.is_empty() {
            waiting.messages.entry(new).or_default().extend(waiters);
        }
    }

    /// Sessions with somebody who waits for a message of them to be read.
    pub(super) fn wait_for_reading(&self, session: SessionId) -> bool {
        let waiting = self.lock();
        let mut all = waiting.messages.values().flatten();
        all.any(|waiter| waiter.session == session && waiter.wanted == api::State::Read)
    }

    /// Waits no longer: takes the waiter out, if it was not answered meanwhile, with the message
    /// that it waits for now.
    pub(super) fn give_up_message(&self, number: u64) -> Option<(EventId, ForMessage)> {
        let mut waiting = self.lock();
        let mut all = waiting.messages.iter();
        let (id, at) = all.find_map(|(id, waiters)| {
            let at = waiters.iter().position(|waiter| waiter.number == number)?;
            Some((*id, at))
        })?;
        let waiters = waiting.messages.get_mut(&id)?;
        let waiter = waiters.swap_remove(at);
        if waiters.is_empty() {
            waiting.messages.remove(&id);
        }
        Some((id, waiter))
    }

    /// Begins to wait for a link to be taken.
    pub(super) fn for_link(&self, id: InviteId, answerer: Answerer) -> u64 {
        let mut waiting = self.lock();
        let number = waiting.number();
        waiting
            .links
            .entry(id)
            .or_default()
            .push(ForLink { number, answerer });
        number
    }

    /// Everybody who waits for a link.
    pub(super) fn take_link(&self, id: InviteId) -> Vec<ForLink> {
        self.lock().links.remove(&id).unwrap_or_default()
    }

    /// Waits no longer for a link.
    pub(super) fn give_up_link(&self, id: InviteId, number: u64) -> Option<ForLink> {
        let mut waiting = self.lock();
        let waiters = waiting.links.get_mut(&id)?;
        let at = waiters.iter().position(|waiter| waiter.number == number)?;
        Some(waiters.swap_remove(at))
    }

    /// Begins to wait for what group a link leads into.
    pub(super) fn for_look(&self, id: InviteId, answerer: Answerer) {
        self.lock().looks.entry(id).or_default().push(answerer);
    }

    /// Everybody who waits for that.
    pub(super) fn take_looks(&self, id: InviteId) -> Vec<Answerer> {
        self.lock().looks.remove(&id).unwrap_or_default()
    }

    /// Notes that something went to or fro.
    pub(super) fn note_activity(&self) {
        self.activity.send_modify(|count| *count += 1);
    }

    /// Changes with everything that goes to and fro.
    pub(super) fn activity(&self) -> watch::Receiver<u64> {
        self.activity.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl ForMessage {
    /// Answers with the state that the message is in.
    pub(super) fn answer(self, id: EventId, state: api::State, reason: Option<String>) {
        let sent = api::Sent {
            id: id.to_string(),
            session: self.session.to_string(),
            state,
            reason,
        };
        self.answerer.answer(answer(Ok(sent)));
    }
}
