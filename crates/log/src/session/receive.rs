//! Reading: whether an event from elsewhere may enter the set.

use super::{MAX_HELD, Receipt, Refusal, Session};
use crate::{
    event::Event,
    fork,
    frontier::{Frontier, Head},
    ids::EventId,
    past,
    roster::Operation,
    store::{LogStore, StoreError},
};

impl Session {
    /// Takes a verified event from elsewhere into the set, if it may enter.
    ///
    /// # Errors
    /// [`StoreError`]; a bad event is a [`Receipt`], not an error.
    pub fn receive<S: LogStore>(
        &mut self,
        store: &mut S,
        event: &Event,
        now: u64,
    ) -> Result<Receipt, StoreError> {
        match self.examine(store, event, now)? {
            Verdict::Admit => {}
            Verdict::Say(receipt) => return Ok(receipt),
        }
        if event.header().kind.is_roster() {
            let past = past::of(store, &self.frontier, &self.operations, event)?;
            match Operation::new(event, past) {
                Ok(Some(operation)) => {
                    let admitted = self.admit_operation(store, event, operation)?;
                    return Ok(Receipt::Admitted(Box::new(admitted)));
                }
                Ok(None) => {}
                Err(error) => return Ok(Receipt::Refused(Refusal::Op(error))),
            }
        }
        let admitted = self.admit(store, event)?;
        Ok(Receipt::Admitted(Box::new(admitted)))
    }

    fn examine<S: LogStore>(
        &self,
        store: &mut S,
        event: &Event,
        now: u64,
    ) -> Result<Verdict, StoreError> {
        let (header, author) = (event.header(), event.author());
        if event.session() != self.id {
            return Ok(Verdict::refuse(Refusal::ForeignSession));
        }
        let head = self.frontier.head(author);
        let follows = header.prev.is_some() && head.map(|head| head.id) == header.prev;
        if !follows && store.event(event.id())?.is_some() {
            return Ok(Verdict::Say(Receipt::Known));
        }
        if header.session.is_none() {
            return Ok(Verdict::refuse(Refusal::Founding));
        }
        if header.added_by.is_some() && !self.roster.chains.contains_key(&author) {
            // A chain that an operation began which does not count is kept, as void; one that
            // nothing began is a stranger's.
            let begun = store.event(author.added_by)?.is_some_and(|stored| {
                stored.event.session() == self.id && stored.event.header().kind.is_roster()
            });
            if !begun {
                return Ok(Verdict::refuse(Refusal::NotOnRoster));
            }
        }
        if header.time.is_too_early(now) {
            return self.hold(store, event);
        }
        self.examine_parents(store, event, head)
    }

    fn examine_parents<S: LogStore>(
        &self,
        store: &S,
        event: &Event,
        head: Option<&Head>,
    ) -> Result<Verdict, StoreError> {
        let header = event.header();
        for parent in event.parents() {
            let time = match self.frontier.find_near(head, parent) {
                Some(known) => known.time,
                None => match store.event(parent)? {
                    Some(stored) if stored.event.session() == self.id => stored.event.header().time,
                    _ => return Ok(Verdict::Say(Receipt::Lacks(parent))),
                },
            };
            if header.time <= time {
                return Ok(Verdict::refuse(Refusal::TimeRunsBackwards));
            }
        }
        if let Some(prev) = header.prev
            && head.map(|head| head.id) != Some(prev)
        {
            return self.examine_branch(store, event, prev);
        }
        let in_place = header.seq == head.map_or(0, |head| head.seq + 1);
        if in_place || header.prev.is_none() {
            return Ok(Verdict::Admit);
        }
        Ok(Verdict::refuse(Refusal::Chain))
    }

    /// An event that follows something else than the chain's head continues or opens a branch.
    fn examine_branch<S: LogStore>(
        &self,
        store: &S,
        event: &Event,
        prev: EventId,
    ) -> Result<Verdict, StoreError> {
        let author = event.author();
        let Some(before) = store.event(prev)? else {
            return Ok(Verdict::Say(Receipt::Lacks(prev)));
        };
        let same_chain = before.event.author() == author;
        if !same_chain || before.event.header().seq + 1 != event.header().seq {
            return Ok(Verdict::refuse(Refusal::Chain));
        }
        let branches = self.frontier.branches(author);
        let continues = branches.iter().any(|head| head.id == prev);
        if !continues && branches.len() >= fork::MAX_BRANCHES {
            return Ok(Verdict::refuse(Refusal::TooManyBranches));
        }
        Ok(Verdict::Admit)
    }

    fn hold<S: LogStore>(&self, store: &mut S, event: &Event) -> Result<Verdict, StoreError> {
        if store.held_count(self.id)? >= MAX_HELD {
            return Ok(Verdict::refuse(Refusal::TooManyHeld));
        }
        store.hold(event)?;
        let acceptable_from = event.header().time.acceptable_from();
        Ok(Verdict::Say(Receipt::Held { acceptable_from }))
    }
}

impl Frontier {
    /// The head with this id, looking first where it almost always is.
    fn find_near<'a>(&'a self, near: Option<&'a Head>, id: EventId) -> Option<&'a Head> {
        near.filter(|head| head.id == id).or_else(|| self.find(id))
    }
}

enum Verdict {
    Admit,
    Say(Receipt),
}

impl Verdict {
    fn refuse(refusal: Refusal) -> Self {
        Self::Say(Receipt::Refused(refusal))
    }
}
