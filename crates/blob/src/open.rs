//! Reading a blob under its key, from any byte on.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use zeroize::Zeroizing;

use crate::seal::{Place, SEGMENT, Segments, TAG, plain_size};
use crate::{BlobHash, BlobKey, Error, Folder, disk};

/// A sealed file, read as it was before. Holds one segment at a time.
pub struct Opened {
    file: File,
    ahead: disk::Ahead,
    segments: Segments,
    sealed_size: u64,
    plain_size: u64,
    /// Where the next read begins.
    at: u64,
    /// The index of the segment that is in `plain`.
    held: Option<u64>,
    plain: Zeroizing<Vec<u8>>,
}

impl Folder {
    /// Opens a blob that is whole.
    ///
    /// The last segment is opened at once: so a wrong key and a shortened file are found here, and
    /// damage elsewhere when it is read.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Damaged`], [`Error::Disk`].
    pub fn read(&self, hash: &BlobHash, key: &BlobKey) -> Result<Opened, Error> {
        let (file, sealed_size) = self.whole(hash)?;
        let plain_size = plain_size(sealed_size).ok_or(Error::Damaged {
            offset: sealed_size,
        })?;
        let mut opened = Opened {
            file,
            ahead: disk::Ahead::default(),
            segments: Segments::new(key),
            sealed_size,
            plain_size,
            at: 0,
            held: None,
            plain: Zeroizing::new(Vec::with_capacity(SEGMENT + TAG)),
        };
        opened.segment(Place::last(sealed_size))?;
        Ok(opened)
    }
}

impl Opened {
    /// Bytes of the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.plain_size
    }

    /// Reads into `buffer` from `offset` on; tells how many bytes, 0 at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`], [`Error::Disk`]; nothing of a segment that does not open is given out.
    pub fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        if offset >= self.plain_size || buffer.is_empty() {
            return Ok(0);
        }
        let segment = self.segment(offset / SEGMENT as u64)?;
        let skipped = usize::try_from(offset % SEGMENT as u64).unwrap_or(SEGMENT);
        let mut rest = segment.get(skipped..).unwrap_or_default();
        Ok(rest.read(buffer)?)
    }

    /// The segment with this index, opened; empty behind the last.
    pub(crate) fn segment(&mut self, index: u64) -> Result<&[u8], Error> {
        if self.held != Some(index) {
            self.held = None;
            let Some(place) = Place::of(index, self.sealed_size) else {
                return Ok(&[]);
            };
            let damaged = Error::Damaged {
                offset: place.offset,
            };
            self.plain.resize(place.size, 0);
            if !self
                .ahead
                .read_at(&self.file, &mut self.plain, place.offset)?
            {
                return Err(damaged);
            }
            self.segments
                .open(index, place.last, &mut self.plain)
                .map_err(|_| damaged)?;
            self.held = Some(index);
        }
        Ok(&self.plain)
    }
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.read_at(self.at, buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Opened {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.plain_size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("size", &self.plain_size)
            .finish_non_exhaustive()
    }
}
