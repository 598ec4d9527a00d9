//! Whether every stored event is still what its author signed (`STORE-301`).

use std::collections::BTreeSet;

use rusqlite::Row;
use tenet_identity::keys::Signature;
use tenet_log::{
    event::{Body, Event, Unverified},
    ids::{EventId, SessionId},
    session::Session,
    store::{LogStore, StoreError},
};

use crate::{Store, error::OrStoreError};

/// What a look at all events found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// How many events there are.
    pub events: u64,
    /// Events whose header, signature or body is not what it was; with their sessions.
    pub damaged: Vec<(SessionId, EventId)>,
    /// Events that others build on, or that end a chain, and that are not there; with their sessions.
    pub missing: Vec<(SessionId, EventId)>,
    /// Sessions of which something else is kept than their operations come to (STORE-1601).
    pub miskept: Vec<SessionId>,
}

/// What of an event is spoilt.
#[cfg(any(test, feature = "testing"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// Its signed header.
    Header,
    /// Its signature.
    Signature,
    /// Its body.
    Body,
}

impl Audit {
    /// Whether nothing is wrong.
    pub fn is_well(&self) -> bool {
        self.damaged.is_empty() && self.missing.is_empty() && self.miskept.is_empty()
    }
}

impl Store {
    /// Checks of every event the signature, the hash that names it, that of its body, and that
    /// everything it builds on is there; and that the last event of every chain is: some thirty
    /// microseconds for each event.
    ///
    /// # Errors
    /// [`StoreError`] where the tables cannot be read.
    pub fn audit(&self) -> Result<Audit, StoreError> {
        let mut audit = Audit::default();
        let mut here = BTreeSet::new();
        let mut needed = Vec::new();
        let mut statement = self
            .db
            .prepare(
                "SELECT event.id, session.id, header, signature, salt, body \
                 FROM event JOIN session ON session.ix = event.session ORDER BY position",
            )
            .or_store_error()?;
        let mut rows = statement.query([]).or_store_error()?;
        while let Some(row) = rows.next().or_store_error()? {
            audit.events += 1;
            let id = EventId::from(row.get::<_, [u8; 32]>(0).or_store_error()?);
            let session = SessionId::from(row.get::<_, [u8; 32]>(1).or_store_error()?);
            here.insert(id);
            match whole(row).filter(|event| event.id() == id && event.session() == session) {
                Some(event) => needed.extend(event.parents().map(|parent| (session, parent))),
                None => audit.damaged.push((session, id)),
            }
        }
        needed.extend(self.last_of_chains()?);
        needed.retain(|(_, id)| !here.contains(id));
        needed.sort_unstable();
        needed.dedup();
        audit.missing = needed;
        for session in self.sessions()? {
            // What cannot be read at all is said above.
            if !Session::is_kept_right(self, session).unwrap_or(true) {
                audit.miskept.push(session);
            }
        }
        Ok(audit)
    }

    /// Flips a bit in what is stored of an event, as a failing disk may.
    ///
    /// # Errors
    /// [`StoreError`].
    #[cfg(any(test, feature = "testing"))]
    pub fn spoil(&self, event: EventId, what: Spoil) -> Result<(), StoreError> {
        let column = match what {
            Spoil::Header => "header",
            Spoil::Signature => "signature",
            Spoil::Body => "body",
        };
        // Its last byte, whatever that is, is another one afterwards.
        let sql = format!(
            "UPDATE event SET {column} = CAST(substr({column}, 1, length({column}) - 1) || \
             CASE substr({column}, -1) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB) WHERE id = ?1"
        );
        self.execute(&sql, [event.as_bytes()])
    }

    fn last_of_chains(&self) -> Result<Vec<(SessionId, EventId)>, StoreError> {
        self.collect(
            "SELECT session.id, head.id FROM head JOIN session ON session.ix = head.session",
            [],
            |row| {
                let session = SessionId::from(row.get::<_, [u8; 32]>(0)?);
                Ok((session, EventId::from(row.get::<_, [u8; 32]>(1)?)))
            },
        )
    }
}

/// The event in a row, if all of it holds.
fn whole(row: &Row<'_>) -> Option<Event> {
    let header: Vec<u8> = row.get(2).ok()?;
    let signature: Vec<u8> = row.get(3).ok()?;
    let signature = Signature::try_from(signature.as_slice()).ok()?;
    let salt: Option<[u8; 32]> = row.get(4).ok()?;
    let bytes: Option<Vec<u8>> = row.get(5).ok()?;
    let body = salt.zip(bytes).map(|(salt, bytes)| Body { salt, bytes });
    let event = Event::trusted(header, signature, body).ok()?;
    Unverified::decode(&event.to_wire()).ok()?.verify().ok()
}
