//! Files and folders that only their owner can read, replaced whole or not at all.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::Error;
use crate::{config, random};

/// How temporary files begin; one that is left behind is swept.
const TEMPORARY: &str = ".new-";
/// The largest file that is read here.
const MAX_BYTES: u64 = 64 * 1024;

/// What about a file or folder lets others in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looseness {
    /// It is another user's.
    Owner(PathBuf),
    /// Its permission bits, which should have none for group and others.
    Mode(PathBuf, u32),
}

/// Lists what under a path lets others in: nothing, in a home that was left alone (`HOME-2`).
///
/// # Errors
/// A folder cannot be read.
pub fn looseness(path: &Path) -> Result<Vec<Looseness>, Error> {
    let metadata = fs::symlink_metadata(path).map_err(|error| Error::io(path, error))?;
    let mut found = Vec::new();
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        found.push(Looseness::Owner(path.to_owned()));
    }
    // What its owner wrote holds no secret, and lies in a folder that is closed.
    let theirs = path.file_name() == Some(OsStr::new(config::NAME));
    if metadata.mode() & 0o077 != 0 && !metadata.is_symlink() && !theirs {
        found.push(Looseness::Mode(path.to_owned(), metadata.mode() & 0o777));
    }
    if metadata.is_dir() {
        for name in list(path)? {
            found.extend(looseness(&path.join(name))?);
        }
    }
    Ok(found)
}

/// Whether something is there.
pub(super) fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(|error| Error::io(path, error))
}

/// Makes a folder for its owner alone, with those above it, or makes one that is there so.
pub(super) fn folder(path: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| Error::io(path, error))?;
    own(path)
}

/// Closes a folder that is there to all but its owner, who must be this user.
pub(super) fn own(path: &Path) -> Result<(), Error> {
    let metadata = fs::metadata(path).map_err(|error| Error::io(path, error))?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(Error::Owner {
            path: path.to_owned(),
        });
    }
    if metadata.mode() & 0o777 != 0o700 {
        let closed = fs::set_permissions(path, Permissions::from_mode(0o700));
        closed.map_err(|error| Error::io(path, error))?;
    }
    Ok(())
}

/// The names in a folder, in order; none if it is not there.
pub(super) fn list(path: &Path) -> Result<Vec<OsString>, Error> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(path, error)),
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    let mut names: Vec<_> = names
        .collect::<io::Result<_>>()
        .map_err(|error| Error::io(path, error))?;
    names.sort();
    Ok(names)
}

/// A file's content; `None` if it is not there.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(path, error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::io(path, error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::Damaged {
            path: path.to_owned(),
        });
    }
    Ok(Some(bytes))
}

/// Replaces a file: whatever happens, the old content or the new is there afterwards (`HOME-3`).
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let (temporary, _claim) = temporary(path, bytes)?;
    rename(&temporary, path).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// Makes a file that must not be there yet; `false` if it is, and then it is left alone.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<bool, Error> {
    let (temporary, _claim) = temporary(path, bytes)?;
    // A link, unlike a rename, never takes the place of what another process has just made.
    let linked = fs::hard_link(&temporary, path);
    let _ = fs::remove_file(&temporary);
    match linked {
        Ok(()) => sync_folder_of(path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::io(path, error)),
    }
}

/// Renames, durably.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(|error| Error::io(to, error))?;
    sync_folder_of(to)
}

/// Removes what writers left behind that were killed.
pub(super) fn sweep(folder: &Path) -> Result<(), Error> {
    for name in list(folder)? {
        if is_temporary(&name) {
            let path = folder.join(name);
            match File::open(&path) {
                // Its writer is at work.
                Ok(file) if claim(&file).is_err() => continue,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io(&path, error)),
            }
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io(&path, error));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether a file of this name is one that a killed writer left behind.
pub(super) fn is_temporary(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes())
}

/// Whether others can read a file.
pub(super) fn is_loose(metadata: &Metadata) -> bool {
    metadata.mode() & 0o077 != 0
}

/// Says to whoever sweeps that somebody still writes here, as long as the file is open.
fn claim(file: &File) -> io::Result<()> {
    Ok(flock(file, FlockOperation::NonBlockingLockExclusive)?)
}

/// A new file beside `path` with this content, on the disk, and the claim on it.
fn temporary(path: &Path, bytes: &[u8]) -> Result<(PathBuf, File), Error> {
    let temporary = path.with_file_name(format!("{TEMPORARY}{}", random::hexadecimal::<8>()?));
    let written = (|| {
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        claim(&file)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(file)
    })();
    match written {
        Ok(file) => Ok((temporary, file)),
        Err(error) => {
            let _ = fs::remove_file(&temporary);
            Err(Error::io(path, error))
        }
    }
}

fn sync_folder_of(path: &Path) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| Error::io(folder, error))
}
