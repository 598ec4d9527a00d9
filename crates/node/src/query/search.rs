//! Messages by their words, with what stands around them.

use std::{collections::BTreeMap, ops::Range};

use tenet_apps::chat::{
    search::{Filter, Query},
    store::MessageRow,
};
use tenet_identity::keys::IdentityId;
use tenet_log::{
    ids::{EventId, SessionId},
    store::StoreError,
};

use super::{Shower, Shown};
use crate::storage::Storage;

/// A message that was looked for, with what stands around it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The message.
    pub shown: Shown,
    /// Where in its text what was looked for stands, in bytes.
    pub hits: Vec<Range<usize>>,
    /// The messages right before it in its conversation, earliest first.
    pub before: Vec<Shown>,
    /// Those right after it.
    pub after: Vec<Shown>,
}

/// What is looked for, and how much of it is wanted.
#[derive(Clone, Debug)]
pub struct Search {
    /// What.
    pub query: Query,
    /// Among which messages.
    pub filter: Filter,
    /// Only messages that came before this one.
    pub before: Option<EventId>,
    /// How many at most.
    pub limit: usize,
    /// How many messages around each.
    pub context: usize,
}

/// Some of the messages that were looked for.
#[derive(Clone, Debug)]
pub struct FoundPage {
    /// In the order of the conversations.
    pub found: Vec<Found>,
    /// Which of them came here first.
    pub first: Option<EventId>,
    /// Whether there are more that came before.
    pub more: bool,
}

/// The last messages to come that have what is looked for (`NODE-202`). `conversation` gives the sessions that are shown as one with a session.
///
/// # Errors
/// [`StoreError`].
pub fn search<S: Storage>(
    store: &S,
    me: IdentityId,
    search: &Search,
    conversation: impl Fn(SessionId) -> Vec<SessionId>,
) -> Result<FoundPage, StoreError> {
    let mut rows = rows_found(store, search)?;
    let more = rows.len() > search.limit;
    rows.truncate(search.limit);
    let first = rows.last().map(|row| row.id);
    rows.sort_by_key(|row| row.order);
    let mut shower = Shower {
        store,
        me,
        readers: BTreeMap::new(),
    };
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let (before, after) = match search.context {
            0 => (Vec::new(), Vec::new()),
            many => {
                let sessions = conversation(row.session);
                let before = store.history(&sessions, Some(&row.order), many)?;
                (before, store.following(&sessions, &row.order, many)?)
            }
        };
        let shown = shower.show(row)?;
        let text = shown.message.text.as_deref().unwrap_or_default();
        found.push(Found {
            hits: search.query.hits(text),
            before: shower.show_all(&before)?,
            after: shower.show_all(&after)?,
            shown,
        });
    }
    Ok(FoundPage { found, first, more })
}

/// The last that came first; one more than the limit where there are more.
fn rows_found<S: Storage>(store: &S, search: &Search) -> Result<Vec<MessageRow>, StoreError> {
    let Search {
        query,
        filter,
        limit,
        ..
    } = search;
    let mut before = match search.before {
        Some(id) => store.message(id)?.map(|row| row.position),
        None => None,
    };
    let (wanted, mut rows) = (limit + 1, Vec::new());
    loop {
        let page = store.find(query, filter, before, wanted)?;
        for position in &page {
            // What was hidden a moment ago may still be in the index, and its days are whole.
            let row = store.message_at(*position)?;
            rows.extend(row.filter(|row| !row.hidden && filter.covers(row.order.time.millis())));
        }
        before = page.last().copied();
        if page.len() < wanted || rows.len() >= wanted {
            rows.truncate(wanted);
            return Ok(rows);
        }
    }
}
