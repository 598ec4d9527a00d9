//! How long a recording is, by its headers: nothing is decoded.

use std::io::{self, Read, Seek};

use crate::boxes;
use crate::bytes::Bytes;
use crate::source::Source;

mod frames;
mod ogg;

/// The duration of a recording in milliseconds (MEDIA-40).
///
/// Ogg (Opus, Vorbis, Speex), WAV, FLAC, MP4 and QuickTime (M4A, films too), MP3, AAC in ADTS. `None`
/// for anything else, and where headers do not say.
pub fn duration_ms(source: &mut (impl Read + Seek)) -> Option<u64> {
    measured(source).ok().flatten()
}

fn measured(source: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let mut source = Source::of(source)?;
    let start = behind_tag(&mut source)?;
    let head = source.upto(start, HEAD)?;
    if head.starts_with(b"OggS") {
        ogg::duration(&mut source, &head)
    } else if head.starts_with(b"fLaC") {
        Ok(flac(&head))
    } else if is_wav(&head) {
        wav(&mut source)
    } else if boxes::is_magic(&head, source.size()) {
        film(&mut source)
    } else {
        frames::duration(&mut source, start, &head)
    }
}

/// Enough for the first page, block or frame of each format.
const HEAD: u64 = 16 * 1024;

/// Where an ID3 tag before the recording ends, if there is one.
fn behind_tag<R: Read + Seek>(source: &mut Source<'_, R>) -> io::Result<u64> {
    let head = source.upto(0, 10)?;
    let size = head.strip_prefix(b"ID3").and_then(|rest| rest.get(3..7));
    let size = size.map(|size| {
        let bytes = size.iter().map(|byte| u64::from(byte & 0x7F));
        bytes.fold(0, |size, byte| size << 7 | byte)
    });
    Ok(size.map_or(0, |size| size + 10))
}

fn is_wav(head: &[u8]) -> bool {
    (head.starts_with(b"RIFF") || head.starts_with(b"RF64")) && head.get(8..12) == Some(b"WAVE")
}

/// Bytes of sound by bytes in a second (RIFF, EBU Tech 3306 for RF64).
fn wav<R: Read + Seek>(source: &mut Source<'_, R>) -> io::Result<Option<u64>> {
    /// More chunks than these come before no recording.
    const MOST: u32 = 1_000;
    let size = source.size();
    let (mut place, mut rate) = (12, None);
    for _ in 0..MOST {
        if size.saturating_sub(place) < 8 {
            break;
        }
        let head: [u8; 8] = source.array(place)?;
        let mut head = Bytes::of(&head);
        let (Some(kind), Some(length)) = (head.array::<4>(), head.u32_little()) else {
            break;
        };
        place += 8;
        if &kind == b"data" {
            // A recorder that was cut off, and any file above 4 GiB, says more than there is.
            let length = u64::from(length).min(size - place);
            return Ok(rate.and_then(|rate| milliseconds(length, rate)));
        }
        if &kind == b"fmt " && size - place >= 12 {
            let format: [u8; 12] = source.array(place)?;
            let mut format = Bytes::of(&format);
            format.take(8);
            rate = format.u32_little().map(u64::from);
        }
        place = place.saturating_add(u64::from(length) + u64::from(length % 2));
    }
    Ok(None)
}

/// Samples by samples in a second, of the first block (RFC 9639, 8.2).
fn flac(head: &[u8]) -> Option<u64> {
    let mut head = Bytes::of(head);
    head.take(18)?;
    let packed = head.u64()?;
    let (rate, samples) = (packed >> 44, packed & 0xF_FFFF_FFFF);
    milliseconds(samples, rate).filter(|_| samples > 0)
}

/// What `mvhd` says, or `mehd` where the film comes in fragments.
fn film<R: Read + Seek>(source: &mut Source<'_, R>) -> io::Result<Option<u64>> {
    let size = source.size();
    let Some(film) = boxes::find(source, b"moov", 0, size)? else {
        return Ok(None);
    };
    let Some(header) = boxes::find(source, b"mvhd", film.body, film.end)? else {
        return Ok(None);
    };
    let header = source.upto(header.body, (header.end - header.body).min(32))?;
    let Some((rate, length)) = scale(&header) else {
        return Ok(None);
    };
    if length > 0 {
        return Ok(milliseconds(length, rate));
    }
    let path = [b"mvex", b"mehd"];
    let Some(fragments) = boxes::descend(source, &path, film.body, film.end)? else {
        return Ok(None);
    };
    let fragments = source.upto(fragments.body, (fragments.end - fragments.body).min(12))?;
    let mut fragments = Bytes::of(&fragments);
    let length = fragments
        .array::<4>()
        .and_then(|[version, ..]| match version {
            1 => fragments.u64(),
            _ => fragments.u32().map(u64::from),
        });
    Ok(length.and_then(|length| milliseconds(length, rate)))
}

/// Units in a second and the length in these units; a length that is not known is zero.
fn scale(header: &[u8]) -> Option<(u64, u64)> {
    let mut header = Bytes::of(header);
    let [version, ..] = header.array::<4>()?;
    if version == 1 {
        header.take(16)?;
        let (rate, length) = (u64::from(header.u32()?), header.u64()?);
        return Some((rate, if length == u64::MAX { 0 } else { length }));
    }
    header.take(8)?;
    let (rate, length) = (u64::from(header.u32()?), header.u32()?);
    Some((
        rate,
        if length == u32::MAX {
            0
        } else {
            u64::from(length)
        },
    ))
}

/// `count` of what there are `rate` of in a second; `None` without a rate, or for longer than a year.
fn milliseconds(count: u64, rate: u64) -> Option<u64> {
    const YEAR: u128 = 366 * 24 * 60 * 60 * 1000;
    let exact = (u128::from(count) * 1000).checked_div(u128::from(rate))?;
    u64::try_from(exact).ok().filter(|_| exact <= YEAR)
}
