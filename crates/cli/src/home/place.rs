//! One identity of a home: where it lies, and the hold of one process on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lock::{self, Lock};
use super::{Error, Machine, Vault, files};

/// Where an identity of a home lies.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
    machine: Machine,
}

/// An identity that this process holds: no other process opens it meanwhile (`HOME-5`).
#[derive(Debug)]
pub struct Held {
    place: Place,
    _lock: Arc<Lock>,
    _home: Arc<Lock>,
}

impl Place {
    pub(super) fn at(folder: PathBuf, machine: Machine) -> Self {
        Self { folder, machine }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder's name, which is random and says nothing of the identity.
    pub fn name(&self) -> &str {
        let name = self.folder.file_name().and_then(|name| name.to_str());
        name.unwrap_or_default()
    }

    /// The socket of the node that runs on it (`API-1`).
    pub fn socket(&self) -> PathBuf {
        self.folder.join("tenet.sock")
    }

    /// What opens its store.
    pub fn vault(&self) -> Vault {
        Vault::at(self.folder.clone(), self.machine.clone())
    }
}

impl Held {
    pub(super) fn new(place: Place, lock: Arc<Lock>, home: Arc<Lock>) -> Self {
        Self {
            place,
            _lock: lock,
            _home: home,
        }
    }

    /// Takes hold of it, and sweeps what a killed process left.
    pub(super) fn take(place: &Place, home: Arc<Lock>) -> Result<Self, Error> {
        let lock = Arc::new(Lock::take(&place.folder.join(lock::NAME))?);
        files::folder(&place.folder)?;
        files::sweep(&place.folder)?;
        Ok(Self::new(place.clone(), lock, home))
    }

    /// Where it lies.
    pub fn place(&self) -> &Place {
        &self.place
    }
}
