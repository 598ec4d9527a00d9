//! Recordings without a header of the whole: MP3 (ISO/IEC 11172-3, 13818-3) and AAC in ADTS (13818-7).

use std::io::{self, Read, Seek};

use super::milliseconds;
use crate::bytes::Bytes;
use crate::source::Source;

/// The rates of MPEG version 1 in Hz; the later versions halve and quarter them.
const MP3_RATES: [u64; 3] = [44_100, 48_000, 32_000];
/// Thousands of bits in a second of layer III, by version and index.
const MPEG1_BITS: [u64; 15] = [
    0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
];
const MPEG2_BITS: [u64; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const AAC_RATES: [u64; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];
/// The samples of an AAC frame.
const AAC_SAMPLES: u64 = 1024;
/// As many AAC frames are walked: twelve hours at 48 kHz.
const MOST_FRAMES: u64 = 2_000_000;

pub(super) fn duration<R: Read + Seek>(
    source: &mut Source<'_, R>,
    start: u64,
    head: &[u8],
) -> io::Result<Option<u64>> {
    match adts(head) {
        Some((rate, _)) => aac(source, start, rate),
        None => Ok(mp3(head, source.size().saturating_sub(start))),
    }
}

/// Counts the frames, by the length that each says it has.
fn aac<R: Read + Seek>(
    source: &mut Source<'_, R>,
    start: u64,
    rate: u64,
) -> io::Result<Option<u64>> {
    let size = source.size();
    let (mut place, mut frames) = (start, 0);
    while size.saturating_sub(place) >= 7 && frames < MOST_FRAMES {
        let head: [u8; 7] = source.array(place)?;
        let Some((_, length)) = adts(&head) else {
            break;
        };
        frames += 1;
        place += length;
    }
    // Two bytes that look like a frame are no recording.
    Ok(milliseconds(frames * AAC_SAMPLES, rate).filter(|_| frames > 1))
}

/// The rate and the length in bytes of an ADTS frame.
fn adts(head: &[u8]) -> Option<(u64, u64)> {
    let bits = Bytes::of(head.get(..8).or(head.get(..7))?);
    let [one, two, three, four, five, six, ..] = *bits.rest() else {
        return None;
    };
    if one != 0xFF || two & 0xF6 != 0xF0 {
        return None;
    }
    let rate = AAC_RATES.get(usize::from(three >> 2 & 0xF))?;
    let length = u64::from(four & 3) << 11 | u64::from(five) << 3 | u64::from(six) >> 5;
    (length > 7).then_some((*rate, length))
}

/// By the count of frames in the first one if it has that, else by the bits in a second of the first.
fn mp3(head: &[u8], size: u64) -> Option<u64> {
    let mut bytes = Bytes::of(head);
    let [0xFF, two, three, four] = bytes.array()? else {
        return None;
    };
    // Synchronisation, and layer III.
    if two & 0xE6 != 0xE2 {
        return None;
    }
    let is_mono = four >> 6 == 3;
    let (divisor, table, samples, side) = match (two >> 3 & 3, is_mono) {
        (3, false) => (1, &MPEG1_BITS, 1152, 32),
        (3, true) => (1, &MPEG1_BITS, 1152, 17),
        (2, false) => (2, &MPEG2_BITS, 576, 17),
        (2, true) => (2, &MPEG2_BITS, 576, 9),
        (0, false) => (4, &MPEG2_BITS, 576, 17),
        (0, true) => (4, &MPEG2_BITS, 576, 9),
        _ => return None,
    };
    let rate = MP3_RATES.get(usize::from(three >> 2 & 3))? / divisor;
    let bits = table.get(usize::from(three >> 4))? * 1000;
    if let Some(frames) = frame_count(head, 4 + side) {
        return milliseconds(frames.checked_mul(samples)?, rate);
    }
    // A frame of free format says no rate.
    milliseconds(size.checked_mul(8)?, bits)
}

/// What writers of variable rates leave in the first frame.
fn frame_count(head: &[u8], at: usize) -> Option<u64> {
    let mut tag = Bytes::of(head.get(at..)?);
    let name: [u8; 4] = tag.array()?;
    if matches!(&name, b"Xing" | b"Info") {
        let has_frames = tag.u32()? & 1 == 1;
        let frames = tag.u32()?;
        return (has_frames && frames > 0).then_some(u64::from(frames));
    }
    let mut tag = Bytes::of(head.get(36..)?);
    if &tag.array::<4>()? != b"VBRI" {
        return None;
    }
    tag.take(10)?;
    Some(u64::from(tag.u32()?)).filter(|frames| *frames > 0)
}
