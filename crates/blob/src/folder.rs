//! The folder in which blobs rest: what is here, and the removal of what nothing names.
//!
//! ```text
//! <hash>          a whole blob, as it is sealed
//! <hash>.part     one that is coming: what was verified, at its place, and holes
//! <hash>.tree     its hash tree, of either, where it has more than one group
//! incoming-<n>    a file that is being sealed, and its .tree
//! ```
//!
//! Nothing gets its last name before its bytes are on the medium, so a whole blob is whole after a power
//! cut. What a `.part` holds is believed only as far as its tree proves it. The folder belongs to one
//! process at a time; the home's lock sees to that.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::receive::Part;
use crate::{BlobHash, Error, Ranges, disk, tree};

/// A folder of blobs. A clone is the same folder.
#[derive(Debug, Clone)]
pub struct Folder(Arc<Inner>);

/// How much of a blob is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Absent,
    /// Some of it, or all of it before `finish`.
    Partial {
        /// Bytes of the sealed form, as whoever asked for it was told.
        size: u64,
        /// What was verified.
        present: Ranges,
    },
    /// All.
    Whole {
        /// Bytes of the sealed form.
        size: u64,
    },
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    folder: File,
    /// Held while it is found out, begun or removed what is coming; before `live`.
    parts: Mutex<()>,
    /// Held for moments.
    live: Mutex<Live>,
}

#[derive(Debug, Default)]
struct Live {
    next: u64,
    temporary: BTreeSet<u64>,
    parts: BTreeMap<BlobHash, Arc<Part>>,
}

/// What a file in the folder is, by its name; files that are not ours have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Whole(BlobHash),
    Part(BlobHash),
    Tree(BlobHash),
    Temporary(u64),
}

/// A file that has no name of its own yet, and its tree; both are removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Temporary {
    folder: Folder,
    number: u64,
}

/// Held while parts are begun or removed.
pub(crate) type PartsGuard<'a> = MutexGuard<'a, ()>;

impl Folder {
    /// Opens the folder, makes it where it is not, and removes what a crash left half sealed.
    ///
    /// # Errors
    ///
    /// [`Error::Disk`] and [`Error::Full`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let inner = Inner {
            path: path.to_owned(),
            folder: disk::private_folder(path)?,
            parts: Mutex::default(),
            live: Mutex::default(),
        };
        let folder = Self(Arc::new(inner));
        folder.sweep(|_| true)?;
        Ok(folder)
    }

    /// How much of this blob is here.
    ///
    /// What a blob that is coming has is found out by hashing it once, at some gigabytes a second, and
    /// then remembered.
    ///
    /// # Errors
    ///
    /// [`Error::Disk`].
    pub fn state(&self, hash: &BlobHash) -> Result<State, Error> {
        if let Some(size) = self.whole_size(hash)? {
            return Ok(State::Whole { size });
        }
        let guard = self.lock_parts();
        Ok(match self.known_part(hash, &guard)? {
            Some(part) => State::Partial {
                size: part.size,
                present: part.present(),
            },
            None => State::Absent,
        })
    }

    /// Removes all that is here of this blob. Whoever is reading it reads on; whoever is receiving it
    /// learns that it is [`Error::Missing`] when it is finished.
    ///
    /// # Errors
    ///
    /// [`Error::Disk`].
    pub fn remove(&self, hash: &BlobHash) -> Result<(), Error> {
        let guard = self.lock_parts();
        self.discard_part(hash, &guard)?;
        disk::remove(&self.whole_path(hash))?;
        disk::remove(&self.tree_path(hash))?;
        Ok(())
    }

    /// Removes every blob, whole or coming, that is not kept, and what a crash left behind.
    ///
    /// Blobs that were sealed and not named yet must be kept too: call this when nothing is on its way
    /// in, such as at the start.
    ///
    /// # Errors
    ///
    /// [`Error::Disk`]; what was removed until then stays removed.
    pub fn sweep(&self, keep: impl Fn(&BlobHash) -> bool) -> Result<(), Error> {
        let names: Vec<_> = self.names()?;
        let here = names.iter().filter_map(|(name, _)| match name {
            Name::Whole(hash) | Name::Part(hash) => Some(*hash),
            Name::Tree(_) | Name::Temporary(_) => None,
        });
        let here: BTreeSet<_> = here.collect();
        for hash in here.iter().filter(|hash| !keep(hash)) {
            self.remove(hash)?;
        }
        for (name, _) in names {
            match name {
                Name::Tree(hash) if !here.contains(&hash) => self.remove_lonely_tree(&hash)?,
                Name::Temporary(number) if !self.live().temporary.contains(&number) => {
                    self.remove_temporary(number)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// How many bytes of the disk all of it takes.
    ///
    /// # Errors
    ///
    /// [`Error::Disk`].
    pub fn usage(&self) -> Result<u64, Error> {
        Ok(self.names()?.iter().map(|(_, bytes)| bytes).sum())
    }

    /// What files of ours are here, with the bytes of disk that each takes.
    fn names(&self) -> Result<Vec<(Name, u64)>, Error> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.0.path)? {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().and_then(Name::parse) else {
                continue;
            };
            match entry.metadata() {
                // Blocks are of 512 bytes whatever the file system's are (POSIX).
                Ok(metadata) => names.push((name, metadata.blocks().saturating_mul(512))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(names)
    }

    /// A tree stands alone for a moment while its blob gets its name; that moment is locked.
    fn remove_lonely_tree(&self, hash: &BlobHash) -> Result<(), Error> {
        let _parts = self.lock_parts();
        let _live = self.live();
        if self.whole_size(hash)?.is_none() && !self.part_path(hash).exists() {
            disk::remove(&self.tree_path(hash))?;
        }
        Ok(())
    }

    fn remove_temporary(&self, number: u64) -> io::Result<()> {
        disk::remove(&self.temporary_path(number))?;
        disk::remove(&self.temporary_tree_path(number))
    }
}

/// For the other modules.
impl Folder {
    pub(crate) fn whole_path(&self, hash: &BlobHash) -> PathBuf {
        self.0.path.join(hash.to_string())
    }

    pub(crate) fn part_path(&self, hash: &BlobHash) -> PathBuf {
        self.0.path.join(format!("{hash}.part"))
    }

    pub(crate) fn tree_path(&self, hash: &BlobHash) -> PathBuf {
        self.0.path.join(format!("{hash}.tree"))
    }

    fn temporary_path(&self, number: u64) -> PathBuf {
        self.0.path.join(format!("incoming-{number}"))
    }

    fn temporary_tree_path(&self, number: u64) -> PathBuf {
        self.0.path.join(format!("incoming-{number}.tree"))
    }

    /// The size of a blob that is whole.
    pub(crate) fn whole_size(&self, hash: &BlobHash) -> Result<Option<u64>, Error> {
        match std::fs::metadata(self.whole_path(hash)) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A whole blob, to be read, and its size.
    pub(crate) fn whole(&self, hash: &BlobHash) -> Result<(File, u64), Error> {
        let file = open_if_there(&self.whole_path(hash))?.ok_or(Error::Missing)?;
        let size = file.metadata()?.len();
        Ok((file, size))
    }

    /// The tree of a blob of this size, to be read; None where it has none.
    pub(crate) fn tree(&self, hash: &BlobHash, size: u64) -> Result<Option<File>, Error> {
        if !tree::has_pairs(size) {
            return Ok(None);
        }
        let file = open_if_there(&self.tree_path(hash))?.ok_or(Error::Damaged { offset: 0 })?;
        if tree::named_size(&file)? == Some(size) {
            Ok(Some(file))
        } else {
            Err(Error::Damaged { offset: 0 })
        }
    }

    /// A new empty file.
    pub(crate) fn temporary(&self) -> Result<(Temporary, File), Error> {
        let number = {
            let mut live = self.live();
            live.next += 1;
            let number = live.next;
            live.temporary.insert(number);
            number
        };
        let temporary = Temporary {
            folder: self.clone(),
            number,
        };
        let file = disk::create(&temporary.path())?;
        Ok((temporary, file))
    }

    pub(crate) fn lock_parts(&self) -> PartsGuard<'_> {
        self.0.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is coming of this blob and proven; None where nothing is.
    pub(crate) fn known_part(
        &self,
        hash: &BlobHash,
        _parts: &PartsGuard<'_>,
    ) -> Result<Option<Arc<Part>>, Error> {
        if let Some(part) = self.live().parts.get(hash) {
            return Ok(Some(Arc::clone(part)));
        }
        let Some(data) = open_if_there(&self.part_path(hash))? else {
            return Ok(None);
        };
        let pairs = open_if_there(&self.tree_path(hash))?;
        // BLOB-13: the size too is only a claim here, so it must fit a length before it is used.
        let size = match &pairs {
            Some(pairs) => tree::named_size(pairs)?,
            None => Some(data.metadata()?.len()).filter(|size| !tree::has_pairs(*size)),
        };
        let Some(size) = size else {
            return Ok(None);
        };
        let present = tree::Pairs::new(*hash, size, pairs.as_ref()).valid(&data)?;
        if present.is_empty() {
            return Ok(None);
        }
        let part = Arc::new(Part::new(*hash, size, present));
        self.remember_part(&part);
        Ok(Some(part))
    }

    pub(crate) fn remember_part(&self, part: &Arc<Part>) {
        self.live().parts.insert(part.hash, Arc::clone(part));
    }

    /// Removes what is coming of a blob; its tree only where no whole blob needs it.
    pub(crate) fn discard_part(
        &self,
        hash: &BlobHash,
        _parts: &PartsGuard<'_>,
    ) -> Result<(), Error> {
        let mut live = self.live();
        live.parts.remove(hash);
        disk::remove(&self.part_path(hash))?;
        if self.whole_size(hash)?.is_none() {
            disk::remove(&self.tree_path(hash))?;
        }
        Ok(())
    }

    /// A sealed file gets its name; one that is here already stays.
    pub(crate) fn name_sealed(&self, sealed: &Temporary, hash: &BlobHash) -> Result<(), Error> {
        let mut live = self.live();
        let size = std::fs::metadata(sealed.path())?.len();
        if self.whole_size(hash)? == Some(size) {
            return Ok(());
        }
        if tree::has_pairs(size) {
            disk::rename(&sealed.tree_path(), &self.tree_path(hash))?;
        }
        disk::rename(&sealed.path(), &self.whole_path(hash))?;
        live.parts.remove(hash);
        Ok(disk::remove(&self.part_path(hash))?)
    }

    /// A blob that came gets its name, unless it was removed or another source finished it.
    pub(crate) fn name_received(&self, part: &Arc<Part>) -> Result<(), Error> {
        let mut live = self.live();
        let known = live.parts.get(&part.hash);
        if known.is_some_and(|known| Arc::ptr_eq(known, part)) {
            disk::rename(&self.part_path(&part.hash), &self.whole_path(&part.hash))?;
            live.parts.remove(&part.hash);
            return Ok(());
        }
        match self.whole_size(&part.hash)? {
            Some(_) => Ok(()),
            None => Err(Error::Missing),
        }
    }

    /// A second handle of the folder; see `disk::sync_file_system`.
    pub(crate) fn watch(&self) -> io::Result<File> {
        File::open(&self.0.path)
    }

    /// Names are on the medium when this returns.
    pub(crate) fn sync_names(&self) -> Result<(), Error> {
        Ok(disk::sync(&self.0.folder)?)
    }
}

impl Temporary {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.temporary_path(self.number)
    }

    pub(crate) fn tree_path(&self) -> PathBuf {
        self.folder.temporary_tree_path(self.number)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed now is removed at the next start.
        let _ = self.folder.remove_temporary(self.number);
        self.folder.live().temporary.remove(&self.number);
    }
}

impl Name {
    fn parse(name: &str) -> Option<Self> {
        let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
        if let Some(number) = stem.strip_prefix("incoming-") {
            let number = number.parse().ok()?;
            return matches!(ending, "" | "tree").then_some(Self::Temporary(number));
        }
        let hash = stem.parse().ok()?;
        match ending {
            "" => Some(Self::Whole(hash)),
            "part" => Some(Self::Part(hash)),
            "tree" => Some(Self::Tree(hash)),
            _ => None,
        }
    }
}

fn open_if_there(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
