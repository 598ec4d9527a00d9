//! Opening the store: one writer, and readers beside it that never wait for it.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};
use tenet_log::{
    ids::{Author, SessionId},
    store::StoreError,
};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    error::store_error,
    heads::Moved,
    places::Late,
    schema::{self, SchemaError},
};

/// How many KiB of decrypted pages a connection keeps in memory.
const CACHE_KIB: i64 = 4 * 1024;

/// After how many written pages the write-ahead log is folded into the database (`STORE-8`): 16 MiB.
const CHECKPOINT_PAGES: i64 = 4096;

/// The size of a page, as [`CIPHER`] sets it.
const PAGE_BYTES: u64 = 4096;

/// How pages are protected (`STORE-2`): AES-256-CBC under a random IV each, then HMAC-SHA-256 over
/// IV, bytes and page number.
///
/// SQLCipher's default is HMAC-SHA-512. SHA-256 authenticates as well, and processors compute it in
/// hardware: a written page costs a third less. The rest is named so that a later default cannot
/// make a store unreadable.
const CIPHER: &str = "PRAGMA cipher_page_size = 4096; PRAGMA cipher_use_hmac = ON; \
                      PRAGMA cipher_hmac_algorithm = HMAC_SHA256; \
                      PRAGMA cipher_kdf_algorithm = PBKDF2_HMAC_SHA512; \
                      PRAGMA cipher_plaintext_header_size = 0;";

/// How many prepared statements a connection keeps: more than there are in this crate.
const STATEMENTS: usize = 128;

/// An open store.
pub struct Store {
    pub(crate) db: Connection,
    pub(crate) names: RefCell<Names>,
    pub(crate) moved: RefCell<Moved>,
    pub(crate) late: RefCell<Late>,
    /// Somebody else writes.
    pub(crate) beside: bool,
    /// The write-ahead log beside the database; none in memory.
    pub(crate) wal: Option<PathBuf>,
    pub(crate) wal_file: Option<File>,
}

/// Row numbers of sessions and authors that were looked up before.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) sessions: BTreeMap<SessionId, i64>,
    pub(crate) authors: BTreeMap<(i64, Author), i64>,
}

/// Why the store does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no store at this path.
    #[error("there is no store at {0}")]
    Missing(PathBuf),
    /// The key is another's, or the first page is damaged.
    #[error(
        "the store at {0} does not open with this key, or is damaged; the file was left as it is, `tenet doctor` says what can be done"
    )]
    Unreadable(PathBuf),
    /// A later version of this program wrote it.
    #[error(
        "the store was written by a newer version of Tenet (format {found}, this one knows {known}); install that version"
    )]
    Newer {
        /// The version found.
        found: i64,
        /// The version that this program writes.
        known: i64,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Opens a store, or makes it where the file does not exist, under a raw 32-byte key.
    ///
    /// # Errors
    /// [`OpenError`]; the file is left as it was.
    pub fn open(path: &Path, key: &[u8; 32]) -> Result<Self, OpenError> {
        keep_ready();
        refuse_stub(path)?;
        let db = Connection::open(path).map_err(store_error)?;
        Self::begin(db, key, path, Access::Write)
    }

    /// Opens an existing store to read beside its writer (`STORE-6`).
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_reader(path: &Path, key: &[u8; 32]) -> Result<Self, OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing(path.to_owned()));
        }
        keep_ready();
        refuse_stub(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(store_error)?;
        Self::begin(db, key, path, Access::Read)
    }

    /// A store in memory, for simulations: gone when dropped.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn in_memory() -> Result<Self, OpenError> {
        keep_ready();
        let db = Connection::open_in_memory().map_err(store_error)?;
        Self::begin(db, &[0; 32], Path::new(":memory:"), Access::Write)
    }

    /// Makes a file of whatever format from statements.
    #[cfg(test)]
    pub(crate) fn make(path: &Path, key: &[u8; 32], sql: &str) -> rusqlite::Result<()> {
        keep_ready();
        let db = Connection::open(path)?;
        set_key(&db, key)?;
        db.execute_batch(CIPHER)?;
        db.execute_batch(sql)
    }

    fn begin(
        mut db: Connection,
        key: &[u8; 32],
        path: &Path,
        access: Access,
    ) -> Result<Self, OpenError> {
        let unreadable = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                OpenError::Unreadable(path.to_owned())
            }
            _ => OpenError::Store(store_error(error)),
        };
        // Folding is asked for ([`Self::checkpoint`]), never done in passing: a store that turns out
        // to be damaged is left as it is, and so is its write-ahead log, which may hold what the
        // file has not.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map_err(unreadable)?;
        // Damage is said in our own words, once.
        db.execute_batch("PRAGMA cipher_log_level = NONE")
            .map_err(unreadable)?;
        set_key(&db, key).map_err(unreadable)?;
        db.execute_batch(CIPHER).map_err(unreadable)?;
        settle(&db, access).map_err(unreadable)?;
        let ready = match access {
            Access::Write => schema::migrate(&mut db),
            Access::Read => schema::check(&db),
        };
        ready.map_err(|error| match error {
            SchemaError::Newer(found) => OpenError::Newer {
                found,
                known: schema::VERSION,
            },
            SchemaError::Sqlite(error) => unreadable(error),
        })?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        let wal = db
            .path()
            .filter(|path| !path.is_empty())
            .map(|path| format!("{path}-wal").into());
        Ok(Self {
            db,
            names: RefCell::default(),
            moved: RefCell::default(),
            late: RefCell::default(),
            beside: access == Access::Read,
            wal,
            wal_file: None,
        })
    }

    /// Reads every page and checks its authentication code and structure (`STORE-4`): slow on a
    /// large store.
    ///
    /// Gives what is wrong, a line each; empty when all is well.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot even be read.
    pub fn check_integrity(&self) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        for pragma in ["cipher_integrity_check", "integrity_check"] {
            let mut statement = self
                .db
                .prepare(&format!("PRAGMA {pragma}"))
                .map_err(store_error)?;
            let lines = statement
                .query_map([], |row| row.get::<_, String>(0))
                .map_err(store_error)?;
            for line in lines {
                found.push(line.map_err(store_error)?);
            }
        }
        found.retain(|line| line != "ok");
        Ok(found)
    }

    /// Folds the write-ahead log into the database, as far as no reader needs it, and before that what waits in
    /// memory to be written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.place_late()?;
        self.db
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
            .map_err(store_error)
    }

    /// How many bytes the database has, and how many of them hold nothing any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn size(&self) -> Result<(u64, u64), StoreError> {
        let pages = |pragma| {
            let count = self
                .db
                .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
            count
                .map(|count| count as u64 * PAGE_BYTES)
                .map_err(store_error)
        };
        Ok((pages("page_count")?, pages("freelist_count")?))
    }

    /// Gives memory back that only a busy connection needs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn shrink(&self) -> Result<(), StoreError> {
        self.db
            .execute_batch("PRAGMA shrink_memory")
            .map_err(store_error)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// `STORE-4`. SQLite takes a file shorter than its first page for an empty database and would begin anew over
/// what is left of one. Empty is what a process killed while making it leaves: that may be made.
fn refuse_stub(path: &Path) -> Result<(), OpenError> {
    match path.metadata() {
        Ok(file) if (1..PAGE_BYTES).contains(&file.len()) => {
            Err(OpenError::Unreadable(path.to_owned()))
        }
        _ => Ok(()),
    }
}

/// Sets SQLCipher up, before any other connection is opened, and keeps it so for as long as the process lives.
///
/// The first connection sets it up, and SQLite tells a second thread that all is ready before that is done; the last keyed
/// connection that closes takes its cryptography down. Either way somebody cannot set a key. So one connection is first,
/// alone, and stays.
fn keep_ready() {
    static KEEPER: OnceLock<Option<Mutex<Connection>>> = OnceLock::new();
    KEEPER.get_or_init(|| {
        let db = Connection::open_in_memory().ok()?;
        // Whoever opens a store next is told what is wrong, if this failed.
        set_key(&db, &[0; 32]).ok()?;
        Some(Mutex::new(db))
    });
}

/// A raw key (`STORE-1`), so no passphrase is stretched: the vault has done that.
fn set_key(db: &Connection, key: &[u8; 32]) -> rusqlite::Result<()> {
    let mut hex = Zeroizing::new(String::with_capacity(80));
    hex.push_str("PRAGMA key = \"x'");
    for byte in key {
        let digits = [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
        hex.extend(digits.into_iter().flatten());
    }
    hex.push_str("'\"");
    let result = db.execute_batch(&hex);
    hex.zeroize();
    result
}

fn settle(db: &Connection, access: Access) -> rusqlite::Result<()> {
    // The first statement that reads: fails here where the key is not this store's.
    db.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // STORE-3: also what savepoints copy, which would else spill into a file.
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "foreign_keys", false)?;
    // STORE-13: what is deleted is overwritten where its page is written anyway.
    db.pragma_update(None, "secure_delete", "FAST")?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    if access == Access::Write {
        // This SQLite leaves the log file behind unless it is told to fold it in at the end.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        db.pragma_update(None, "journal_size_limit", CHECKPOINT_PAGES * 4096)?;
    } else {
        db.pragma_update(None, "query_only", true)?;
    }
    Ok(())
}
