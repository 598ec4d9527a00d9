//! Lines of bounded length out of a stream of bytes.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::Zeroize;

/// How much is read at once, and how much a quiet reader keeps.
const CHUNK: usize = 64 * 1024;

/// What has been read and not yet taken, as lines.
#[derive(Debug)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Up to where no line end was found.
    scanned: usize,
    /// The beginning of the present line was thrown away because it is too long.
    skipping: bool,
    limit: usize,
}

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'b> {
    /// All of it.
    Text(&'b [u8]),
    /// It was longer than allowed and is gone.
    TooLong,
}

impl Lines {
    /// A reader of lines of at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            skipping: false,
            limit,
        }
    }

    /// Reads once; `false` at the end of the stream. Nothing is lost if this is dropped midway.
    pub(crate) async fn fill(&mut self, reader: &mut (impl AsyncRead + Unpin)) -> io::Result<bool> {
        self.make_room();
        Ok(reader.read_buf(&mut self.buffer).await? > 0)
    }

    /// The next whole line, if there is one.
    pub(crate) fn next(&mut self) -> Option<Line<'_>> {
        loop {
            let rest = self.buffer.get(self.scanned..).unwrap_or_default();
            let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
                self.scanned = self.buffer.len();
                return self.overflow();
            };
            let (begin, end) = (self.start, self.scanned + length);
            self.start = end + 1;
            self.scanned = self.start;
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            if end - begin > self.limit {
                return Some(Line::TooLong);
            }
            return self.buffer.get(begin..end).map(Line::Text);
        }
    }

    /// Overwrites what was taken: a line held a secret.
    pub(crate) fn wipe(&mut self) {
        if let Some(taken) = self.buffer.get_mut(..self.start) {
            taken.zeroize();
        }
    }

    /// Throws away the beginning of a line that is too long already, and says so once.
    fn overflow(&mut self) -> Option<Line<'_>> {
        let too_long = self.buffer.len() - self.start > self.limit;
        if self.skipping || too_long {
            self.start = self.buffer.len();
        }
        if self.skipping || !too_long {
            return None;
        }
        self.skipping = true;
        Some(Line::TooLong)
    }

    fn make_room(&mut self) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        if self.buffer.is_empty() {
            self.buffer.shrink_to(CHUNK);
        }
        self.buffer.reserve(CHUNK);
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use proptest::prelude::*;

    use super::*;

    /// Feeds `input` in pieces and lists the lines; `None` for one that is too long.
    fn lines(input: &[u8], piece: usize, limit: usize) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::new(limit);
        let mut found = Vec::new();
        for piece in input.chunks(piece.max(1)) {
            lines.make_room();
            lines.buffer.extend_from_slice(piece);
            while let Some(line) = lines.next() {
                found.push(match line {
                    Line::Text(text) => Some(text.to_vec()),
                    Line::TooLong => None,
                });
            }
        }
        found
    }

    #[test]
    fn a_line_that_is_too_long_is_said_once_and_the_next_is_whole() {
        let expected = vec![Some(b"ab".to_vec()), None, Some(b"cd".to_vec())];
        for piece in 1..12 {
            assert_eq!(
                lines(b"ab\nxxxxxxxxx\ncd\nend", piece, 3),
                expected,
                "piece {piece}"
            );
        }
    }

    #[test]
    fn what_was_taken_can_be_wiped() {
        let mut lines = Lines::new(100);
        lines.buffer.extend_from_slice(b"secret\nnext\n");
        assert_eq!(lines.next(), Some(Line::Text(b"secret")));
        lines.wipe();
        assert_eq!(&lines.buffer[..7], &[0; 7]);
        assert_eq!(lines.next(), Some(Line::Text(b"next")));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(input in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200), piece in 1_usize..40, limit in 0_usize..30) {
            let expected: Vec<_> = input
                .split_inclusive(|byte| *byte == b'\n')
                .filter(|line| line.ends_with(b"\n") || line.len() > limit)
                .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
                .map(|line| (line.len() <= limit).then(|| line.to_vec()))
                .collect();
            prop_assert_eq!(lines(&input, piece, limit), expected);
        }
    }
}
