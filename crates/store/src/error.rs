//! SQLite's failures in the words of the cores.

use rusqlite::ErrorCode;
use tenet_log::store::StoreError;

/// Turns a failure of the database into the error that the cores know.
pub(crate) fn store_error(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        // STORE-9.
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged("the database is corrupt"),
        Some(ErrorCode::NotADatabase) => StoreError::Damaged("a page does not decrypt"),
        Some(ErrorCode::DatabaseBusy) => StoreError::Medium(Box::new(Busy)),
        _ => StoreError::Medium(Box::new(error)),
    }
}

/// Another writer did not end in time; with the home locked there is none.
#[derive(Debug, thiserror::Error)]
#[error("another process is writing to the store")]
struct Busy;

/// `Result::map_err(store_error)` at the end of a chain.
pub(crate) trait OrStoreError<T> {
    fn or_store_error(self) -> Result<T, StoreError>;
}

impl<T> OrStoreError<T> for rusqlite::Result<T> {
    fn or_store_error(self) -> Result<T, StoreError> {
        self.map_err(store_error)
    }
}
