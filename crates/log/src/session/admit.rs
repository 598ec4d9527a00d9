//! Taking an event in, and what that changes for others.

use std::sync::Arc;

use super::{Admitted, Session};
use crate::{
    event::Event,
    frontier::Head,
    ids::EventId,
    roster::{Fold, Operation, Shift},
    standing::{Changes, Standing},
    store::{Base, LogStore, Position, StoreError},
};

/// How many events are read at a time.
const PAGE: usize = 256;

impl Session {
    pub(super) fn admit<S: LogStore>(
        &mut self,
        store: &mut S,
        event: &Event,
    ) -> Result<Admitted, StoreError> {
        let forked_anew = self.note_fork(event);
        let standing = self.standing_on_arrival(event);
        let position = self.insert(store, event, standing)?;
        let mut changes = Changes::default();
        if forked_anew {
            self.unfold(store)?;
            self.forks.find_floor(store, self.id)?;
            self.restand_forks(store, &mut changes)?;
        } else if standing.counts() && !self.forks.points().is_empty() {
            self.forks.uphold(store, event, &mut changes)?;
        }
        Ok(Admitted {
            forked: forked_anew,
            ..admitted(event, position, standing, changes)
        })
    }

    pub(super) fn admit_operation<S: LogStore>(
        &mut self,
        store: &mut S,
        event: &Event,
        operation: Operation,
    ) -> Result<Admitted, StoreError> {
        let forked_anew = self.note_fork(event);
        self.unfold(store)?;
        self.exclude_from_pasts(store, &operation)?;
        let past = operation.past.clone();
        let Self { fold, outcome, .. } = self;
        let fold = fold.get_mut().ok_or(NOT_READ)?;
        let shift = fold.push(operation, outcome);
        let standing = fold.standing_of(event, outcome.roster());
        let position = self.insert(store, event, standing)?;
        store.put_past(event.id(), &past, base(self.fold(store)?, event.id()))?;
        self.keep_shift(store, &shift, position)?;
        let mut changes = Changes::default();
        self.restand_operations(store, &shift, &mut changes)?;
        self.restand_chains(store, &shift, &mut changes)?;
        if forked_anew {
            self.forks.find_floor(store, self.id)?;
        }
        self.restand_forks(store, &mut changes)?;
        Ok(Admitted {
            roster_changed: shift.roster_changed,
            forked: forked_anew,
            ..admitted(event, position, standing, changes)
        })
    }

    pub(super) fn insert<S: LogStore>(
        &mut self,
        store: &mut S,
        event: &Event,
        standing: Standing,
    ) -> Result<Position, StoreError> {
        let position = store.insert(event, standing)?;
        let header = event.header();
        self.latest = self.latest.max(header.time);
        self.untip_parents(store, event)?;
        let author = event.author();
        let branches = self.frontier.branches(author);
        let follows = branches.iter().find(|head| Some(head.id) == header.prev);
        let branch = follows.map_or(branches.len() as u32, |head| head.branch);
        let head = Head {
            author,
            branch,
            seq: header.seq,
            id: event.id(),
            time: header.time,
            tip: true,
        };
        store.put_head(self.id, &head)?;
        self.frontier.put(head);
        if let Some(summary) = self.summed_up.get_mut() {
            Arc::make_mut(summary).set_chain(author, self.frontier.branches(author));
        }
        Ok(position)
    }

    /// A parent that is some other chain's head is no tip any more.
    fn untip_parents<S: LogStore>(
        &mut self,
        store: &mut S,
        event: &Event,
    ) -> Result<(), StoreError> {
        let prev = event.header().prev;
        for parent in event.parents().filter(|parent| Some(*parent) != prev) {
            let Some(head) = self.frontier.find(parent).filter(|head| head.tip) else {
                continue;
            };
            let head = Head {
                tip: false,
                ..*head
            };
            store.put_head(self.id, &head)?;
            self.frontier.put(head);
        }
        Ok(())
    }

    /// Whether an event that is about to enter shows a fork at a place where none was known.
    fn note_fork(&mut self, event: &Event) -> bool {
        let author = event.author();
        let branches = self.frontier.branches(author);
        let prev = event.header().prev;
        let follows = branches.iter().any(|head| Some(head.id) == prev);
        let opens = !branches.is_empty() && !follows;
        opens && self.forks.note(author, event.header().seq)
    }

    /// The standing of an ordinary event on which nothing builds yet.
    fn standing_on_arrival(&self, event: &Event) -> Standing {
        let (author, seq) = (event.author(), event.header().seq);
        if !self.forks.contain(author, seq) {
            let time = event.header().time;
            return self.roster().standing(author, seq, time);
        }
        // What ended or silenced the chain came before this, and so had not seen it.
        let unseen = |_, _: &[EventId]| false;
        match self
            .roster()
            .standing_if(author, event.header().time, unseen)
        {
            Standing::Counted => Standing::Forked,
            otherwise => otherwise,
        }
    }

    /// An operation that comes now lay in no earlier one's past, also where its `seq` did.
    fn exclude_from_pasts<S: LogStore>(
        &mut self,
        store: &mut S,
        new: &Operation,
    ) -> Result<(), StoreError> {
        if !self.forks.contain(new.order.author, new.order.seq) {
            return Ok(());
        }
        let fold = self.fold.get_mut().ok_or(NOT_READ)?;
        let changed: Vec<EventId> = fold.exclude(&new.order);
        for earlier in changed.iter().filter_map(|id| fold.find(*id)) {
            let id = earlier.order.id;
            store.put_past(id, &earlier.past, base(fold, id))?;
        }
        Ok(())
    }

    /// Operations that began or ceased to count.
    fn restand_operations<S: LogStore>(
        &self,
        store: &mut S,
        shift: &Shift,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        for id in &shift.verdicts {
            let stored = store
                .event(*id)?
                .ok_or(StoreError::Damaged("a roster operation is missing"))?;
            let standing = self.fold(store)?.standing_of(&stored.event, self.roster());
            changes.set(store, &stored, standing)?;
        }
        Ok(())
    }

    /// Events of chains that ended, came back or never rightly began; those within forks aside.
    fn restand_chains<S: LogStore>(
        &self,
        store: &mut S,
        shift: &Shift,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        let fold = self.fold(store)?;
        for (author, from) in &shift.chains {
            let mut from = Some(*from);
            while let Some(seq) = from {
                let page = store.chain(self.id, *author, seq, PAGE)?;
                for stored in &page {
                    if !self.forks.contain(*author, stored.event.header().seq) {
                        let standing = fold.standing_of(&stored.event, self.roster());
                        changes.set(store, stored, standing)?;
                    }
                }
                let last = page.last().filter(|_| page.len() == PAGE);
                from = last.map(|last| last.event.header().seq.saturating_add(1));
            }
        }
        Ok(())
    }

    fn restand_forks<S: LogStore>(
        &self,
        store: &mut S,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        if self.forks.points().is_empty() {
            return Ok(());
        }
        let fold = self.fold(store)?;
        self.forks
            .restand(store, self.id, (fold, self.roster()), changes)
    }
}

/// [`Session::unfold`] comes before.
const NOT_READ: StoreError = StoreError::Damaged("the roster operations were not read");

/// What an operation's past is stored as different from.
fn base(fold: &Fold, id: EventId) -> Option<Base<'_>> {
    let base = fold.base(id)?;
    Some(Base {
        id: base.order.id,
        past: &base.past,
    })
}

fn admitted(
    event: &Event,
    position: Position,
    standing: Standing,
    mut changes: Changes,
) -> Admitted {
    let judged = changes.judged();
    let own: Option<Standing> = changes.take(event.id());
    let changes: Vec<(EventId, Standing)> = changes.into_vec();
    Admitted {
        position,
        standing: own.unwrap_or(standing),
        changes,
        judged,
        roster_changed: false,
        forked: false,
    }
}
