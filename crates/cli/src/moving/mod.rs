//! A home as one file: everything in it, under a password, to go on in another place (`spec/moving.md`).
//!
//! ```text
//! head, 1024 bytes      the key of what follows, sealed under the password; zeros until the home is marked
//! sealed, to the end    STREAM of the parts: for each identity its vault key, its store, its contents
//!
//! write all ─▶ read it again ─▶ mark the home as moved, with the head ─▶ put the head into the file ─▶ name it
//!           the home lives                                          the file lives
//! ```
//!
//! So at no moment both can be opened, and at every moment one of them. A copy has no mark: what is in it makes a
//! device of its own.

mod form;
mod pack;
mod unpack;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tenet_identity::home_file;
use tenet_rpc::api::{self, Kind};

use crate::home;

pub use pack::{Moving, Packed, finish, pack, pack_copy};
pub use unpack::{Unpacked, unpack, use_up};

/// How many bytes the head has, and where what is sealed begins.
const HEAD: u64 = 1024;

/// Why a home could not be exported or imported; what was there before is there still.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refuses.
    #[error("{}: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// Reading or writing what is sealed failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The password, or the head.
    #[error(transparent)]
    Head(#[from] home_file::Error),
    /// It was not written to its end.
    #[error(
        "its export was cut short: run tenet home export once more where it was begun, with the same file"
    )]
    Unfinished,
    /// It opens, and is not what it should be.
    #[error("the exported home is damaged: nothing was imported")]
    Damaged,
    /// Made by a newer program.
    #[error("the exported home is of version {version}, made by a newer program: update this one")]
    Newer {
        /// The version.
        version: u16,
    },
    /// Who is in it is here already.
    #[error("{did} is in this home already: nothing was imported")]
    Exists {
        /// Who.
        did: String,
    },
    /// All of it is here already.
    #[error("everything in it is in this home already: nothing was imported")]
    All,
    /// The home's.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// The store's.
    #[error("{}", .0.message)]
    Store(api::Error),
}

impl Error {
    fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Disk {
            path: path.to_owned(),
            source,
        }
    }
}

impl From<Error> for api::Error {
    fn from(error: Error) -> Self {
        use tenet_identity::sealed;
        let message = error.to_string();
        match error {
            Error::Home(error) => error.into(),
            Error::Store(error) => error,
            Error::Head(home_file::Error::Sealed(sealed::Error::WrongPassword))
            | Error::Exists { .. }
            | Error::All
            | Error::Newer { .. } => Self::refused(message),
            Error::Head(_) | Error::Unfinished => Self::usage(message),
            Error::Disk { ref source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Self::not_found(message)
            }
            Error::Disk { .. } | Error::Io(_) | Error::Damaged => Self::new(Kind::Failure, message),
        }
    }
}

/// What a file is called before it can be opened.
fn unfinished(file: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(".unfinished");
    file.with_file_name(name)
}

fn write_head(file: &File, head: &str) -> io::Result<()> {
    let mut bytes = head.as_bytes().to_vec();
    bytes.push(b'\n');
    if bytes.len() as u64 > HEAD {
        return Err(io::Error::other("a head that is too long"));
    }
    file.write_all_at(&bytes, 0)
}

fn sync_folder_of(path: &Path) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(Error::disk(folder))
}
