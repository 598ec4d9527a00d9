//! Every call by which the disk is changed, in one place: so modes are right everywhere, and a test
//! can let any of them be the last.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Makes the folder where it is not, and makes it this person's alone.
pub(crate) fn private_folder(path: &Path) -> io::Result<File> {
    step()?;
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => {
            made?;
            // Or a power cut could take all that is put into it.
            sync(&File::open(parent(path))?)?;
        }
    }
    let folder = File::open(path)?;
    if folder.metadata()?.permissions().mode() & 0o7777 != 0o700 {
        folder.set_permissions(Permissions::from_mode(0o700))?;
    }
    Ok(folder)
}

/// A new file for this person alone; refused where there is one.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    step()?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    options.open(path)
}

/// A file that is there, to be read and written.
pub(crate) fn reopen(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

pub(crate) fn append(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    step()?;
    file.write_all(bytes)
}

pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    step()?;
    file.write_all_at(bytes, offset)
}

/// Bytes of a file or names of a folder are on the medium when this returns.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    step()?;
    file.sync_all()
}

/// All that was written to the file system of this folder is on the medium when this returns true;
/// false where there is no such call.
///
/// `folder` was opened before the writing began: then a failed write is told here (since Linux 5.8).
#[cfg(target_os = "linux")]
pub(crate) fn sync_file_system(folder: &File) -> io::Result<bool> {
    step()?;
    rustix::fs::syncfs(folder)?;
    Ok(true)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn sync_file_system(_folder: &File) -> io::Result<bool> {
    Ok(false)
}

/// Gives a file its name; what had that name is replaced.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step()?;
    std::fs::rename(from, to)
}

/// Removes a file; that there is none is fine.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    step()?;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The folder that a path lies in.
pub(crate) fn parent(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

#[cfg(not(test))]
fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
use faults::step;

/// The disk of a test fails from a chosen change on, as if the process had been killed there.
#[cfg(test)]
pub(crate) mod faults {
    use std::cell::Cell;
    use std::io;

    thread_local! {
        static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
    }

    /// Runs `act` with a disk that takes `changes` more changes from this thread and then none.
    ///
    /// Returns what `act` did, and whether the disk failed it.
    pub(crate) fn after<T>(changes: u64, act: impl FnOnce() -> T) -> (T, bool) {
        LEFT.set(Some(changes));
        let done = act();
        let failed = LEFT.replace(None) == Some(u64::MAX);
        (done, failed)
    }

    pub(super) fn step() -> io::Result<()> {
        match LEFT.get() {
            None => Ok(()),
            Some(0 | u64::MAX) => {
                LEFT.set(Some(u64::MAX));
                Err(io::ErrorKind::StorageFull.into())
            }
            Some(left) => {
                LEFT.set(Some(left - 1));
                Ok(())
            }
        }
    }
}
