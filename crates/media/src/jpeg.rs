//! JPEG (ITU-T T.81): segments, scans, and the end that is really the end.

use crate::bytes::Bytes;
use crate::exif::{self, Orientation};

const PREFIX: u8 = 0xFF;
const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
pub(crate) const SOS: u8 = 0xDA;
const APP0: u8 = 0xE0;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP14: u8 = 0xEE;
const APP15: u8 = 0xEF;
const COM: u8 = 0xFE;

/// A part of a JPEG behind its first marker.
pub(crate) enum Part<'a> {
    /// A marker with what it carries, its length not included.
    Segment(u8, &'a [u8]),
    /// The header of a scan, and its entropy-coded data up to the next marker.
    Scan(&'a [u8], &'a [u8]),
    /// The end of the picture; what follows is no part of it.
    End,
}

/// Walks over the parts of a JPEG.
pub(crate) struct Parts<'a>(Bytes<'a>);

/// The picture with nothing in it but the picture (MEDIA-10); `None` where it cannot be read.
pub(crate) fn clean(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut parts = Parts::of(bytes)?;
    let (mut frames, mut scans) = (0_u32, 0_u32);
    let (mut jfif, mut orientation) = (None, None);
    let mut kept = Vec::new();
    loop {
        match parts.next()? {
            Part::Segment(APP0, payload) => jfif = jfif.or_else(|| without_thumbnail(payload)),
            Part::Segment(APP1, payload) => orientation = orientation.or_else(|| upright(payload)),
            Part::Segment(marker, payload) => {
                frames += u32::from(is_frame(marker));
                if let Some(payload) = staying(marker, payload)? {
                    write(&mut kept, marker, payload)?;
                }
            }
            Part::Scan(header, data) => {
                scans = scans.saturating_add(1);
                write(&mut kept, SOS, header)?;
                kept.extend_from_slice(data);
            }
            Part::End => break,
        }
    }
    if frames == 0 || scans == 0 {
        return None;
    }
    let mut clean = vec![PREFIX, SOI];
    if let Some(jfif) = jfif {
        write(&mut clean, APP0, &jfif)?;
    }
    if let Some(orientation) = orientation {
        let mut payload = b"Exif\0\0".to_vec();
        payload.extend(exif::minimal(orientation));
        write(&mut clean, APP1, &payload)?;
    }
    clean.append(&mut kept);
    clean.extend([PREFIX, EOI]);
    Some(clean)
}

/// True for the markers that begin a frame, of whatever process (T.81, table B.1).
pub(crate) fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

impl<'a> Parts<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[PREFIX, SOI])?;
        Some(Self(Bytes::of(rest)))
    }

    /// What is left behind the part that came last.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0.rest()
    }

    /// The next part; `None` where the picture is cut short or breaks the form.
    pub(crate) fn next(&mut self) -> Option<Part<'a>> {
        loop {
            let marker = self.marker()?;
            match marker {
                // These stand alone and mean nothing outside a scan.
                0x01 | 0xD0..=0xD7 => continue,
                SOI => return None,
                EOI => return Some(Part::End),
                _ => {}
            }
            let length = usize::from(self.0.u16()?).checked_sub(2)?;
            let payload = self.0.take(length)?;
            if marker == SOS {
                return Some(Part::Scan(payload, self.entropy()?));
            }
            return Some(Part::Segment(marker, payload));
        }
    }

    /// The next marker. What stands before it is skipped, as decoders do: writers pad.
    fn marker(&mut self) -> Option<u8> {
        loop {
            if self.0.u8()? != PREFIX {
                continue;
            }
            let mut marker = self.0.u8()?;
            while marker == PREFIX {
                marker = self.0.u8()?;
            }
            if marker != 0 {
                return Some(marker);
            }
        }
    }

    /// Entropy-coded data: up to a marker that is neither a stuffed byte nor a restart.
    fn entropy(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.rest();
        let mut at = 0;
        loop {
            let from = rest.get(at..)?;
            at += from.iter().position(|byte| *byte == PREFIX)?;
            match rest.get(at + 1)? {
                0x00 | 0xD0..=0xD7 => at += 2,
                &PREFIX => at += 1,
                _ => return self.0.take(at),
            }
        }
    }
}

/// What stays of a segment, if anything; `None` for a marker whose meaning is not known.
fn staying(marker: u8, payload: &[u8]) -> Option<Option<&[u8]>> {
    match marker {
        0xC8 => None,
        0xC0..=0xCF | 0xDB..=0xDF => Some(Some(payload)),
        APP2 if payload.starts_with(b"ICC_PROFILE\0") => Some(Some(payload)),
        // Adobe's is of twelve bytes; what a writer put behind them means nothing to a decoder.
        APP14 if payload.starts_with(b"Adobe") => Some(payload.get(..12)),
        APP0..=APP15 | COM => Some(None),
        _ => None,
    }
}

/// JFIF's segment as if it had no thumbnail: that one may show what was cut off.
fn without_thumbnail(payload: &[u8]) -> Option<[u8; 14]> {
    let head: [u8; 12] = *payload.first_chunk()?;
    if !head.starts_with(b"JFIF\0") || payload.len() < 14 {
        return None;
    }
    let mut whole = [0; 14];
    whole.iter_mut().zip(head).for_each(|(to, from)| *to = from);
    Some(whole)
}

fn upright(payload: &[u8]) -> Option<Orientation> {
    exif::orientation(payload.strip_prefix(b"Exif\0\0")?)
}

fn write(to: &mut Vec<u8>, marker: u8, payload: &[u8]) -> Option<()> {
    let length = u16::try_from(payload.len().checked_add(2)?).ok()?;
    to.extend([PREFIX, marker]);
    to.extend(length.to_be_bytes());
    to.extend_from_slice(payload);
    Some(())
}
