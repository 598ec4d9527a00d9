//! What is said no more is kept no more: it was taken back, or its time is over (NODE-29, NODE-30).
//!
//! ```text
//! an unsend ──▶ settle_message ──▶ the bodies of the message and its edits go, and its files
//! a deadline ──▶ expire_due ─────▶ the same, and its place in the conversation too
//! a bare event that nothing took away ──▶ lacking, asked for again (mend.rs)
//! ```

use std::{borrow::Cow, collections::BTreeSet, iter};

use tenet_apps::chat::{
    Action, edit,
    fold::{self, Change},
    store::MessageRow,
    text,
};
use tenet_identity::keys::IdentityId;
use tenet_log::{
    event::{Content, Event},
    ids::{Author, EventId, SessionId},
    store::{Durability, LogStore, StoreError, Stored},
};

use super::Engine;
use crate::storage::Storage;

/// How many events go at a time: some milliseconds of work.
const PAGE: usize = 64;

impl<S: Storage> Engine<S> {
    /// What the store says of what is to go, and of what it lacks.
    pub(super) fn load_erasures(&mut self) -> Result<(), StoreError> {
        self.expire_at = self.store.next_expiry()?;
        self.load_lacking()
    }

    /// Removes at the start what expired while nothing ran: nobody is to see it once more.
    pub(super) fn expire_at_start(&mut self, now: u64) -> Result<(), StoreError> {
        while self.expire_at.is_some_and(|at| at <= now) {
            self.store.begin()?;
            if let Err(error) = self.expire_due(now) {
                self.store.abandon()?;
                return Err(error);
            }
            self.store.commit(Durability::Process)?;
        }
        Ok(())
    }

    /// An event entered the set: notes when its body is to go, or that it has none.
    pub(super) fn note_body(
        &mut self,
        now: u64,
        event: &Event,
        counts: bool,
    ) -> Result<(), StoreError> {
        let header = event.header();
        if let (Some(at), Content::Body { .. }) = (header.expires, &header.content) {
            self.expire_at = Some(self.expire_at.map_or(at, |next| next.min(at)));
        }
        if event.is_bare() && !event.is_expired(now) && self.asks_for(event) {
            self.set_lacking(event.session(), event.id(), counts)?;
        }
        Ok(())
    }

    /// A message is shown and stands, or was taken back: what it says and its files are here to the
    /// same end.
    pub(super) fn settle_message(&mut self, message: EventId) -> Result<(), StoreError> {
        let Some(row) = self.store.message(message)?.filter(|row| !row.hidden) else {
            return Ok(());
        };
        let Some(Stored {
            event, position, ..
        }) = LogStore::event(&self.store, message)?
        else {
            return Ok(());
        };
        let overlay = self.store.overlay(row.session, message)?;
        if overlay.is_some_and(|overlay| overlay.is_unsent(row.identity)) {
            self.release_files(&event, position)?;
            return self.erase_message(&row, &event);
        }
        if event.is_bare() {
            self.set_lacking(row.session, message, true)?;
            // Where it had been taken back by what counts no more, so had its edits.
            for edit in self.edits_of(&row)?.iter().filter(|edit| edit.is_bare()) {
                self.set_lacking(row.session, edit.id(), true)?;
            }
        }
        self.name_files(&event, position)
    }

    /// NODE-29: the bodies of a message that its author took back, and of its edits.
    fn erase_message(&mut self, row: &MessageRow, event: &Event) -> Result<(), StoreError> {
        self.erase(event)?;
        for edit in self.edits_of(row)? {
            self.erase(&edit)?;
        }
        Ok(())
    }

    /// The edits of a message by its author, in their order.
    pub(crate) fn edits_of(&self, row: &MessageRow) -> Result<Vec<Event>, StoreError> {
        let mut edits = Vec::new();
        for reference in self.store.references(row.session, row.id)? {
            if reference.identity == row.identity {
                let logged = self.store.logged(reference.event)?;
                edits.extend(logged.map(|(event, _)| event));
            }
        }
        edits.retain(|event| event.header().kind.as_str() == edit::KIND);
        edits.sort_unstable_by_key(Event::order);
        Ok(edits)
    }

    /// CHAT-20: edits of a message that was taken back are not waited for if they came without what
    /// they said. Nobody takes away another's.
    pub(super) fn note_erased_edits(
        &mut self,
        unsend: &Event,
        author: IdentityId,
    ) -> Result<(), StoreError> {
        let Ok(Some(Action::Unsend(unsend))) = Action::decode(unsend) else {
            return Ok(());
        };
        for id in unsend.edits() {
            let Some((event, _)) = self.store.logged(*id)? else {
                continue;
            };
            if event.is_bare() && self.author_of(&event) == Some(author) {
                self.set_lacking(event.session(), *id, false)?;
            }
        }
        Ok(())
    }

    /// NODE-29: what counts as little as that it was taken back is kept no more either, where one chain said both:
    /// somebody held it for later, and by then the chain was given up.
    pub(super) fn erase_in_vain(&mut self, taking_back: &Event) -> Result<(), StoreError> {
        self.erase_void(taken_back(taking_back))
    }

    /// The same of all by which a message was taken back, once for the message.
    pub(super) fn erase_all_in_vain(
        &mut self,
        session: SessionId,
        message: EventId,
    ) -> Result<(), StoreError> {
        let mut named = BTreeSet::new();
        for about in self.store.references(session, message)? {
            let about = LogStore::event(&self.store, about.event)?;
            let about = about.filter(|it| !it.standing.counts());
            named.extend(about.iter().flat_map(|it| taken_back(&it.event)));
        }
        self.erase_void(named)
    }

    fn erase_void(&mut self, named: BTreeSet<(Author, EventId)>) -> Result<(), StoreError> {
        for (author, id) in named {
            let said = LogStore::event(&self.store, id)?;
            let said = said.filter(|it| it.event.author() == author && !it.standing.counts());
            if let Some(said) = said.filter(|it| is_words(&it.event) && !it.event.is_bare()) {
                self.release_files(&said.event, said.position)?;
                self.erase(&said.event)?;
            }
        }
        Ok(())
    }

    fn erase(&mut self, event: &Event) -> Result<(), StoreError> {
        self.set_lacking(event.session(), event.id(), false)?;
        if event.body().is_some() {
            LogStore::erase(&mut self.store, event.id())?;
        }
        Ok(())
    }

    /// NODE-30: what has expired goes, a bounded number at a time.
    pub(super) fn expire_due(&mut self, now: u64) -> Result<(), StoreError> {
        if self.expire_at.is_none_or(|at| now < at) {
            return Ok(());
        }
        for stored in self.store.expired(now, PAGE)? {
            self.expire(&stored)?;
        }
        self.expire_at = self.store.next_expiry()?;
        self.forget_later(now)
    }

    fn expire(&mut self, stored: &Stored) -> Result<(), StoreError> {
        let event = &stored.event;
        self.release_files(event, stored.position)?;
        self.erase(event)?;
        self.store.settle_expiry(event.id())?;
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
}

/// What an event takes back, and whose chain must have said it for that to be so in vain.
fn taken_back(event: &Event) -> BTreeSet<(Author, EventId)> {
    let Ok(Some(Action::Unsend(unsend))) = Action::decode(event) else {
        return BTreeSet::new();
    };
    let edits = unsend.edits().iter().copied();
    let ids = iter::once(unsend.target()).chain(edits);
    ids.map(|id| (event.author(), id)).collect()
}

/// The message that an event says, changes or takes back.
pub(super) fn message_of(event: &Event) -> Option<EventId> {
    match Action::decode(event) {
        Ok(Some(Action::Text(_))) => Some(event.id()),
        Ok(Some(action @ (Action::Edit(_) | Action::Unsend(_)))) => action.target(),
        _ => None,
    }
}

fn is_words(event: &Event) -> bool {
    [text::KIND, edit::KIND].contains(&event.header().kind.as_str())
}

/// What is left of an event that nobody needs to see any more.
pub(super) fn kept(event: &Event, now: u64) -> Cow<'_, Event> {
    match event.is_expired(now) {
        true => Cow::Owned(event.bare()),
        false => Cow::Borrowed(event),
    }
}
