//! Where events are, by their ids (STORE-10, STORE-1101).
//!
//! ```text
//! insert ──▶ late (memory) ── many of them, or a pause ──▶ place (table)
//! ```
//!
//! Ids are random, so a thousand events touch all of a table over them, and every page that a batch touches is
//! encrypted and written with it. So what came last is found in memory, and the table is written for many at once.

use std::collections::BTreeMap;

use rusqlite::params;
use tenet_log::{ids::EventId, store::StoreError};

use crate::{Store, error::OrStoreError, records::Kind};

/// So many wait in memory before a batch writes them into the table: the more, the fewer pages for each. After a
/// kill they are read back at the next start, which takes some ten milliseconds.
pub(crate) const MANY: usize = 8192;

/// Events that are not in the table yet, as this connection knows them.
#[derive(Default)]
pub(crate) struct Late {
    /// Up to which position the table has them.
    placed: i64,
    /// Up to which position they are here.
    seen: i64,
    positions: BTreeMap<EventId, i64>,
    /// Which state of the database this is, if it is any: SQLite's number for what others commit.
    state: Option<i64>,
}

impl Late {
    /// What was known may have been undone.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Those from one id to another, both included.
    pub(crate) fn between(&self, first: EventId, last: EventId) -> Vec<i64> {
        match first <= last {
            true => self
                .positions
                .range(first..=last)
                .map(|one| *one.1)
                .collect(),
            false => Vec::new(),
        }
    }
}

impl Store {
    /// The position of an event.
    pub(crate) fn find_event(&self, id: EventId) -> Result<Option<i64>, StoreError> {
        self.catch_up()?;
        if let Some(position) = self.late.borrow().positions.get(&id) {
            return Ok(Some(*position));
        }
        self.one(
            "SELECT event.position FROM place JOIN event USING (position) \
             WHERE place.start = substr(?1, 1, 8) AND event.id = ?1",
            [id.as_bytes()],
            |row| row.get(0),
        )
    }

    /// Notes where an event was put.
    pub(crate) fn note_place(&self, id: EventId, position: i64) {
        let mut late = self.late.borrow_mut();
        late.positions.insert(id, position);
        late.seen = position;
    }

    /// Reads what came in since this connection looked last, if anything may have.
    pub(crate) fn catch_up(&self) -> Result<(), StoreError> {
        if !self.beside && self.late.borrow().state.is_some() {
            // Nobody else writes.
            return Ok(());
        }
        let state = self.one("PRAGMA data_version", [], |row| row.get(0))?;
        let mut late = self.late.borrow_mut();
        if state == late.state {
            return Ok(());
        }
        let placed = self.placed()?;
        if placed != late.placed || late.state.is_none() {
            late.forget();
            (late.placed, late.seen) = (placed, placed);
        }
        let rows = self.collect(
            "SELECT id, position FROM event WHERE position > ?1 ORDER BY position",
            [late.seen],
            |row| Ok((EventId::from(row.get::<_, [u8; 32]>(0)?), row.get(1)?)),
        )?;
        if let Some((_, last)) = rows.last() {
            late.seen = *last;
        }
        late.positions.extend(rows);
        late.state = state;
        Ok(())
    }

    /// The batch ends: writes what waits into the table, where that is much.
    pub(crate) fn place_many(&self) -> Result<(), StoreError> {
        let waiting = self.late.borrow().positions.len();
        match waiting {
            0..MANY => Ok(()),
            _ => self.place_all(),
        }
    }

    /// Writes what waits into the table, in a transaction of its own.
    pub(crate) fn place_late(&self) -> Result<(), StoreError> {
        if self.beside || !self.db.is_autocommit() {
            return Ok(());
        }
        self.catch_up()?;
        if self.late.borrow().positions.is_empty() {
            return Ok(());
        }
        let transaction = self.db.unchecked_transaction().or_store_error()?;
        let placed = self
            .place_all()
            .and_then(|()| transaction.commit().or_store_error());
        if placed.is_err() {
            self.late.borrow_mut().forget();
        }
        placed
    }

    fn place_all(&self) -> Result<(), StoreError> {
        let mut late = self.late.borrow_mut();
        let mut statement = self
            .db
            .prepare_cached("INSERT INTO place (start, position) VALUES (substr(?1, 1, 8), ?2)")
            .or_store_error()?;
        for (id, position) in &late.positions {
            let row = params![id.as_bytes(), position];
            statement.execute(row).or_store_error()?;
        }
        late.positions.clear();
        late.placed = late.seen;
        self.put_record(Kind::Placed, &[], &late.placed.to_be_bytes())
    }

    fn placed(&self) -> Result<i64, StoreError> {
        let Some(bytes) = self.record(Kind::Placed, &[])? else {
            return Ok(0);
        };
        let bytes = <[u8; 8]>::try_from(bytes.as_slice());
        bytes
            .map(i64::from_be_bytes)
            .map_err(|_| StoreError::Damaged("how far ids are placed does not decode"))
    }
}
