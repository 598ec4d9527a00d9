//! The small picture that goes with a file.

use std::io::Cursor;
use std::panic::{self, AssertUnwindSafe};

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage};

use crate::bytes::Bytes;
use crate::jpeg::{Part, Parts};

/// The most bytes that a preview may have: those of 64 files share one event with a text.
pub const PREVIEW_LIMIT: usize = 1024;
/// The longest side of a preview that is made here, in pixels.
pub const PREVIEW_SIDE: u32 = 64;
/// The longest side of a preview that is taken from others, in pixels.
const HARMLESS_SIDE: u16 = 128;
/// The longest side of a picture that a preview is made of, in pixels.
const SIDE_LIMIT: u32 = 30_000;
/// The most memory that pixels may take, in bytes: 44 million in colour. Decoders take some more while
/// they work, for a progressive JPEG twice as much.
const MEMORY_LIMIT: u64 = 128 * 1024 * 1024;
/// What is tried in turn until it fits: the longest side in pixels, and the quality in percent. Below a
/// quality of 20 a smaller picture is the better one; the last fits always.
const ATTEMPTS: &[(u32, u8)] = &[
    (64, 60),
    (64, 45),
    (64, 30),
    (64, 20),
    (48, 40),
    (48, 20),
    (32, 40),
    (32, 20),
    (16, 20),
    (8, 10),
];

/// A picture's size and a small copy of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Pixels from left to right of the picture as it is shown.
    pub width: u32,
    /// Pixels from top to bottom of the picture as it is shown.
    pub height: u32,
    /// A JPEG of at most [`PREVIEW_LIMIT`] bytes, [`PREVIEW_SIDE`] on its longer side, that is [`harmless`].
    pub jpeg: Vec<u8>,
}

/// Makes the preview of a JPEG, PNG, GIF or WebP picture (MEDIA-30): of an animation, its first frame.
///
/// `None` for anything else, for what is damaged, and for what has pixels of more than 128 MiB or a side
/// of more than 30,000 pixels.
pub fn preview(bytes: &[u8]) -> Option<Preview> {
    // Decoders are the work of others and read what strangers wrote: one that panics has no preview.
    panic::catch_unwind(AssertUnwindSafe(|| make(bytes))).ok()?
}

fn make(bytes: &[u8]) -> Option<Preview> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_LIMIT);
    limits.max_image_height = Some(SIDE_LIMIT);
    limits.max_alloc = Some(MEMORY_LIMIT);
    let mut reader = ImageReader::new(Cursor::new(bytes));
    reader.limits(limits.clone());
    let mut decoder = reader.with_guessed_format().ok()?.into_decoder().ok()?;
    limits.reserve(decoder.total_bytes()).ok()?;
    decoder.set_limits(limits).ok()?;
    let orientation = decoder.orientation().ok()?;
    let picture = DynamicImage::from_decoder(decoder).ok()?;
    let (stored_width, stored_height) = (picture.width(), picture.height());
    let mut small = shrunk(&picture, PREVIEW_SIDE);
    drop(picture);
    small.apply_orientation(orientation);
    let turned = matches!(orientation.to_exif(), 5..=8);
    let (width, height) = match turned {
        true => (stored_height, stored_width),
        false => (stored_width, stored_height),
    };
    let jpeg = fitting(&small)?;
    Some(Preview {
        width,
        height,
        jpeg,
    })
}

/// The first attempt that is small enough (MEDIA-31).
fn fitting(small: &DynamicImage) -> Option<Vec<u8>> {
    let is_grey = !small.color().has_color();
    let flat = on_white(small);
    ATTEMPTS.iter().find_map(|(side, quality)| {
        let mut picture = shrunk(&flat, *side);
        if is_grey {
            picture = DynamicImage::ImageLuma8(picture.to_luma8());
        }
        let mut jpeg = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut jpeg, *quality);
        picture.write_with_encoder(encoder).ok()?;
        (jpeg.len() <= PREVIEW_LIMIT && harmless(&jpeg).is_some()).then_some(jpeg)
    })
}

/// The picture fitted into a square, never enlarged.
fn shrunk(picture: &DynamicImage, side: u32) -> DynamicImage {
    match picture.width().max(picture.height()) > side {
        true => picture.thumbnail(side, side),
        false => picture.clone(),
    }
}

/// JPEG knows no transparency: what is behind the picture becomes white.
fn on_white(picture: &DynamicImage) -> DynamicImage {
    let picture = picture.to_rgba8();
    let (width, height) = picture.dimensions();
    let flat = RgbImage::from_fn(width, height, |x, y| {
        let image::Rgba([red, green, blue, alpha]) = *picture.get_pixel(x, y);
        let over = |colour: u8| {
            let mixed = u32::from(colour) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
            u8::try_from(mixed / 255).unwrap_or(u8::MAX)
        };
        image::Rgb([over(red), over(green), over(blue)])
    });
    DynamicImage::ImageRgb8(flat)
}

/// The width and height of a preview that came from others, if it may be given to a decoder (MEDIA-32).
///
/// That is one baseline or progressive JPEG of at most 1,024 bytes and 128 by 128 pixels with one or
/// three components of 8 bits, in which nothing else is: no colour profile, no EXIF, nothing behind its
/// end. No pixel is decoded.
pub fn harmless(jpeg: &[u8]) -> Option<(u16, u16)> {
    if jpeg.len() > PREVIEW_LIMIT {
        return None;
    }
    let mut parts = Parts::of(jpeg)?;
    let mut frame = None;
    let mut has_scan = false;
    loop {
        match parts.next()? {
            Part::Segment(0xC0 | 0xC2, payload) if frame.is_none() => {
                frame = Some(dimensions(payload)?);
            }
            // Tables for Huffman codes and quantisation, restarts, and the segments of JFIF and Adobe.
            Part::Segment(0xC4 | 0xDB | 0xDD | 0xE0 | 0xEE, _) => {}
            Part::Scan(..) if frame.is_some() => has_scan = true,
            Part::End if has_scan && parts.rest().is_empty() => return frame,
            _ => return None,
        }
    }
}

/// Width and height of a frame header (T.81, B.2.2), within the limits.
fn dimensions(header: &[u8]) -> Option<(u16, u16)> {
    let mut header = Bytes::of(header);
    let precision = header.u8()?;
    let (height, width) = (header.u16()?, header.u16()?);
    let components = header.u8()?;
    let sides = 1..=HARMLESS_SIDE;
    let is_harmless = precision == 8
        && sides.contains(&width)
        && sides.contains(&height)
        && matches!(components, 1 | 3)
        && header.rest().len() == usize::from(components) * 3;
    is_harmless.then_some((width, height))
}
