//! PNG (W3C, third edition): chunks.

use crate::bytes::Bytes;
use crate::exif;

pub(crate) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What makes the picture and how it looks; everything else goes.
const STAYING: &[&[u8; 4]] = &[
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB",
    b"cICP", b"mDCV", b"mDCv", b"cLLI", b"cLLi", b"bKGD", b"hIST", b"pHYs", b"sPLT", b"acTL",
    b"fcTL", b"fdAT",
];

/// A chunk, and the same with its length and checksum.
struct Chunk<'a> {
    kind: [u8; 4],
    data: &'a [u8],
    whole: &'a [u8],
}

/// The picture with nothing in it but the picture (MEDIA-11); `None` where it cannot be read.
pub(crate) fn clean(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Bytes::of(bytes.strip_prefix(SIGNATURE)?);
    let header = chunk(&mut rest)?;
    if &header.kind != b"IHDR" {
        return None;
    }
    let mut kept = Vec::new();
    let (mut pixels, mut orientation) = (false, None);
    loop {
        let chunk = chunk(&mut rest)?;
        pixels |= &chunk.kind == b"IDAT";
        if &chunk.kind == b"eXIf" {
            orientation = orientation.or_else(|| exif::orientation(chunk.data));
        } else if STAYING.contains(&&chunk.kind) {
            kept.extend_from_slice(chunk.whole);
        } else if is_critical(chunk.kind) {
            return None;
        }
        if &chunk.kind == b"IEND" {
            break;
        }
    }
    if !pixels {
        return None;
    }
    let mut clean = SIGNATURE.to_vec();
    clean.extend_from_slice(header.whole);
    if let Some(orientation) = orientation {
        write(&mut clean, *b"eXIf", &exif::minimal(orientation))?;
    }
    clean.append(&mut kept);
    Some(clean)
}

fn chunk<'a>(rest: &mut Bytes<'a>) -> Option<Chunk<'a>> {
    let start = rest.rest();
    let length = usize::try_from(rest.u32()?).ok()?;
    let kind = rest.array()?;
    let data = rest.take(length)?;
    rest.u32()?;
    let whole = start.get(..length.checked_add(12)?)?;
    kind.iter()
        .all(u8::is_ascii_alphabetic)
        .then_some(Chunk { kind, data, whole })
}

/// A decoder must know it, or cannot show the picture.
fn is_critical(kind: [u8; 4]) -> bool {
    kind.first().is_some_and(u8::is_ascii_uppercase)
}

fn write(to: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) -> Option<()> {
    to.extend(u32::try_from(data.len()).ok()?.to_be_bytes());
    to.extend(kind);
    to.extend_from_slice(data);
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&kind);
    checksum.update(data);
    to.extend(checksum.finalize().to_be_bytes());
    Some(())
}
