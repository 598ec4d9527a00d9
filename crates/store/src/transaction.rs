//! Batches and savepoints over the one writing connection (`STORE-5`).
//!
//! SQLite runs with `synchronous = NORMAL`: a commit is in the write-ahead log at once and survives
//! the process, and SQLite itself syncs around every checkpoint. A commit that must survive a power
//! cut syncs the log file here, so the choice is made when the batch ends and its content is known;
//! SQLite's own setting could only be changed before it begins.
//!
//! What SQLite syncs by itself under `NORMAL`, and so need not be done here (its documentation of
//! `PRAGMA synchronous`; `tests::durable` watches it): the log file before a checkpoint and the
//! database after it, the log's header and, when the file is new, its folder, before the first
//! frame behind a header.

use std::{
    fs::{File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use rusqlite::Connection;
use tenet_log::store::{Durability, StoreError, Transactions};

use crate::{Store, error::OrStoreError};

impl Store {
    fn run(&self, sql: &str) -> Result<(), StoreError> {
        run(&self.db, sql).or_store_error()
    }

    /// What `synchronous = FULL` does after each commit (`STORE-7`). SQLite takes no locks on this file, so a
    /// descriptor of our own is safe to open and close.
    fn sync_wal(&mut self) -> Result<(), StoreError> {
        let Some(path) = &self.wal else { return Ok(()) };
        match sync(path, &mut self.wal_file) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Err(StoreError::Full),
            Err(error) => Err(StoreError::Medium(Box::new(error))),
        }
    }

    /// Row numbers that a rolled-back statement made exist no more.
    fn forget_names(&self) {
        let mut names = self.names.borrow_mut();
        names.sessions.clear();
        names.authors.clear();
    }
}

/// Syncs the file that bears this name now. SQLite truncates its log but replaces it only when the
/// last connection closes; whoever else removed it must not leave us syncing a file without a name.
fn sync(path: &Path, held: &mut Option<File>) -> io::Result<()> {
    let named = path.metadata()?;
    let current = match held.take() {
        Some(file) if is_same(&file.metadata()?, &named) => file,
        _ => File::open(path)?,
    };
    held.insert(current).sync_data()
}

fn is_same(held: &Metadata, named: &Metadata) -> bool {
    (held.dev(), held.ino()) == (named.dev(), named.ino())
}

fn run(db: &Connection, sql: &str) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute([]).map(|_| ())
}

impl Transactions for Store {
    fn begin(&mut self) -> Result<(), StoreError> {
        self.run("BEGIN IMMEDIATE")
    }

    fn savepoint(&mut self) -> Result<(), StoreError> {
        self.run("SAVEPOINT input")
    }

    fn keep(&mut self) -> Result<(), StoreError> {
        self.run("RELEASE input")?;
        self.moved.get_mut().keep();
        Ok(())
    }

    fn undo(&mut self) -> Result<(), StoreError> {
        self.forget_names();
        self.moved.get_mut().undo();
        self.late.get_mut().forget();
        // Where the disk is full SQLite may have ended the whole transaction by itself.
        if self.db.is_autocommit() {
            return Err(StoreError::Full);
        }
        self.run("ROLLBACK TO input")?;
        self.run("RELEASE input")
    }

    fn commit(&mut self, durability: Durability) -> Result<(), StoreError> {
        self.write_heads()?;
        self.place_many()?;
        self.run("COMMIT")?;
        match durability {
            Durability::Process => Ok(()),
            Durability::Power => self.sync_wal(),
        }
    }

    fn abandon(&mut self) -> Result<(), StoreError> {
        self.forget_names();
        self.moved.get_mut().abandon();
        self.late.get_mut().forget();
        if self.db.is_autocommit() {
            Ok(())
        } else {
            self.run("ROLLBACK")
        }
    }
}
