//! The home: one folder that holds everything of an identity, and who may open it.
//!
//! ```text
//! home/                     0700
//!   format                  the version of all this
//!   lock                    held by the process that has the home open; its number inside
//!   tenet.sock              the local API of the node that runs on it
//!   config.toml             what its owner writes for this machine, if anything
//!   identities/<16 hex>/    0700, a random name: it says nothing of the identity
//!     vault                 the vault key, wrapped
//!     attempts              how often a wrong PIN was given
//!     store.db              everything else, encrypted under the vault key
//! state folder/tenet/machine   the machine secret: outside, so a copied home alone opens nothing
//! ```
//!
//! `spec/home.md` has the rules (`HOME-…`). Files are replaced whole or not at all.

mod error;
mod files;
mod format;
mod lock;
mod machine;
mod vault;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use etcetera::base_strategy::{BaseStrategy, choose_base_strategy};
use tenet_rpc::api::Error as ApiError;

use self::lock::Lock;
use crate::{config, random};

pub use error::Error;
pub use files::{Looseness, looseness};
pub use format::VERSION;
pub use machine::Machine;
pub use vault::Vault;

/// Where a home and what belongs to it lie (`HOME-1`); they need not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The home.
    pub home: PathBuf,
    /// The machine secret.
    pub machine: PathBuf,
}

/// A home that this process holds: no other process opens it meanwhile.
#[derive(Debug)]
pub struct Home {
    paths: Paths,
    _lock: Lock,
}

/// The folder of an identity that is not there yet: it appears whole, by [`Self::finish`]
/// (`HOME-10`).
#[derive(Debug)]
pub struct Draft {
    draft: PathBuf,
    whole: PathBuf,
}

/// The folder of all identities, and the ending of one that is being made.
const IDENTITIES: &str = "identities";
const DRAFT: &str = "draft";

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

    /// The socket of the node that runs on the home.
    pub fn socket(&self) -> PathBuf {
        self.home.join("tenet.sock")
    }

    /// The machine secret.
    pub fn machine(&self) -> Machine {
        Machine::at(self.machine.clone())
    }
}

impl Home {
    /// Takes hold of a home in which there is an identity.
    ///
    /// # Errors
    /// [`Error`]; nothing is changed then.
    pub fn open(paths: &Paths) -> Result<Self, Error> {
        let home = Self::hold(paths)?;
        home.identity()?;
        Ok(home)
    }

    /// Takes hold of a home, which is made if it is not there.
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
        Self::hold(paths)
    }

    /// The folder of the identity.
    ///
    /// # Errors
    /// [`Error::NoIdentity`].
    pub fn identity(&self) -> Result<PathBuf, Error> {
        let folder = self.paths.home.join(IDENTITIES);
        let mut names = files::list(&folder)?
            .into_iter()
            .filter(|name| is_identity(name));
        match (names.next(), names.next()) {
            (Some(name), None) => Ok(folder.join(name)),
            (None, _) => Err(Error::NoIdentity),
            (Some(_), Some(_)) => Err(Error::Several),
        }
    }

    /// Begins an identity: a folder that disappears again unless it is finished.
    ///
    /// # Errors
    /// [`Error::Exists`].
    pub fn draft(&self) -> Result<Draft, Error> {
        match self.identity() {
            Err(Error::NoIdentity) => {}
            Ok(_) => return Err(Error::Exists),
            Err(error) => return Err(error),
        }
        let name = random::hexadecimal::<8>()?;
        let whole = self.paths.home.join(IDENTITIES).join(name);
        let draft = whole.with_extension(DRAFT);
        files::folder(&draft)?;
        Ok(Draft { draft, whole })
    }

    /// What opens the identity's store.
    ///
    /// # Errors
    /// [`Error::NoIdentity`].
    pub fn vault(&self) -> Result<Vault, Error> {
        Ok(Vault::at(self.identity()?, self.paths.machine()))
    }

    /// Where the home and what belongs to it lie.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Locks a home that is there, and sweeps what a killed process left.
    fn hold(paths: &Paths) -> Result<Self, Error> {
        let home = &paths.home;
        if !files::exists(home)? {
            return Err(Error::NoHome { path: home.clone() });
        }
        format::check(home)?;
        files::own(home)?;
        let lock = Lock::take(&home.join(lock::NAME))?;
        let home = Self {
            paths: paths.clone(),
            _lock: lock,
        };
        home.sweep()?;
        Ok(home)
    }

    fn sweep(&self) -> Result<(), Error> {
        let folder = self.paths.home.join(IDENTITIES);
        files::folder(&folder)?;
        for name in files::list(&folder)? {
            let path = folder.join(&name);
            if Path::new(&name).extension() == Some(OsStr::new(DRAFT)) {
                std::fs::remove_dir_all(&path).map_err(|error| Error::io(&path, error))?;
            } else if is_identity(&name) {
                files::folder(&path)?;
                files::sweep(&path)?;
            }
        }
        files::sweep(&self.paths.home)
    }
}

impl Draft {
    /// Where the identity's files are to be put.
    pub fn folder(&self) -> &Path {
        &self.draft
    }

    /// What will open the identity's store.
    pub fn vault(&self, machine: Machine) -> Vault {
        Vault::at(self.draft.clone(), machine)
    }

    /// The identity is whole: from now on it is the home's. Answers its folder.
    ///
    /// # Errors
    /// The operating system's; then there is no identity.
    pub fn finish(self) -> Result<PathBuf, Error> {
        files::rename(&self.draft, &self.whole)?;
        Ok(self.whole.clone())
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
