//! Events out of rows.

use rusqlite::Row;
use tenet_identity::keys::Signature;
use tenet_log::{
    event::{Body, Event},
    standing::Standing,
    store::{Position, StoreError, Stored},
};

use crate::Store;

/// What is read of an event.
pub(crate) const EVENT_COLUMNS: &str = "position, standing, header, signature, salt, body";

/// The columns of [`EVENT_COLUMNS`], as they are.
pub(crate) struct StoredParts {
    position: i64,
    standing: u8,
    header: Vec<u8>,
    signature: [u8; 64],
    salt: Option<[u8; 32]>,
    body: Option<Vec<u8>>,
}

pub(crate) fn stored_parts(row: &Row<'_>) -> rusqlite::Result<StoredParts> {
    Ok(StoredParts {
        position: row.get(0)?,
        standing: row.get(1)?,
        header: row.get(2)?,
        signature: row.get(3)?,
        salt: row.get(4)?,
        body: row.get(5)?,
    })
}

/// The event of a row.
pub(crate) fn stored(parts: StoredParts) -> Result<Stored, StoreError> {
    let body = match (parts.salt, parts.body) {
        (Some(salt), Some(bytes)) => Some(Body { salt, bytes }),
        _ => None,
    };
    let event = Event::trusted(parts.header, Signature::from(parts.signature), body)
        .map_err(|_| StoreError::Damaged("an event does not decode"))?;
    let standing = Standing::from_code(parts.standing)
        .ok_or(StoreError::Damaged("an event has an unknown standing"))?;
    Ok(Stored {
        event,
        position: Position(parts.position),
        standing,
    })
}

impl Store {
    pub(crate) fn event_at(&self, position: Position) -> Result<Option<Stored>, StoreError> {
        let sql = format!("SELECT {EVENT_COLUMNS} FROM event WHERE position = ?1");
        self.one(&sql, [position.0], stored_parts)?
            .map(stored)
            .transpose()
    }

    pub(crate) fn stored_rows(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<Vec<Stored>, StoreError> {
        self.collect(sql, params, stored_parts)?
            .into_iter()
            .map(stored)
            .collect()
    }
}
