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
    let written = match is_bulk(bytes, offset) {
        true => write_past_cache(file, bytes, offset),
        false => 0,
    };
    let rest = bytes.get(written..).unwrap_or_default();
    file.write_all_at(rest, offset.saturating_add(written as u64))
}

/// Fills the buffer from there; false where the file ends before.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<bool> {
    match file.read_exact_at(buffer, offset) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reads a file for one reader: far into a large file by large pieces, as long as it goes straight on.
#[derive(Default)]
pub(crate) struct Ahead {
    /// Where the last read ended.
    next: u64,
    /// What was read ahead, and where it begins.
    start: u64,
    piece: Vec<u8>,
}

impl Ahead {
    /// As [`read_at`].
    pub(crate) fn read_at(
        &mut self,
        file: &File,
        buffer: &mut [u8],
        offset: u64,
    ) -> io::Result<bool> {
        let goes_on = offset == self.next && is_bulk(buffer, offset);
        self.next = offset.saturating_add(buffer.len() as u64);
        if goes_on && (self.gives(buffer, offset) || self.fill(file, buffer, offset)) {
            return Ok(true);
        }
        read_at(file, buffer, offset)
    }

    fn gives(&self, buffer: &mut [u8], offset: u64) -> bool {
        let skipped = offset.checked_sub(self.start).map(usize::try_from);
        let Some(Ok(skipped)) = skipped else {
            return false;
        };
        let rest = self.piece.get(skipped..).unwrap_or_default();
        let Some(bytes) = rest.get(..buffer.len()) else {
            return false;
        };
        buffer.copy_from_slice(bytes);
        true
    }

    fn fill(&mut self, file: &File, buffer: &mut [u8], offset: u64) -> bool {
        // From the page's beginning: part of a page is read as the whole of it, and dropped.
        self.start = offset / 4096 * 4096;
        self.piece.resize(PIECE, 0);
        let read = read_past_cache(file, &mut self.piece, self.start);
        self.piece.truncate(read);
        self.gives(buffer, offset)
    }
}

/// How much of a file the page cache may keep: the first 64 MiB. Beyond, bytes pass through once.
///
/// What is written is to be durable soon, so its writing out begins at once; and a file larger than that
/// does not push everything else out of memory. Measured for 1 GiB: durable at 1,550 to 1,850 MB/s for
/// 0.35 seconds of a core, with the cache at 880 to 1,070 for 0.5; in a virtual machine whose memory is
/// lent, where each fresh page costs, the cache takes up to 5.
pub(crate) const CACHED: u64 = if cfg!(test) { 128 << 10 } else { 64 << 20 };

/// Large files are written by this much at a time: less would make many small requests of it.
pub(crate) const PIECE: usize = if cfg!(test) { 128 << 10 } else { 1 << 20 };

fn is_bulk(bytes: &[u8], offset: u64) -> bool {
    // The small reads of a large tree file stay cached.
    offset >= CACHED && bytes.len() as u64 >= crate::GROUP
}

/// Drop what is written, or what only this read brought in, from the page cache (Linux 6.14;
/// `RWF_DONTCACHE`, for which rustix has no name yet).
#[cfg(target_os = "linux")]
const DONT_CACHE: rustix::io::ReadWriteFlags =
    rustix::io::ReadWriteFlags::from_bits_retain(0x0000_0080);

/// How many bytes were written so; the rest, all where it cannot be done, is for the usual way.
#[cfg(target_os = "linux")]
fn write_past_cache(file: &File, bytes: &[u8], offset: u64) -> usize {
    let bytes = [io::IoSlice::new(bytes)];
    rustix::io::pwritev2(file, &bytes, offset, DONT_CACHE).unwrap_or(0)
}

/// How many bytes were read so; none where it cannot be done.
#[cfg(target_os = "linux")]
fn read_past_cache(file: &File, buffer: &mut [u8], offset: u64) -> usize {
    let mut buffer = [io::IoSliceMut::new(buffer)];
    rustix::io::preadv2(file, &mut buffer, offset, DONT_CACHE).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn write_past_cache(_: &File, _: &[u8], _: u64) -> usize {
    0
}

#[cfg(not(target_os = "linux"))]
fn read_past_cache(_: &File, _: &mut [u8], _: u64) -> usize {
    0
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
