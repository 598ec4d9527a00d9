//! The home: one folder that holds a person's identities, and who may open them.
//!
//! ```text
//! home/                     0700
//!   format                  the version of all this
//!   lock                    shared by the processes that have something in the home open
//!   current                 which identity is meant where none is named, if there are several
//!   config.toml             what its owner writes for this machine, if anything
//!   identities/<16 hex>/    0700, a random name: it says nothing of the identity
//!     lock                  held by the process that has this identity open; its number inside
//!     tenet.sock            the local API of the node that runs on it
//!     vault                 the vault key, wrapped
//!     attempts              how often a wrong PIN was given
//!     store.db              everything else, encrypted under the vault key
//! state folder/tenet/machine   the machine secret: outside, so a copied home alone opens nothing
//! ```
//!
//! `spec/home.md` has the rules (`HOME-…`). Files are replaced whole or not at all.

mod current;
mod error;
mod files;
mod format;
mod lock;
mod machine;
mod place;
mod vault;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::base_strategy::{BaseStrategy, choose_base_strategy};
use tenet_rpc::api::Error as ApiError;

use self::lock::Lock;
use crate::{config, random};

pub use error::Error;
pub use files::{Looseness, looseness};
pub use format::{Moved, VERSION};
pub use machine::Machine;
pub use place::{Held, Place};
pub use vault::Vault;

/// Where a home and what belongs to it lie (`HOME-1`); they need not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The home.
    pub home: PathBuf,
    /// The machine secret.
    pub machine: PathBuf,
}

/// A home that this process looks into; others may too, but never at the same identity ([`Held`]).
#[derive(Debug)]
pub struct Home {
    paths: Paths,
    lock: Arc<Lock>,
}

/// The folder of an identity that is not there yet: it appears whole, by [`Self::finish`]
/// (`HOME-10`).
#[derive(Debug)]
pub struct Draft {
    draft: PathBuf,
    whole: PathBuf,
    machine: Machine,
    lock: Arc<Lock>,
    home: Arc<Lock>,
}

/// The folder of all identities, and the ending of one that is being made.
const IDENTITIES: &str = "identities";
const DRAFT: &str = "draft";

/// Where earlier releases had the socket of the one node that could run.
const OLD_SOCKET: &str = "tenet.sock";

impl Paths {
    /// The given home or the platform's data folder, and the machine secret in the state folder.
    ///
    /// # Errors
    /// The system does not say where this person's folders are.
    pub fn find(home: Option<&Path>) -> Result<Self, ApiError> {
        let strategy = choose_base_strategy()
            .map_err(|error| ApiError::failure(format!("cannot find your folders: {error}")))?;
        let home = match home {
            Some(home) => std::path::absolute(home)
                .map_err(|error| ApiError::usage(format!("{}: {error}", home.display())))?,
            None => strategy.data_dir().join("tenet"),
        };
        let state = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
        Ok(Self {
            home,
            machine: state.join("tenet").join("machine"),
        })
    }

    /// The machine secret.
    pub fn machine(&self) -> Machine {
        Machine::at(self.machine.clone())
    }
}

impl Home {
    /// Looks into a home in which there is an identity.
    ///
    /// # Errors
    /// [`Error`]; nothing is changed then.
    pub fn open(paths: &Paths) -> Result<Self, Error> {
        let home = Self::share(paths)?;
        match home.identities()?.is_empty() {
            true => Err(Error::NoIdentity),
            false => Ok(home),
        }
    }

    /// Looks into a home, which is made if it is not there.
    ///
    /// # Errors
    /// [`Error::Foreign`] for a folder in which something else lies.
    pub fn prepare(paths: &Paths) -> Result<Self, Error> {
        let home = &paths.home;
        if !format::exists(home)? {
            // Looked at before anything is touched: it may be somebody's photo folder.
            let ours = |name: &OsString| {
                name == lock::NAME || name == config::NAME || files::is_temporary(name)
            };
            if !files::list(home)?.iter().all(ours) {
                return Err(Error::Foreign { path: home.clone() });
            }
            files::folder(home)?;
            format::write(home)?;
        }
        Self::share(paths)
    }

    /// All identities, in the order of their folders' random names.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn identities(&self) -> Result<Vec<Place>, Error> {
        let folder = self.folder();
        let names = files::list(&folder)?.into_iter();
        let places = names.filter(|name| is_identity(name));
        Ok(places
            .map(|name| Place::at(folder.join(name), self.paths.machine()))
            .collect())
    }

    /// The identity that is meant where none is named: the only one, or the one that was chosen (`HOME-703`).
    ///
    /// # Errors
    /// [`Error::NoIdentity`], [`Error::Several`].
    pub fn current(&self) -> Result<Place, Error> {
        let mut places = self.identities()?;
        let chosen = match places.len() {
            0 => return Err(Error::NoIdentity),
            1 => None,
            _ => current::read(&self.paths.home)?,
        };
        let index = match chosen {
            Some(name) => places.iter().position(|place| place.name() == name),
            None => (places.len() == 1).then_some(0),
        };
        index
            .map(|index| places.swap_remove(index))
            .ok_or(Error::Several)
    }

    /// Makes an identity the one that is meant where none is named.
    ///
    /// # Errors
    /// The operating system's.
    pub fn choose(&self, place: &Place) -> Result<(), Error> {
        current::write(&self.paths.home, place.name())
    }

    /// Takes hold of one of its identities: no other process opens it meanwhile (`HOME-5`).
    ///
    /// # Errors
    /// [`Error::InUse`].
    pub fn hold(&self, place: &Place) -> Result<Held, Error> {
        Held::take(place, Arc::clone(&self.lock))
    }

    /// Begins an identity: a folder that disappears again unless it is finished.
    ///
    /// # Errors
    /// The operating system's; the machine secret's where there are identities already: a new one would
    /// close them.
    pub fn draft(&self) -> Result<Draft, Error> {
        if !self.identities()?.is_empty() {
            self.paths.machine().read()?;
        }
        if let Ok(current) = self.current() {
            // So that it stays the one that is meant (`HOME-703`).
            self.choose(&current)?;
        }
        let folder = self.folder();
        files::folder(&folder)?;
        loop {
            let whole = folder.join(random::hexadecimal::<8>()?);
            let draft = whole.with_extension(DRAFT);
            files::folder(&draft)?;
            let path = draft.join(lock::NAME);
            // Another process may have swept it before it was locked.
            match Lock::take(&path) {
                Ok(lock) if files::exists(&path)? => {
                    return Ok(Draft {
                        draft,
                        whole,
                        machine: self.paths.machine(),
                        lock: Arc::new(lock),
                        home: Arc::clone(&self.lock),
                    });
                }
                Ok(_) | Err(Error::InUse { .. }) => {}
                Err(_) if !files::exists(&draft)? => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// From now on nobody else enters, until this process ends.
    ///
    /// # Errors
    /// [`Error::InUse`]: others are in it, and this is not to be used any more.
    pub fn keep_others_out(&self) -> Result<(), Error> {
        self.lock.make_exclusive(&self.paths.home)
    }

    /// Says that this home was moved and never opens again (`MOVE-5`).
    ///
    /// # Errors
    /// The operating system's.
    pub fn mark_moved(&self, moved: &Moved) -> Result<(), Error> {
        format::write_moved(&self.paths.home, moved)
    }

    /// Where the home and what belongs to it lie.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    fn folder(&self) -> PathBuf {
        self.paths.home.join(IDENTITIES)
    }

    /// Enters a home that is there, and sweeps what a killed process left.
    fn share(paths: &Paths) -> Result<Self, Error> {
        let home = &paths.home;
        if !files::exists(home)? {
            return Err(Error::NoHome { path: home.clone() });
        }
        format::check(home)?;
        files::own(home)?;
        let lock = Arc::new(Lock::share(&home.join(lock::NAME))?);
        let home = Self {
            paths: paths.clone(),
            lock,
        };
        home.sweep()?;
        Ok(home)
    }

    fn sweep(&self) -> Result<(), Error> {
        let folder = self.folder();
        files::folder(&folder)?;
        for name in files::list(&folder)? {
            if Path::new(&name).extension() == Some(OsStr::new(DRAFT)) {
                sweep_draft(&folder.join(&name))?;
            }
        }
        // A node that has it there cannot be running now (`HOME-701`).
        match std::fs::remove_file(self.paths.home.join(OLD_SOCKET)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "an old socket is left behind");
            }
            _ => {}
        }
        files::sweep(&self.paths.home)
    }
}

/// Removes a draft that nobody is making any more.
fn sweep_draft(draft: &Path) -> Result<(), Error> {
    let removed = match Lock::take(&draft.join(lock::NAME)) {
        Ok(_lock) => std::fs::remove_dir_all(draft),
        Err(Error::InUse { .. }) => return Ok(()),
        // It was finished, or swept by another.
        Err(_) if !files::exists(draft)? => return Ok(()),
        Err(error) => return Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(draft, error)),
        _ => Ok(()),
    }
}

impl Draft {
    /// Where the identity's files are to be put.
    pub fn folder(&self) -> &Path {
        &self.draft
    }

    /// What will open the identity's store.
    pub fn vault(&self) -> Vault {
        Vault::at(self.draft.clone(), self.machine.clone())
    }

    /// The identity is whole: from now on it is the home's, and held by this process.
    ///
    /// # Errors
    /// The operating system's; then there is no identity.
    pub fn finish(self) -> Result<Held, Error> {
        files::rename(&self.draft, &self.whole)?;
        let place = Place::at(self.whole.clone(), self.machine.clone());
        let (lock, home) = (Arc::clone(&self.lock), Arc::clone(&self.home));
        Ok(Held::new(place, lock, home))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // What cannot be removed now is swept when the home is next opened.
        if let Err(error) = std::fs::remove_dir_all(&self.draft)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "an identity that was not finished is left behind");
        }
    }
}

fn is_identity(name: &OsStr) -> bool {
    let hexadecimal = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let bytes = name.as_encoded_bytes();
    bytes.len() == 16 && bytes.iter().all(hexadecimal)
}

#[cfg(test)]
mod tests;
