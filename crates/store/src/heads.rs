//! The heads of chains, written once a batch (STORE-802).
//!
//! ```text
//! put_head ── input ──keep──▶ batch ──commit──▶ the table
//!               └─undo──▶ ∅     └─abandon──▶ ∅
//! ```
//!
//! Whoever brings a thousand events of one chain moves its head a thousand times, and nobody reads the table
//! before the batch is over. What waits here is seen by who reads through the same store.

use std::collections::BTreeMap;

use rusqlite::params;
use tenet_log::{clock::Hlc, frontier::Head, ids::Author, store::StoreError};

use crate::Store;

/// The rows of an author and a branch.
type Branch = (i64, u32);

/// Heads that were moved and are not in the table yet, each with the row of its session.
#[derive(Default)]
pub(crate) struct Moved {
    /// By inputs of this batch that were kept.
    batch: BTreeMap<Branch, (i64, Head)>,
    /// By the input that is under way.
    input: BTreeMap<Branch, (i64, Head)>,
}

impl Moved {
    /// What the input moved stays in the batch.
    pub(crate) fn keep(&mut self) {
        self.batch.append(&mut self.input);
    }

    /// What the input moved is where it was.
    pub(crate) fn undo(&mut self) {
        self.input.clear();
    }

    /// What the batch moved is where it was.
    pub(crate) fn abandon(&mut self) {
        self.input.clear();
        self.batch.clear();
    }

    fn of(&self, session: i64) -> impl Iterator<Item = (Branch, Head)> + '_ {
        let all = self.batch.iter().chain(&self.input);
        let of_session = all.filter(move |(_, (of, _))| *of == session);
        of_session.map(|(branch, (_, head))| (*branch, *head))
    }
}

impl Store {
    /// Moves a head: within a batch once that ends, else at once.
    pub(crate) fn move_head(&self, session: i64, head: &Head) -> Result<(), StoreError> {
        let author = self.author_row(session, head.author)?;
        if self.db.is_autocommit() {
            return self.write_head(author, session, head);
        }
        let mut moved = self.moved.borrow_mut();
        moved.input.insert((author, head.branch), (session, *head));
        Ok(())
    }

    /// The batch ends: writes what it moved.
    pub(crate) fn write_heads(&self) -> Result<(), StoreError> {
        let mut moved = self.moved.borrow_mut();
        moved.keep();
        for ((author, _), (session, head)) in &moved.batch {
            self.write_head(*author, *session, head)?;
        }
        moved.abandon();
        Ok(())
    }

    /// The heads of a session, by author and branch.
    pub(crate) fn heads_of(&self, session: i64) -> Result<Vec<Head>, StoreError> {
        let rows = self.collect(
            "SELECT device, added_by, branch, seq, id, time, tip, head.author FROM head \
             JOIN author ON author.ix = head.author WHERE head.session = ?1",
            [session],
            |row| {
                let head = Head {
                    author: Author {
                        device: row.get::<_, [u8; 32]>(0)?.into(),
                        added_by: row.get::<_, [u8; 32]>(1)?.into(),
                    },
                    branch: row.get(2)?,
                    seq: row.get::<_, i64>(3)? as u64,
                    id: row.get::<_, [u8; 32]>(4)?.into(),
                    time: Hlc::from_raw(row.get::<_, i64>(5)? as u64),
                    tip: row.get(6)?,
                };
                Ok(((row.get::<_, i64>(7)?, head.branch), head))
            },
        )?;
        let moved: BTreeMap<Branch, Head> = self.moved.borrow().of(session).collect();
        if moved.is_empty() {
            return Ok(rows.into_iter().map(|(_, head)| head).collect());
        }
        let mut heads: BTreeMap<Branch, Head> = rows.into_iter().collect();
        heads.extend(moved);
        Ok(heads.into_values().collect())
    }

    /// The latest time of any head of a session.
    pub(crate) fn latest_of(&self, session: i64) -> Result<Hlc, StoreError> {
        let sql = "SELECT max(time) FROM head WHERE session = ?1";
        let written: Option<Option<i64>> = self.one(sql, [session], |row| row.get(0))?;
        let written = Hlc::from_raw(written.flatten().unwrap_or(0) as u64);
        let moved = self.moved.borrow();
        let times = moved.of(session).map(|(_, head)| head.time);
        Ok(times.fold(written, Hlc::max))
    }

    fn write_head(&self, author: i64, session: i64, head: &Head) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO head (author, branch, session, seq, id, time, tip) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (author, branch) DO UPDATE SET \
             seq = excluded.seq, id = excluded.id, time = excluded.time, tip = excluded.tip",
            params![
                author,
                head.branch,
                session,
                head.seq as i64,
                head.id.as_bytes(),
                head.time.raw() as i64,
                head.tip
            ],
        )
    }
}
