//! Keeping the words of messages: a moment after they came, a bounded number at a time.
//!
//! The index follows the log by position. New messages, edits and unsends are events there, so one
//! number, how far it has come, is all that has to survive a restart; a store of before there was
//! an index begins at nothing and catches up.

use tenet_identity::keys::IdentityId;
use tenet_log::{
    event::Event,
    ids::{EventId, SessionId},
    store::{Position, StoreError},
};

use super::{Filter, Query, words::words};
use crate::chat::{
    Action, ChatStore,
    store::MessageRow,
    view::{self, Message},
};

/// What the index keeps of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indexed {
    /// The message.
    pub position: Position,
    /// Its session.
    pub session: SessionId,
    /// Who wrote it.
    pub identity: IdentityId,
    /// When, in Unix milliseconds.
    pub millis: u64,
    /// Whether it has files.
    pub files: bool,
    /// The folded words of its text, then of its files' names, with single spaces between.
    pub words: String,
}

/// What search needs of a store.
///
/// Every method works inside the caller's transaction; an implementation never commits.
pub trait SearchStore: ChatStore {
    /// The events of all sessions that came after `position`, as they came, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`], as for every method here.
    fn logged_after(
        &self,
        position: Position,
        limit: usize,
    ) -> Result<Vec<(Position, Event)>, StoreError>;

    /// Whether any event came after `position`.
    fn has_after(&self, position: Position) -> Result<bool, StoreError>;

    /// How far the index has followed the log.
    fn indexed_to(&self) -> Result<Position, StoreError>;

    /// Notes how far it has.
    fn set_indexed_to(&mut self, position: Position) -> Result<(), StoreError>;

    /// Puts a message's words into the index, in place of those that were there.
    fn put_words(&mut self, indexed: &Indexed) -> Result<(), StoreError>;

    /// Takes a message's words out of it: it is not found by them any more.
    fn remove_words(&mut self, position: Position) -> Result<(), StoreError>;

    /// Whether words that were taken out are still somewhere in the store.
    fn has_words_to_forget(&self) -> Result<bool, StoreError>;

    /// Rewrites a part of the index, some milliseconds of work, so that they are not; gives whether
    /// there is more to do.
    fn forget_words(&mut self) -> Result<bool, StoreError>;

    /// The messages that have what is looked for and came before `before`, the last first, at most
    /// `limit`. Of the filter's times only the days need to hold.
    fn find(
        &self,
        query: &Query,
        filter: &Filter,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Position>, StoreError>;
}

/// Takes up to `limit` events of the log into the index; gives whether there may be more.
///
/// # Errors
/// [`StoreError`].
pub fn follow(store: &mut dyn SearchStore, limit: usize) -> Result<bool, StoreError> {
    let events = store.logged_after(store.indexed_to()?, limit)?;
    for (position, event) in &events {
        match Action::decode(event) {
            Ok(Some(Action::Text(_))) => {
                if let Some(row) = store.message_at(*position)? {
                    index(store, &row, Some(event))?;
                }
            }
            Ok(Some(action @ (Action::Edit(_) | Action::Unsend(_) | Action::Withdraw(_)))) => {
                if let Some(target) = action.target() {
                    refresh(store, target)?;
                }
            }
            _ => {}
        }
    }
    if let Some((last, _)) = events.last() {
        store.set_indexed_to(*last)?;
    }
    Ok(events.len() >= limit)
}

/// Takes in that a message stands differently, where the index has come to it already.
///
/// # Errors
/// [`StoreError`].
pub fn refresh(store: &mut dyn SearchStore, id: EventId) -> Result<(), StoreError> {
    match store.message(id)? {
        Some(row) if row.position <= store.indexed_to()? => index(store, &row, None),
        _ => Ok(()),
    }
}

/// CHAT-203: what is found is what is shown.
fn index(
    store: &mut dyn SearchStore,
    row: &MessageRow,
    event: Option<&Event>,
) -> Result<(), StoreError> {
    let overlay = store.overlay(row.session, row.id)?;
    let message = match (event, overlay) {
        (Some(event), None) => view::plain(row, event),
        _ => view::load(store, row, row.identity, &[])?,
    };
    let words = words_of(&message);
    if row.hidden || (words.is_empty() && message.files.is_empty()) {
        return store.remove_words(row.position);
    }
    store.put_words(&Indexed {
        position: row.position,
        session: row.session,
        identity: row.identity,
        millis: message.time,
        files: !message.files.is_empty(),
        words,
    })
}

fn words_of(message: &Message) -> String {
    let names = message.files.iter().map(|file| file.name());
    let texts = message.text.as_deref().into_iter().chain(names);
    let words: Vec<String> = texts.flat_map(words).map(|word| word.folded).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests;
