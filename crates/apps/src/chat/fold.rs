//! From events to rows and overlays, whatever the order in which they come.

use tenet_identity::keys::IdentityId;
use tenet_log::{
    event::Event,
    ids::{EventId, SessionId},
    store::{Position, StoreError},
};

use super::{
    Action, ActionError,
    overlay::Overlay,
    store::{ChatStore, MessageRow, Reference},
    text, timer,
    told::Told,
};

/// An event of the log with what the log knows about it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The event.
    pub event: &'a Event,
    /// When it came into this store.
    pub position: Position,
    /// Whose device wrote it.
    pub identity: IdentityId,
    /// Whether it counts.
    pub counts: bool,
}

/// What changed for those who look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A message is to be shown that was not.
    Added {
        /// Its session.
        session: SessionId,
        /// Its id.
        message: EventId,
        /// Whether it has files.
        files: bool,
    },
    /// What was done to the session is to be shown, and was not.
    Told {
        /// The session.
        session: SessionId,
        /// The operation.
        message: EventId,
    },
    /// A message that is shown says or carries something else now.
    Changed {
        /// Its session.
        session: SessionId,
        /// Its id.
        message: EventId,
    },
    /// A message is not to be shown any more, because it does not count.
    Removed {
        /// Its session.
        session: SessionId,
        /// Its id.
        message: EventId,
    },
}

impl Change {
    /// The message.
    pub fn message(&self) -> EventId {
        match self {
            Self::Added { message, .. }
            | Self::Told { message, .. }
            | Self::Changed { message, .. }
            | Self::Removed { message, .. } => *message,
        }
    }
}

/// Takes in an event that was just taken into the log's set.
///
/// The same event a second time changes nothing. Events of other apps, of later versions and
/// malformed ones change nothing either (`CHAT-3`). A text costs one insert and no read. Whoever calls
/// leaves out the operations of sessions that are not of many (`CHAT-1301`).
///
/// # Errors
/// [`StoreError`].
pub fn fold(store: &mut dyn ChatStore, entry: &Entry<'_>) -> Result<Vec<Change>, StoreError> {
    if entry.event.header().kind.is_roster() {
        if Told::of(entry.event).is_none() {
            return Ok(Vec::new());
        }
        let mut changes = add_message(store, &row(entry), false)?;
        if let Ok(Some(action)) = Action::decode(entry.event) {
            changes.extend(refer(store, entry, &action)?);
        }
        return Ok(changes);
    }
    match Action::decode(entry.event) {
        Ok(Some(Action::Text(text))) => add_message(store, &row(entry), !text.files().is_empty()),
        Ok(Some(action @ Action::Timer(_))) => {
            let changes = add_message(store, &row(entry), false)?;
            refer(store, entry, &action)?;
            Ok(changes)
        }
        Ok(Some(action)) => refer(store, entry, &action),
        Err(ActionError::Gone) if is_text(entry.event) => add_message(store, &row(entry), false),
        Ok(None) | Err(_) => Ok(Vec::new()),
    }
}

/// What is left of a text whose body is not here is its place.
fn is_text(event: &Event) -> bool {
    event.header().kind.as_str() == text::KIND
}

/// Takes in that an event counts no more, or counts again (`CHAT-11`). Gives the message that it is
/// about, if it is about one: [`rebuild`] makes its overlay anew, once for all that changed of it.
///
/// `entry.counts` must be the new standing.
///
/// # Errors
/// [`StoreError`].
pub fn restand(
    store: &mut dyn ChatStore,
    entry: &Entry<'_>,
) -> Result<(Vec<Change>, Option<EventId>), StoreError> {
    if entry.event.header().kind.is_roster() {
        if Told::of(entry.event).is_none() {
            return Ok((Vec::new(), None));
        }
        let changes = show_or_hide(store, &row(entry), false)?;
        let target = match Action::decode(entry.event) {
            Ok(Some(action)) => action.target(),
            _ => None,
        };
        if let Some(target) = target {
            store.add_reference(&reference(entry, target))?;
        }
        return Ok((changes, target));
    }
    match Action::decode(entry.event) {
        Ok(Some(Action::Text(text))) => {
            let changes = show_or_hide(store, &row(entry), !text.files().is_empty())?;
            Ok((changes, None))
        }
        Ok(Some(action)) => {
            let changes = match action {
                Action::Timer(_) => show_or_hide(store, &row(entry), false)?,
                _ => Vec::new(),
            };
            let target = target_of(entry.event, &action);
            if let Some(target) = target {
                store.add_reference(&reference(entry, target))?;
            }
            Ok((changes, target))
        }
        Err(ActionError::Gone) if is_text(entry.event) => {
            Ok((show_or_hide(store, &row(entry), false)?, None))
        }
        Ok(None) | Err(_) => Ok((Vec::new(), None)),
    }
}

/// What an action is about: a message, or the conversation as a whole.
fn target_of(event: &Event, action: &Action) -> Option<EventId> {
    match action {
        Action::Timer(_) => Some(timer::subject(event.session())),
        action => action.target(),
    }
}

fn row(entry: &Entry<'_>) -> MessageRow {
    MessageRow {
        id: entry.event.id(),
        session: entry.event.session(),
        position: entry.position,
        order: entry.event.order(),
        identity: entry.identity,
        hidden: !entry.counts,
        told: entry.event.header().kind.is_roster(),
    }
}

fn reference(entry: &Entry<'_>, target: EventId) -> Reference {
    let Entry {
        event, identity, ..
    } = *entry;
    Reference {
        session: event.session(),
        target,
        event: event.id(),
        identity,
    }
}

fn add_message(
    store: &mut dyn ChatStore,
    row: &MessageRow,
    files: bool,
) -> Result<Vec<Change>, StoreError> {
    let new = store.add_message(row)?;
    Ok(if new && !row.hidden {
        vec![added(row, files)]
    } else {
        Vec::new()
    })
}

fn added(row: &MessageRow, files: bool) -> Change {
    let (session, message) = (row.session, row.id);
    match row.told {
        true => Change::Told { session, message },
        false => Change::Added {
            session,
            message,
            files,
        },
    }
}

fn show_or_hide(
    store: &mut dyn ChatStore,
    row: &MessageRow,
    files: bool,
) -> Result<Vec<Change>, StoreError> {
    let Some(known) = store.message(row.id)? else {
        return add_message(store, row, files);
    };
    if known.hidden == row.hidden {
        return Ok(Vec::new());
    }
    store.set_hidden(row.id, row.hidden)?;
    let (session, message) = (row.session, row.id);
    Ok(vec![match row.hidden {
        true => Change::Removed { session, message },
        false => added(row, files),
    }])
}

/// Merges one action into the overlay of the message that it is about.
fn refer(
    store: &mut dyn ChatStore,
    entry: &Entry<'_>,
    action: &Action,
) -> Result<Vec<Change>, StoreError> {
    let Some(target) = target_of(entry.event, action) else {
        return Ok(Vec::new());
    };
    let session = entry.event.session();
    store.add_reference(&reference(entry, target))?;
    let message = message_of(store, session, target)?;
    if !entry.counts || !may(action, entry.identity, message.as_ref()) {
        return Ok(Vec::new());
    }
    let mut overlay = store.overlay(session, target)?.unwrap_or_default();
    if !overlay.merge(action, entry.event.order(), entry.identity) {
        return Ok(Vec::new());
    }
    store.put_overlay(session, target, &overlay)?;
    Ok(changed(message.as_ref()))
}

/// Makes a message's overlay anew from what counts of all that refers to it.
///
/// What [`ChatStore::logged`] gives must be the new standings. The cost grows with what refers to the
/// message, so it is called once for each message and not for each event.
///
/// # Errors
/// [`StoreError`].
pub fn rebuild(
    store: &mut dyn ChatStore,
    session: SessionId,
    target: EventId,
) -> Result<Vec<Change>, StoreError> {
    let message = message_of(store, session, target)?;
    let mut overlay = Overlay::default();
    for Reference {
        event, identity, ..
    } in store.references(session, target)?
    {
        let Some((event, true)) = store.logged(event)? else {
            continue;
        };
        let Ok(Some(action)) = Action::decode(&event) else {
            continue;
        };
        if may(&action, identity, message.as_ref()) {
            overlay.merge(&action, event.order(), identity);
        }
    }
    if store.overlay(session, target)?.unwrap_or_default() == overlay {
        return Ok(Vec::new());
    }
    store.put_overlay(session, target, &overlay)?;
    Ok(changed(message.as_ref()))
}

/// Takes in that an event expired or its body was erased for another reason: of a message nothing is
/// left, what was done to one is undone. Gives what an [expired message](Change::Removed) was, or how
/// another one changed.
///
/// `event` still has its body, where it ever came; what [`ChatStore::logged`] gives has it no more.
///
/// # Errors
/// [`StoreError`].
pub fn vanish(store: &mut dyn ChatStore, event: &Event) -> Result<Vec<Change>, StoreError> {
    let (session, id) = (event.session(), event.id());
    if let Some(row) = store.message(id)? {
        store.remove_message(session, id)?;
        return Ok(match row.hidden {
            true => Vec::new(),
            false => vec![Change::Removed {
                session,
                message: id,
            }],
        });
    }
    match Action::decode(event) {
        Ok(Some(action)) => match action.target() {
            Some(target) => rebuild(store, session, target),
            None => Ok(Vec::new()),
        },
        Ok(None) | Err(_) => Ok(Vec::new()),
    }
}

/// CHAT-6: an action is about a message of its own session only.
fn message_of(
    store: &dyn ChatStore,
    session: SessionId,
    target: EventId,
) -> Result<Option<MessageRow>, StoreError> {
    Ok(store
        .message(target)?
        .filter(|message| message.session == session))
}

/// Whether there is any use in keeping the action: a stranger's edit of a known message has none.
fn may(action: &Action, identity: IdentityId, message: Option<&MessageRow>) -> bool {
    match action {
        Action::Edit(_) | Action::Unsend(_) => {
            message.is_none_or(|message| message.identity == identity && !message.told)
        }
        Action::Withdraw(withdrawal) => {
            message.is_none_or(|message| message.identity == withdrawal.identity && !message.told)
        }
        Action::Text(_) | Action::React(_) | Action::Timer(_) => true,
    }
}

fn changed(message: Option<&MessageRow>) -> Vec<Change> {
    let shown = message.filter(|message| !message.hidden);
    shown
        .map(|m| Change::Changed {
            session: m.session,
            message: m.id,
        })
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests;
