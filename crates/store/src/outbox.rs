//! The outbox over SQLite.

use rusqlite::{Row, params};
use tenet_delivery::{
    outbox::{Acked, Dispatch, Outbox, Outgoing, Recipient},
    state::Failure,
};
use tenet_identity::keys::DeviceId;
use tenet_log::{
    ids::{Author, EventId, SessionId},
    store::{Position, StoreError},
};

use crate::Store;

const OUTGOING: &str = "event.position, session.id, author.device, author.added_by, event.seq, \
                        event.id FROM event JOIN author ON author.ix = event.author \
                        JOIN session ON session.ix = event.session";

impl Outbox for Store {
    fn queue(&mut self, outgoing: &Outgoing, recipients: &[Recipient]) -> Result<(), StoreError> {
        let position = outgoing.position.0;
        let session = self.session_row(outgoing.session)?;
        let author = self.author_row(session, outgoing.author)?;
        let mut copies = 0;
        for recipient in recipients {
            let new = self.change(
                "INSERT OR IGNORE INTO outbox (device, author, seq, position, receiver) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    recipient.device.as_bytes(),
                    author,
                    outgoing.seq as i64,
                    position,
                    recipient.receiver
                ],
            )?;
            copies += i64::from(new > 0 && recipient.receiver);
        }
        self.execute(
            "INSERT INTO dispatch (position, copies, acknowledged) VALUES (?1, ?2, 0) \
             ON CONFLICT (position) DO UPDATE SET copies = copies + excluded.copies",
            params![position, copies],
        )
    }

    fn acknowledge(
        &mut self,
        session: SessionId,
        author: Author,
        seq: u64,
        device: DeviceId,
    ) -> Result<Vec<Acked>, StoreError> {
        let Some(author) = self.find_author(session, author)? else {
            return Ok(Vec::new());
        };
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        let rows: Vec<(bool, [u8; 32], i64)> = self.collect(
            "SELECT receiver, event.id, dispatch.acknowledged FROM outbox \
             JOIN event USING (position) JOIN dispatch USING (position) \
             WHERE outbox.device = ?1 AND outbox.author = ?2 AND outbox.seq <= ?3 \
             ORDER BY outbox.seq",
            params![device.as_bytes(), author, seq],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut acked = Vec::with_capacity(rows.len());
        for (receiver, id, before) in rows {
            acked.push(Acked {
                event: id.into(),
                first: receiver && before == 0,
            });
        }
        self.execute(
            "UPDATE dispatch SET acknowledged = acknowledged + 1 WHERE position IN \
             (SELECT position FROM outbox WHERE device = ?1 AND author = ?2 AND seq <= ?3 \
             AND receiver)",
            params![device.as_bytes(), author, seq],
        )?;
        self.execute(
            "DELETE FROM outbox WHERE device = ?1 AND author = ?2 AND seq <= ?3",
            params![device.as_bytes(), author, seq],
        )?;
        Ok(acked)
    }

    fn pending(
        &self,
        device: DeviceId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Outgoing>, StoreError> {
        let sql = format!(
            "SELECT {OUTGOING} JOIN outbox USING (position) \
             WHERE outbox.device = ?1 AND position > ?2 ORDER BY position LIMIT ?3"
        );
        self.collect(
            &sql,
            params![device.as_bytes(), after.0, limit as i64],
            outgoing,
        )
    }

    fn waiting(&self) -> Result<Vec<(DeviceId, u64)>, StoreError> {
        self.collect(
            "SELECT device, count(*) FROM outbox GROUP BY device ORDER BY device",
            [],
            |row| {
                Ok((
                    row.get::<_, [u8; 32]>(0)?.into(),
                    row.get::<_, i64>(1)? as u64,
                ))
            },
        )
    }

    fn pending_events(&self) -> Result<u64, StoreError> {
        let count: Option<i64> =
            self.one("SELECT count(DISTINCT position) FROM outbox", [], |row| {
                row.get(0)
            })?;
        Ok(count.unwrap_or(0) as u64)
    }

    fn undelivered(
        &self,
        session: SessionId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Outgoing>, StoreError> {
        let sql = format!(
            "SELECT {OUTGOING} JOIN dispatch USING (position) \
             WHERE session.id = ?1 AND position > ?2 AND acknowledged = 0 AND failure IS NULL \
             ORDER BY position LIMIT ?3"
        );
        self.collect(
            &sql,
            params![session.as_bytes(), after.0, limit as i64],
            outgoing,
        )
    }

    fn forget(&mut self, session: SessionId, device: DeviceId) -> Result<Vec<EventId>, StoreError> {
        let Some(session) = self.find_session(session)? else {
            return Ok(Vec::new());
        };
        let rows: Vec<(i64, bool)> = self.collect(
            "SELECT position, receiver FROM outbox JOIN author ON author.ix = outbox.author \
             WHERE outbox.device = ?1 AND author.session = ?2 ORDER BY position",
            params![device.as_bytes(), session],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let mut alone = Vec::new();
        for (position, receiver) in rows {
            self.execute(
                "DELETE FROM outbox WHERE position = ?1 AND device = ?2",
                params![position, device.as_bytes()],
            )?;
            if receiver {
                self.execute(
                    "UPDATE dispatch SET copies = copies - 1 WHERE position = ?1",
                    [position],
                )?;
                alone.extend(self.left_alone(position)?);
            }
        }
        Ok(alone)
    }

    fn fail(&mut self, event: EventId, failure: Failure) -> Result<(), StoreError> {
        let position = self.find_event(event)?;
        self.execute("DELETE FROM outbox WHERE position = ?1", [position])?;
        let sql = "UPDATE dispatch SET failure = ?2 WHERE position = ?1";
        self.execute(sql, params![position, failure.code()])
    }

    fn reach(&mut self, event: EventId, reached: u32, of: u32) -> Result<(), StoreError> {
        let position = self.find_event(event)?;
        self.execute(
            "UPDATE dispatch SET copies = max(copies, ?3), acknowledged = max(acknowledged, ?2) \
             WHERE position = ?1",
            params![position, reached, of],
        )
    }

    fn dispatch(&self, event: Position) -> Result<Option<Dispatch>, StoreError> {
        self.one(
            "SELECT copies, acknowledged, failure FROM dispatch WHERE position = ?1",
            [event.0],
            dispatch,
        )
    }
}

impl Store {
    /// How many own messages have a row: of [`Outbox::pending_events`] those that a person counts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pending_messages(&self) -> Result<u64, StoreError> {
        let count: Option<i64> = self.one(
            "SELECT count(*) FROM (SELECT DISTINCT position FROM outbox) JOIN event USING (position) \
             JOIN message USING (session, time, position) WHERE NOT hidden & 2",
            [],
            |row| row.get(0),
        )?;
        Ok(count.unwrap_or(0) as u64)
    }

    /// The event, where it has no receiver left and none that acknowledged it.
    fn left_alone(&self, position: i64) -> Result<Option<EventId>, StoreError> {
        self.one(
            "SELECT event.id FROM dispatch JOIN event USING (position) \
             WHERE position = ?1 AND copies = 0",
            [position],
            |row| Ok(row.get::<_, [u8; 32]>(0)?.into()),
        )
    }
}

fn outgoing(row: &Row<'_>) -> rusqlite::Result<Outgoing> {
    Ok(Outgoing {
        position: Position(row.get(0)?),
        session: row.get::<_, [u8; 32]>(1)?.into(),
        author: Author {
            device: row.get::<_, [u8; 32]>(2)?.into(),
            added_by: row.get::<_, [u8; 32]>(3)?.into(),
        },
        seq: row.get::<_, i64>(4)? as u64,
        event: row.get::<_, [u8; 32]>(5)?.into(),
    })
}

fn dispatch(row: &Row<'_>) -> rusqlite::Result<Dispatch> {
    Ok(Dispatch {
        copies: row.get(0)?,
        acknowledged: row.get(1)?,
        failure: row.get::<_, Option<u8>>(2)?.and_then(Failure::from_code),
    })
}
