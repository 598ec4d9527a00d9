//! Taking an event in, and what that changes for others.

use std::collections::BTreeSet;

use super::{Admitted, Session};
use crate::{
    event::Event,
    fork,
    frontier::Head,
    ids::{Author, EventId},
    roster::{self, Operation, Roster},
    standing::Standing,
    store::{LogStore, Position, StoreError},
};

impl Session {
    pub(super) fn admit<S: LogStore>(
        &mut self,
        store: &mut S,
        event: &Event,
    ) -> Result<Admitted, StoreError> {
        let by_roster = self.roster.standing(event.author(), event.header().seq);
        let position = self.insert(store, event, by_roster)?;
        let changes = self.restand_forks(store, event)?;
        Ok(self.admitted(event, position, by_roster, changes, false))
    }

    pub(super) fn admit_operation<S: LogStore>(
        &mut self,
        store: &mut S,
        event: &Event,
        operation: Operation,
    ) -> Result<Admitted, StoreError> {
        self.operations.push(operation);
        let before = self.roster.clone();
        if let Some(roster) = roster::fold(&self.operations) {
            self.roster = roster;
        }
        let counts = self.roster.counted.contains(&event.id());
        let standing = if counts {
            Standing::Counted
        } else {
            Standing::OffRoster
        };
        let position = self.insert(store, event, standing)?;
        if let Some(operation) = self.operations.last() {
            store.put_past(event.id(), &operation.past)?;
        }
        let mut changes = self.restand_chains(store, &before)?;
        changes.extend(self.restand_forks(store, event)?);
        let roster_changed = before != self.roster;
        Ok(self.admitted(event, position, standing, changes, roster_changed))
    }

    fn admitted(
        &self,
        event: &Event,
        position: Position,
        standing: Standing,
        mut changes: Vec<(EventId, Standing)>,
        roster_changed: bool,
    ) -> Admitted {
        let own = changes
            .iter()
            .find(|(id, _)| *id == event.id())
            .map(|(_, standing)| *standing);
        changes.retain(|(id, _)| *id != event.id());
        Admitted {
            position,
            standing: own.unwrap_or(standing),
            changes,
            roster_changed,
        }
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
        Ok(position)
    }

    /// A parent that is some other chain's head is no tip any more.
    fn untip_parents<S: LogStore>(
        &mut self,
        store: &mut S,
        event: &Event,
    ) -> Result<(), StoreError> {
        for parent in &event.header().deps {
            let Some(head) = self.frontier.find(*parent).filter(|head| head.tip) else {
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

    /// Events of chains that ended, came back or never rightly began change their standing.
    fn restand_chains<S: LogStore>(
        &self,
        store: &mut S,
        before: &Roster,
    ) -> Result<Vec<(EventId, Standing)>, StoreError> {
        const PAGE: usize = 256;
        let mut changes = Vec::new();
        let authors: BTreeSet<Author> = before
            .chains
            .keys()
            .chain(self.roster.chains.keys())
            .copied()
            .collect();
        for author in authors {
            if before.chains.get(&author) == self.roster.chains.get(&author) {
                continue;
            }
            let mut from = 0;
            loop {
                let page = store.chain(self.id, author, from, PAGE)?;
                for stored in &page {
                    let standing = self.standing_of(&stored.event);
                    if standing != stored.standing && stored.standing != Standing::Forked {
                        store.set_standing(stored.event.id(), standing)?;
                        changes.push((stored.event.id(), standing));
                    }
                }
                match page.last() {
                    Some(last) if page.len() == PAGE => from = last.event.header().seq + 1,
                    _ => break,
                }
            }
        }
        Ok(changes)
    }

    fn standing_of(&self, event: &Event) -> Standing {
        if event.header().kind.is_roster() {
            let counts = self.roster.counted.contains(&event.id());
            return if counts {
                Standing::Counted
            } else {
                Standing::OffRoster
            };
        }
        self.roster.standing(event.author(), event.header().seq)
    }

    fn restand_forks<S: LogStore>(
        &mut self,
        store: &mut S,
        event: &Event,
    ) -> Result<Vec<(EventId, Standing)>, StoreError> {
        let author = event.author();
        if self.frontier.branches(author).len() > 1 && !self.forks.contains_key(&author) {
            self.forks = fork::points(store, self.id, &self.frontier)?;
        }
        if self.forks.is_empty() {
            return Ok(Vec::new());
        }
        fork::restand(store, self.id, &self.roster, &self.forks)
    }
}
