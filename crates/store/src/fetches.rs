//! Fetches over SQLite.

use rusqlite::{Row, params};
use tenet_delivery::fetch::{Fetch, FetchState, Fetches};
use tenet_log::{
    ids::{BlobId, SessionId},
    store::{Position, StoreError},
};

use crate::Store;

impl Fetches for Store {
    fn put_fetch(&mut self, fetch: &Fetch) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO fetch (blob, size, state) VALUES (?1, ?2, ?3)",
            params![fetch.blob.as_bytes(), fetch.size as i64, fetch.state.code()],
        )
    }

    fn fetch(&self, blob: BlobId) -> Result<Option<Fetch>, StoreError> {
        self.one(
            "SELECT blob, size, state FROM fetch WHERE blob = ?1",
            [blob.as_bytes()],
            parts,
        )?
        .map(fetch)
        .transpose()
    }

    fn fetches(&self, state: FetchState) -> Result<Vec<Fetch>, StoreError> {
        self.collect(
            "SELECT blob, size, state FROM fetch WHERE state = ?1 ORDER BY blob",
            [state.code()],
            parts,
        )?
        .into_iter()
        .map(fetch)
        .collect()
    }

    fn fetches_between(
        &self,
        first: BlobId,
        last: BlobId,
        limit: usize,
    ) -> Result<Vec<BlobId>, StoreError> {
        self.collect(
            "SELECT blob FROM fetch WHERE blob BETWEEN ?1 AND ?2 ORDER BY blob LIMIT ?3",
            params![first.as_bytes(), last.as_bytes(), limit as i64],
            |row| row.get::<_, [u8; 32]>(0).map(BlobId::from),
        )
    }

    fn forget_fetch(&mut self, blob: BlobId) -> Result<(), StoreError> {
        self.execute("DELETE FROM fetch WHERE blob = ?1", [blob.as_bytes()])
    }

    fn reserved(&self) -> Result<u64, StoreError> {
        // As a floating sum and without sign: what peers say of sizes may be anything, a sum of
        // integers fails, and the largest sizes stand as negative numbers.
        let sum = self.one(
            "SELECT TOTAL(size & 9223372036854775807) FROM fetch WHERE state <> ?1",
            [FetchState::Offered.code()],
            |row| row.get::<_, f64>(0),
        )?;
        Ok(sum.unwrap_or_default() as u64)
    }

    fn name_blob(
        &mut self,
        blob: BlobId,
        session: SessionId,
        position: Position,
    ) -> Result<(), StoreError> {
        let session = self.session_row(session)?;
        self.execute(
            "INSERT OR IGNORE INTO naming (blob, position, session) VALUES (?1, ?2, ?3)",
            params![blob.as_bytes(), position.0, session],
        )
    }

    fn namings(&self, blob: BlobId) -> Result<Vec<(SessionId, Position)>, StoreError> {
        self.collect(
            "SELECT session.id, position FROM naming JOIN session ON session.ix = naming.session \
             WHERE blob = ?1 ORDER BY position",
            [blob.as_bytes()],
            |row| {
                let session = SessionId::from(row.get::<_, [u8; 32]>(0)?);
                Ok((session, Position(row.get(1)?)))
            },
        )
    }

    fn forget_naming(&mut self, blob: BlobId, position: Position) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM naming WHERE blob = ?1 AND position = ?2",
            params![blob.as_bytes(), position.0],
        )
    }

    fn named_in(
        &self,
        session: SessionId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<(BlobId, Position)>, StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(Vec::new());
        };
        let before = before.map_or(i64::MAX, |before| before.0);
        self.collect(
            "SELECT blob, position FROM naming WHERE session = ?1 AND position < ?2 \
             ORDER BY position DESC, blob DESC LIMIT ?3",
            params![session, before, limit as i64],
            |row| {
                let blob = BlobId::from(row.get::<_, [u8; 32]>(0)?);
                Ok((blob, Position(row.get(1)?)))
            },
        )
    }
}

fn parts(row: &Row<'_>) -> rusqlite::Result<([u8; 32], i64, u8)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn fetch((blob, size, state): ([u8; 32], i64, u8)) -> Result<Fetch, StoreError> {
    let state =
        FetchState::from_code(state).ok_or(StoreError::Damaged("a file has an unknown state"))?;
    Ok(Fetch {
        blob: blob.into(),
        size: size as u64,
        state,
    })
}
