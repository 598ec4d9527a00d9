//! Why a home cannot be made or opened.

use std::io;
use std::path::{Path, PathBuf};

use tenet_identity::vault;
use tenet_rpc::api::{self, Kind};

use super::Moved;
use crate::time;

/// Why a home cannot be made, opened or changed; nothing was changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such folder.
    #[error("there is no home at {}; make one: tenet id new", path.display())]
    NoHome {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The home is there and empty.
    #[error("there is no identity in this home; make one: tenet id new")]
    NoIdentity,
    /// It is not said which identity is meant.
    #[error(
        "there are several identities in this home, and it is not said which is meant: give \
         --id DID, or choose one for good: tenet id list, tenet id use DID"
    )]
    Several,
    /// Something else lies in the folder.
    #[error("{} is not empty and no home of Tenet; choose another folder", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// The folder is another user's.
    #[error("{} belongs to another user of this machine; nothing was opened", path.display())]
    Owner {
        /// The folder.
        path: PathBuf,
    },
    /// Another process has it open.
    #[error("the home is in use by {}; wait for it or stop it", process(*pid))]
    InUse {
        /// Its number, if it left one.
        pid: Option<u32>,
    },
    /// Made by a newer program.
    #[error(
        "the home is of version {version}, made by a newer program, and this one knows version {}; \
         nothing was changed: update this program",
        super::VERSION
    )]
    Newer {
        /// The home's version.
        version: u32,
    },
    /// It was moved into a file.
    #[error(
        "this home was moved into {} on {} and does not open any more: tenet --home OTHER home import FILE \
         opens it where it is wanted; if the file is not there, tenet home export FILE goes on with it",
        .0.file.display(),
        time::short(.0.at)
    )]
    Moved(Box<Moved>),
    /// A file does not say what it should.
    #[error("{} is damaged; nothing was changed: see tenet doctor", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The machine secret is not there.
    #[error(
        "the machine secret is missing at {}, and without it this home does not open; put it back, \
         or open the home with its phrase: tenet id restore",
        path.display()
    )]
    MachineMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The machine secret is another one.
    #[error(
        "the machine secret at {} is not the one of this home; put the right one there, or open \
         the home with its phrase: tenet id restore",
        path.display()
    )]
    MachineWrong {
        /// Where it is.
        path: PathBuf,
    },
    /// A PIN is needed.
    #[error("the home has a PIN: give it with --pin-file FILE, or - for stdin")]
    PinNeeded,
    /// Not the PIN.
    #[error("wrong PIN{}", after(*wait_ms))]
    PinWrong {
        /// How long to wait before the next.
        wait_ms: u64,
    },
    /// A PIN was tried too soon after a wrong one; it was not looked at.
    #[error("too many wrong PINs: wait {}", time::span(*wait_ms))]
    TooSoon {
        /// How long to wait.
        wait_ms: u64,
    },
    /// Anything else about the vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The system gives no randomness.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// The file system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
}

impl Error {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::NoHome { .. } | Self::NoIdentity => Kind::NotFound,
            Self::PinNeeded => Kind::Locked,
            Self::Vault(vault::Error::PinLength { .. }) => Kind::Usage,
            Self::Several => Kind::Usage,
            Self::Moved(_)
            | Self::Foreign { .. }
            | Self::Owner { .. }
            | Self::InUse { .. }
            | Self::Newer { .. }
            | Self::MachineMissing { .. }
            | Self::MachineWrong { .. }
            | Self::PinWrong { .. }
            | Self::TooSoon { .. }
            | Self::Vault(_) => Kind::Refused,
            Self::Damaged { .. } | Self::Random(_) | Self::Io { .. } => Kind::Failure,
        }
    }
}

impl From<Error> for api::Error {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}

fn process(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".into(), |pid| format!("process {pid}"))
}

fn after(wait_ms: u64) -> String {
    match wait_ms {
        0 => String::new(),
        _ => format!("; the next one can be tried in {}", time::span(wait_ms)),
    }
}
