//! Files of conversations.

use tenet_apps::chat::{Action, file::File};
use tenet_delivery::fetch::FetchState;
use tenet_identity::keys::IdentityId;
use tenet_log::{
    ids::{BlobId, EventId, SessionId},
    store::{Position, StoreError},
};

use crate::storage::Storage;

/// A file that an event names.
#[derive(Clone, Debug)]
pub struct Named {
    /// The message.
    pub message: EventId,
    /// Its session.
    pub session: SessionId,
    /// Who wrote it.
    pub identity: IdentityId,
    /// When, by its author's clock, in Unix milliseconds.
    pub time: u64,
    /// The file.
    pub file: File,
    /// How its content stands here.
    pub state: FetchState,
}

/// The files that came into these sessions last, before one of their messages; those that are wanted,
/// at most `limit`, in the order in which they came.
///
/// # Errors
/// [`StoreError`].
pub fn files<S: Storage>(
    store: &S,
    sessions: &[SessionId],
    before: Option<EventId>,
    limit: usize,
    wanted: impl Fn(&File) -> bool,
) -> Result<Vec<Named>, StoreError> {
    let before = match before {
        Some(id) => store.message(id)?.map(|row| row.position),
        None => None,
    };
    let mut found = Vec::new();
    for session in sessions {
        found.extend(files_of(store, *session, before, limit, &wanted)?);
    }
    found.sort_by_key(|(position, _)| *position);
    let found = found.split_off(found.len().saturating_sub(limit));
    Ok(found.into_iter().map(|(_, named)| named).collect())
}

fn files_of<S: Storage>(
    store: &S,
    session: SessionId,
    mut before: Option<Position>,
    limit: usize,
    wanted: &impl Fn(&File) -> bool,
) -> Result<Vec<(Position, Named)>, StoreError> {
    const PAGE: usize = 128;
    let mut found = Vec::new();
    loop {
        let mut places: Vec<Position> = store
            .named_in(session, before, PAGE)?
            .into_iter()
            .map(|(_, position)| position)
            .collect();
        let full = places.len() == PAGE;
        places.dedup();
        // The last place of a full page may go on on the next one.
        if full && places.len() > 1 {
            places.pop();
        }
        for position in &places {
            let named = named_at(store, *position)?;
            let named = named.into_iter().filter(|named| wanted(&named.file));
            found.extend(named.map(|named| (*position, named)));
        }
        match places.last() {
            Some(last) if full && found.len() < limit => before = Some(*last),
            _ => return Ok(found),
        }
    }
}

/// The first file that names a content and is shown; `None` where there is none.
///
/// # Errors
/// [`StoreError`].
pub fn file<S: Storage>(store: &S, blob: BlobId) -> Result<Option<Named>, StoreError> {
    for (_, position) in store.namings(blob)? {
        let named = named_at(store, position)?;
        if let Some(named) = named.into_iter().find(|named| named.file.content() == blob) {
            return Ok(Some(named));
        }
    }
    Ok(None)
}

/// The files of the event at a place, if it is shown as a message.
fn named_at<S: Storage>(store: &S, position: Position) -> Result<Vec<Named>, StoreError> {
    let Some(event) = store.logged_at(position)? else {
        return Ok(Vec::new());
    };
    let row = store.message(event.id())?.filter(|row| !row.hidden);
    let (Some(row), Ok(Some(Action::Text(text)))) = (row, Action::decode(&event)) else {
        return Ok(Vec::new());
    };
    let named = |file: &File| {
        let fetch = store.fetch(file.content())?;
        Ok(Named {
            message: row.id,
            session: row.session,
            identity: row.identity,
            time: row.order.time.millis(),
            file: file.clone(),
            state: fetch.map_or(FetchState::Offered, |fetch| fetch.state),
        })
    };
    text.files().iter().map(named).collect()
}
