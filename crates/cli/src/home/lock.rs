//! One process an identity at a time, and none of a release that knew one lock for the home (`HOME-5`, `HOME-701`).

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::Error;

/// The file's name, in the home and in an identity's folder.
pub(super) const NAME: &str = "lock";

/// The lock, for as long as this lives; the system lets go of it when the process ends, however it
/// ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock or says who has it.
    pub(super) fn take(path: &Path) -> Result<Self, Error> {
        let mut file = flocked(path, FlockOperation::NonBlockingLockExclusive)?;
        // Who holds it is for people to read; a lock without it is a lock.
        let _ = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { file })
    }

    /// Takes it together with others who share it, or says who has it alone.
    pub(super) fn share(path: &Path) -> Result<Self, Error> {
        let file = flocked(path, FlockOperation::NonBlockingLockShared)?;
        Ok(Self { file })
    }

    /// Takes a shared one for itself; if others share it, it is lost.
    pub(super) fn make_exclusive(&self, path: &Path) -> Result<(), Error> {
        match flock(&self.file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(()),
            Err(Errno::WOULDBLOCK) => Err(Error::InUse { pid: None }),
            Err(error) => Err(Error::io(path, error.into())),
        }
    }
}

fn flocked(path: &Path, how: FlockOperation) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    let mut file = options.open(path).map_err(|error| Error::io(path, error))?;
    match flock(&file, how) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(Error::InUse {
            pid: holder(&mut file),
        }),
        Err(error) => Err(Error::io(path, error.into())),
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
