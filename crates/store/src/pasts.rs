//! Causal pasts of roster operations, each kept as it differs from another's (STORE-801).
//!
//! ```text
//! operation ── base: an operation that came before ── base ── … ── one that is kept whole
//! ```
//!
//! Loading makes them in the order in which they came, each from one that is made already: so what that costs
//! grows with what differs, and what is equal is shared in memory.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use rusqlite::params;
use tenet_identity::encoding;
use tenet_log::{
    frontier::{Difference, Past},
    ids::{Author, EventId},
    store::{Base, StoreError, Stored},
};

use crate::{
    Store,
    stored::{EVENT_COLUMNS, stored, stored_parts},
};

/// A difference as it is stored: chains by the row of their author, with how many events are covered.
#[derive(Encode, Decode)]
struct DifferenceForm {
    #[n(0)]
    chains: BTreeMap<i64, u64>,
    #[n(1)]
    unseen: Vec<EventId>,
    #[n(2)]
    seen: Vec<EventId>,
}

impl Store {
    pub(crate) fn operations_of(&self, session: i64) -> Result<Vec<(Stored, Past)>, StoreError> {
        let authors = self.authors(session)?;
        let sql = format!(
            "SELECT {EVENT_COLUMNS}, base, past FROM operation JOIN event USING (position) \
             WHERE operation.session = ?1 ORDER BY position"
        );
        let rows = self.collect(&sql, [session], |row| {
            let base: Option<i64> = row.get(6)?;
            Ok((stored_parts(row)?, base, row.get::<_, Vec<u8>>(7)?))
        })?;
        let mut operations: Vec<(Stored, Past)> = Vec::with_capacity(rows.len());
        for (parts, base, bytes) in rows {
            let past = match base {
                Some(base) => {
                    let at = operations.binary_search_by_key(&base, |(one, _)| one.position.0);
                    let base = at.ok().and_then(|at| operations.get(at));
                    let (_, base) = base.ok_or(StoreError::Damaged("a past has no base"))?;
                    base.but(&read(&bytes, &authors)?)
                }
                None => encoding::decode(&bytes).map_err(|_| UNREADABLE)?,
            };
            operations.push((stored(parts)?, past));
        }
        Ok(operations)
    }

    pub(crate) fn write_past(
        &mut self,
        id: EventId,
        past: &Past,
        base: Option<Base<'_>>,
    ) -> Result<(), StoreError> {
        let Some((position, session)) = self.place(id)? else {
            return Ok(());
        };
        let found = base.map(|base| self.place(base.id)).transpose()?.flatten();
        let based = base.zip(found);
        let bytes = match based {
            Some((base, _)) => self.form(session, &past.difference(base.past))?,
            None => encoding::encode(past),
        };
        self.execute(
            "INSERT OR REPLACE INTO operation (position, session, base, past) \
             VALUES (?1, ?2, ?3, ?4)",
            params![position, session, based.map(|(_, (base, _))| base), bytes],
        )
    }

    /// The position and the session of an event.
    fn place(&self, id: EventId) -> Result<Option<(i64, i64)>, StoreError> {
        let sql = "SELECT position, session FROM event WHERE position = ?1";
        self.one(sql, [self.find_event(id)?], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    fn form(&self, session: i64, difference: &Difference) -> Result<Vec<u8>, StoreError> {
        let mut chains = BTreeMap::new();
        for (author, seq) in &difference.chains {
            let count = seq.map_or(0, |seq| seq.saturating_add(1));
            chains.insert(self.author_row(session, *author)?, count);
        }
        Ok(encoding::encode(&DifferenceForm {
            chains,
            unseen: difference.unseen.clone(),
            seen: difference.seen.clone(),
        }))
    }

    fn authors(&self, session: i64) -> Result<BTreeMap<i64, Author>, StoreError> {
        let sql = "SELECT ix, device, added_by FROM author WHERE session = ?1";
        let authors = self.collect(sql, [session], |row| {
            let author = Author {
                device: row.get::<_, [u8; 32]>(1)?.into(),
                added_by: row.get::<_, [u8; 32]>(2)?.into(),
            };
            Ok((row.get(0)?, author))
        })?;
        Ok(authors.into_iter().collect())
    }
}

const UNREADABLE: StoreError = StoreError::Damaged("an operation's past does not decode");

fn read(bytes: &[u8], authors: &BTreeMap<i64, Author>) -> Result<Difference, StoreError> {
    let form: DifferenceForm = encoding::decode(bytes).map_err(|_| UNREADABLE)?;
    let chains = form.chains.into_iter().map(|(row, count)| {
        let author = authors.get(&row).copied();
        author.map(|author| (author, count.checked_sub(1)))
    });
    Ok(Difference {
        chains: chains.collect::<Option<_>>().ok_or(UNREADABLE)?,
        unseen: form.unseen,
        seen: form.seen,
    })
}
