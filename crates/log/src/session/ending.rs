//! What a device that is out of a session may still hear: how it came to be out.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::{DeviceId, IdentityId};

use super::Session;
use crate::{
    clock::Hlc,
    event::Event,
    frontier::Past,
    ids::{Author, EventId},
    order::OrderKey,
    roster::{Fold, Membership, Op, Operation},
    store::{LogStore, StoreError},
    sync::HeadEntry,
};

/// The operations that ended a device's time in a session, with all that their authors had seen.
///
/// That is the least that can be sent: an event is taken only by who has all that it builds on (LOG-6).
#[derive(Clone, Debug)]
pub struct Ending {
    device: DeviceId,
    operations: Vec<(OrderKey, Past)>,
    /// Chains of which a past says only how far they were seen, not on which branch.
    forks: BTreeMap<Author, u64>,
    /// What was found out of events on those.
    judged: BTreeMap<EventId, bool>,
}

impl Session {
    /// How a device came to be out; `None` for who is in, never was, or could come in by itself (ROS-2).
    ///
    /// # Errors
    /// [`StoreError`], as for all here that ask operations themselves.
    pub fn ending<S: LogStore>(
        &self,
        store: &S,
        device: DeviceId,
    ) -> Result<Option<Ending>, StoreError> {
        if !self.is_out(device) {
            return Ok(None);
        }
        let reasons = self.reasons_of(self.fold(store)?, device);
        Ok(Some(self.told_to(device, reasons)))
    }

    /// The same, also of a device that nobody has seen and of which the identity is out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn ending_for<S: LogStore>(
        &self,
        store: &S,
        identity: IdentityId,
        device: DeviceId,
    ) -> Result<Option<Ending>, StoreError> {
        if !self.is_gone(identity, device) {
            return self.ending(store, device);
        }
        let fold = self.fold(store)?;
        let reasons = fold.reasons(fold.takings(identity), device, Some(identity));
        Ok(Some(self.told_to(device, reasons)))
    }

    fn told_to(&self, device: DeviceId, mut reasons: Vec<&Operation>) -> Ending {
        reasons.sort_unstable_by_key(|end| end.order);
        let operations = reasons.into_iter();
        let operations = operations.map(|end| (end.order, end.past.clone()));
        Ending {
            device,
            operations: operations.collect(),
            forks: self.forks().clone(),
            judged: BTreeMap::new(),
        }
    }

    /// Whether nobody has seen a device, and its identity was in and is out: so is the device, wherever it believes to be.
    pub fn is_gone(&self, identity: IdentityId, device: DeviceId) -> bool {
        let out = !self.roster().members.contains_key(&identity) && !self.has_seen(device);
        out && self.outcome.was_taken(identity)
    }

    /// Whether devices of an identity were in and it is out.
    pub fn has_lost(&self, identity: IdentityId) -> bool {
        let roster = self.roster();
        let mut chains = roster.chains.values();
        let was_in = chains.any(|chain| chain.identity == identity);
        was_in && !roster.members.contains_key(&identity)
    }

    /// The operations that ended the time of a device, each once: one may have ended several chains of it.
    fn ends_of(&self, device: DeviceId) -> BTreeSet<EventId> {
        let chains = self.roster().chains_of(device);
        let ends = chains.filter_map(|(_, chain)| chain.end.as_ref());
        ends.flat_map(|end| end.operations.iter().copied())
            .collect()
    }

    /// Whether a device wrote itself what ended its time.
    pub fn has_ended_itself(&self, device: DeviceId) -> bool {
        let chains = self.roster().chains_of(device);
        let mut ends = chains.filter_map(|(_, chain)| chain.end.as_ref());
        ends.any(|end| end.by_itself)
    }

    /// Those, what had it begin in vain, what took its identity last (it may have come in once more, and nobody heard of
    /// it), and whatever else lets these count or not.
    fn reasons_of<'a>(&self, fold: &'a Fold, device: DeviceId) -> Vec<&'a Operation> {
        let mut ends = self.ends_of(device);
        let identity = self.owner_of(device);
        ends.extend(identity.into_iter().flat_map(|one| fold.takings(one)));
        fold.reasons(ends, device, identity)
    }

    /// Devices that are out, and whose they are.
    pub fn outsiders(&self) -> BTreeMap<DeviceId, IdentityId> {
        let ended = self.roster().chains.iter();
        let ended = ended.filter(|(_, chain)| chain.end.is_some());
        let ended = ended.map(|(author, chain)| (author.device, chain.identity));
        let mut all: BTreeMap<_, _> = ended.chain(self.outcome.in_vain()).collect();
        all.retain(|device, _| self.is_out(*device));
        all
    }

    /// What ended a device's last time in the session, or that of its identity where it never was in itself, and whose
    /// doing that was; `None` where it is in, or neither was. Of several that did, the last in the order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn departure<S: LogStore>(
        &self,
        store: &S,
        identity: IdentityId,
        device: DeviceId,
    ) -> Result<Option<(&Op, Option<IdentityId>)>, StoreError> {
        if self.roster().author(device).is_some() {
            return Ok(None);
        }
        let mut ends = self.ends_of(device);
        let lost = ends.is_empty() && self.has_lost(identity);
        if ends.is_empty() && !lost {
            return Ok(None);
        }
        let fold = self.fold(store)?;
        if lost {
            ends.extend(fold.takings(identity));
        }
        let ends = ends.into_iter().filter_map(|id| fold.find(id));
        let last = ends.max_by_key(|end| end.order);
        Ok(last.map(|last| (&last.op, self.whose(last.order.author))))
    }

    /// Whether a device was in, or came in in vain, and is out by what its identity cannot undo alone. One that never had
    /// the right to come in knows that itself.
    pub fn is_out(&self, device: DeviceId) -> bool {
        let members = &self.roster().members;
        let mut whose = self.outcome.owners_of(device).peekable();
        let mut chains = self.roster().chains_of(device);
        whose.peek().is_some()
            && whose.all(|identity| !members.contains_key(&identity))
            && chains.all(|(_, chain)| chain.end.is_some())
            && (!self.ends_of(device).is_empty() || self.outcome.is_shut_out(device))
    }

    /// From when on what was said is for a device (ROS-515), if not all is. Who must be told more than what ended its time
    /// as far as it is known here learns that, and no word of what was said meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn floor_of<S: LogStore>(
        &self,
        store: &S,
        identity: IdentityId,
        device: DeviceId,
    ) -> Result<Option<Hlc>, StoreError> {
        let nothing = match self.is_out(device) {
            true => {
                let reasons = self.reasons_of(self.fold(store)?, device);
                reasons.len() > self.ends_of(device).len()
            }
            false => false,
        };
        Ok(match nothing || self.is_gone(identity, device) {
            true => Some(Hlc::MAX),
            false => self.roster().floors.get(&identity).copied(),
        })
    }

    /// Whether a device was in, went out with its identity, and that is in again: it may join by itself (ROS-2).
    /// One that was only taken out itself stays out.
    pub fn may_return(&self, device: DeviceId) -> bool {
        let roster = self.roster();
        let went = |chain: &Membership| {
            roster.members.contains_key(&chain.identity)
                && chain.end.as_ref().is_some_and(|end| end.with_identity)
        };
        roster.author(device).is_none()
            && !roster.revoked.contains(&device)
            && roster.chains_of(device).any(|(_, chain)| went(chain))
    }
}

impl Ending {
    /// Whose time it ended.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// What ended it, in no particular order.
    pub fn operations(&self) -> impl Iterator<Item = &OrderKey> {
        self.operations.iter().map(|(order, _)| order)
    }

    /// Whether both are the same ending.
    pub fn is_like(&self, other: &Self) -> bool {
        self.operations().eq(other.operations())
    }

    /// Whether who holds these heads knows it.
    pub fn is_known_by(&self, heads: &[HeadEntry]) -> bool {
        self.operations().all(|end| {
            let mut heads = heads.iter();
            heads.any(|head| head.author == end.author && head.seq >= end.seq)
        })
    }

    /// Of each of the authors how far they had seen a chain, itself included: its last place there.
    pub fn seen(&self, author: Author) -> impl Iterator<Item = (Author, u64)> {
        let last = move |(end, past): &(OrderKey, Past)| {
            // A device that wrote two histories may name the longer one in the shorter.
            let own = (end.author == author).then_some(end.seq);
            own.max(past.count(author).checked_sub(1))
        };
        let ends = self.operations.iter();
        ends.filter_map(move |one| Some((one.0.author, last(one)?)))
    }

    /// How many events of a chain belong to it, where the chain has one branch.
    pub(crate) fn count(&self, author: Author) -> u64 {
        let last = self.seen(author).map(|(_, last)| last).max();
        last.map_or(0, |last| last.saturating_add(1))
    }

    /// Whether an event belongs to it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn includes<S: LogStore>(&mut self, store: &S, event: &Event) -> Result<bool, StoreError> {
        let mut open = vec![event.clone()];
        while let Some(top) = open.last() {
            let id = top.id();
            match self.judge(top).or_else(|| self.judged.get(&id).copied()) {
                Some(_) if open.len() > 1 => {
                    open.pop();
                }
                Some(verdict) => return Ok(verdict),
                None => {
                    let parents: Vec<EventId> = top.parents().collect();
                    match self.first_unjudged(store, &parents)? {
                        Err(verdict) => {
                            self.judged.insert(id, verdict);
                        }
                        Ok(parent) => open.push(parent),
                    }
                }
            }
        }
        Ok(false)
    }

    /// What can be said of an event without looking at what it builds on: of a chain with one branch all.
    fn judge(&self, event: &Event) -> Option<bool> {
        let (author, seq) = (event.author(), event.header().seq);
        if self.operations().any(|end| end.id == event.id()) {
            return Some(true);
        }
        if seq >= self.count(author) {
            return Some(false);
        }
        let fork = self.forks.get(&author);
        fork.is_none_or(|fork| seq < *fork).then_some(true)
    }

    /// What builds on something that was not seen was not seen: the first parent that must be looked at before, or
    /// else the verdict.
    fn first_unjudged<S: LogStore>(
        &self,
        store: &S,
        parents: &[EventId],
    ) -> Result<Result<Event, bool>, StoreError> {
        for parent in parents {
            if let Some(verdict) = self.judged.get(parent) {
                if *verdict {
                    continue;
                }
                return Ok(Err(false));
            }
            let Some(stored) = store.event(*parent)? else {
                return Err(StoreError::Damaged("an event lacks its parent"));
            };
            match self.judge(&stored.event) {
                Some(true) => {}
                Some(false) => return Ok(Err(false)),
                None => return Ok(Ok(stored.event)),
            }
        }
        Ok(Err(true))
    }
}
