//! Running statements, and the row numbers that stand for sessions and authors.
//!
//! A session and an author are 32 and 64 bytes; tables name them by small numbers instead, which
//! are looked up once and kept until something is undone.

use rusqlite::{OptionalExtension, Row, params};
use tenet_log::{
    ids::{Author, SessionId},
    store::StoreError,
};

use crate::{Store, error::OrStoreError};

impl Store {
    /// The row number of a session, made where it is new.
    pub(crate) fn session_row(&self, id: SessionId) -> Result<i64, StoreError> {
        if let Some(row) = self.find_session(id)? {
            return Ok(row);
        }
        self.execute("INSERT INTO session (id) VALUES (?1)", [id.as_bytes()])?;
        let row = self.db.last_insert_rowid();
        self.names.borrow_mut().sessions.insert(id, row);
        Ok(row)
    }

    pub(crate) fn find_session(&self, id: SessionId) -> Result<Option<i64>, StoreError> {
        if let Some(row) = self.names.borrow().sessions.get(&id) {
            return Ok(Some(*row));
        }
        let row = self.one(
            "SELECT ix FROM session WHERE id = ?1",
            [id.as_bytes()],
            |row| row.get::<_, i64>(0),
        )?;
        if let Some(row) = row {
            self.names.borrow_mut().sessions.insert(id, row);
        }
        Ok(row)
    }

    pub(crate) fn author_row(&self, session: i64, author: Author) -> Result<i64, StoreError> {
        if let Some(row) = self.find_author_row(session, author)? {
            return Ok(row);
        }
        self.execute(
            "INSERT INTO author (session, device, added_by) VALUES (?1, ?2, ?3)",
            params![
                session,
                author.device.as_bytes(),
                author.added_by.as_bytes()
            ],
        )?;
        let row = self.db.last_insert_rowid();
        self.names
            .borrow_mut()
            .authors
            .insert((session, author), row);
        Ok(row)
    }

    pub(crate) fn find_author(
        &self,
        session: SessionId,
        author: Author,
    ) -> Result<Option<i64>, StoreError> {
        match self.find_session(session)? {
            Some(session) => self.find_author_row(session, author),
            None => Ok(None),
        }
    }

    fn find_author_row(&self, session: i64, author: Author) -> Result<Option<i64>, StoreError> {
        if let Some(row) = self.names.borrow().authors.get(&(session, author)) {
            return Ok(Some(*row));
        }
        let row = self.one(
            "SELECT ix FROM author WHERE session = ?1 AND device = ?2 AND added_by = ?3",
            params![
                session,
                author.device.as_bytes(),
                author.added_by.as_bytes()
            ],
            |row| row.get::<_, i64>(0),
        )?;
        if let Some(row) = row {
            self.names
                .borrow_mut()
                .authors
                .insert((session, author), row);
        }
        Ok(row)
    }

    pub(crate) fn execute(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<(), StoreError> {
        self.change(sql, params).map(|_| ())
    }

    /// Runs a statement; gives how many rows it changed.
    pub(crate) fn change(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<usize, StoreError> {
        self.db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params))
            .or_store_error()
    }

    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(params, read).optional())
            .or_store_error()
    }

    pub(crate) fn collect<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_map(params, read)?.collect())
            .or_store_error()
    }
}
