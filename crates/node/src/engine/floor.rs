//! What was said before somebody came, and is not for them (ROS-515, SYNC-801 to SYNC-804).
//!
//! ```text
//! an event below the floor of who is at the other end ──▶ goes bare: its place in the set, not what it says
//! a bare event below our own floor ─────────────────────▶ is kept, not shown, and not asked for
//! our floor moves ──────────────────────────────────────▶ what lies between is settled anew
//! ```

use tenet_apps::chat::fold::{self, Change};
use tenet_identity::keys::{DeviceId, IdentityId};
use tenet_log::{
    clock::Hlc,
    event::Event,
    ids::SessionId,
    store::{Position, StoreError, Stored},
};

use super::Engine;
use crate::storage::Storage;

/// How many events are read at a time.
const PAGE: usize = 256;

/// From when on what is said in a session is for this person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// They are not in it, or not yet: the operation that lets them in comes after what was said before.
    Nothing,
    /// From this time on.
    Time(Hlc),
    /// All is.
    Ever,
}

impl Since {
    fn is_for_us(self, event: &Event) -> bool {
        match self {
            Self::Nothing => false,
            Self::Time(floor) => !event.is_below(floor),
            Self::Ever => true,
        }
    }
}

impl<S: Storage> Engine<S> {
    /// Notes from when on sessions are for this person, after all were read anew.
    pub(super) fn load_floors(&mut self) {
        let sessions = self.sessions.keys().copied();
        let floors = sessions.map(|session| (session, self.since(session)));
        self.floors = floors.collect();
    }

    /// From when on what is said in a session is for a device, if not all is.
    pub(super) fn floor_of(
        &self,
        session: SessionId,
        identity: IdentityId,
        device: DeviceId,
    ) -> Result<Option<Hlc>, StoreError> {
        if self.is_bygone_with(identity, session) {
            // What is here is ours.
            return Ok(None);
        }
        let session = self.sessions.get(&session);
        session.map_or(Ok(Some(Hlc::MAX)), |session| {
            session.floor_of(&self.store, identity, device)
        })
    }

    /// SYNC-803: whether an event lacks what it says because that is not for this person.
    pub(super) fn is_withheld(&self, event: &Event) -> bool {
        event.is_bare() && !self.since(event.session()).is_for_us(event)
    }

    /// Whether what an event says is asked for where it is not here: what is for us, and, of a session that we are out of,
    /// what another device of ours may have (NODE-109).
    pub(super) fn asks_for(&self, event: &Event) -> bool {
        let session = self.sessions.get(&event.session());
        let lost = || session.is_some_and(|session| session.has_lost(self.own.identity()));
        !self.is_withheld(event) || lost()
    }

    /// SYNC-803: the roster is another; what is for this person now is asked for and shown, what is not any
    /// more is neither.
    pub(super) fn settle_floor(&mut self, now: u64, session: SessionId) -> Result<(), StoreError> {
        let since = self.since(session);
        let before = self.floors.insert(session, since).unwrap_or(Since::Nothing);
        if before == since {
            return Ok(());
        }
        let mut after = Position::default();
        loop {
            let page = self.store.since(session, after, PAGE)?;
            for stored in &page {
                let event = &stored.event;
                let was = before.is_for_us(event);
                if was == since.is_for_us(event) || event.is_expired(now) {
                    continue;
                }
                match event.is_bare() {
                    true => self.settle_bare(stored, was)?,
                    false if stored.standing.counts() => self.settle_edits(event)?,
                    false => {}
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = last.position,
                _ => return Ok(()),
            }
        }
    }

    /// An event without what it says was for this person and is not any more, or the reverse. Whoever is out may get it
    /// from another device of theirs still (NODE-109).
    fn settle_bare(&mut self, stored: &Stored, was: bool) -> Result<(), StoreError> {
        let event = &stored.event;
        let (session, id) = (event.session(), event.id());
        if !was {
            let counts = stored.standing.counts();
            self.set_lacking(session, id, counts)?;
            self.fold(session, event, stored.position, counts)?;
            return self.settle_message(id);
        }
        if !self.store.is_lacking(id)? {
            return Ok(());
        }
        self.set_lacking(session, id, self.asks_for(event))?;
        let changes = fold::vanish(&mut self.store, event)?;
        for change in &changes {
            match change {
                Change::Removed { .. } => self.store.remove_words(stored.position)?,
                _ => self.index_again(&changes)?,
            }
        }
        self.tell(&changes);
        Ok(())
    }

    /// What took a message back takes its edits too, which are asked for by now.
    fn settle_edits(&mut self, event: &Event) -> Result<(), StoreError> {
        match self.author_of(event) {
            Some(author) => self.note_erased_edits(event, author),
            None => Ok(()),
        }
    }

    fn since(&self, session: SessionId) -> Since {
        let me = self.own.identity();
        let roster = self.sessions.get(&session).map(|session| session.roster());
        let Some(roster) = roster.filter(|roster| roster.members.contains_key(&me)) else {
            return Since::Nothing;
        };
        roster
            .floors
            .get(&me)
            .map_or(Since::Ever, |floor| Since::Time(*floor))
    }
}
