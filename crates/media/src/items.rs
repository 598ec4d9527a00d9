//! The items of HEIC and AVIF (ISO/IEC 23008-12): pictures, and what is said of them.

use std::io::{Read, Seek};

use crate::boxes::{self, Kind, Part};
use crate::bytes::Bytes;
use crate::error::Error;
use crate::exif;
use crate::film::{Sweep, damaged};

/// Larger lists of items belong to no picture that a person has.
const TABLE_LIMIT: u64 = 4 * 1024 * 1024;
const SAID_LIMIT: usize = 1_000;
const EXTENT_LIMIT: usize = 100_000;

/// An item that is no picture.
struct Said {
    id: u32,
    is_exif: bool,
}

/// A piece of an item.
struct Extent {
    item: u32,
    /// 0: counted from the file; 1: from `idat`; 2: from another item.
    method: u16,
    offset: u64,
    length: u64,
    is_ours: bool,
}

/// Blanks all items that say something of a picture (MEDIA-24).
pub(crate) fn clean<R: Read + Seek>(
    sweep: &mut Sweep<'_, R>,
    start: u64,
    end: u64,
) -> Result<(), Error> {
    let Some(list) = content(sweep, b"iinf", start, end)? else {
        return Ok(());
    };
    let said = said(&list).ok_or_else(damaged)?;
    if said.is_empty() {
        return Ok(());
    }
    let places = content(sweep, b"iloc", start, end)?.ok_or_else(damaged)?;
    let places = extents(&places).ok_or_else(damaged)?;
    let inside = boxes::find(&mut sweep.source, b"idat", start, end)?;
    for item in said {
        let mut is_first = true;
        for extent in places
            .iter()
            .filter(|extent| extent.is_ours && extent.item == item.id)
        {
            let (start, end) = place(sweep, extent, inside)?;
            sweep.blanked.push((start, end));
            let start = match item.is_exif && is_first {
                true => empty_exif(sweep, start, end)?,
                false => start,
            };
            sweep.zero(start, end)?;
            is_first = false;
        }
    }
    Ok(())
}

/// Puts an Exif item that says nothing, where there is room; returns where it ends.
fn empty_exif<R: Read + Seek>(
    sweep: &mut Sweep<'_, R>,
    start: u64,
    end: u64,
) -> Result<u64, Error> {
    // The header of TIFF follows at once: so says the number before it, zero.
    let mut item = [0; 18];
    item.iter_mut()
        .skip(4)
        .zip(exif::EMPTY)
        .for_each(|(to, from)| *to = from);
    if end - start < item.len() as u64 {
        return Ok(start);
    }
    sweep.put(start, &item)?;
    Ok(start + item.len() as u64)
}

/// Where an extent lies in the file.
fn place<R: Read + Seek>(
    sweep: &mut Sweep<'_, R>,
    extent: &Extent,
    inside: Option<Part>,
) -> Result<(u64, u64), Error> {
    let (base, limit) = match (extent.method, inside) {
        (0, _) => (0, sweep.source.size()),
        (1, Some(part)) => (part.body, part.end),
        _ => return Err(damaged()),
    };
    let start = extent.offset.checked_add(base);
    let end = start.and_then(|start| start.checked_add(extent.length));
    match (start, end) {
        // No length means all that there is, which nobody writes for these items.
        (Some(start), Some(end)) if end <= limit && start < end => Ok((start, end)),
        _ => Err(damaged()),
    }
}

/// The items that are no pictures: Exif, XMP and any other text; `None` where it cannot be told.
fn said(list: &[u8]) -> Option<Vec<Said>> {
    let mut rest = Bytes::of(list);
    let [version, ..] = rest.array::<4>()?;
    let count = match version {
        0 => u32::from(rest.u16()?),
        _ => rest.u32()?,
    };
    let mut said = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(rest.u32()?).ok()?.checked_sub(8)?;
        let kind: Kind = rest.array()?;
        let mut entry = Bytes::of(rest.take(length)?);
        if &kind != b"infe" {
            return None;
        }
        let [version, ..] = entry.array::<4>()?;
        let id = match version {
            2 => u32::from(entry.u16()?),
            3 => entry.u32()?,
            _ => return None,
        };
        entry.u16()?;
        let kind: Kind = entry.array()?;
        if matches!(&kind, b"Exif" | b"mime" | b"uri ") {
            let is_exif = &kind == b"Exif";
            said.push(Said { id, is_exif });
        }
        if said.len() > SAID_LIMIT {
            return None;
        }
    }
    Some(said)
}

/// All pieces of all items; `None` where the table breaks its form.
fn extents(places: &[u8]) -> Option<Vec<Extent>> {
    let mut rest = Bytes::of(places);
    let [version, ..] = rest.array::<4>()?;
    let widths = rest.u16()?;
    let width = |shift: u16| u8::try_from((widths >> shift) & 0xF).ok();
    let (offset_width, length_width, base_width) = (width(12)?, width(8)?, width(4)?);
    let index_width = match version {
        1 | 2 => width(0)?,
        _ => 0,
    };
    let wide = |rest: &mut Bytes<'_>| match version {
        2 => rest.u32(),
        _ => rest.u16().map(u32::from),
    };
    let mut extents = Vec::new();
    for _ in 0..wide(&mut rest)? {
        let item = wide(&mut rest)?;
        let method = match version {
            0 => 0,
            1 | 2 => rest.u16()? & 0xF,
            _ => return None,
        };
        // Data of another file is none of ours.
        let is_ours = rest.u16()? == 0;
        let base = rest.wide(base_width)?;
        for _ in 0..rest.u16()? {
            rest.wide(index_width)?;
            let offset = base.checked_add(rest.wide(offset_width)?)?;
            let length = rest.wide(length_width)?;
            extents.push(Extent {
                item,
                method,
                offset,
                length,
                is_ours,
            });
            // A piece may take no byte of the table at all.
            if extents.len() > EXTENT_LIMIT {
                return None;
            }
        }
    }
    Some(extents)
}

fn content<R: Read + Seek>(
    sweep: &mut Sweep<'_, R>,
    kind: &Kind,
    start: u64,
    end: u64,
) -> Result<Option<Vec<u8>>, Error> {
    match boxes::find(&mut sweep.source, kind, start, end)? {
        Some(part) => sweep.content(part, TABLE_LIMIT).map(Some),
        None => Ok(None),
    }
}
