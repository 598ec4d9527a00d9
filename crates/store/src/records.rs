//! Small records by kind and key: contacts, invites, settings, secrets.
//!
//! Their forms belong to the cores; here they are bytes.

use rusqlite::params;
use tenet_log::store::StoreError;

use crate::Store;

/// What a record is (`STORE-11`); the number is stored, so it is never given to anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The device's secrets; one, under the empty key.
    Secrets = 0,
    /// By identity.
    Contact = 1,
    /// By invite id.
    Invite = 2,
    /// By invite id.
    Knocking = 3,
    /// By invite id and device.
    Answered = 4,
    /// One, under the empty key.
    Settings = 5,
    /// What this person calls themselves; one, under the empty key.
    OwnName = 6,
    /// The UDP port that this home keeps; one, under the empty key.
    Port = 7,
    /// By invite id and identity.
    Request = 8,
    /// Somebody who was a contact, by identity.
    Former = 9,
    /// How far the words have followed the log (8 bytes, big-endian); one, under the empty key.
    IndexedTo = 10,
    /// How a conversation stands; by session.
    Standing = 11,
    /// What was begun to be written (UTF-8); by session.
    Draft = 12,
    /// How far was read here and told nobody; by session.
    ReadHere = 13,
    /// How far the words that were taken out have left the pages; one, under the empty key.
    WordsToForget = 14,
    /// A device that this one was before; by device, with its id as the value.
    FormerDevice = 15,
    /// Up to which position events are in `place` (8 bytes, big-endian); one, under the empty key.
    Placed = 16,
    /// A session that another device of this identity is out of; by session, with its id as the value.
    Bygone = 17,
    /// What the operations of a session come to, in parts (STORE-1601); by session and part.
    Outcome = 18,
}

impl Store {
    pub(crate) fn record(&self, kind: Kind, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.one(
            "SELECT value FROM record WHERE kind = ?1 AND key = ?2",
            params![kind as u8, key],
            |row| row.get(0),
        )
    }

    /// All records of a kind whose keys begin so, by key.
    pub(crate) fn records(&self, kind: Kind, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        self.collect(
            "SELECT value FROM record WHERE kind = ?1 AND substr(key, 1, ?2) = ?3 ORDER BY key",
            params![kind as u8, prefix.len() as i64, prefix],
            |row| row.get(0),
        )
    }

    pub(crate) fn put_record(
        &self,
        kind: Kind,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO record (kind, key, value) VALUES (?1, ?2, ?3)",
            params![kind as u8, key, value],
        )
    }

    pub(crate) fn remove_records(&self, kind: Kind) -> Result<(), StoreError> {
        self.execute("DELETE FROM record WHERE kind = ?1", [kind as u8])
    }

    pub(crate) fn remove_record(&self, kind: Kind, key: &[u8]) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM record WHERE kind = ?1 AND key = ?2",
            params![kind as u8, key],
        )
    }
}
