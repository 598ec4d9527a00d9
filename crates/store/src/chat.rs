//! Chat's trait over SQLite.

use rusqlite::{Row, params};
use tenet_apps::chat::{
    overlay::Overlay,
    read,
    store::{ChatStore, MessageRow, Reference},
};
use tenet_log::{
    clock::Hlc,
    event::Event,
    ids::{Author, EventId, SessionId},
    order::OrderKey,
    store::{LogStore, Position, StoreError},
};

use crate::{Store, records::Kind};

const MESSAGE: &str = "message.position, event.id, session.id, message.time, author.device, \
                       author.added_by, event.seq, message.identity, \
                       message.hidden";

/// What stands in `message.hidden`, of which an older program knows the first alone: that it is not shown.
const HIDDEN: i64 = 1;
/// That it is no message but tells what was done to the session.
const TOLD: i64 = 2;

/// From a message to its event.
const OF_MESSAGE: &str = "FROM message JOIN event ON event.position = message.position \
                          JOIN author ON author.ix = event.author \
                          JOIN session ON session.ix = message.session";

/// From an event to its message.
const OF_EVENT: &str = "FROM event JOIN message ON message.session = event.session \
                        AND message.time = event.time AND message.position = event.position \
                        JOIN author ON author.ix = event.author \
                        JOIN session ON session.ix = event.session";

impl ChatStore for Store {
    fn add_message(&mut self, message: &MessageRow) -> Result<bool, StoreError> {
        let session = self.session_row(message.session)?;
        let rows = self.change(
            "INSERT OR IGNORE INTO message (session, time, position, identity, hidden) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                session,
                message.order.time.raw() as i64,
                message.position.0,
                message.identity.as_bytes(),
                i64::from(message.hidden) * HIDDEN + i64::from(message.told) * TOLD
            ],
        )?;
        Ok(rows > 0)
    }

    fn message(&self, id: EventId) -> Result<Option<MessageRow>, StoreError> {
        match self.find_event(id)? {
            Some(position) => self.message_at(Position(position)),
            None => Ok(None),
        }
    }

    fn message_at(&self, position: Position) -> Result<Option<MessageRow>, StoreError> {
        let sql = format!("SELECT {MESSAGE} {OF_EVENT} WHERE event.position = ?1");
        self.one(&sql, [position.0], message)
    }

    fn messages_between(
        &self,
        first: EventId,
        last: EventId,
        limit: usize,
    ) -> Result<Vec<EventId>, StoreError> {
        self.catch_up()?;
        let params = params![first.as_bytes(), last.as_bytes(), limit as i64];
        let mut ids = self.collect(&between_sql(), params, |row| {
            row.get::<_, [u8; 32]>(0).map(EventId::from)
        })?;
        let late = self.late.borrow().between(first, last);
        for position in late {
            let message = self.message_at(Position(position))?;
            ids.extend(message.filter(|one| !one.hidden).map(|one| one.id));
        }
        ids.sort_unstable();
        ids.dedup();
        ids.truncate(limit);
        Ok(ids)
    }

    fn remove_message(&mut self, session: SessionId, id: EventId) -> Result<(), StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(());
        };
        self.execute(
            "DELETE FROM message WHERE (session, time, position) = \
             (SELECT session, time, position FROM event WHERE position = ?1)",
            [self.find_event(id)?],
        )?;
        for table in ["overlay", "reference"] {
            let sql = format!("DELETE FROM {table} WHERE session = ?1 AND target = ?2");
            self.execute(&sql, params![session, id.as_bytes()])?;
        }
        Ok(())
    }

    fn set_hidden(&mut self, id: EventId, hidden: bool) -> Result<(), StoreError> {
        self.execute(
            "UPDATE message SET hidden = hidden & ~1 | ?2 WHERE (session, time, position) = \
             (SELECT session, time, position FROM event WHERE position = ?1)",
            params![self.find_event(id)?, hidden],
        )
    }

    fn history(
        &self,
        sessions: &[SessionId],
        before: Option<&OrderKey>,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let mut rows = Vec::new();
        for session in sessions {
            rows.extend(self.history_of(*session, before, limit)?);
        }
        rows.sort_by_key(|row| row.order);
        Ok(rows.split_off(rows.len().saturating_sub(limit)))
    }

    fn following(
        &self,
        sessions: &[SessionId],
        after: &OrderKey,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let mut rows = Vec::new();
        for session in sessions {
            let Some(session) = self.find_session(*session)? else {
                continue;
            };
            let params = params![
                session,
                limit as i64,
                after.time.raw() as i64,
                after.author.device.as_bytes(),
                after.author.added_by.as_bytes(),
                after.seq as i64,
                after.id.as_bytes()
            ];
            rows.extend(self.collect(&following_sql(), params, message)?);
        }
        rows.sort_by_key(|row| row.order);
        rows.truncate(limit);
        Ok(rows)
    }

    fn chain_back(
        &self,
        session: SessionId,
        author: Author,
        before: u64,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let Some(author) = self.find_author(session, author)? else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT {MESSAGE} {OF_EVENT} WHERE event.author = ?1 AND event.seq < ?2 \
             AND message.hidden = 0 ORDER BY event.seq DESC LIMIT ?3"
        );
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        self.collect(&sql, params![author, before, limit as i64], message)
    }

    fn read_here(&self, session: SessionId) -> Result<Option<read::Position>, StoreError> {
        let bytes = self.record(Kind::ReadHere, session.as_bytes())?;
        let decode = |bytes: Vec<u8>| {
            read::Position::decode(&bytes)
                .map_err(|_| StoreError::Damaged("a read position does not decode"))
        };
        bytes.map(decode).transpose()
    }

    fn put_read_here(&mut self, session: SessionId, to: &read::Position) -> Result<(), StoreError> {
        self.put_record(Kind::ReadHere, session.as_bytes(), &to.encode())
    }

    fn overlay(&self, session: SessionId, target: EventId) -> Result<Option<Overlay>, StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(None);
        };
        let bytes: Option<Vec<u8>> = self.one(
            "SELECT value FROM overlay WHERE session = ?1 AND target = ?2",
            params![session, target.as_bytes()],
            |row| row.get(0),
        )?;
        let decode = |bytes: Vec<u8>| {
            Overlay::decode(&bytes).map_err(|_| StoreError::Damaged("an overlay does not decode"))
        };
        bytes.map(decode).transpose()
    }

    fn put_overlay(
        &mut self,
        session: SessionId,
        target: EventId,
        overlay: &Overlay,
    ) -> Result<(), StoreError> {
        let session = self.session_row(session)?;
        self.execute(
            "INSERT OR REPLACE INTO overlay (session, target, value) VALUES (?1, ?2, ?3)",
            params![session, target.as_bytes(), overlay.encode()],
        )
    }

    fn add_reference(&mut self, reference: &Reference) -> Result<(), StoreError> {
        let session = self.session_row(reference.session)?;
        self.execute(
            "INSERT OR IGNORE INTO reference (session, target, event, identity) \
             VALUES (?1, ?2, ?3, ?4)",
            params![
                session,
                reference.target.as_bytes(),
                reference.event.as_bytes(),
                reference.identity.as_bytes()
            ],
        )
    }

    fn references(
        &self,
        session: SessionId,
        target: EventId,
    ) -> Result<Vec<Reference>, StoreError> {
        let Some(row_of_session) = self.find_session(session)? else {
            return Ok(Vec::new());
        };
        self.collect(
            "SELECT event, identity FROM reference WHERE session = ?1 AND target = ?2 \
             ORDER BY event",
            params![row_of_session, target.as_bytes()],
            |row| {
                Ok(Reference {
                    session,
                    target,
                    event: row.get::<_, [u8; 32]>(0)?.into(),
                    identity: row.get::<_, [u8; 32]>(1)?.into(),
                })
            },
        )
    }

    fn logged(&self, id: EventId) -> Result<Option<(Event, bool)>, StoreError> {
        Ok(self
            .event(id)?
            .map(|stored| (stored.event, stored.standing.counts())))
    }

    fn logged_at(&self, position: Position) -> Result<Option<Event>, StoreError> {
        let stored = self.event_at(position)?;
        Ok(stored.map(|stored| stored.event))
    }
}

impl Store {
    /// The last shown messages of one session before a place in the order, latest first.
    fn history_of(
        &self,
        session: SessionId,
        before: Option<&OrderKey>,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(Vec::new());
        };
        let (limit, sql) = (limit as i64, history_sql(before.is_some()));
        let Some(before) = before else {
            return self.collect(&sql, params![session, limit], message);
        };
        let params = params![
            session,
            limit,
            before.time.raw() as i64,
            before.author.device.as_bytes(),
            before.author.added_by.as_bytes(),
            before.seq as i64,
            before.id.as_bytes()
        ];
        self.collect(&sql, params, message)
    }
}

/// The latest shown messages of session `?1`, at most `?2`; before a place, if so wanted.
pub(crate) fn history_sql(before: bool) -> String {
    // The first condition lets the index be used; the second is the exact place.
    let place = match before {
        true => {
            "AND message.time <= ?3 \
             AND (message.time, author.device, author.added_by, event.seq, event.id) \
             < (?3, ?4, ?5, ?6, ?7)"
        }
        false => "",
    };
    format!(
        "SELECT {MESSAGE} {OF_MESSAGE} WHERE message.session = ?1 AND NOT hidden & 1 {place} \
         ORDER BY message.time DESC, author.device DESC, author.added_by DESC, event.seq DESC, \
         event.id DESC LIMIT ?2"
    )
}

/// The earliest shown messages of session `?1` after a place, at most `?2`.
pub(crate) fn following_sql() -> String {
    format!(
        "SELECT {MESSAGE} {OF_MESSAGE} WHERE message.session = ?1 AND NOT hidden & 1 \
         AND message.time >= ?3 \
         AND (message.time, author.device, author.added_by, event.seq, event.id) \
         > (?3, ?4, ?5, ?6, ?7) \
         ORDER BY message.time, author.device, author.added_by, event.seq, event.id LIMIT ?2"
    )
}

/// The shown messages with ids from `?1` to `?2`, at most `?3`, of those that have their place. The first condition
/// lets the index be used (`STORE-10`).
pub(crate) fn between_sql() -> String {
    format!(
        "SELECT event.id {OF_EVENT} \
         JOIN place ON place.position = event.position \
         WHERE place.start BETWEEN substr(?1, 1, 8) AND substr(?2, 1, 8) \
         AND event.id BETWEEN ?1 AND ?2 AND NOT message.hidden & 1 ORDER BY event.id LIMIT ?3"
    )
}

fn message(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    let id: EventId = row.get::<_, [u8; 32]>(1)?.into();
    Ok(MessageRow {
        id,
        session: row.get::<_, [u8; 32]>(2)?.into(),
        position: Position(row.get(0)?),
        order: OrderKey {
            time: Hlc::from_raw(row.get::<_, i64>(3)? as u64),
            author: Author {
                device: row.get::<_, [u8; 32]>(4)?.into(),
                added_by: row.get::<_, [u8; 32]>(5)?.into(),
            },
            seq: row.get::<_, i64>(6)? as u64,
            id,
        },
        identity: row.get::<_, [u8; 32]>(7)?.into(),
        hidden: row.get::<_, i64>(8)? & HIDDEN != 0,
        told: row.get::<_, i64>(8)? & TOLD != 0,
    })
}
