//! What a file shows of itself, and what it betrays.
//!
//! ```text
//! a file ─▶ clean ─▶ as it is, with patches, or written anew ─▶ is sent
//!        ├▶ preview ──▶ at most 1,024 bytes of JPEG ══▶ harmless ─▶ may be shown
//!        └▶ duration ─▶ milliseconds
//! ```
//!
//! Pure: the only IO is that of the sources that are handed in. Whatever they hold, nothing panics and
//! memory is bounded: pictures are loaded up to [`PICTURE_LIMIT`], films never. The rules, and which
//! formats are covered and which are not, are in `spec/media.md`.
//!
//! - [`clean`](clean()): place, time and device leave, the picture stays as it is, bit by bit.
//! - `jpeg`, `png`, `webp`, `gif`: what stays of a picture that is written anew.
//! - `film`, `tracks`, `items`: what is blanked in place in MP4, QuickTime and HEIC.
//! - [`Patches`]: changes that move nothing, carried out while reading.
//! - [`preview`](preview()) and [`harmless`]: the small picture that goes with a file.
//! - [`duration_ms`]: how long a recording is.
//! - `bytes`, `source`, `boxes`, `exif`: forms that several of these read.

mod boxes;
mod bytes;
mod clean;
mod duration;
mod error;
mod exif;
mod film;
mod gif;
mod items;
mod jpeg;
mod patch;
mod png;
mod preview;
mod source;
mod tracks;
mod webp;

pub use clean::{Cleaned, Format, PICTURE_LIMIT, clean};
pub use duration::duration_ms;
pub use error::Error;
pub use patch::{Patch, Patched, Patches, With};
pub use preview::{PREVIEW_LIMIT, PREVIEW_SIDE, Preview, harmless, preview};

#[cfg(test)]
mod tests;
