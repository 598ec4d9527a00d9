//! A source that is read at places.

use std::io::{self, Read, Seek, SeekFrom};

/// How much is looked at at once.
const STEP: usize = 8 * 1024;

/// What is read, and its size in bytes.
pub(crate) struct Source<'a, R> {
    inner: &'a mut R,
    size: u64,
}

impl<'a, R: Read + Seek> Source<'a, R> {
    pub(crate) fn of(inner: &'a mut R) -> io::Result<Self> {
        let size = inner.seek(SeekFrom::End(0))?;
        Ok(Self { inner, size })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// `N` bytes at a place.
    pub(crate) fn array<const N: usize>(&mut self, at: u64) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.inner.seek(SeekFrom::Start(at))?;
        self.inner.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Up to `most` bytes at a place: fewer where the source ends.
    pub(crate) fn upto(&mut self, at: u64, most: u64) -> io::Result<Vec<u8>> {
        self.inner.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        self.inner.by_ref().take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// True if all bytes from `start` to `end` are zero already.
    pub(crate) fn is_zero(&mut self, start: u64, end: u64) -> io::Result<bool> {
        self.inner.seek(SeekFrom::Start(start))?;
        let mut left = self.inner.by_ref().take(end.saturating_sub(start));
        let mut buffer = [0; STEP];
        loop {
            let count = left.read(&mut buffer)?;
            let read = buffer.get(..count).unwrap_or_default();
            if count == 0 || read.iter().any(|byte| *byte != 0) {
                return Ok(count == 0);
            }
        }
    }
}
