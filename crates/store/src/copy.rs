//! A store set back to what it was: for the tests of other crates.

use rusqlite::backup::Backup;
use tenet_log::store::StoreError;

use crate::{Store, error::OrStoreError, open::OpenError};

impl Store {
    /// All that is committed, in memory.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn copy(&self) -> Result<Self, OpenError> {
        let mut copy = Self::in_memory()?;
        self.copy_to(&mut copy)?;
        Ok(copy)
    }

    fn copy_to(&self, copy: &mut Self) -> Result<(), StoreError> {
        let backup = Backup::new(&self.db, &mut copy.db).or_store_error()?;
        backup.step(-1).or_store_error()?;
        Ok(())
    }
}
