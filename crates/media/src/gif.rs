//! GIF (89a): blocks.

use crate::bytes::Bytes;

/// Extensions of applications that change how the picture looks: the loop, and colours.
const STAYING: &[&[u8]] = &[b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

/// The picture with nothing in it but the picture (MEDIA-13); `None` where it cannot be read.
pub(crate) fn clean(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Bytes::of(bytes);
    rest.take(10)?;
    let flags = rest.u8()?;
    rest.take(2 + colours(flags))?;
    let mut clean = until(bytes, rest).to_vec();
    let mut pictures = false;
    loop {
        let start = rest.rest();
        // Many lack the trailer; everything before it was read, so nothing hides there.
        let stays = match rest.u8().unwrap_or(TRAILER) {
            TRAILER => break,
            b',' => {
                pictures = true;
                rest.take(8)?;
                let flags = rest.u8()?;
                rest.take(colours(flags) + 1)?;
                skip_blocks(&mut rest)?;
                true
            }
            b'!' => extension(&mut rest)?,
            _ => return None,
        };
        if stays {
            clean.extend_from_slice(until(start, rest));
        }
    }
    clean.push(TRAILER);
    pictures.then_some(clean)
}

const TRAILER: u8 = b';';

/// Passes an extension; true if it stays.
fn extension(rest: &mut Bytes<'_>) -> Option<bool> {
    let label = rest.u8()?;
    let first = Bytes::of(rest.rest());
    skip_blocks(rest)?;
    Some(match label {
        // Graphic control, plain text that is drawn.
        0xF9 | 0x01 => true,
        0xFF => {
            let name = first
                .rest()
                .strip_prefix(&[11])
                .and_then(|name| name.get(..11));
            name.is_some_and(|name| STAYING.contains(&name))
        }
        _ => false,
    })
}

/// The bytes of a colour table.
fn colours(flags: u8) -> usize {
    match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    }
}

fn skip_blocks(rest: &mut Bytes<'_>) -> Option<()> {
    loop {
        match rest.u8()? {
            0 => return Some(()),
            length => rest.take(usize::from(length))?,
        };
    }
}

/// What of `start` lies before `rest`, which is its end.
fn until<'a>(start: &'a [u8], rest: Bytes<'_>) -> &'a [u8] {
    let length = start.len().saturating_sub(rest.rest().len());
    start.get(..length).unwrap_or_default()
}
