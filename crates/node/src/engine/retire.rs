//! NODE-21: what a clock far ahead has written is said again by a clock that is right.

use std::collections::BTreeMap;

use tenet_apps::chat::{Action, read};
use tenet_delivery::state::Failure;
use tenet_log::{
    event::{Content, Event},
    ids::{EventId, SessionId},
    register::Register,
    roster::Op,
    session::{Draft, DraftContent, Retired},
    store::Stored,
};

use super::{Engine, Fault, Ours};
use crate::{
    input::{ConnId, Notice},
    storage::Storage,
};

/// By how much a clock is set back at once that was wrong, in milliseconds; less is what keeping
/// time costs.
const SET_BACK_MS: u64 = 60 * 1000;

/// Of events that are void by which they are said again, if they are.
type Again = BTreeMap<EventId, Option<EventId>>;

/// How many events are read at a time.
const PAGE: usize = 256;

impl<S: Storage> Engine<S> {
    /// Notes the time. Where the clock was set back, whatever waits for a time of the old clock is
    /// tried again at once, and others are told anew where we are met.
    pub(super) fn watch_clock(&mut self, now: u64) {
        if now.saturating_add(SET_BACK_MS) < self.clock {
            let due = [
                &mut self.bring_at,
                &mut self.index_at,
                &mut self.forget_at,
                &mut self.hand_in_at,
            ];
            let due = due.into_iter().flatten().chain(self.resume.values_mut());
            due.for_each(|at| *at = now.min(*at));
            self.recover_at = Some(now);
            self.forget_typing();
            self.fanout.set_back(now);
            self.former.heard_by(now);
        }
        self.clock = now;
    }

    /// Somebody's clock says that our events are too early: if by ours too they are so by more
    /// than a day, our chain is given up, and what only it says is said again. Whether it was.
    ///
    /// Both clocks must say so: another's alone could be wrong, or lie, and ours alone could have
    /// been set back by mistake, which voids what the other has.
    pub(super) fn retire_if_far_ahead(
        &mut self,
        now: u64,
        session: SessionId,
        theirs: u64,
    ) -> Result<bool, Fault> {
        let device = self.own.device();
        if self.is_set_back() {
            return Ok(false);
        }
        let Some(state) = self.sessions.get_mut(&session) else {
            return Ok(false);
        };
        if !state.is_far_ahead(device, theirs) {
            return Ok(false);
        }
        let retired = state.retire(&mut self.store, &self.own.key, &self.own.card, now)?;
        let Some(retired) = retired else {
            return Ok(false);
        };
        tracing::info!("a chain that is far ahead of the clock is written again");
        let late = self.late(session, &retired)?;
        for (event, admitted) in retired.operations {
            self.admitted(now, session, &event, admitted, Some(Ours))?;
        }
        self.write_all_again(now, session, &late)?;
        self.date_registers_again(now, session)?;
        self.begin_anew(now, session);
        Ok(true)
    }

    /// The events of a retired chain that are void now, in order.
    fn late(&self, session: SessionId, retired: &Retired) -> Result<Vec<Stored>, Fault> {
        let mut late: Vec<Stored> = Vec::new();
        let mut from = retired.from;
        loop {
            let page = self.store.chain(session, retired.chain, from, PAGE)?;
            let whole = page.len() < PAGE;
            late.extend(page);
            match late.last() {
                Some(last) if !whole => from = last.event.header().seq.saturating_add(1),
                _ => return Ok(late),
            }
        }
    }

    pub(super) fn write_all_again(
        &mut self,
        now: u64,
        session: SessionId,
        late: &[Stored],
    ) -> Result<(), Fault> {
        let mut again = Again::new();
        for Stored { event, .. } in late {
            let old = event.id();
            let written = self.write_again(now, session, event, &again)?;
            self.store.fail(old, Failure::WrittenAgain)?;
            again.insert(old, written);
            let Some(new) = written else { continue };
            // What is void since it came has no place among the messages, and what says it again has.
            if self.store.message(new)?.is_some() {
                self.notify(Notice::WrittenAgain { session, old, new });
            }
        }
        Ok(())
    }

    /// Says what an event says once more; `None` where that makes no sense.
    fn write_again(
        &mut self,
        now: u64,
        session: SessionId,
        event: &Event,
        again: &Again,
    ) -> Result<Option<EventId>, Fault> {
        let Some(state) = self.sessions.get_mut(&session) else {
            return Ok(None);
        };
        let (event, admitted) = if event.header().kind.is_roster() {
            let op = match Op::of(event) {
                // It has come in once more already.
                Ok(Some(Op::Found(_) | Op::Join(_)) | None) | Err(_) => return Ok(None),
                Ok(Some(op)) => op,
            };
            state.operate(&mut self.store, &self.own.key, &op, now)?
        } else {
            let Some(draft) = draft(event, again) else {
                return Ok(None);
            };
            state.append(&mut self.store, &self.own.key, draft, now, &mut self.rng)?
        };
        self.admitted(now, session, &event, admitted, Some(Ours))?;
        Ok(Some(event.id()))
    }

    /// Own registers from so far ahead are written anew: others did not take them either.
    fn date_registers_again(&mut self, now: u64, session: SessionId) -> Result<(), Fault> {
        let mut own = self.store.registers(session)?;
        own.retain(|register| {
            register.device() == self.own.device() && register.version().0.is_far_ahead(now)
        });
        for register in own {
            let value = self.value_again(session, &register)?;
            self.write_register(now, session, register.key(), value)?;
        }
        Ok(())
    }

    /// A read position that stood at a void message stands at the last one now: what it covers is
    /// what this device held then.
    fn value_again(&self, session: SessionId, register: &Register) -> Result<Vec<u8>, Fault> {
        let position = match register.key() {
            read::KEY => read::Position::decode(register.value()).ok(),
            _ => None,
        };
        let last = self.store.history(&[session], None, 1)?.pop();
        Ok(match position.zip(last) {
            Some((position, last)) => position.moved(last.order).encode(),
            None => register.value().to_vec(),
        })
    }

    /// Compares a session anew on all connections, and at once: what was sent and not taken is
    /// void, and nobody is to wait for it.
    fn begin_anew(&mut self, now: u64, session: SessionId) {
        self.recent.remove(&session);
        let sharing = self.connections.0.iter().filter(|(_, connection)| {
            let mut shares = connection
                .ready()
                .into_iter()
                .flat_map(|r| r.shares.values());
            shares.any(|share| share.session == session)
        });
        let conns: Vec<ConnId> = sharing.map(|(conn, _)| *conn).collect();
        for conn in conns {
            self.resume.insert((conn, session), now);
        }
    }
}

/// What an event says, about the events that stand for those that it was about; nothing about those
/// that are not said again, because they were taken back.
fn draft(event: &Event, again: &Again) -> Option<Draft> {
    let header = event.header();
    let renamed = |id| again.get(&id).copied().flatten().unwrap_or(id);
    let action = Action::decode(event).ok().flatten();
    let about = action.as_ref().and_then(Action::target);
    if about.is_some_and(|id| again.get(&id) == Some(&None)) {
        return None;
    }
    if let Some(draft) = action.and_then(|action| action.renamed(renamed).draft().ok()) {
        let expires = header.expires;
        return Some(Draft { expires, ..draft });
    }
    Some(Draft {
        kind: header.kind.clone(),
        content: match &header.content {
            Content::Payload(bytes) => DraftContent::Payload(bytes.clone()),
            Content::Body { .. } => DraftContent::Body(event.body()?.bytes.clone()),
        },
        expires: header.expires,
    })
}
