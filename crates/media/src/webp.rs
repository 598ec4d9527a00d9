//! WebP (RFC 9649): a RIFF file of chunks.

use crate::bytes::Bytes;
use crate::exif::{self, Orientation};

/// What makes the picture and how it looks; everything else goes.
const STAYING: &[&[u8; 4]] = &[
    b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP",
];
/// The same in a frame of an animation.
const STAYING_IN_FRAME: &[&[u8; 4]] = &[b"VP8 ", b"VP8L", b"ALPH"];
/// What a frame says of itself before its chunks.
const FRAME_HEADER: usize = 16;
/// The flags of `VP8X`.
const HAS_EXIF: u8 = 0x08;
const HAS_XMP: u8 = 0x04;

/// The picture with nothing in it but the picture (MEDIA-12); `None` where it cannot be read.
pub(crate) fn clean(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file = Bytes::of(bytes.strip_prefix(b"RIFF")?);
    let size = usize::try_from(file.u32_little()?).ok()?;
    let mut rest = Bytes::of(file.take(size)?.strip_prefix(b"WEBP")?);
    let (mut pixels, mut extended, mut orientation) = (false, false, None);
    let mut kept = b"WEBP".to_vec();
    let mut flags_at = None;
    while !rest.is_empty() {
        let (kind, data) = chunk(&mut rest)?;
        pixels |= matches!(&kind, b"VP8 " | b"VP8L" | b"ANMF");
        match &kind {
            b"EXIF" => orientation = orientation.or_else(|| exif::orientation(data)),
            b"ANMF" => write(&mut kept, kind, &frame(data)?)?,
            b"VP8X" if extended || data.len() < 10 => return None,
            b"VP8X" => {
                extended = true;
                flags_at = Some(kept.len() + 8);
                write(&mut kept, kind, data)?;
            }
            _ if STAYING.contains(&&kind) => write(&mut kept, kind, data)?,
            _ => {}
        }
    }
    if !pixels {
        return None;
    }
    if let Some(flags) = flags_at.and_then(|at| kept.get_mut(at)) {
        *flags &= !(HAS_EXIF | HAS_XMP);
        if orientation.is_some() {
            *flags |= HAS_EXIF;
        }
    }
    // Without `VP8X` there is no EXIF, and readers look for none.
    if let Some(orientation) = orientation.filter(|_: &Orientation| extended) {
        write(&mut kept, *b"EXIF", &exif::minimal(orientation))?;
    }
    let mut clean = b"RIFF".to_vec();
    clean.extend(u32::try_from(kept.len()).ok()?.to_le_bytes());
    clean.append(&mut kept);
    Some(clean)
}

/// A frame of an animation, its unknown chunks left out.
fn frame(data: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Bytes::of(data);
    let mut frame = rest.take(FRAME_HEADER)?.to_vec();
    while !rest.is_empty() {
        let (kind, data) = chunk(&mut rest)?;
        if STAYING_IN_FRAME.contains(&&kind) {
            write(&mut frame, kind, data)?;
        }
    }
    Some(frame)
}

fn chunk<'a>(rest: &mut Bytes<'a>) -> Option<([u8; 4], &'a [u8])> {
    let kind = rest.array()?;
    let size = usize::try_from(rest.u32_little()?).ok()?;
    let data = rest.take(size)?;
    // The last one often lacks its padding.
    if size % 2 == 1 && !rest.is_empty() {
        rest.u8()?;
    }
    Some((kind, data))
}

fn write(to: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) -> Option<()> {
    to.extend(kind);
    to.extend(u32::try_from(data.len()).ok()?.to_le_bytes());
    to.extend_from_slice(data);
    if data.len() % 2 == 1 {
        to.push(0);
    }
    Some(())
}
