//! Putting a file in plain where a person wants it: whole, and never over another.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::seal::SEGMENT;
use crate::{BlobHash, BlobKey, Error, Folder, Opened, Progress, disk};

impl Folder {
    /// Writes a blob in plain to `destination`, or to the next free name beside it; tells which.
    ///
    /// It is written under a name of its own, readable by this person alone, and gets its name when it is
    /// whole and on the medium. What fails or is cancelled leaves nothing. `progress` is told the bytes
    /// written.
    ///
    /// # Errors
    ///
    /// As [`Folder::read`], and [`Error::Full`], [`Error::Cancelled`].
    pub fn save(
        &self,
        hash: &BlobHash,
        key: &BlobKey,
        destination: &Path,
        progress: Progress<'_>,
    ) -> Result<PathBuf, Error> {
        let mut opened = self.read(hash, key)?;
        let beside = disk::parent(destination);
        let (unfinished, file) = Unfinished::create(beside, hash)?;
        write_plain(&mut opened, &file, progress)?;
        disk::sync(&file)?;
        let place = unfinished.name(destination)?;
        // Not every file system can; the file is there and whole either way.
        let _ = File::open(beside).and_then(|beside| disk::sync(&beside));
        Ok(place)
    }
}

fn write_plain(opened: &mut Opened, file: &File, progress: Progress<'_>) -> Result<(), Error> {
    let mut written = 0;
    let mut piece = Zeroizing::new(Vec::with_capacity(disk::PIECE));
    for index in 0.. {
        let segment = opened.segment(index)?;
        piece.extend_from_slice(segment);
        let is_end = segment.len() < SEGMENT;
        if is_end || piece.len() >= disk::PIECE {
            disk::write_at(file, &piece, written)?;
            written += piece.len() as u64;
            piece.clear();
            if progress(written).is_break() {
                return Err(Error::Cancelled);
            }
        }
        if is_end {
            break;
        }
    }
    Ok(())
}

/// The names that are tried for a file, the wanted one first: `name.ext`, `name (2).ext`, and so on.
pub fn names(wanted: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    let stem = wanted.file_stem().unwrap_or(OsStr::new("file"));
    let others = (2_u32..).map(move |number| {
        let mut name = OsString::from(stem);
        name.push(format!(" ({number})"));
        if let Some(extension) = wanted.extension() {
            name.push(".");
            name.push(extension);
        }
        wanted.with_file_name(name)
    });
    std::iter::once(wanted.to_owned()).chain(others)
}

/// The first of [`names`] that nothing has; somebody may take it before it is used.
#[must_use]
pub fn free_name(wanted: &Path) -> PathBuf {
    // A link that leads nowhere takes a name too.
    let free = names(wanted).find(|name| name.symlink_metadata().is_err());
    free.unwrap_or_else(|| wanted.to_owned())
}

/// A file that is being saved; removed when it is dropped without a name.
struct Unfinished(Option<PathBuf>);

impl Unfinished {
    /// Two saves of one blob into one folder get different names.
    fn create(beside: &Path, hash: &BlobHash) -> Result<(Self, File), Error> {
        let wanted = beside.join(format!(".{hash}.unfinished"));
        for name in names(&wanted) {
            match disk::create(&name) {
                Ok(file) => return Ok((Self(Some(name)), file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Disk(io::ErrorKind::AlreadyExists.into()))
    }

    /// Gives it the first name that is free.
    ///
    /// The name is taken by an empty file first, which then is replaced: this holds on every file system,
    /// those without hard links too, and nobody's file is ever overwritten.
    fn name(mut self, wanted: &Path) -> Result<PathBuf, Error> {
        let Some(unfinished) = self.0.take() else {
            return Err(Error::Missing);
        };
        let mut taken = Self(None);
        for name in names(wanted) {
            match disk::create(&name) {
                Ok(_) => {
                    taken.0 = Some(name.clone());
                    self.0 = Some(unfinished.clone());
                    disk::rename(&unfinished, &name)?;
                    self.0 = None;
                    taken.0 = None;
                    return Ok(name);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    self.0 = Some(unfinished);
                    return Err(error.into());
                }
            }
        }
        Err(Error::Disk(io::ErrorKind::AlreadyExists.into()))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Nothing more can be done; its name says what it is.
            let _ = disk::remove(path);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_keep_their_endings() {
        // BLOB-17.
        for (wanted, second) in [
            ("a.txt", "a (2).txt"),
            ("dir.d/a", "dir.d/a (2)"),
            (".rc", ".rc (2)"),
            ("a.tar.gz", "a.tar (2).gz"),
        ] {
            let tried: Vec<_> = names(Path::new(wanted)).take(2).collect();
            assert_eq!(tried, [PathBuf::from(wanted), PathBuf::from(second)]);
        }
    }

    #[test]
    fn the_free_name_is_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = folder.path().join("a.txt");
        assert_eq!(free_name(&wanted), wanted);
        std::fs::write(&wanted, "").unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("a (2).txt")).unwrap();
        assert_eq!(free_name(&wanted), folder.path().join("a (3).txt"));
    }
}
