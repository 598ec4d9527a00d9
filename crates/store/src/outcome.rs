//! What the operations of a session come to, as the log keeps it (STORE-1601): rows whose meaning is the log's.

use rusqlite::params;
use tenet_log::{
    ids::SessionId,
    store::{Position, StoreError},
};

use crate::{Store, error::OrStoreError, records::Kind};

/// What no key begins with: behind all rows of a session.
const BEHIND: u8 = u8::MAX;

impl Store {
    pub(crate) fn count_operations(&self, session: i64) -> Result<(u64, Position), StoreError> {
        let sql = "SELECT count(*), max(position) FROM operation WHERE session = ?1";
        let counted = self.one(sql, [session], |row| {
            let last: Option<i64> = row.get(1)?;
            Ok((
                row.get::<_, i64>(0)? as u64,
                Position(last.unwrap_or_default()),
            ))
        })?;
        Ok(counted.unwrap_or_default())
    }

    pub(crate) fn write_outcome(
        &self,
        session: SessionId,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let key = [session.as_bytes(), key].concat();
        match value {
            Some(value) => self.put_record(Kind::Outcome, &key, value),
            None => self.remove_record(Kind::Outcome, &key),
        }
    }

    pub(crate) fn read_outcome(
        &self,
        session: SessionId,
        read: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), StoreError> {
        let (first, behind) = range(session);
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT key, value FROM record WHERE kind = ?1 AND key >= ?2 AND key < ?3 \
                 ORDER BY key",
            )
            .or_store_error()?;
        let mut rows = statement
            .query(params![Kind::Outcome as u8, first, behind])
            .or_store_error()?;
        while let Some(row) = rows.next().or_store_error()? {
            let bytes = |at| row.get_ref(at).and_then(|value| Ok(value.as_blob()?));
            let (key, value) = (bytes(0).or_store_error()?, bytes(1).or_store_error()?);
            read(key.get(first.len()..).unwrap_or_default(), value);
        }
        Ok(())
    }

    pub(crate) fn drop_outcome(&self, session: SessionId) -> Result<(), StoreError> {
        let (first, behind) = range(session);
        self.execute(
            "DELETE FROM record WHERE kind = ?1 AND key >= ?2 AND key < ?3",
            params![Kind::Outcome as u8, first, behind],
        )
    }
}

/// The keys of a session's rows: from one on, and before another.
fn range(session: SessionId) -> (Vec<u8>, Vec<u8>) {
    let first = session.as_bytes().to_vec();
    let behind = [&first[..], &[BEHIND]].concat();
    (first, behind)
}
