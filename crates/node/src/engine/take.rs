//! Taking an event in, whether sync or a plan brought it.

use tenet_log::{
    event::Event,
    ids::{EventId, SessionId},
    session::Receipt,
    sync::HeadEntry,
};

use super::{Engine, Fault};
use crate::{input::ConnId, storage::Storage};

/// What became of an event that came.
pub(super) enum Taken {
    /// It is in the set now.
    New,
    /// It was before.
    Known,
    /// It waits for our clock.
    Later,
    /// It builds on this, which is not here.
    Lacks(EventId),
    /// No more is taken of its author for now (NODE-301).
    TooMuch,
    /// Its session is gone.
    Not,
    /// It is never taken.
    Refused(String),
}

impl<S: Storage> Engine<S> {
    /// Takes in one event, however it came.
    pub(super) fn take_in(
        &mut self,
        now: u64,
        conn: ConnId,
        session: SessionId,
        event: &Event,
    ) -> Result<Taken, Fault> {
        if self.is_too_much(event) {
            return Ok(Taken::TooMuch);
        }
        // Of a session that is gone nothing is acknowledged.
        let Some(receipt) = self.receive(now, session, event)? else {
            return Ok(Taken::Not);
        };
        Ok(match receipt {
            Receipt::Admitted(admitted) => {
                self.charge_event(event, Some(&admitted));
                self.note_words_of_mine(now, event, &admitted);
                self.admitted(now, session, event, *admitted, None)?;
                let mine = self.author_of(event) == Some(self.own.identity());
                if mine && let Some(sender) = self.device_on(conn) {
                    self.has_it(now, session, event.author(), event.header().seq, sender)?;
                }
                Taken::New
            }
            Receipt::Known => {
                let (author, seq, id) = (event.author(), event.header().seq, event.id());
                self.came_back(now, conn, session, &[HeadEntry { author, seq, id }])?;
                Taken::Known
            }
            Receipt::Held { new, .. } => {
                if new {
                    self.charge_event(event, None);
                }
                Taken::Later
            }
            Receipt::Lacks(parent) => Taken::Lacks(parent),
            Receipt::Refused(refusal) => Taken::Refused(refusal.to_string()),
        })
    }
}
