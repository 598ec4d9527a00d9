//! The log's trait over SQLite.

use rusqlite::params;
use tenet_identity::keys::DeviceId;
use tenet_log::{
    clock::Hlc,
    event::{Content, Event, Unverified},
    frontier::{Head, Past},
    ids::{Author, EventId, SessionId},
    register::{self, Register},
    standing::Standing,
    store::{Base, Held, LogStore, Position, StoreError, Stored},
};

use crate::{Store, error::OrStoreError, stored::EVENT_COLUMNS};

impl LogStore for Store {
    fn sessions(&self) -> Result<Vec<SessionId>, StoreError> {
        self.collect("SELECT id FROM session ORDER BY ix", [], |row| {
            Ok(SessionId::from(row.get::<_, [u8; 32]>(0)?))
        })
    }

    fn insert(&mut self, event: &Event, standing: Standing) -> Result<Position, StoreError> {
        let session = self.session_row(event.session())?;
        let author = self.author_row(session, event.author())?;
        self.catch_up()?;
        let body = event.body();
        let position = self
            .db
            .prepare_cached(
                "INSERT INTO event (id, session, author, seq, time, standing, header, signature, \
                 salt, body, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )
            .and_then(|mut statement| {
                statement.insert(params![
                    event.id().as_bytes(),
                    session,
                    author,
                    event.header().seq as i64,
                    event.header().time.raw() as i64,
                    standing.code(),
                    event.encoded_header(),
                    event.signature().as_bytes(),
                    body.map(|body| &body.salt),
                    body.map(|body| &body.bytes),
                    expiry(event),
                ])
            })
            .or_store_error()?;
        self.note_place(event.id(), position);
        Ok(Position(position))
    }

    fn event(&self, id: EventId) -> Result<Option<Stored>, StoreError> {
        match self.find_event(id)? {
            Some(position) => self.event_at(Position(position)),
            None => Ok(None),
        }
    }

    fn chain(
        &self,
        session: SessionId,
        author: Author,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let Some(author) = self.find_author(session, author)? else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM event WHERE author = ?1 AND seq >= ?2 \
             ORDER BY seq, id LIMIT ?3"
        );
        self.stored_rows(&sql, params![author, seq as i64, limit as i64])
    }

    fn since(
        &self,
        session: SessionId,
        position: Position,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM event WHERE session = ?1 AND position > ?2 \
             ORDER BY position LIMIT ?3"
        );
        self.stored_rows(&sql, params![session, position.0, limit as i64])
    }

    fn back_to(
        &self,
        session: SessionId,
        from: Option<Position>,
        to: Position,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM event \
             WHERE session = ?1 AND position < ?2 AND position > ?3 \
             ORDER BY position DESC LIMIT ?4"
        );
        let from = from.map_or(i64::MAX, |from| from.0);
        self.stored_rows(&sql, params![session, from, to.0, limit as i64])
    }

    fn position(
        &self,
        session: SessionId,
        author: Author,
        seq: u64,
    ) -> Result<Option<Position>, StoreError> {
        let Some(author) = self.find_author(session, author)? else {
            return Ok(None);
        };
        self.one(
            "SELECT position FROM event WHERE author = ?1 AND seq >= ?2 \
             ORDER BY seq, position LIMIT 1",
            params![author, seq as i64],
            |row| row.get(0).map(Position),
        )
    }

    fn last_position(&self, session: SessionId) -> Result<Position, StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(Position::default());
        };
        let last = self.one(
            "SELECT position FROM event WHERE session = ?1 ORDER BY position DESC LIMIT 1",
            [session],
            |row| row.get(0).map(Position),
        )?;
        Ok(last.unwrap_or_default())
    }

    fn mend(&mut self, event: &Event) -> Result<(), StoreError> {
        let body = event.body();
        self.execute(
            "UPDATE event SET header = ?2, signature = ?3, salt = ?4, body = ?5 WHERE position = ?1",
            params![
                self.find_event(event.id())?,
                event.encoded_header(),
                event.signature().as_bytes(),
                body.map(|body| &body.salt),
                body.map(|body| &body.bytes),
            ],
        )
    }

    fn erase(&mut self, id: EventId) -> Result<(), StoreError> {
        // STORE-13: also where that costs a page more.
        self.overwrite("ON")?;
        let sql = "UPDATE event SET salt = NULL, body = NULL WHERE position = ?1";
        let erased = self.find_event(id).and_then(|at| self.execute(sql, [at]));
        self.overwrite("FAST")?;
        erased
    }

    fn expired(&self, now: u64, limit: usize) -> Result<Vec<Stored>, StoreError> {
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM event WHERE expires <= ?1 ORDER BY expires LIMIT ?2"
        );
        self.stored_rows(&sql, params![saturating(now), limit as i64])
    }

    fn next_expiry(&self) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT min(expires) FROM event WHERE expires IS NOT NULL";
        let next: Option<Option<i64>> = self.one(sql, [], |row| row.get(0))?;
        Ok(next.flatten().map(|at| at as u64))
    }

    fn settle_expiry(&mut self, id: EventId) -> Result<(), StoreError> {
        let sql = "UPDATE event SET expires = NULL WHERE position = ?1";
        self.execute(sql, [self.find_event(id)?])
    }

    fn set_lacking(&mut self, id: EventId, lacking: bool) -> Result<(), StoreError> {
        let sql = match lacking {
            true => {
                "INSERT OR IGNORE INTO lacking (session, event) \
                 SELECT session, id FROM event WHERE position = ?1"
            }
            false => {
                "DELETE FROM lacking WHERE (session, event) = \
                 (SELECT session, id FROM event WHERE position = ?1)"
            }
        };
        self.execute(sql, [self.find_event(id)?])
    }

    fn is_lacking(&self, id: EventId) -> Result<bool, StoreError> {
        let found: Option<i64> = self.one(
            "SELECT 1 FROM event JOIN lacking ON lacking.session = event.session \
             AND lacking.event = event.id WHERE event.position = ?1",
            [self.find_event(id)?],
            |row| row.get(0),
        )?;
        Ok(found.is_some())
    }

    fn lacking(
        &self,
        session: SessionId,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<EventId>, StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(Vec::new());
        };
        self.collect(
            "SELECT event FROM lacking WHERE session = ?1 AND event > ?2 ORDER BY event LIMIT ?3",
            params![session, after.as_bytes(), limit as i64],
            |row| row.get::<_, [u8; 32]>(0).map(EventId::from),
        )
    }

    fn lacking_sessions(&self) -> Result<Vec<SessionId>, StoreError> {
        let sql = "SELECT id FROM session WHERE ix IN (SELECT session FROM lacking)";
        self.collect(sql, [], |row| {
            Ok(SessionId::from(row.get::<_, [u8; 32]>(0)?))
        })
    }

    fn set_standing(&mut self, id: EventId, standing: Standing) -> Result<(), StoreError> {
        let sql = "UPDATE event SET standing = ?2 WHERE position = ?1";
        self.execute(sql, params![self.find_event(id)?, standing.code()])
    }

    fn heads(&self, session: SessionId) -> Result<Vec<Head>, StoreError> {
        match self.find_session(session)? {
            Some(session) => self.heads_of(session),
            None => Ok(Vec::new()),
        }
    }

    fn put_head(&mut self, session: SessionId, head: &Head) -> Result<(), StoreError> {
        let session = self.session_row(session)?;
        self.move_head(session, head)
    }

    fn operations(&self, session: SessionId) -> Result<Vec<(Stored, Past)>, StoreError> {
        match self.find_session(session)? {
            Some(session) => self.operations_of(session),
            None => Ok(Vec::new()),
        }
    }

    fn put_past(
        &mut self,
        id: EventId,
        past: &Past,
        base: Option<Base<'_>>,
    ) -> Result<(), StoreError> {
        self.write_past(id, past, base)
    }

    fn operation_count(&self, session: SessionId) -> Result<(u64, Position), StoreError> {
        match self.find_session(session)? {
            Some(session) => self.count_operations(session),
            None => Ok((0, Position::default())),
        }
    }

    fn put_outcome(
        &mut self,
        session: SessionId,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        self.write_outcome(session, key, value)
    }

    fn outcome(
        &self,
        session: SessionId,
        read: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), StoreError> {
        self.read_outcome(session, read)
    }

    fn forget_outcome(&mut self, session: SessionId) -> Result<(), StoreError> {
        self.drop_outcome(session)
    }

    fn register(
        &self,
        session: SessionId,
        device: DeviceId,
        key: &str,
    ) -> Result<Option<Register>, StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(None);
        };
        let bytes: Option<Vec<u8>> = self.one(
            "SELECT value FROM register WHERE session = ?1 AND device = ?2 AND key = ?3",
            params![session, device.as_bytes(), key],
            |row| row.get(0),
        )?;
        bytes.map(|bytes| stored_register(&bytes)).transpose()
    }

    fn registers(&self, session: SessionId) -> Result<Vec<Register>, StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(Vec::new());
        };
        let rows: Vec<Vec<u8>> = self.collect(
            "SELECT value FROM register WHERE session = ?1 ORDER BY device, key",
            [session],
            |row| row.get(0),
        )?;
        rows.iter().map(|bytes| stored_register(bytes)).collect()
    }

    fn registers_under(&self, session: SessionId, key: &str) -> Result<Vec<Register>, StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(Vec::new());
        };
        let rows: Vec<Vec<u8>> = self.collect(
            "SELECT value FROM register WHERE session = ?1 AND key = ?2 ORDER BY device",
            params![session, key],
            |row| row.get(0),
        )?;
        rows.iter().map(|bytes| stored_register(bytes)).collect()
    }

    fn register_count(&self, session: SessionId, device: DeviceId) -> Result<usize, StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(0);
        };
        let count: Option<i64> = self.one(
            "SELECT count(*) FROM register WHERE session = ?1 AND device = ?2",
            params![session, device.as_bytes()],
            |row| row.get(0),
        )?;
        Ok(count
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(0))
    }

    fn put_register(&mut self, register: &Register) -> Result<(), StoreError> {
        let session = self.session_row(register.session())?;
        self.execute(
            "INSERT OR REPLACE INTO register (session, device, key, value) \
             VALUES (?1, ?2, ?3, ?4)",
            params![
                session,
                register.device().as_bytes(),
                register.key(),
                register.encode()
            ],
        )
    }

    fn hold(&mut self, event: &Event) -> Result<bool, StoreError> {
        let session = self.session_row(event.session())?;
        let time = event.header().time;
        let new = self.change(
            "INSERT OR IGNORE INTO held (id, session, acceptable_from, time, event) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                event.id().as_bytes(),
                session,
                time.acceptable_from() as i64,
                time.raw() as i64,
                event.to_wire()
            ],
        )?;
        Ok(new > 0)
    }

    fn held_count(&self, session: SessionId) -> Result<usize, StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(0);
        };
        let count: Option<i64> = self.one(
            "SELECT count(*) FROM held WHERE session = ?1",
            [session],
            |row| row.get(0),
        )?;
        Ok(count.unwrap_or(0) as usize)
    }

    fn due(&self, now: u64, limit: usize) -> Result<Vec<Held>, StoreError> {
        let rows: Vec<(i64, Vec<u8>)> = self.collect(
            "SELECT acceptable_from, event FROM held WHERE acceptable_from <= ?1 \
             ORDER BY time LIMIT ?2",
            params![saturating(now), limit as i64],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        rows.into_iter()
            .map(|(from, bytes)| {
                let event = Unverified::decode(&bytes)
                    .and_then(Unverified::verify)
                    .map_err(|_| StoreError::Damaged("a held event does not decode"))?;
                Ok(Held {
                    event,
                    acceptable_from: from as u64,
                })
            })
            .collect()
    }

    fn next_due(&self) -> Result<Option<u64>, StoreError> {
        let next: Option<Option<i64>> =
            self.one("SELECT min(acceptable_from) FROM held", [], |row| {
                row.get(0)
            })?;
        Ok(next.flatten().map(|from| from as u64))
    }

    fn release(&mut self, id: EventId) -> Result<(), StoreError> {
        self.execute("DELETE FROM held WHERE id = ?1", [id.as_bytes()])
    }

    fn latest_time(&self, session: SessionId) -> Result<Hlc, StoreError> {
        match self.find_session(session)? {
            Some(session) => self.latest_of(session),
            None => Ok(Hlc::default()),
        }
    }
}

/// When something is to be done about an event's body, in Unix milliseconds.
fn expiry(event: &Event) -> Option<i64> {
    let header = event.header();
    let has_body = matches!(header.content, Content::Body { .. });
    header.expires.filter(|_| has_body).map(saturating)
}

/// A time of somebody's choice as the store counts: what is later than it can count never comes.
fn saturating(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX)
}

fn stored_register(bytes: &[u8]) -> Result<Register, StoreError> {
    register::Unverified::decode(bytes)
        .map(register::Unverified::trusted)
        .map_err(|_| StoreError::Damaged("a register does not decode"))
}

impl Store {
    /// Whether what is deleted is overwritten also where that costs writing a page more.
    fn overwrite(&self, how: &str) -> Result<(), StoreError> {
        self.db
            .pragma_update(None, "secure_delete", how)
            .or_store_error()
    }
}
