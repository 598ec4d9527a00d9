//! Small pictures.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::samples::{self, encoded, exif, picture, segment};
use crate::{PREVIEW_LIMIT, harmless, preview};

/// Noise, which compresses worst.
fn noise(width: u32, height: u32) -> DynamicImage {
    let mut state = 1_u32;
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |_, _| {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        Rgb([next(), next(), next()])
    }))
}

#[test]
fn every_picture_fits_media_31() {
    for (width, height) in [
        (1, 1),
        (64, 64),
        (300, 200),
        (200, 300),
        (2000, 1),
        (65, 64),
    ] {
        for picture in [picture(width, height), noise(width, height)] {
            let preview = preview(&encoded(&picture, ImageFormat::Png)).unwrap();
            assert_eq!((preview.width, preview.height), (width, height));
            assert!(preview.jpeg.len() <= PREVIEW_LIMIT);
            let (small_width, small_height) = harmless(&preview.jpeg).unwrap();
            assert!(small_width <= 64 && small_height <= 64);
            assert!(image::load_from_memory(&preview.jpeg).is_ok());
        }
    }
}

#[test]
fn a_simple_picture_keeps_the_whole_side_media_31() {
    let preview = preview(&encoded(&picture(640, 480), ImageFormat::Jpeg)).unwrap();
    assert_eq!(harmless(&preview.jpeg), Some((64, 48)));
}

#[test]
fn the_preview_is_turned_as_the_picture_is_shown_media_30() {
    let turned = segment(0xE1, &[b"Exif\0\0", &exif(6, true)[..]].concat());
    let file = samples::jpeg(&picture(120, 60), &[turned], b"");
    let preview = preview(&file).unwrap();
    assert_eq!((preview.width, preview.height), (60, 120));
    assert_eq!(harmless(&preview.jpeg), Some((32, 64)));
    // Turned to the right: the red side, which was right, is below.
    let small = image::load_from_memory(&preview.jpeg).unwrap().to_rgb8();
    assert!(small.get_pixel(16, 60).0[0] > 200 && small.get_pixel(16, 3).0[0] < 60);
}

#[test]
fn what_is_transparent_is_white_media_30() {
    let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(20, 20, Rgba([9, 9, 9, 0])));
    let preview = preview(&encoded(&clear, ImageFormat::Png)).unwrap();
    let small = image::load_from_memory(&preview.jpeg).unwrap().to_rgb8();
    assert!(small.get_pixel(10, 10).0.iter().all(|colour| *colour > 250));
}

#[test]
fn all_four_formats_have_previews_and_others_none_media_30() {
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Gif,
        ImageFormat::WebP,
    ] {
        assert!(preview(&encoded(&picture(100, 80), format)).is_some());
    }
    assert_eq!(preview(b"a text"), None);
    assert_eq!(preview(&samples::still(b"")), None);
}

#[test]
fn a_picture_of_great_size_is_not_decoded_media_30() {
    // A header that says 30,000 by 30,000, which is 2.7 GB.
    let mut header = [0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 8, 2, 0, 0, 0];
    header[1] = 0;
    let file = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        samples::png_chunk(b"IHDR", &header),
        samples::png_chunk(b"IDAT", &[0x78, 0x9C, 3, 0, 0, 0, 0, 1]),
        samples::png_chunk(b"IEND", b""),
    ];
    assert_eq!(preview(&file.concat()), None);
}

#[test]
fn a_bomb_is_refused_before_it_is_decoded_media_32() {
    let small = preview(&encoded(&picture(64, 64), ImageFormat::Png))
        .unwrap()
        .jpeg;
    assert_eq!(harmless(&small), Some((64, 64)));
    let frame = small
        .windows(2)
        .position(|window| window == [0xFF, 0xC0])
        .unwrap();
    // Marker, length, precision, height, width, components.
    for (place, value) in [
        (1, 0xC3),
        (1, 0xC9),
        (4, 12),
        (5, 1),
        (6, 0),
        (6, 129),
        (7, 0x80),
        (9, 4),
    ] {
        let mut bomb = small.clone();
        bomb[frame + place] = value;
        assert_eq!(harmless(&bomb), None, "{place}");
    }
    let twice = [&small[..], &small].concat();
    let said = [&small[..2], &segment(0xE1, b"Exif\0\0"), &small[2..]].concat();
    let later = [
        &small[..small.len() - 2],
        &segment(0xDC, &[0x7F, 0]),
        &[0xFF, 0xD9],
    ]
    .concat();
    let long = [&small[..2], &segment(0xE0, &[0; 1024]), &small[2..]].concat();
    for bad in [
        twice,
        said,
        later,
        long,
        Vec::new(),
        small[..small.len() - 1].to_vec(),
    ] {
        assert_eq!(harmless(&bad), None);
    }
}
