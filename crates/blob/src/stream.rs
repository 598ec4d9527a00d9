//! The same sealing for what has no size yet and is read from its beginning: an exported home.
//!
//! ```text
//! writes ──▶ │ a segment │ ──sealed as one that is not the last──▶ file
//!            │ the rest  │ ──sealed as the last, by finish()─────▶
//! ```
//!
//! What was cut off at whatever place has no last segment, and is refused when that is reached: so whoever
//! reads does nothing for good before the end.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use crate::seal::{SEGMENT, Segments, TAG};
use crate::{BlobKey, FreshKey};

/// Seals what is written into it (BLOB-2).
pub struct Sealer<W> {
    file: W,
    segments: Segments,
    index: u64,
    plain: Zeroizing<Vec<u8>>,
}

/// Opens what a [`Sealer`] wrote.
pub struct Opener<R> {
    file: R,
    segments: Segments,
    index: u64,
    /// What is sealed and comes next, read one byte further than a segment, to see whether it is the last.
    ahead: Vec<u8>,
    plain: Zeroizing<Vec<u8>>,
    at: usize,
    ended: bool,
}

impl<W: Write> Sealer<W> {
    /// Seals under a key that has sealed nothing yet.
    pub fn new(file: W, key: FreshKey) -> Self {
        Self {
            file,
            segments: Segments::new(&key.used()),
            index: 0,
            plain: Zeroizing::new(Vec::with_capacity(SEGMENT + TAG)),
        }
    }

    /// Seals the last segment; before that nothing can be opened to its end.
    ///
    /// # Errors
    /// The file's.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        Ok(self.file)
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        self.segments
            .seal(self.index, last, &mut self.plain)
            .ok_or_else(|| io::Error::other("more than one key can seal"))?;
        self.index += 1;
        self.file.write_all(&self.plain)?;
        self.plain.clear();
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full segment waits until it is certain that it is not the last.
        if self.plain.len() == SEGMENT && !bytes.is_empty() {
            self.seal(false)?;
        }
        let room = SEGMENT - self.plain.len();
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.plain.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<R: Read> Opener<R> {
    /// Opens under the key that sealed it.
    pub fn new(file: R, key: &BlobKey) -> Self {
        Self {
            file,
            segments: Segments::new(key),
            index: 0,
            ahead: Vec::with_capacity(SEGMENT + TAG + 1),
            plain: Zeroizing::new(Vec::with_capacity(SEGMENT + TAG)),
            at: 0,
            ended: false,
        }
    }

    fn open(&mut self) -> io::Result<()> {
        let whole = SEGMENT + TAG;
        let wanted = (whole + 1 - self.ahead.len()) as u64;
        self.file
            .by_ref()
            .take(wanted)
            .read_to_end(&mut self.ahead)?;
        let last = self.ahead.len() <= whole;
        let next = self.ahead.get(whole..).unwrap_or_default().to_vec();
        self.ahead.truncate(whole);
        self.plain.clear();
        self.plain.extend_from_slice(&self.ahead);
        self.ahead = next;
        let opened = self.segments.open(self.index, last, &mut self.plain);
        opened.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "damaged, or cut off"))?;
        self.index += 1;
        self.at = 0;
        self.ended = last;
        Ok(())
    }
}

impl<R: Read> Read for Opener<R> {
    /// [`io::ErrorKind::InvalidData`] for what was changed, moved or cut off.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.plain.len() && !self.ended {
            self.open()?;
        }
        let rest = self.plain.get(self.at..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) else {
            return Ok(0);
        };
        to.copy_from_slice(from);
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use proptest::prelude::*;

    use super::*;
    use crate::seal::sealed_size;

    fn seal(plain: &[u8], piece: usize) -> Vec<u8> {
        let mut sealer = Sealer::new(Vec::new(), FreshKey::from_random([7; 32]));
        for piece in plain.chunks(piece.max(1)) {
            sealer.write_all(piece).unwrap();
        }
        sealer.finish().unwrap()
    }

    fn open(sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        let mut opener = Opener::new(sealed, &BlobKey::from_bytes([7; 32]));
        opener.read_to_end(&mut plain).map(|_| plain)
    }

    /// BLOB-2, BLOB-3: the sealed form is that of a blob.
    #[test]
    fn what_was_sealed_opens_at_every_size() {
        for size in [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT] {
            let plain: Vec<_> = (0..size).map(|at| at as u8).collect();
            let sealed = seal(&plain, 10_000);
            assert_eq!(sealed.len() as u64, sealed_size(size as u64).unwrap());
            assert_eq!(open(&sealed).unwrap(), plain);
        }
    }

    /// BLOB-4.
    #[test]
    fn what_was_cut_off_or_put_behind_is_refused() {
        let plain = vec![1; 3 * SEGMENT];
        let sealed = seal(&plain, SEGMENT);
        let segment = SEGMENT + TAG;
        for cut in [
            0,
            1,
            TAG,
            segment,
            segment + 1,
            2 * segment,
            3 * segment - 1,
        ] {
            assert!(open(&sealed[..cut]).is_err(), "{cut}");
        }
        let longer = [&sealed[..], &sealed[..segment]].concat();
        assert!(open(&longer).is_err());
        let moved = [
            &sealed[segment..2 * segment],
            &sealed[..segment],
            &sealed[2 * segment..],
        ];
        assert!(open(&moved.concat()).is_err());
    }

    proptest! {
        // Each seals and opens some hundred KiB, slowly where nothing is optimized.
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn pieces_do_not_matter(size in 0..200_000usize, piece in 1..150_000usize) {
            let plain: Vec<_> = (0..size).map(|at| at as u8).collect();
            let sealed = seal(&plain, piece);
            prop_assert_eq!(&sealed, &seal(&plain, SEGMENT));
            prop_assert_eq!(open(&sealed).unwrap(), plain);
        }

        #[test]
        fn opening_never_panics(sealed: Vec<u8>, at in 0..70_000usize) {
            prop_assert!(open(&sealed).is_err());
            let mut whole = seal(&vec![1; 70_000], SEGMENT);
            whole[at] ^= 1;
            prop_assert!(open(&whole).is_err());
        }
    }
}
