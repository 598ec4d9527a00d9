//! What is owed to other devices, and who has it by now.

use std::collections::BTreeMap;

use tenet_delivery::{
    outbox::{Outgoing, Recipient},
    state::Failure,
};
use tenet_identity::keys::DeviceId;
use tenet_log::{
    event::Event,
    ids::{Author, EventId, SessionId},
    session::{Ending, Session},
    store::{LogStore, Position, StoreError},
    sync::HeadEntry,
};

use super::{Engine, Fault, Place, outside::Outside};
use crate::{
    input::{ConnId, Notice},
    storage::Storage,
};

/// How many debts are read at a time.
const PAGE: usize = 256;

impl<S: Storage> Engine<S> {
    /// A debt to every other device of the session, written with the event.
    pub(super) fn queue(
        &mut self,
        session: SessionId,
        event: &Event,
        position: Position,
    ) -> Result<(), StoreError> {
        let recipients = self.recipients(session)?;
        self.store.queue(&outgoing(event, position), &recipients)
    }

    /// DEL-14: what another device of mine wrote is owed from here too, whichever of us meets the others first;
    /// and so it is known here how far it is.
    pub(super) fn queue_sisters(
        &mut self,
        session: SessionId,
        event: &Event,
        position: Position,
    ) -> Result<(), StoreError> {
        let (author, here) = (event.author(), self.own.device());
        let mut recipients = self.recipients(session)?;
        recipients.retain(|recipient| recipient.device != author.device);
        let alone = self.is_own(session);
        if alone {
            recipients = vec![Recipient {
                device: here,
                receiver: true,
            }];
        }
        self.store.queue(&outgoing(event, position), &recipients)?;
        if alone {
            let seq = event.header().seq;
            self.store.acknowledge(session, author, seq, here)?;
        }
        Ok(())
    }

    fn recipients(&self, id: SessionId) -> Result<Vec<Recipient>, StoreError> {
        let Some(session) = self.sessions.get(&id) else {
            return Ok(Vec::new());
        };
        if self.has_left(id) && !self.left_by_ourselves(id)? {
            // NODE-108
            return Ok(Vec::new());
        }
        if self.is_sparse(id) && self.place(id) == Place::In {
            // NODE-1706: one row for all, which the first who has it takes away.
            return Ok(vec![Recipient {
                device: self.own.device(),
                receiver: true,
            }]);
        }
        let roster = session.roster();
        let me = self.own.identity();
        let alone = roster.members.keys().all(|member| *member == me);
        let others = roster
            .active()
            .filter(|(author, _)| author.device != self.own.device());
        let recipients = others.map(|(author, membership)| Recipient {
            device: author.device,
            receiver: alone || membership.identity != me,
        });
        Ok(recipients.collect())
    }

    /// What nobody has yet is owed to whoever came; nothing is owed to whoever went.
    pub(super) fn settle_outbox(&mut self, now: u64, session: SessionId) -> Result<(), StoreError> {
        let recipients = self.recipients(session)?;
        let mut after = Position::default();
        loop {
            let page = self.store.undelivered(session, after, PAGE)?;
            for outgoing in &page {
                let readers = self.readers(outgoing, &recipients)?;
                self.store.queue(outgoing, &readers)?;
            }
            if !page.is_empty() && !self.is_sparse(session) {
                // NODE-602: who came may hold it already, and then never acknowledges it.
                self.compare_anew(now, session);
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = last.position,
                _ => break,
            }
        }
        // Only then: what somebody else gets now has not failed.
        let waiting: Vec<DeviceId> = self
            .store
            .waiting()?
            .into_iter()
            .map(|(device, _)| device)
            .collect();
        for device in waiting {
            if !recipients
                .iter()
                .any(|recipient| recipient.device == device)
            {
                self.owe_no_more(session, device)?;
            }
        }
        Ok(())
    }

    /// SYNC-801: those of some to whom what an event says is brought: only they have got it then.
    fn readers(
        &self,
        outgoing: &Outgoing,
        recipients: &[Recipient],
    ) -> Result<Vec<Recipient>, StoreError> {
        let mut readers = recipients.to_vec();
        let session = self.sessions.get(&outgoing.session);
        let roster = session.map(|session| session.roster());
        let Some(roster) = roster.filter(|roster| !roster.floors.is_empty()) else {
            return Ok(readers);
        };
        if let Some(stored) = LogStore::event(&self.store, outgoing.event)? {
            readers.retain(|recipient| {
                let author = roster.author(recipient.device);
                let identity = author.and_then(|author| roster.identity(author));
                identity.is_none_or(|it| roster.may_read(it, &stored.event))
            });
        }
        Ok(readers)
    }

    /// A device is in a session no more; what was owed to it before goes with its ending, or nowhere.
    fn owe_no_more(&mut self, session: SessionId, device: DeviceId) -> Result<(), StoreError> {
        let still = self.still_owed(session, device)?;
        self.owe_only(session, device, &still)
    }

    /// Of what is owed to a device in a session some stays, and the rest goes nowhere.
    pub(super) fn owe_only(
        &mut self,
        session: SessionId,
        device: DeviceId,
        still: &[Outgoing],
    ) -> Result<(), StoreError> {
        let recipient = self.recipient(session, device);
        let here = self.own.device();
        let state = self.sessions.get(&session);
        let was_there = state.is_some_and(|state| state.roster().has_held(here));
        let alone = self.store.forget(session, device)?;
        for outgoing in still {
            self.store.queue(outgoing, &[recipient])?;
        }
        let lost = alone
            .into_iter()
            .filter(|id| still.iter().all(|owed| owed.event != *id));
        for event in lost {
            let stored = LogStore::event(&self.store, event)?;
            let counts = stored.is_some_and(|stored| stored.standing.counts());
            let failure = match (counts, was_there) {
                (false, _) => Failure::NotCounted,
                (true, true) => Failure::NobodyThere,
                (true, false) => Failure::NotKnown,
            };
            self.store.fail(event, failure)?;
        }
        Ok(())
    }

    /// Whether something of a session that we wrote has not reached a device yet.
    pub(super) fn is_owed_in(&self, id: SessionId, device: DeviceId) -> Result<bool, StoreError> {
        let mut after = Position::default();
        loop {
            let page = self.store.pending(device, after, PAGE)?;
            if page.iter().any(|owed| owed.session == id) {
                return Ok(true);
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = last.position,
                _ => return Ok(false),
            }
        }
    }

    /// What was owed to a device before it was out, and goes to it with its ending all the same.
    pub(super) fn still_owed(
        &self,
        id: SessionId,
        device: DeviceId,
    ) -> Result<Vec<Outgoing>, StoreError> {
        let Some(session) = self.sessions.get(&id) else {
            return Ok(Vec::new());
        };
        let Some(mut ending) = session.ending(&self.store, device)? else {
            return Ok(Vec::new());
        };
        if !self.ended_by_us(session, device)? {
            return Ok(Vec::new());
        }
        let (mut still, mut after) = (Vec::new(), Position::default());
        loop {
            let page = self.store.pending(device, after, PAGE)?;
            for owed in page.iter().filter(|owed| owed.session == id) {
                let stored = LogStore::event(&self.store, owed.event)?;
                if let Some(stored) = stored
                    && ending.includes(&self.store, &stored.event)?
                {
                    still.push(*owed);
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = last.position,
                _ => return Ok(still),
            }
        }
    }

    /// NODE-106: what we owe to devices that were not out before and are now is how that came to be, if one of
    /// us wrote it; what it had seen comes with it.
    pub(super) fn owe_endings(
        &mut self,
        id: SessionId,
        before: &Outside,
    ) -> Result<(), StoreError> {
        let Some(session) = self.sessions.get(&id) else {
            return Ok(());
        };
        let now_out = self.outside.get(&id).into_iter().flatten();
        let anew = now_out.filter(|(device, identity)| {
            let revoked = self.revoked.contains(&(**identity, **device));
            !before.contains_key(device) && !revoked
        });
        let mut owed: Vec<(DeviceId, Ending)> = Vec::new();
        for (device, _) in anew {
            if self.ended_by_us(session, *device)? {
                let ending = session.ending(&self.store, *device)?;
                owed.extend(ending.map(|ending| (*device, ending)));
            }
        }
        for (device, ending) in owed {
            self.owe_ending(id, device, &ending)?;
        }
        Ok(())
    }

    fn owe_ending(
        &mut self,
        id: SessionId,
        device: DeviceId,
        ending: &Ending,
    ) -> Result<(), StoreError> {
        let me = self.own.identity();
        let Some(roster) = self.sessions.get(&id).map(Session::roster) else {
            return Ok(());
        };
        let by_us = |author| roster.identity(author) == Some(me);
        let ours = ending.operations().filter(|end| by_us(end.author));
        let ours: Vec<EventId> = ours.map(|end| end.id).collect();
        let recipient = self.recipient(id, device);
        for event in ours {
            let Some(stored) = LogStore::event(&self.store, event)? else {
                continue;
            };
            self.store
                .queue(&outgoing(&stored.event, stored.position), &[recipient])?;
        }
        Ok(())
    }

    /// My own devices get what I wrote, but that they have it does not make it delivered.
    fn recipient(&self, id: SessionId, device: DeviceId) -> Recipient {
        let session = self.sessions.get(&id);
        let chains = session.map(|session| session.roster().chains_of(device));
        let mut chains = chains.into_iter().flatten();
        let mine = chains.any(|(_, chain)| chain.identity == self.own.identity());
        Recipient {
            device,
            receiver: !mine,
        }
    }

    /// The other device holds these heads durably: our debts up to them are paid.
    pub(super) fn acknowledged(
        &mut self,
        now: u64,
        conn: ConnId,
        session: SessionId,
        heads: &[HeadEntry],
    ) -> Result<(), Fault> {
        let Some(device) = self.device_on(conn) else {
            return Ok(());
        };
        let Some(state) = self.sessions.get(&session) else {
            return Ok(());
        };
        let me = self.own.identity();
        // Of a device that turned out not to have come in nobody is the author: it may have been one of ours.
        let mine = |author: Author| {
            let identity = state.roster().identity(author);
            identity.is_none_or(|identity| identity == me)
        };
        // Each chain once, however often it is named. Of a chain that was given up (LOG-14) the
        // beginning may still be owed.
        let mut chains: BTreeMap<Author, u64> = BTreeMap::new();
        for head in heads.iter().filter(|head| mine(head.author)) {
            // A head of our own chain that is not on it is not ours to believe.
            let held = state.frontier().head(head.author);
            if held.is_some_and(|own| own.seq >= head.seq) {
                let seq = chains.entry(head.author).or_default();
                *seq = head.seq.max(*seq);
            }
        }
        for (author, seq) in chains {
            self.has_it(now, session, author, seq, device)?;
        }
        self.note_told(now, conn, session, heads)
    }

    /// A device holds one of our chains up to a place.
    pub(super) fn has_it(
        &mut self,
        now: u64,
        session: SessionId,
        author: Author,
        seq: u64,
        device: DeviceId,
    ) -> Result<(), Fault> {
        // Whoever is told by a plan who has it hears of itself, too.
        if device == self.own.device() {
            return Ok(());
        }
        let mut acked = self.store.acknowledge(session, author, seq, device)?;
        // NODE-1706: the one row for all is of those whom it is said to, and not of my own devices.
        if self.is_sparse(session) && self.recipient(session, device).receiver {
            let for_all = self.own.device();
            acked.extend(self.store.acknowledge(session, author, seq, for_all)?);
        }
        let parted = !acked.is_empty() && (self.has_left(session) || self.is_out(device, session));
        let delivered = acked.into_iter().filter(|acked| acked.first);
        let ids: Vec<EventId> = delivered.map(|acked| acked.event).collect();
        if !ids.is_empty() {
            self.notify(Notice::Progress { session, ids });
        }
        match parted && !self.is_owed(device)? {
            true => self.forget_who_heard(now, session),
            false => Ok(()),
        }
    }

    /// NODE-109: whoever builds on what my devices said had it. Nothing else tells that of a session that is over.
    pub(super) fn note_built_on(&mut self, now: u64, event: &Event) -> Result<(), Fault> {
        let (session, me) = (event.session(), self.own.identity());
        for parent in event.parents() {
            let stored = LogStore::event(&self.store, parent)?;
            let mine = stored.filter(|stored| self.author_of(&stored.event) == Some(me));
            if let Some(mine) = mine {
                let (author, seq) = (mine.event.author(), mine.event.header().seq);
                self.has_it(now, session, author, seq, event.author().device)?;
            }
        }
        Ok(())
    }

    /// NODE-108: what those had seen of us who took us out has arrived with them.
    pub(super) fn note_seen(&mut self, now: u64, id: SessionId) -> Result<(), Fault> {
        let (here, Some(session)) = (self.own.device(), self.sessions.get(&id)) else {
            return Ok(());
        };
        let Some(ending) = session.ending(&self.store, here)? else {
            return Ok(());
        };
        let mut seen = Vec::new();
        for (author, _) in session.roster().chains_of(here) {
            seen.extend(
                ending
                    .seen(*author)
                    .map(|(by, last)| (*author, last, by.device)),
            );
        }
        for (author, last, by) in seen.into_iter().filter(|(_, _, by)| *by != here) {
            self.has_it(now, id, author, last, by)?;
        }
        Ok(())
    }
}

fn outgoing(event: &Event, position: Position) -> Outgoing {
    Outgoing {
        position,
        session: event.session(),
        author: event.author(),
        seq: event.header().seq,
        event: event.id(),
    }
}
