//! Files come in, one or many, and are durable together.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::folder::Temporary;
use crate::receive::Part;
use crate::seal::{SEGMENT, Segments, TAG};
use crate::tree::{self, GROUP, Growing};
use crate::{BlobHash, BlobKey, Error, Folder, FreshKey, Incoming, Progress, disk};

/// A file that was sealed.
#[derive(Debug)]
pub struct Sealed {
    /// What it is asked for by.
    pub hash: BlobHash,
    /// What opens it.
    pub key: BlobKey,
    /// Bytes of the file.
    pub plain_size: u64,
    /// Bytes of its sealed form.
    pub sealed_size: u64,
}

/// Blobs that are written and not here yet: they are, all of them, when [`Batch::commit`] returns.
///
/// One that is dropped leaves nothing of what was sealed, and what was received as it was.
#[derive(Debug)]
pub struct Batch {
    folder: Folder,
    /// Opened before anything is written.
    watch: File,
    pending: Vec<Pending>,
}

#[derive(Debug)]
struct Pending {
    blob: Blob,
    /// The first few are held open: whoever wrote a file is told for sure what failed of it.
    files: Vec<File>,
}

#[derive(Debug)]
enum Blob {
    Sealed(Temporary, BlobHash),
    Received(Arc<Part>),
}

/// A flush of the device for each of these costs less than writing out what others have written to the
/// file system. Beyond, a thousand files of 1 KiB cost one (measured: 70 ms instead of 900 ms).
const FEW: usize = 8;

impl Folder {
    /// Seals what `source` gives and returns when it is durable (BLOB-11).
    ///
    /// `progress` is told the bytes of the file that are sealed. Nothing of a file that failed stays.
    ///
    /// # Errors
    ///
    /// [`Error::Source`], [`Error::Full`], [`Error::Disk`], [`Error::Cancelled`], and
    /// [`Error::TooLarge`] above 256 TiB.
    pub fn seal(
        &self,
        source: impl Read,
        key: FreshKey,
        progress: Progress<'_>,
    ) -> Result<Sealed, Error> {
        let mut batch = self.batch()?;
        let sealed = batch.seal(source, key, progress)?;
        batch.commit()?;
        Ok(sealed)
    }

    /// Begins a batch.
    ///
    /// # Errors
    ///
    /// [`Error::Disk`].
    pub fn batch(&self) -> Result<Batch, Error> {
        Ok(Batch {
            folder: self.clone(),
            watch: self.watch()?,
            pending: Vec::new(),
        })
    }
}

impl Batch {
    /// Seals what `source` gives, as [`Folder::seal`] does; it is here after [`Batch::commit`].
    ///
    /// # Errors
    ///
    /// As [`Folder::seal`]. The batch is as it was before.
    pub fn seal(
        &mut self,
        source: impl Read,
        key: FreshKey,
        progress: Progress<'_>,
    ) -> Result<Sealed, Error> {
        let (temporary, data) = self.folder.temporary()?;
        let mut writing = Writing::new(&temporary, &data);
        let plain_size = writing.pump(source, &key.segments(), progress)?;
        let (hash, sealed_size, tree) = writing.finish()?;
        let files = [Some(data), tree];
        self.push(Blob::Sealed(temporary, hash), files);
        Ok(Sealed {
            hash,
            key: key.used(),
            plain_size,
            sealed_size,
        })
    }

    /// Takes a blob that came; it is whole after [`Batch::commit`].
    ///
    /// # Errors
    ///
    /// [`Error::Incomplete`].
    pub fn add(&mut self, incoming: Incoming) -> Result<(), Error> {
        let (part, files) = incoming.completed()?;
        self.push(Blob::Received(part), files);
        Ok(())
    }

    /// Brings all of it onto the medium, then gives every blob its name, then brings the names there.
    ///
    /// # Errors
    ///
    /// [`Error::Full`], [`Error::Disk`]; [`Error::Missing`] where a blob was removed meanwhile. Blobs
    /// that got their names keep them; nothing stays of others that were sealed.
    pub fn commit(self) -> Result<(), Error> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if self.pending.len() <= FEW || !disk::sync_file_system(&self.watch)? {
            for one in &self.pending {
                self.sync(one)?;
            }
        }
        let mut named = Ok(());
        for one in &self.pending {
            let one = match &one.blob {
                Blob::Sealed(temporary, hash) => self.folder.name_sealed(temporary, hash),
                Blob::Received(part) => self.folder.name_received(part),
            };
            named = named.and(one);
        }
        self.folder.sync_names()?;
        named
    }

    fn push(&mut self, blob: Blob, files: [Option<File>; 2]) {
        let files = files.into_iter().flatten();
        let files = files.filter(|_| self.pending.len() < FEW).collect();
        self.pending.push(Pending { blob, files });
    }

    /// Brings one blob's bytes and tree onto the medium.
    fn sync(&self, pending: &Pending) -> io::Result<()> {
        if !pending.files.is_empty() {
            return pending.files.iter().try_for_each(disk::sync);
        }
        let (data, tree) = match &pending.blob {
            Blob::Sealed(temporary, _) => (temporary.path(), temporary.tree_path()),
            Blob::Received(part) => {
                let folder = &self.folder;
                (folder.part_path(&part.hash), folder.tree_path(&part.hash))
            }
        };
        // A small one has no tree, and another source may have finished the whole.
        let there = [data, tree].into_iter().filter(|path| path.exists());
        there
            .map(File::open)
            .try_for_each(|file| disk::sync(&file?))
    }
}

/// A sealed form on its way to the disk, hashed as it goes.
struct Writing<'a> {
    temporary: &'a Temporary,
    data: &'a File,
    /// Made when the first pair is known.
    tree: Option<File>,
    growing: Growing,
    /// Sealed and not written: at least the last byte, so that the last group is known when it comes.
    sealed: Vec<u8>,
    pairs: Vec<u8>,
    size: u64,
}

impl<'a> Writing<'a> {
    fn new(temporary: &'a Temporary, data: &'a File) -> Self {
        Self {
            temporary,
            data,
            tree: None,
            growing: Growing::default(),
            sealed: Vec::new(),
            pairs: Vec::new(),
            size: 0,
        }
    }

    /// Seals all that the source gives; tells how many bytes that were.
    fn pump(
        &mut self,
        mut source: impl Read,
        segments: &Segments,
        progress: Progress<'_>,
    ) -> Result<u64, Error> {
        let mut plain_size = 0;
        let mut segment = Zeroizing::new(Vec::with_capacity(SEGMENT + TAG));
        let mut next = Zeroizing::new(Vec::with_capacity(SEGMENT + TAG));
        fill(&mut source, &mut segment)?;
        for index in 0.. {
            fill(&mut source, &mut next)?;
            let last = next.is_empty();
            plain_size += segment.len() as u64;
            segments
                .seal(index, last, &mut segment)
                .ok_or(Error::TooLarge {
                    size: self.size + self.sealed.len() as u64,
                    limit: self.size,
                })?;
            self.sealed.extend_from_slice(&segment);
            if self.sealed.len() > disk::PIECE {
                self.write_groups()?;
                if progress(plain_size).is_break() {
                    return Err(Error::Cancelled);
                }
            }
            if last {
                break;
            }
            segment.clear();
            std::mem::swap(&mut segment, &mut next);
        }
        // What is cancelled at the very end is cancelled too.
        if progress(plain_size).is_break() {
            return Err(Error::Cancelled);
        }
        Ok(plain_size)
    }

    /// Writes all but the last group, and that too where more follows.
    fn write_groups(&mut self) -> Result<(), Error> {
        let group = GROUP as usize;
        let whole = self.sealed.len().saturating_sub(1) / group * group;
        let Some(groups) = self.sealed.get(..whole) else {
            return Ok(());
        };
        for group in groups.chunks(group) {
            self.growing.push(group, &mut self.pairs);
        }
        disk::write_at(self.data, groups, self.size)?;
        self.size += whole as u64;
        self.sealed.drain(..whole);
        self.write_pairs()
    }

    fn write_pairs(&mut self) -> Result<(), Error> {
        if self.pairs.is_empty() {
            return Ok(());
        }
        let tree = match self.tree.take() {
            Some(tree) => tree,
            None => {
                let tree = disk::create(&self.temporary.tree_path())?;
                // The size is known at the end.
                disk::append(&tree, &tree::header(0))?;
                tree
            }
        };
        disk::append(&tree, &self.pairs)?;
        self.pairs.clear();
        self.tree = Some(tree);
        Ok(())
    }

    /// Writes what is left; tells the hash and the size of the sealed form, and gives its tree.
    fn finish(mut self) -> Result<(BlobHash, u64, Option<File>), Error> {
        self.write_groups()?;
        disk::write_at(self.data, &self.sealed, self.size)?;
        self.size += self.sealed.len() as u64;
        let hash = std::mem::take(&mut self.growing).finish(&self.sealed, &mut self.pairs);
        self.write_pairs()?;
        if let Some(tree) = &self.tree {
            disk::write_at(tree, &tree::header(self.size), 0)?;
        }
        Ok((hash, self.size, self.tree))
    }
}

/// Reads a segment, or what is left of the source.
fn fill(source: &mut impl Read, segment: &mut Vec<u8>) -> Result<(), Error> {
    let mut taken = source.take(SEGMENT as u64);
    taken.read_to_end(segment).map_err(Error::Source)?;
    Ok(())
}
