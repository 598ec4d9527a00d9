//! Ogg (RFC 3533): the position on the last page, by the rate on the first.

use std::io::{self, Read, Seek};

use super::milliseconds;
use crate::bytes::Bytes;
use crate::source::Source;

/// Two pages of the greatest size: the last whole page is in it.
const TAIL: u64 = 2 * 65_307;
const CAPTURE: &[u8] = b"OggS";

/// A page's head.
struct Page<'a> {
    position: u64,
    stream: u32,
    /// The sizes of segments, and behind them these.
    rest: Bytes<'a>,
}

pub(super) fn duration<R: Read + Seek>(
    source: &mut Source<'_, R>,
    head: &[u8],
) -> io::Result<Option<u64>> {
    let Some((stream, rate, skipped)) = first(head) else {
        return Ok(None);
    };
    let tail = source.upto(source.size().saturating_sub(TAIL), TAIL)?;
    let last = last(&tail, stream);
    Ok(last.and_then(|position| milliseconds(position.saturating_sub(skipped), rate)))
}

/// The stream that the file begins with, its positions in a second, and how many to leave out.
fn first(head: &[u8]) -> Option<(u32, u64, u64)> {
    let mut page = page(head)?;
    let segments = page.rest.u8()?;
    page.rest.take(usize::from(segments))?;
    let body = page.rest.rest();
    if let Some(opus) = body.strip_prefix(b"OpusHead") {
        // RFC 7845: positions count at 48 kHz whatever the input was.
        let mut opus = Bytes::of(opus);
        opus.take(2)?;
        return Some((page.stream, 48_000, u64::from(opus.u16_little()?)));
    }
    let rate = match body {
        _ if body.starts_with(b"\x01vorbis") => body.get(12..)?,
        _ if body.starts_with(b"Speex   ") => body.get(36..)?,
        _ => return None,
    };
    let rate = Bytes::of(rate).u32_little()?;
    Some((page.stream, u64::from(rate), 0))
}

/// The last position of a stream; pages on which no packet ends have none.
fn last(tail: &[u8], stream: u32) -> Option<u64> {
    let places = tail.windows(CAPTURE.len()).enumerate().rev();
    places
        .filter(|(_, window)| *window == CAPTURE)
        .filter_map(|(place, _)| page(tail.get(place..)?))
        .find(|page| page.stream == stream && page.position != u64::MAX)
        .map(|page| page.position)
}

fn page(bytes: &[u8]) -> Option<Page<'_>> {
    let mut rest = Bytes::of(bytes.strip_prefix(CAPTURE)?);
    rest.take(2)?;
    let position = rest.u64_little()?;
    let stream = rest.u32_little()?;
    rest.take(8)?;
    Some(Page {
        position,
        stream,
        rest,
    })
}
