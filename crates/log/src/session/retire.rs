//! Giving up a chain that a clock far ahead has written (LOG-14).
//!
//! ```text
//! time ──────────────────────────────── now ────────────────────▶
//! old chain   a0 ── a1 ──┬───────────────│───────── a2 ── a3        void: nobody takes them yet
//! another's         b0 ──┤               │
//! new chain              └───────────── join ── remove-device (the old one, seen as far as a1)
//! ```

use std::collections::BTreeSet;

use tenet_identity::{
    card::DeviceCard,
    keys::{DeviceId, DeviceKey},
};

use super::{Admitted, AppendError, Session};
use crate::{
    clock::Hlc,
    event::{Content, Event, Header, Kind, MAX_DEPS},
    frontier::Head,
    ids::{Author, EventId},
    roster::{Op, OpError, Operation},
    standing::Standing,
    store::{LogStore, StoreError},
};

/// A chain that was given up.
#[derive(Debug)]
pub struct Retired {
    /// The chain.
    pub chain: Author,
    /// From this place on its events are void.
    pub from: u64,
    /// What gave it up, in order: a device's joining once more, and the removal of its old chain.
    pub operations: Vec<(Event, Admitted)>,
}

impl Session {
    /// Whether the chain on which this device writes is more than a day ahead of a clock (Unix
    /// milliseconds).
    pub fn is_far_ahead(&self, device: DeviceId, clock: u64) -> bool {
        let author = self.roster().author(device);
        let head = author.and_then(|author| self.frontier.head(author));
        head.is_some_and(|head| head.time.is_far_ahead(clock))
    }

    /// Gives up the chain on which this device writes, if it is more than a day ahead of `now`, and
    /// begins another at `now`.
    ///
    /// What of the old chain is too early at `now` is void from then on; it stays in the set.
    /// `None` where the chain is not far ahead, where all of the session is, and where the device
    /// may not write.
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn retire<S: LogStore>(
        &mut self,
        store: &mut S,
        key: &DeviceKey,
        card: &DeviceCard,
        now: u64,
    ) -> Result<Option<Retired>, AppendError> {
        let Ok(chain) = self.own_author(key.public()) else {
            return Ok(None);
        };
        if !self.is_far_ahead(chain.device, now) {
            return Ok(None);
        }
        let seen = self.seen_in_time(store, chain, now)?;
        let Some(latest) = seen.iter().map(|(_, time)| *time).max() else {
            return Ok(None);
        };
        let mut deps: Vec<EventId> = seen.iter().map(|(id, _)| *id).take(MAX_DEPS).collect();
        deps.sort_unstable();
        let join = self.header_of(&Op::Join(card.clone()), chain.device, latest.next(now))?;
        let join = Event::sign(key, Header { deps, ..join }, None);
        let removals = self.removals(key, &join, self.own_too_early(chain, now), now)?;
        self.unfold(store)?;
        let mut operations = Vec::new();
        for event in std::iter::once(join).chain(removals) {
            let seen = self.seen(store, &event)?;
            let operation = Operation::new(&event, seen.past)?
                .ok_or(OpError::Contradiction("not an operation"))?;
            let admitted = self.admit_operation(store, &event, operation)?;
            self.note_named(store, &event, now)?;
            operations.push((event, admitted));
        }
        if self.roster().author(chain.device) == Some(chain) {
            return Err(AppendError::NotOnRoster);
        }
        Ok(Some(Retired {
            chain,
            from: self.roster().cut(chain),
            operations,
        }))
    }

    /// What ends chains, on the one that another operation begins.
    fn removals(
        &self,
        key: &DeviceKey,
        join: &Event,
        chains: BTreeSet<Author>,
        now: u64,
    ) -> Result<Vec<Event>, AppendError> {
        let mut removals: Vec<Event> = Vec::new();
        for chain in chains {
            let last = removals.last().unwrap_or(join);
            let removal = Op::RemoveDevice(chain);
            let time = last.header().time.next(now);
            let header = Header {
                added_by: Some(join.id()),
                seq: last.header().seq.saturating_add(1),
                prev: Some(last.id()),
                ..self.header_of(&removal, chain.device, time)?
            };
            removals.push(Event::sign(key, header, None));
        }
        Ok(removals)
    }

    /// A chain that is given up, and others of its device that are too early at `now`: what ended those may have been
    /// written on the first, and be void with it.
    fn own_too_early(&self, chain: Author, now: u64) -> BTreeSet<Author> {
        let heads = self.frontier.heads();
        let early = heads.filter(|head| head.time.is_too_early(now));
        let own = early.map(|head| head.author);
        let own = own.filter(|author| author.device == chain.device);
        own.chain([chain]).collect()
    }

    /// Whether a device builds nothing on a head, because it is too early by the device's clock
    /// (LOG-10): if it is void, and once the device has given up what it wrote itself so early.
    ///
    /// What counts is else built upon, so that an answer never stands before its question: it may
    /// be the device's own clock that is wrong.
    pub(super) fn is_out_of_time(&self, device: DeviceId, head: &Head, now: u64) -> bool {
        if !head.time.is_too_early(now) {
            return false;
        }
        let is_given_up = |author: &Author| {
            let last = self.frontier.head(*author);
            author.device == device && last.is_some_and(|last| last.time.is_too_early(now))
        };
        let mut ended = self
            .roster()
            .chains
            .iter()
            .filter(|(_, chain)| chain.end.is_some());
        !self.counts(head) || ended.any(|(author, _)| is_given_up(author))
    }

    /// Whether an ordinary event in a head's place counts, forks aside.
    pub(super) fn counts(&self, head: &Head) -> bool {
        let roster = self.roster();
        roster.standing(head.author, head.seq, head.time).counts()
    }

    /// The latest time of what a device may build upon (LOG-7).
    pub(super) fn latest_at(&self, device: DeviceId, now: u64) -> Hlc {
        if !self.latest.is_too_early(now) {
            return self.latest;
        }
        let heads = self.frontier.heads();
        let heads = heads.filter(|head| !self.is_out_of_time(device, head, now));
        heads.map(|head| head.time).max().unwrap_or_default()
    }

    /// Of every branch the last event that is not too early at `now`: first of the given chain,
    /// then of the own identity's, then of those that count. What they build on is not too early
    /// either.
    fn seen_in_time<S: LogStore>(
        &self,
        store: &S,
        chain: Author,
        now: u64,
    ) -> Result<Vec<(EventId, Hlc)>, StoreError> {
        let identity = self.roster().identity(chain);
        let mut seen = Vec::new();
        for head in self.frontier.heads() {
            let mut at = Some(head.id);
            while let Some(id) = at {
                let stored = store
                    .event(id)?
                    .ok_or(StoreError::Damaged("an event lacks its parent"))?;
                let header = stored.event.header();
                if header.time.is_too_early(now) {
                    at = header.prev;
                    continue;
                }
                if stored.standing != Standing::Forked {
                    let own = self.roster().identity(head.author) == identity;
                    let rank = (
                        head.author != chain,
                        !own,
                        !stored.standing.counts(),
                        id,
                        header.time,
                    );
                    seen.push(rank);
                }
                break;
            }
        }
        seen.sort_unstable();
        // Branches of one chain go back to one event.
        seen.dedup();
        let seen = seen.into_iter();
        Ok(seen.map(|(.., id, time)| (id, time)).collect())
    }

    /// What begins a chain by itself, and builds on nothing yet.
    fn header_of(&self, op: &Op, device: DeviceId, time: Hlc) -> Result<Header, AppendError> {
        Ok(Header {
            session: Some(self.id),
            device,
            added_by: None,
            seq: 0,
            prev: None,
            deps: Vec::new(),
            time,
            kind: Kind::new(op.kind())?,
            content: Content::Payload(op.payload()),
            expires: None,
        })
    }
}
