//! Giving parts of a blob to whoever has its hash, with what proves them.
//!
//! A slice is the blob's size (8 bytes, little-endian), then the tree in pre-order, down to the groups
//! that were asked for: pairs of 64 bytes and the bytes of the groups. This is the slice encoding of
//! Bao with groups of 64 KiB instead of chunks. Both ends must name the same ranges.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};

use bao_tree::ChunkNum;
use bao_tree::io::EncodeError;
use bao_tree::io::sync::{ReadAt, encode_ranges_validated};
use bao_tree::iter::BaoChunk;

use crate::tree::{Pairs, shape};
use crate::{BlobHash, Error, Folder, Ranges, disk, tree};

/// Parts of a blob, ready to be written out.
#[derive(Debug)]
pub struct Slice {
    hash: BlobHash,
    size: u64,
    data: File,
    pairs: Option<File>,
    ranges: Ranges,
}

impl Folder {
    /// Prepares these ranges of a blob, whole or coming, to be sent; what is behind its end is left out.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] where one of the ranges is not here, [`Error::Damaged`] where the tree is lost,
    /// [`Error::Disk`].
    pub fn serve(&self, hash: &BlobHash, ranges: &Ranges) -> Result<Slice, Error> {
        let (data, size) = match self.whole(hash) {
            Err(Error::Missing) => self.coming(hash, ranges)?,
            whole => whole?,
        };
        Ok(Slice {
            hash: *hash,
            size,
            data,
            pairs: self.tree(hash, size)?,
            ranges: ranges.common(&Ranges::whole(size)),
        })
    }

    /// A blob of which these ranges came already.
    fn coming(&self, hash: &BlobHash, ranges: &Ranges) -> Result<(File, u64), Error> {
        let guard = self.lock_parts();
        let part = self.known_part(hash, &guard)?.ok_or(Error::Missing)?;
        let wanted = ranges.common(&Ranges::whole(part.size));
        let present = part.present();
        if present.is_empty() || !present.covers(&wanted) {
            return Err(Error::Missing);
        }
        match File::open(self.part_path(hash)) {
            // It became whole just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.whole(hash),
            data => Ok((data?, part.size)),
        }
    }
}

impl Slice {
    /// Bytes of the whole blob's sealed form.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How many bytes [`Slice::write`] will write.
    #[must_use]
    pub fn encoded_size(&self) -> u64 {
        let chunks = bao_tree::io::sync::truncate_ranges(self.ranges.chunks(), self.size);
        let items = shape(self.size)
            .ranges_pre_order_chunks_iter_ref(chunks, 0)
            .map(|item| match item {
                BaoChunk::Parent { .. } => 64,
                BaoChunk::Leaf { size, .. } => size as u64,
            });
        tree::header(0).len() as u64 + items.sum::<u64>()
    }

    /// Writes the slice, group by group; holds one.
    ///
    /// Every group is checked before it goes out, so damage here is found here and is not taken for a
    /// lie there.
    ///
    /// # Errors
    ///
    /// [`Error::Sink`], [`Error::Damaged`], [`Error::Disk`].
    pub fn write(&self, sink: impl Write) -> Result<(), Error> {
        let mut sink = Noted { sink, failed: None };
        let written = self.encode(&mut sink);
        match (written, sink.failed) {
            (_, Some(error)) => Err(Error::Sink(error)),
            (written, None) => written.map_err(damage),
        }
    }

    fn encode(&self, sink: &mut impl Write) -> Result<(), EncodeError> {
        sink.write_all(&tree::header(self.size))?;
        let pairs = Pairs::new(self.hash, self.size, self.pairs.as_ref());
        let data = Data {
            file: &self.data,
            ahead: RefCell::default(),
        };
        encode_ranges_validated(data, pairs, self.ranges.chunks(), sink)
    }
}

/// A blob's bytes, as one reader.
struct Data<'a> {
    file: &'a File,
    ahead: RefCell<disk::Ahead>,
}

impl ReadAt for Data<'_> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let Ok(mut ahead) = self.ahead.try_borrow_mut() else {
            return Err(io::ErrorKind::ResourceBusy.into());
        };
        match ahead.read_at(self.file, buffer, offset)? {
            true => Ok(buffer.len()),
            // The file is shorter than its tree says.
            false => Ok(0),
        }
    }
}

/// Keeps the sink's failure apart from the disk's.
struct Noted<W> {
    sink: W,
    failed: Option<io::Error>,
}

impl<W: Write> Noted<W> {
    fn note<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        done.map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failed = Some(error);
            }
            kind.into()
        })
    }
}

impl<W: Write> Write for Noted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.sink.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.sink.flush();
        self.note(flushed)
    }
}

/// A failure of what rests here, in our words.
fn damage(error: EncodeError) -> Error {
    let offset = match error {
        EncodeError::ParentHashMismatch(node) | EncodeError::ParentWrite(node) => {
            node.chunk_range().start
        }
        EncodeError::LeafHashMismatch(chunk) | EncodeError::LeafWrite(chunk) => chunk,
        EncodeError::SizeMismatch => ChunkNum(0),
        EncodeError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => ChunkNum(0),
        EncodeError::Io(error) => return error.into(),
    };
    Error::Damaged {
        offset: offset.to_bytes(),
    }
}
