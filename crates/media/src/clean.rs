//! What betrays a place, a time or a device leaves a file before it is sent.

use std::fmt;
use std::io::{Read, Seek};

use crate::error::Error;
use crate::patch::Patches;
use crate::source::Source;
use crate::{boxes, film, gif, jpeg, png, webp};

/// The largest picture that is written anew, in bytes: it is in memory twice while that is done.
pub const PICTURE_LIMIT: u64 = 64 * 1024 * 1024;

/// How a file is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cleaned {
    /// As it is: of this format nothing is known, neither that it betrays something nor that it does not.
    Unknown,
    /// As it is: the format is known, and there is nothing in it that would have to leave.
    Clean,
    /// With these changes, which move nothing: see [`Patches::apply`].
    Patched(Patches),
    /// As these bytes instead.
    Rewritten(Vec<u8>),
}

/// A format whose metadata is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG, APNG.
    Png,
    /// WebP.
    WebP,
    /// GIF.
    Gif,
    /// MP4, QuickTime, M4A, 3GP, HEIC, HEIF, AVIF.
    Film,
}

/// Finds what has to leave a file before it is sent (MEDIA-1).
///
/// The source is read from its beginning, wherever it stands, and is left anywhere. Films are not
/// loaded; a picture is, if it is to be written anew. Done twice it changes nothing more.
///
/// # Errors
/// [`Error::TooLarge`] and [`Error::Unreadable`]: the file can only be sent as it is, which a person
/// has to say. [`Error::Read`] if the source fails.
pub fn clean(source: &mut (impl Read + Seek)) -> Result<Cleaned, Error> {
    let mut source = Source::of(source)?;
    let head = source.upto(0, 16)?;
    let Some(format) = Format::of(&head, source.size()) else {
        return Ok(Cleaned::Unknown);
    };
    let clean = match format {
        Format::Film => {
            let patches = film::clean(source)?;
            return Ok(match patches.as_slice() {
                [] => Cleaned::Clean,
                _ => Cleaned::Patched(patches),
            });
        }
        Format::Jpeg => jpeg::clean,
        Format::Png => png::clean,
        Format::WebP => webp::clean,
        Format::Gif => gif::clean,
    };
    let bytes = source.upto(0, PICTURE_LIMIT + 1)?;
    if bytes.len() as u64 > PICTURE_LIMIT {
        return Err(Error::TooLarge(format));
    }
    match clean(&bytes) {
        None => Err(Error::Unreadable(format)),
        Some(clean) if clean == bytes => Ok(Cleaned::Clean),
        Some(clean) => Ok(Cleaned::Rewritten(clean)),
    }
}

impl Format {
    /// The format that the first bytes of a file of `size` bytes name, 16 at least where it has them;
    /// its own name counts for nothing (MEDIA-4).
    pub fn of(head: &[u8], size: u64) -> Option<Self> {
        if head.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Some(Self::Jpeg)
        } else if head.starts_with(png::SIGNATURE) {
            Some(Self::Png)
        } else if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
            Some(Self::WebP)
        } else if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
            Some(Self::Gif)
        } else if boxes::is_magic(head, size) {
            Some(Self::Film)
        } else {
            None
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Film => "MP4, QuickTime or HEIC",
        })
    }
}
