//! The tables, and how a database of an earlier version becomes one of this.
//!
//! `spec/store.md` describes every column. A migration is added, never changed.

use rusqlite::Connection;

/// The version that this program writes.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Step `n` turns version `n` into version `n + 1`.
const MIGRATIONS: &[&str] = &[FIRST, FILES, SEARCH, ERASURE, DIFFERENCES, PLACES];

const FIRST: &str = "
CREATE TABLE record (
    kind  INTEGER NOT NULL,
    key   BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;

CREATE TABLE session (
    ix INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE
);

CREATE TABLE author (
    ix       INTEGER PRIMARY KEY,
    session  INTEGER NOT NULL REFERENCES session,
    device   BLOB NOT NULL,
    added_by BLOB NOT NULL,
    UNIQUE (session, device, added_by)
);

CREATE TABLE event (
    position  INTEGER PRIMARY KEY,
    id        BLOB NOT NULL,
    session   INTEGER NOT NULL REFERENCES session,
    author    INTEGER NOT NULL REFERENCES author,
    seq       INTEGER NOT NULL,
    time      INTEGER NOT NULL,
    standing  INTEGER NOT NULL,
    header    BLOB NOT NULL,
    signature BLOB NOT NULL,
    salt      BLOB,
    body      BLOB
);
-- Eight bytes find the event as well as all 32, and the index stays in few pages: its leaves are
-- met in random order, so they are what a commit writes most of.
CREATE INDEX event_by_id ON event (substr(id, 1, 8));
CREATE INDEX event_by_chain ON event (author, seq);
CREATE INDEX event_by_session ON event (session);

CREATE TABLE head (
    author INTEGER NOT NULL REFERENCES author,
    branch INTEGER NOT NULL,
    session INTEGER NOT NULL REFERENCES session,
    seq    INTEGER NOT NULL,
    id     BLOB NOT NULL,
    time   INTEGER NOT NULL,
    tip    INTEGER NOT NULL,
    PRIMARY KEY (author, branch)
) WITHOUT ROWID;
CREATE INDEX head_by_session ON head (session);

CREATE TABLE operation (
    position INTEGER PRIMARY KEY REFERENCES event,
    session  INTEGER NOT NULL REFERENCES session,
    past     BLOB NOT NULL
);
CREATE INDEX operation_by_session ON operation (session);

CREATE TABLE register (
    session INTEGER NOT NULL REFERENCES session,
    device  BLOB NOT NULL,
    key     TEXT NOT NULL,
    value   BLOB NOT NULL,
    PRIMARY KEY (session, device, key)
) WITHOUT ROWID;

CREATE TABLE held (
    id              BLOB PRIMARY KEY,
    session         INTEGER NOT NULL REFERENCES session,
    acceptable_from INTEGER NOT NULL,
    time            INTEGER NOT NULL,
    event           BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX held_by_time ON held (acceptable_from, time);

CREATE TABLE dispatch (
    position     INTEGER PRIMARY KEY REFERENCES event,
    copies       INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL,
    failure      INTEGER
);

CREATE TABLE outbox (
    device   BLOB NOT NULL,
    author   INTEGER NOT NULL REFERENCES author,
    seq      INTEGER NOT NULL,
    position INTEGER NOT NULL REFERENCES event,
    receiver INTEGER NOT NULL,
    PRIMARY KEY (device, author, seq, position)
) WITHOUT ROWID;

CREATE TABLE message (
    session  INTEGER NOT NULL REFERENCES session,
    time     INTEGER NOT NULL,
    position INTEGER NOT NULL REFERENCES event,
    identity BLOB NOT NULL,
    reply    BLOB,
    hidden   INTEGER NOT NULL,
    PRIMARY KEY (session, time, position)
) WITHOUT ROWID;

CREATE TABLE overlay (
    session INTEGER NOT NULL REFERENCES session,
    target  BLOB NOT NULL,
    value   BLOB NOT NULL,
    PRIMARY KEY (session, target)
) WITHOUT ROWID;

CREATE TABLE reference (
    session  INTEGER NOT NULL REFERENCES session,
    target   BLOB NOT NULL,
    event    BLOB NOT NULL,
    identity BLOB NOT NULL,
    PRIMARY KEY (session, target, event)
) WITHOUT ROWID;
";

const FILES: &str = "
CREATE TABLE fetch (
    blob  BLOB PRIMARY KEY,
    size  INTEGER NOT NULL,
    state INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX fetch_by_state ON fetch (state);

CREATE TABLE naming (
    blob     BLOB NOT NULL,
    position INTEGER NOT NULL REFERENCES event,
    session  INTEGER NOT NULL REFERENCES session,
    PRIMARY KEY (blob, position)
) WITHOUT ROWID;
CREATE INDEX naming_by_session ON naming (session, position);
";

// The words come folded and with spaces between: nothing is left for the tokenizer to decide, and
// the one for ASCII leaves all other letters as they are. The text itself is not kept once more.
const SEARCH: &str = "
CREATE VIRTUAL TABLE word USING fts5 (
    words, scope, content = '', contentless_delete = 1, tokenize = 'ascii'
);
";

// What a message answers is in its text: a row of its own would outlive that.
const ERASURE: &str = "
ALTER TABLE event ADD COLUMN expires INTEGER;
CREATE INDEX event_by_expiry ON event (expires) WHERE expires IS NOT NULL;
CREATE TABLE lacking (
    session INTEGER NOT NULL REFERENCES session,
    event   BLOB NOT NULL,
    PRIMARY KEY (session, event)
) WITHOUT ROWID;
ALTER TABLE message DROP COLUMN reply;
";

// A past is kept as it differs from that of an operation before it. What has no base is whole, as all were.
const DIFFERENCES: &str = "
ALTER TABLE operation ADD COLUMN base INTEGER REFERENCES operation;
";

// Eight bytes find the event as well as all 32, and the table stays in few pages: they are met in random order.
const PLACES: &str = "
CREATE TABLE place (
    start    BLOB NOT NULL,
    position INTEGER NOT NULL REFERENCES event,
    PRIMARY KEY (start, position)
) WITHOUT ROWID;
INSERT INTO place (start, position) SELECT substr(id, 1, 8), position FROM event ORDER BY 1, 2;
INSERT INTO record (kind, key, value)
    SELECT 16, x'', unhex(printf('%016x', max(position))) FROM event HAVING max(position) > 0;
DROP INDEX event_by_id;
";

/// Why the tables could not be brought to this version.
#[derive(Debug)]
pub(crate) enum SchemaError {
    /// A later program wrote them.
    Newer(i64),
    /// The database failed.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for SchemaError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Refuses tables of a later version.
pub(crate) fn check(db: &Connection) -> Result<(), SchemaError> {
    version(db).map(|_| ())
}

/// Brings the tables to this program's version, each step in a transaction of its own (`STORE-12`).
pub(crate) fn migrate(db: &mut Connection) -> Result<(), SchemaError> {
    loop {
        let version = version(db)?;
        let Some(step) = usize::try_from(version)
            .ok()
            .and_then(|step| MIGRATIONS.get(step))
        else {
            return Ok(());
        };
        let transaction = db.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
    }
}

fn version(db: &Connection) -> Result<i64, SchemaError> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION {
        return Err(SchemaError::Newer(version));
    }
    Ok(version)
}
