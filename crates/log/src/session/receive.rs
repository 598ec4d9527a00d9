//! Reading: whether an event from elsewhere may enter the set.

use super::{MAX_HELD, Receipt, Refusal, Session};
use crate::{
    event::Event,
    frontier::{Frontier, Head},
    ids::EventId,
    past::Seen,
    roster::{Op, Operation, kind},
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
            self.unfold(store)?;
            let Seen { past, unseen } = self.seen(store, event)?;
            match Operation::new(event, past) {
                Ok(Some(operation)) if !self.fold(store)?.admits(&operation, &unseen) => {
                    return Ok(Receipt::Refused(refusal_of(&operation)));
                }
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
        if let Some(receipt) = self.examine_author(store, event)? {
            return Ok(Verdict::Say(receipt));
        }
        if header.time.is_too_early(now) {
            return self.hold(store, event);
        }
        self.examine_parents(store, event, head)
    }

    /// LOG-6: whether the author's chain was begun, by whatever did or did not count; nothing that
    /// depends on the order in which events come.
    fn examine_author<S: LogStore>(
        &self,
        store: &S,
        event: &Event,
    ) -> Result<Option<Receipt>, StoreError> {
        let (header, author) = (event.header(), event.author());
        let refused = Ok(Some(Receipt::Refused(Refusal::NotOnRoster)));
        let Some(added_by) = header.added_by else {
            return match Op::of(event) {
                // Whether it was invited is asked once what it builds on is here.
                Ok(Some(Op::Join(_) | Op::JoinLink(_))) => Ok(None),
                Ok(Some(_)) => refused,
                // A later version may know other ways to come in.
                Ok(None) if header.kind.is_roster() => Ok(None),
                Ok(None) => refused,
                Err(error) => Ok(Some(Receipt::Refused(Refusal::Op(error)))),
            };
        };
        if !self.frontier.branches(author).is_empty() {
            return Ok(None);
        }
        let Some(adding) = store.event(added_by)? else {
            return Ok(Some(Receipt::Lacks(added_by)));
        };
        let kind = &adding.event.header().kind;
        let begun = match kind::is_known(kind.as_str()) {
            true => self.outcome.begins(author),
            false => kind.is_roster() && adding.event.session() == self.id,
        };
        if begun { Ok(None) } else { refused }
    }

    fn examine_parents<S: LogStore>(
        &self,
        store: &S,
        event: &Event,
        head: Option<&Head>,
    ) -> Result<Verdict, StoreError> {
        let header = event.header();
        if event.parents().next().is_none() {
            return Ok(Verdict::refuse(Refusal::Chain));
        }
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
        Ok(Verdict::Admit)
    }

    /// LOG-8: also what there is no room for is only said to be too early; it is offered again.
    fn hold<S: LogStore>(&self, store: &mut S, event: &Event) -> Result<Verdict, StoreError> {
        let new = store.held_count(self.id)? < MAX_HELD && store.hold(event)?;
        let acceptable_from = event.header().time.acceptable_from();
        Ok(Verdict::Say(Receipt::Held {
            acceptable_from,
            new,
        }))
    }
}

/// Why an operation is refused that may never enter.
fn refusal_of(operation: &Operation) -> Refusal {
    match operation.op {
        Op::Join(_) | Op::JoinLink(_) => Refusal::NotOnRoster,
        _ => Refusal::InVain,
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
