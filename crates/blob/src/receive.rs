//! Taking parts of a blob from anybody, and keeping what the hash proves.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bao_tree::io::sync::truncate_ranges;
use bao_tree::iter::BaoChunk;
use blake3::Hash;

use crate::folder::PartsGuard;
use crate::seal::plain_size;
use crate::tree::{GROUP, Pairs, has_pairs, header, parent_hash, shape};
use crate::{BlobHash, Error, Folder, Progress, Ranges, disk};

/// A blob that is coming, one for all its sources.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) hash: BlobHash,
    pub(crate) size: u64,
    present: Mutex<Ranges>,
    verified: AtomicU64,
}

/// One source's way into a blob that is coming. Several may be at work at once.
#[derive(Debug)]
pub struct Incoming {
    folder: Folder,
    part: Arc<Part>,
    data: File,
    pairs: Option<File>,
}

impl Folder {
    /// Begins or goes on to receive a blob of this sealed size; None where it is whole already.
    ///
    /// What came before, also before a crash, is found and proven anew (BLOB-13); meanwhile others wait
    /// here, half a second for a GiB.
    ///
    /// # Errors
    ///
    /// Before the disk is used: [`Error::TooLarge`] above `limit`, [`Error::Impossible`], and
    /// [`Error::Size`] where what is here proves another size, or another size is being received.
    /// [`Error::Full`], [`Error::Disk`].
    pub fn receive(
        &self,
        hash: &BlobHash,
        size: u64,
        limit: u64,
    ) -> Result<Option<Incoming>, Error> {
        plain_size(size).ok_or(Error::Impossible(size))?;
        if size > limit {
            return Err(Error::TooLarge { size, limit });
        }
        let guard = self.lock_parts();
        match self.whole_size(hash)? {
            Some(found) if found == size => return Ok(None),
            Some(found) => {
                return Err(Error::Size {
                    claimed: size,
                    found,
                });
            }
            None => {}
        }
        if let Some(part) = self.known_part(hash, &guard)? {
            // The folder's, and this one; more are held by those who receive it.
            let in_use = Arc::strong_count(&part) > 2;
            if part.size != size && (in_use || part.proves_its_size()) {
                return Err(Error::Size {
                    claimed: size,
                    found: part.size,
                });
            }
            if part.size == size
                && let Some(incoming) = self.incoming(part)?
            {
                return Ok(Some(incoming));
            }
        }
        self.begin(hash, size, &guard).map(Some)
    }

    /// Begins with nothing.
    fn begin(&self, hash: &BlobHash, size: u64, guard: &PartsGuard<'_>) -> Result<Incoming, Error> {
        self.discard_part(hash, guard)?;
        if has_pairs(size) {
            disk::append(&disk::create(&self.tree_path(hash))?, &header(size))?;
        }
        disk::create(&self.part_path(hash))?;
        let part = Arc::new(Part::new(*hash, size, Ranges::none()));
        self.remember_part(&part);
        self.incoming(part)?.ok_or(Error::Missing)
    }

    /// Handles of what is coming; None where somebody removed the files.
    fn incoming(&self, part: Arc<Part>) -> Result<Option<Incoming>, Error> {
        let open = || -> io::Result<_> {
            let data = disk::reopen(&self.part_path(&part.hash))?;
            let pairs = has_pairs(part.size).then(|| disk::reopen(&self.tree_path(&part.hash)));
            Ok((data, pairs.transpose()?))
        };
        match open() {
            Ok((data, pairs)) => Ok(Some(Incoming {
                folder: self.clone(),
                part,
                data,
                pairs,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Incoming {
    /// Which blob this is.
    #[must_use]
    pub fn hash(&self) -> &BlobHash {
        &self.part.hash
    }

    /// Bytes of its sealed form.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.part.size
    }

    /// How many of them were verified and are on the disk, from all sources.
    #[must_use]
    pub fn verified(&self) -> u64 {
        self.part.verified.load(Ordering::Relaxed)
    }

    /// What came, from all sources.
    #[must_use]
    pub fn present(&self) -> Ranges {
        self.part.present()
    }

    /// What is still to be asked for.
    #[must_use]
    pub fn missing(&self) -> Ranges {
        Ranges::whole(self.part.size).without(&self.part.lock())
    }

    /// Reads the slice of `ranges`, which are those that were asked for, and keeps every group as soon
    /// as it is proven. `source` is read up to the slice's end and no further.
    ///
    /// `progress` is told [`Incoming::verified`] whenever it grew: after every group, in a blob above 64
    /// MiB after every MiB, or every group if it comes slowly.
    ///
    /// # Errors
    ///
    /// The sender's fault: [`Error::Size`], [`Error::Mismatch`], [`Error::Ended`]. Also
    /// [`Error::Source`], [`Error::Cancelled`], [`Error::Full`], [`Error::Disk`]. What was proven
    /// until then stays.
    pub fn take(
        &self,
        ranges: &Ranges,
        mut source: impl Read,
        progress: Progress<'_>,
    ) -> Result<(), Error> {
        self.check_size(&mut source)?;
        let mut landing = Landing::new(self, LONGEST);
        let taken = self.pull(ranges, source, &mut landing, progress);
        let is_last = landing.land()?;
        taken?;
        if is_last && progress(self.verified()).is_break() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    /// BLOB-9: walks the tree as the sender did, and believes what the values above it prove.
    fn pull(
        &self,
        ranges: &Ranges,
        mut source: impl Read,
        landing: &mut Landing<'_>,
        progress: Progress<'_>,
    ) -> Result<(), Error> {
        let (hash, size) = (self.part.hash, self.part.size);
        let pairs = Pairs::new(hash, size, self.pairs.as_ref());
        let ranges = ranges.common(&Ranges::whole(size));
        let chunks = truncate_ranges(ranges.chunks(), size);
        let mut proven = vec![Hash::from(hash)];
        for item in shape(size).ranges_pre_order_chunks_iter_ref(chunks, 0) {
            match item {
                BaoChunk::Parent {
                    node,
                    is_root,
                    left: has_left,
                    right: has_right,
                    ..
                } => {
                    let offset = node.chunk_range().start.to_bytes();
                    let mut pair = [[0; 32]; 2];
                    fill(&mut source, pair.as_flattened_mut(), offset)?;
                    let [left, right] = pair.map(Hash::from);
                    if proven.pop() != Some(parent_hash(&left, &right, is_root)) {
                        return Err(Error::Mismatch { offset });
                    }
                    proven.extend(has_right.then_some(right));
                    proven.extend(has_left.then_some(left));
                    pairs.save(node, (left, right))?;
                }
                BaoChunk::Leaf {
                    start_chunk, size, ..
                } => {
                    let offset = start_chunk.to_bytes();
                    let group = landing.room(offset, size)?;
                    fill(&mut source, group, offset)?;
                    if proven.pop() != Some(pairs.group_hash(offset, group)) {
                        return Err(Error::Mismatch { offset });
                    }
                    if landing.keep(size)? && progress(self.verified()).is_break() {
                        return Err(Error::Cancelled);
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes it a whole blob, durably.
    ///
    /// # Errors
    ///
    /// [`Error::Incomplete`], [`Error::Missing`] where it was removed, [`Error::Full`], [`Error::Disk`].
    pub fn finish(self) -> Result<(), Error> {
        let mut batch = self.folder.batch()?;
        batch.add(self)?;
        batch.commit()
    }

    /// What it came to, and its files, where nothing is missing.
    pub(crate) fn completed(self) -> Result<(Arc<Part>, [Option<File>; 2]), Error> {
        if self.missing().is_empty() {
            Ok((self.part, [Some(self.data), self.pairs]))
        } else {
            Err(Error::Incomplete)
        }
    }

    /// BLOB-12: another size makes another tree, so nothing behind it would fit.
    fn check_size(&self, source: &mut impl Read) -> Result<(), Error> {
        let mut named = header(0);
        fill(source, &mut named, 0)?;
        if named == header(self.part.size) {
            return Ok(());
        }
        Err(Error::Size {
            claimed: self.part.size,
            found: u64::from_le_bytes(named),
        })
    }
}

/// How long a proven group waits for others: as long as a MiB takes at 20 MB/s. A process that is killed
/// asks again for no more than what came meanwhile.
const LONGEST: Duration = if cfg!(test) {
    Duration::MAX
} else {
    Duration::from_millis(50)
};

/// Proven groups on their way to the disk: those of a large blob together.
struct Landing<'a> {
    incoming: &'a Incoming,
    longest: Duration,
    /// When something was last written.
    landed: Instant,
    /// Where the first of them lies in the blob.
    offset: u64,
    buffer: Vec<u8>,
    proven: usize,
}

impl<'a> Landing<'a> {
    fn new(incoming: &'a Incoming, longest: Duration) -> Self {
        let is_large = incoming.part.size > disk::CACHED;
        let at_once = if is_large {
            disk::PIECE
        } else {
            GROUP as usize
        };
        Self {
            incoming,
            longest,
            landed: Instant::now(),
            offset: 0,
            buffer: vec![0; at_once],
            proven: 0,
        }
    }

    /// Where a group is read into; what is proven and cannot be written with it is written.
    fn room(&mut self, offset: u64, size: usize) -> Result<&mut [u8], Error> {
        let follows = self.offset.saturating_add(self.proven as u64) == offset;
        if !follows || self.buffer.len() - self.proven < size {
            self.land()?;
            self.offset = offset;
        }
        let room = self.buffer.get_mut(self.proven..);
        let room = room.and_then(|room| room.get_mut(..size));
        Ok(room.unwrap_or_default())
    }

    /// That group is proven; whether something was written.
    fn keep(&mut self, size: usize) -> Result<bool, Error> {
        self.proven += size;
        let room = self.buffer.len() - self.proven >= GROUP as usize;
        if room && self.landed.elapsed() < self.longest {
            return Ok(false);
        }
        self.land()
    }

    /// Writes what is proven; whether there was some.
    fn land(&mut self) -> Result<bool, Error> {
        // Not again where it fails.
        let size = std::mem::take(&mut self.proven);
        let bytes = self.buffer.get(..size).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(false);
        }
        disk::write_at(&self.incoming.data, bytes, self.offset)?;
        self.incoming.part.came(self.offset, size as u64);
        self.offset = self.offset.saturating_add(size as u64);
        self.landed = Instant::now();
        Ok(true)
    }
}

impl Part {
    pub(crate) fn new(hash: BlobHash, size: u64, present: Ranges) -> Self {
        Self {
            hash,
            size,
            verified: present.bytes(size).into(),
            present: present.into(),
        }
    }

    pub(crate) fn present(&self) -> Ranges {
        self.lock().clone()
    }

    /// The last group ties the size to the hash: a tree of another size has another last chunk.
    fn proves_its_size(&self) -> bool {
        let last = Ranges::of(self.size.saturating_sub(1)..self.size);
        self.lock().covers(&last)
    }

    /// Groups were written; two sources may have brought the same.
    fn came(&self, offset: u64, bytes: u64) {
        let groups = Ranges::of(offset..offset.saturating_add(bytes));
        let mut present = self.lock();
        let new = groups.without(&present).bytes(self.size);
        present.add(&groups);
        self.verified.fetch_add(new, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Ranges> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads from the sender what proves or is the bytes of the blob from there on.
fn fill(source: &mut impl Read, buffer: &mut [u8], offset: u64) -> Result<(), Error> {
    source.read_exact(buffer).map_err(|error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Error::Ended { offset }
        } else {
            Error::Source(error)
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_comes_slowly_is_written_without_waiting_for_more() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let incoming = folder
            .receive(&blake3::hash(b"").into(), 9 * GROUP, u64::MAX)
            .unwrap()
            .unwrap();
        for (longest, written) in [(Duration::ZERO, GROUP), (Duration::MAX, 0)] {
            let mut landing = Landing::new(&incoming, longest);
            landing.room(0, GROUP as usize).unwrap();
            assert_eq!(landing.keep(GROUP as usize).unwrap(), written > 0);
        }
        assert_eq!(incoming.verified(), GROUP);
    }
}
