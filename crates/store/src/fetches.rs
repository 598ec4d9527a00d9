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
