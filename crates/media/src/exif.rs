//! The one thing that stays of EXIF: which way up a picture is.

use crate::bytes::Bytes;

/// The tag of the orientation (EXIF 2.32, table 4; TIFF 6.0, section 8).
const ORIENTATION: u16 = 0x0112;
/// The type of a number of 16 bits.
const SHORT: u16 = 3;

/// Which way up: 1 to 8, where 1 is as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Orientation(u8);

/// The orientation that a TIFF header names; `None` where it is as stored or not said.
pub(crate) fn orientation(tiff: &[u8]) -> Option<Orientation> {
    // Some writers put JPEG's prefix where the format has none.
    let tiff = tiff.strip_prefix(b"Exif\0\0").unwrap_or(tiff);
    let mut head = Bytes::of(tiff);
    let little = match &head.array()? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |from: &mut Bytes<'_>| match little {
        true => from.u16_little(),
        false => from.u16(),
    };
    let long = |from: &mut Bytes<'_>| match little {
        true => from.u32_little(),
        false => from.u32(),
    };
    let offset = usize::try_from(long(&mut head)?).ok()?;
    let mut directory = Bytes::of(tiff.get(offset..)?);
    for _ in 0..short(&mut directory)? {
        let mut entry = Bytes::of(directory.take(12)?);
        if short(&mut entry)? != ORIENTATION {
            continue;
        }
        let (kind, count) = (short(&mut entry)?, long(&mut entry)?);
        let value = short(&mut entry)?;
        let says = kind == SHORT && count == 1 && (2..=8).contains(&value);
        return says.then_some(Orientation(u8::try_from(value).ok()?));
    }
    None
}

/// A TIFF header that says nothing else (MEDIA-2).
pub(crate) fn minimal(Orientation(value): Orientation) -> [u8; 26] {
    [
        b'M', b'M', 0, b'*', 0, 0, 0, 8, // the directory follows
        0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, // one entry
        0, 0, 0, 0, // and no further directory
    ]
}

/// A TIFF header that says nothing at all.
pub(crate) const EMPTY: [u8; 14] = [b'M', b'M', 0, b'*', 0, 0, 0, 8, 0, 0, 0, 0, 0, 0];
