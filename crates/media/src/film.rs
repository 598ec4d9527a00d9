//! MP4, QuickTime, M4A, 3GP, HEIC, AVIF: what betrays is blanked in place, so that nothing moves.
//!
//! ```text
//! ftyp   moov ─┬ mvhd (times)      moof ─ traf      mdat        meta (pictures: items)   anything else
//! stays        ├ trak ─ …          stays            stays       Exif, XMP are blanked    is freed
//!              └ udta, meta, uuid: freed            (samples of data tracks are blanked)
//! ```
//!
//! To free a box is to name it `free` and to fill it with zeros: players skip it. How a film is turned
//! stands in `tkhd`, how a picture is turned in `irot` and `imir`: all of these stay.

use std::io::{self, Read, Seek};

use crate::boxes::{self, Found, Kind, Part};
use crate::clean::Format;
use crate::error::Error;
use crate::patch::{Patch, Patches, With};
use crate::source::Source;
use crate::{items, tracks};

/// More changes than these are no file that a person has: an action camera makes 80 in a second, of 32
/// bytes of memory each.
const MOST_PATCHES: usize = 1_000_000;

/// What is done with a box.
enum Rule {
    Keep,
    /// Its content is looked at.
    Enter,
    /// A header that says when.
    Times,
    /// Empty space, where writers leave things.
    Blank,
    /// A track: of pictures, sound and text, or of data.
    Track,
    /// The items of pictures, or else keys and values.
    Meta,
    /// It cannot be told what is in it.
    Refuse,
    Free,
}

/// One pass over a file, and the changes that it found.
pub(crate) struct Sweep<'a, R> {
    pub(crate) source: Source<'a, R>,
    patches: Vec<Patch>,
    boxes: u32,
    /// What makes it a file of this family was there: a film or pictures.
    whole: bool,
    /// Where the bytes lie that it speaks of.
    content: Vec<(u64, u64)>,
    /// What of them is blanked.
    pub(crate) blanked: Vec<(u64, u64)>,
    /// How many bytes were looked at to be zeroed: no more than there are, or places are named twice.
    zeroed: u64,
    has_fragments: bool,
    has_data_tracks: bool,
}

/// The changes that blank what betrays (MEDIA-20); empty where there is nothing.
pub(crate) fn clean<R: Read + Seek>(source: Source<'_, R>) -> Result<Patches, Error> {
    let mut sweep = Sweep {
        source,
        patches: Vec::new(),
        boxes: 0,
        whole: false,
        content: Vec::new(),
        blanked: Vec::new(),
        zeroed: 0,
        has_fragments: false,
        has_data_tracks: false,
    };
    sweep.file()?;
    // Samples in fragments are placed by other tables than those that are read here.
    let is_known = sweep.whole && !(sweep.has_fragments && sweep.has_data_tracks);
    if !is_known || !sweep.blanks_content_only() {
        return Err(damaged());
    }
    Patches::of(sweep.patches).ok_or_else(damaged)
}

pub(crate) fn damaged() -> Error {
    Error::Unreadable(Format::Film)
}

/// What is done with a box of a kind in a box of a kind; `file` is the file itself.
///
/// Where vendors put boxes of their own, only what is known stays (MEDIA-21).
fn rule(parent: &Kind, kind: &Kind) -> Rule {
    match (parent, kind) {
        (_, b"free" | b"skip" | b"wide") => Rule::Blank,
        (_, b"udta" | b"uuid") => Rule::Free,
        (b"file", b"moov" | b"moof") => Rule::Enter,
        (b"file", b"meta") => Rule::Meta,
        (
            b"file",
            b"ftyp" | b"styp" | b"mdat" | b"imda" | b"sidx" | b"ssix" | b"mfra" | b"pdin",
        ) => Rule::Keep,
        (b"moov", b"mvhd") | (b"trak", b"tkhd") | (b"mdia", b"mdhd") => Rule::Times,
        (b"moov", b"trak") => Rule::Track,
        (b"moov", b"cmov") => Rule::Refuse,
        (b"moov", b"mvex" | b"iods" | b"pssh" | b"ctab" | b"clip" | b"rmra") => Rule::Keep,
        (b"trak", b"mdia") => Rule::Enter,
        (b"trak", b"edts" | b"tref" | b"trgr" | b"tapt" | b"load" | b"clip") => Rule::Keep,
        (b"trak", b"matt" | b"imap" | b"txas") => Rule::Keep,
        (b"mdia", b"minf") | (b"minf", b"stbl") => Rule::Enter,
        (b"mdia", b"hdlr" | b"elng") => Rule::Keep,
        (b"minf" | b"stbl", b"meta") => Rule::Free,
        (b"minf" | b"stbl", _) => Rule::Keep,
        (b"moof", b"traf") => Rule::Enter,
        (b"moof", b"mfhd" | b"pssh") => Rule::Keep,
        (b"traf", b"tfhd" | b"tfdt" | b"trun" | b"sbgp" | b"sgpd" | b"subs") => Rule::Keep,
        (b"traf", b"saiz" | b"saio" | b"senc") => Rule::Keep,
        (b"meta", b"hdlr" | b"pitm" | b"iinf" | b"iloc" | b"iref" | b"iprp" | b"idat") => {
            Rule::Keep
        }
        (b"meta", b"dinf" | b"ipro" | b"grpl") => Rule::Keep,
        _ => Rule::Free,
    }
}

impl<R: Read + Seek> Sweep<'_, R> {
    fn file(&mut self) -> Result<(), Error> {
        let size = self.source.size();
        self.children(b"file", 0, size)
    }

    /// Carries the rules out on every box between two places.
    ///
    /// The rules enter no kind from itself, so the depth is at most five.
    pub(crate) fn children(&mut self, parent: &Kind, start: u64, end: u64) -> Result<(), Error> {
        let mut place = start;
        loop {
            match boxes::at(&mut self.source, place, end)? {
                Found::Part(part) => {
                    self.count()?;
                    self.carry_out(&rule(parent, &part.kind), part)?;
                    place = part.end;
                }
                Found::Broken(kind) if self.may_be_trailer(parent, &kind) => {
                    return self.zero(place, end);
                }
                Found::Broken(_) => return Err(damaged()),
                Found::End => return self.zero(place, end),
            }
        }
    }

    /// Some phones put a trailer of their own behind a whole file. A film that is cut short is none.
    fn may_be_trailer(&self, parent: &Kind, kind: &Kind) -> bool {
        let is_known = !matches!(rule(parent, kind), Rule::Free | Rule::Blank);
        parent == b"file" && self.whole && !self.content.is_empty() && !is_known
    }

    fn carry_out(&mut self, rule: &Rule, part: Part) -> Result<(), Error> {
        match rule {
            Rule::Keep => {
                if matches!(&part.kind, b"mdat" | b"imda" | b"idat") {
                    self.content.push((part.body, part.end));
                }
                Ok(())
            }
            Rule::Enter => {
                self.whole |= matches!(&part.kind, b"moov" | b"moof");
                self.has_fragments |= &part.kind == b"moof";
                self.children(&part.kind, part.body, part.end)
            }
            Rule::Times => self.times(part),
            Rule::Blank => self.zero(part.body, part.end),
            Rule::Track => self.track(part),
            Rule::Meta => self.meta(part),
            Rule::Refuse => Err(damaged()),
            Rule::Free => self.free(part),
        }
    }

    /// Names a box `free` and empties it.
    fn free(&mut self, part: Part) -> Result<(), Error> {
        self.put(part.start + 4, b"free")?;
        self.zero(part.body, part.end)
    }

    /// Zeros creation and modification times (MEDIA-22): 32 bits each, or 64 in version 1.
    fn times(&mut self, part: Part) -> Result<(), Error> {
        let [version] = self.within(part, 0)?;
        let length = match version {
            0 => 8,
            1 => 16,
            _ => return Err(damaged()),
        };
        let start = part.body + 4;
        if start + length > part.end {
            return Err(damaged());
        }
        self.zero(start, start + length)
    }

    /// A track of data goes with all its samples (MEDIA-23); any other is looked at.
    fn track(&mut self, part: Part) -> Result<(), Error> {
        if tracks::is_shown(self, part)? {
            return self.children(&part.kind, part.body, part.end);
        }
        self.has_data_tracks = true;
        for (start, end) in tracks::samples(self, part)? {
            self.blanked.push((start, end));
            self.zero(start, end)?;
        }
        self.free(part)
    }

    /// Pictures have items there (MEDIA-24); all else that stands there is keys and values.
    fn meta(&mut self, part: Part) -> Result<(), Error> {
        let body = part.body.saturating_add(4);
        let handler = boxes::find(&mut self.source, b"hdlr", body, part.end)?;
        let is_pictures = match handler {
            Some(handler) => &self.within::<4>(handler, 8)? == b"pict",
            None => false,
        };
        if !is_pictures {
            return self.free(part);
        }
        self.whole = true;
        self.children(&part.kind, body, part.end)?;
        items::clean(self, body, part.end)
    }

    /// A table of places that is wrong would have us overwrite the boxes themselves.
    fn blanks_content_only(&mut self) -> bool {
        self.content.sort_unstable();
        let content = &self.content;
        self.blanked.iter().all(|(start, end)| {
            let after = content.partition_point(|(from, _)| from <= start);
            let around = after.checked_sub(1).and_then(|place| content.get(place));
            start == end || around.is_some_and(|(_, to)| end <= to)
        })
    }

    /// `N` bytes of a box, from `from` on.
    pub(crate) fn within<const N: usize>(
        &mut self,
        part: Part,
        from: u64,
    ) -> Result<[u8; N], Error> {
        let start = part.body.saturating_add(from);
        if start.saturating_add(N as u64) > part.end {
            return Err(damaged());
        }
        Ok(self.source.array(start)?)
    }

    /// The content of a box, of at most `most` bytes.
    pub(crate) fn content(&mut self, part: Part, most: u64) -> Result<Vec<u8>, Error> {
        let length = part.end - part.body;
        if length > most {
            return Err(damaged());
        }
        let content = self.source.upto(part.body, length)?;
        if content.len() as u64 != length {
            return Err(Error::Read(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(content)
    }

    /// Notes bytes to be put, if others are there.
    pub(crate) fn put<const N: usize>(&mut self, at: u64, bytes: &[u8; N]) -> Result<(), Error> {
        if self.source.array::<N>(at)? == *bytes {
            return Ok(());
        }
        self.note(at, With::Bytes(bytes.to_vec()))
    }

    /// Notes zeros to be put, if something is there.
    pub(crate) fn zero(&mut self, start: u64, end: u64) -> Result<(), Error> {
        let length = end.saturating_sub(start);
        self.zeroed = self.zeroed.saturating_add(length);
        if self.zeroed > self.source.size() {
            return Err(damaged());
        }
        if length == 0 || self.source.is_zero(start, end)? {
            return Ok(());
        }
        self.note(start, With::Zeros(length))
    }

    fn note(&mut self, offset: u64, with: With) -> Result<(), Error> {
        if self.patches.len() >= MOST_PATCHES {
            return Err(damaged());
        }
        self.patches.push(Patch { offset, with });
        Ok(())
    }

    fn count(&mut self) -> Result<(), Error> {
        self.boxes += 1;
        if self.boxes > boxes::MOST {
            return Err(damaged());
        }
        Ok(())
    }
}
