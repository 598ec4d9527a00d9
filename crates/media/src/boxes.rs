//! The boxes of the ISO base media file format (ISO/IEC 14496-12) and QuickTime.

use std::io::{self, Read, Seek};

use crate::bytes::Bytes;
use crate::source::Source;

/// The four letters that name a box.
pub(crate) type Kind = [u8; 4];

/// A box in a source: where it begins, where its content begins, and where it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) kind: Kind,
    pub(crate) start: u64,
    pub(crate) body: u64,
    pub(crate) end: u64,
}

/// What stands at a place where a box may begin.
pub(crate) enum Found {
    Part(Part),
    /// Fewer bytes than a box has, or none.
    End,
    /// Bytes that are no box, though they may name a kind.
    Broken(Kind),
}

/// The box at `at`, which must end by `end`.
pub(crate) fn at<R: Read + Seek>(
    source: &mut Source<'_, R>,
    at: u64,
    end: u64,
) -> io::Result<Found> {
    let room = end.saturating_sub(at);
    if room < 8 {
        return Ok(Found::End);
    }
    let head: [u8; 8] = source.array(at)?;
    let Some((size, kind)) = header(&head) else {
        return Ok(Found::End);
    };
    let (size, head) = match size {
        // To the end of the file, which only the last box may say; four zeros after it are no kind.
        0 if end == source.size() && kind != [0; 4] => (room, 8),
        1 if room >= 16 => (u64::from_be_bytes(source.array(at + 8)?), 16),
        size => (size, 8),
    };
    if size < head || size > room {
        return Ok(Found::Broken(kind));
    }
    Ok(Found::Part(Part {
        kind,
        start: at,
        body: at + head,
        end: at + size,
    }))
}

/// The first box of a kind between two places, where what comes before it is well-formed.
pub(crate) fn find<R: Read + Seek>(
    source: &mut Source<'_, R>,
    kind: &Kind,
    start: u64,
    end: u64,
) -> io::Result<Option<Part>> {
    let mut place = start;
    for _ in 0..MOST {
        let Found::Part(part) = at(source, place, end)? else {
            break;
        };
        if part.kind == *kind {
            return Ok(Some(part));
        }
        place = part.end;
    }
    Ok(None)
}

/// The box that a path of kinds leads to, below `start` to `end`.
pub(crate) fn descend<R: Read + Seek>(
    source: &mut Source<'_, R>,
    path: &[&Kind],
    start: u64,
    end: u64,
) -> io::Result<Option<Part>> {
    let (mut start, mut end) = (start, end);
    let mut found = None;
    for kind in path {
        found = find(source, kind, start, end)?;
        let Some(part) = found else {
            return Ok(None);
        };
        (start, end) = (part.body, part.end);
    }
    Ok(found)
}

/// Whether a file's first bytes are those of a film, a recording or a picture of this family.
pub(crate) fn is_magic(head: &[u8], size: u64) -> bool {
    let Some((first, kind)) = header(head) else {
        return false;
    };
    match &kind {
        // Raw pictures of Canon keep what makes the picture in boxes that others use for metadata.
        b"ftyp" => head.get(8..12) != Some(b"crx "),
        // QuickTime before it had a type box. The words are common: so the size must be right too.
        b"moov" | b"mdat" | b"wide" | b"free" | b"skip" | b"pnot" => {
            first <= 1 || (8..=size).contains(&first)
        }
        _ => false,
    }
}

/// More boxes than these in one file are no file that a person has.
pub(crate) const MOST: u32 = 1_000_000;

fn header(head: &[u8]) -> Option<(u64, Kind)> {
    let mut head = Bytes::of(head);
    Some((u64::from(head.u32()?), head.array()?))
}
