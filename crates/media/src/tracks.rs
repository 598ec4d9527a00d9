//! Tracks that nobody sees or hears: cameras, drones and phones write down the way there.

use std::io::{Read, Seek};

use crate::boxes::{self, Kind, Part};
use crate::bytes::Bytes;
use crate::error::Error;
use crate::film::{Sweep, damaged};

/// What is seen, heard and read, and what a player needs for it.
const SHOWN: &[&Kind] = &[
    b"vide", b"soun", b"text", b"sbtl", b"subt", b"subp", b"clcp", b"tmcd", b"auxv", b"pict",
    b"hint", b"sdsm", b"odsm",
];
/// A table of samples that is larger belongs to no track of data that a camera writes.
const TABLE_LIMIT: u64 = 8 * 1024 * 1024;

/// True for a track that a person gets something from; the rest are data (MEDIA-23).
pub(crate) fn is_shown<R: Read + Seek>(
    sweep: &mut Sweep<'_, R>,
    track: Part,
) -> Result<bool, Error> {
    let handler = below(sweep, &[b"mdia", b"hdlr"], track)?;
    let kind: Kind = sweep.within(handler, 8)?;
    Ok(SHOWN.contains(&&kind))
}

/// Where the samples of a track lie: a chunk is samples one after another.
pub(crate) fn samples<R: Read + Seek>(
    sweep: &mut Sweep<'_, R>,
    track: Part,
) -> Result<Vec<(u64, u64)>, Error> {
    let table = below(sweep, &[b"mdia", b"minf", b"stbl"], track)?;
    let chunks = chunks(sweep, table)?;
    let runs = below(sweep, &[b"stsc"], table)?;
    let runs = sweep.content(runs, TABLE_LIMIT)?;
    let sizes = below(sweep, &[b"stsz"], table)?;
    let sizes = sweep.content(sizes, TABLE_LIMIT)?;
    let places = places(&chunks, &runs, &sizes).ok_or_else(damaged)?;
    let size = sweep.source.size();
    match places
        .iter()
        .all(|(start, end)| start <= end && *end <= size)
    {
        true => Ok(places),
        false => Err(damaged()),
    }
}

/// The offsets of the chunks, of 32 or 64 bits.
fn chunks<R: Read + Seek>(sweep: &mut Sweep<'_, R>, table: Part) -> Result<Vec<u64>, Error> {
    let short = boxes::find(&mut sweep.source, b"stco", table.body, table.end)?;
    let (part, width) = match short {
        Some(part) => (part, 4),
        None => (below(sweep, &[b"co64"], table)?, 8),
    };
    let content = sweep.content(part, TABLE_LIMIT)?;
    let mut rest = Bytes::of(&content);
    let chunks = rest.u64().and_then(|head| {
        // Its lower half is their count; behind a table that is shorter there is `None`.
        let count = head & u64::from(u32::MAX);
        (0..count).map(|_| rest.wide(width)).collect::<Option<_>>()
    });
    chunks.ok_or_else(damaged)
}

/// From the offsets of the chunks, how many samples each has, and how large the samples are.
fn places(chunks: &[u64], runs: &[u8], sizes: &[u8]) -> Option<Vec<(u64, u64)>> {
    let mut runs = Bytes::of(runs);
    runs.u64()?;
    let mut sizes = Bytes::of(sizes);
    sizes.u32()?;
    let (same, mut left) = (sizes.u32()?, sizes.u32()?);
    let mut places = Vec::new();
    let mut samples_each = 0;
    // A run begins at a chunk, counted from 1, and goes on up to where the next begins.
    let mut next = run(&mut runs);
    for (index, start) in (1_u64..).zip(chunks) {
        if let Some((_, samples)) = next.take_if(|(first, _)| u64::from(*first) <= index) {
            samples_each = samples;
            next = run(&mut runs);
        }
        let samples = samples_each.min(left);
        left -= samples;
        let mut length = u64::from(same) * u64::from(samples);
        if same == 0 {
            for _ in 0..samples {
                length += u64::from(sizes.u32()?);
            }
        }
        places.push((*start, start.checked_add(length)?));
    }
    // All that the track says it has must have been found.
    (left == 0).then_some(places)
}

fn run(runs: &mut Bytes<'_>) -> Option<(u32, u32)> {
    let (first, samples) = (runs.u32()?, runs.u32()?);
    runs.u32()?;
    Some((first, samples))
}

fn below<R: Read + Seek>(
    sweep: &mut Sweep<'_, R>,
    path: &[&Kind],
    part: Part,
) -> Result<Part, Error> {
    boxes::descend(&mut sweep.source, path, part.body, part.end)?.ok_or_else(damaged)
}
