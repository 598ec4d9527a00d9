//! Pictures that are written anew.

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use std::io::Cursor;

use super::samples::{self, PLACE, encoded, exif, picture, png_chunk, riff, riff_chunk, segment};
use super::{cleaned, has};

/// The pixels as stored, and the orientation that a viewer applies.
fn shown(file: &[u8]) -> (DynamicImage, u8) {
    let reader = ImageReader::new(Cursor::new(file)).with_guessed_format();
    let mut decoder = reader.unwrap().into_decoder().unwrap();
    let orientation = decoder.orientation().unwrap().to_exif();
    (DynamicImage::from_decoder(decoder).unwrap(), orientation)
}

fn with_exif(orientation: u8) -> Vec<u8> {
    segment(
        0xE1,
        &[
            b"Exif\0\0",
            &exif(orientation, orientation.is_multiple_of(2))[..],
        ]
        .concat(),
    )
}

#[test]
fn a_jpeg_keeps_its_pixels_and_which_way_up_it_is_media_10() {
    let picture = picture(40, 30);
    let second = samples::jpeg(&picture, &[with_exif(1)], b"");
    let icc = [b"ICC_PROFILE\0\x01\x01", &[1; 40][..]].concat();
    let segments = [
        segment(
            0xE0,
            &[b"JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01", PLACE].concat(),
        ),
        with_exif(6),
        segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", PLACE].concat()),
        segment(0xE2, &[b"MPF\0", PLACE].concat()),
        segment(0xE2, &icc),
        segment(0xED, &[b"Photoshop 3.0\0", PLACE].concat()),
        segment(0xE7, PLACE),
        segment(0xFE, PLACE),
    ];
    let file = samples::jpeg(&picture, &segments, &[&second, PLACE].concat());
    let clean = cleaned(&file);
    assert!(has(&file, PLACE) && !has(&clean, PLACE));
    assert!(has(&clean, &icc));
    let plain = samples::jpeg(&picture, &[segment(0xE2, &icc)], b"");
    assert_eq!(shown(&clean).0, shown(&plain).0);
    assert_eq!(shown(&clean).1, 6);
    assert_eq!(clean[..4], [0xFF, 0xD8, 0xFF, 0xE0]);
}

#[test]
fn metadata_between_scans_and_before_restarts_goes_media_10() {
    // Two scans by hand: stuffed bytes and restarts are no ends.
    let scan = |data: &[u8]| [&segment(0xDA, &[1, 1, 0, 0, 63, 0])[..], data].concat();
    let head = [
        &[0xFF, 0xD8][..],
        &segment(0xC2, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]),
    ]
    .concat();
    let first = scan(&[1, 0xFF, 0, 2, 0xFF, 0xD0, 3]);
    let second = scan(&[4, 0xFF, 0xFF, 0, 5]);
    let said = segment(0xE1, PLACE);
    let file = [&head[..], &first, &said, &second, &[0xFF, 0xD9], &said].concat();
    let clean = cleaned(&file);
    assert_eq!(clean, [&head[..], &first, &second, &[0xFF, 0xD9]].concat());
}

#[test]
fn a_jpeg_as_stored_needs_no_exif_media_2() {
    let picture = picture(16, 16);
    let plain = encoded(&picture, ImageFormat::Jpeg);
    assert_eq!(cleaned(&plain), plain);
    assert_eq!(
        cleaned(&samples::jpeg(&picture, &[with_exif(1)], b"")),
        plain
    );
}

#[test]
fn a_png_keeps_its_pixels_and_which_way_up_it_is_media_11() {
    let picture = picture(20, 10);
    let plain = encoded(&picture, ImageFormat::Png);
    // The header is of 25 bytes behind the signature of eight.
    let gamma = png_chunk(b"gAMA", &45_455_u32.to_be_bytes());
    let said = [
        png_chunk(b"eXIf", &exif(8, true)),
        gamma.clone(),
        png_chunk(b"tEXt", &[b"Comment\0", PLACE].concat()),
        png_chunk(b"iTXt", PLACE),
        png_chunk(b"tIME", &[7, 0xEA, 1, 1, 1, 1, 1]),
        png_chunk(b"prVt", PLACE),
    ];
    let file = [&plain[..33], &said.concat(), &plain[33..], PLACE].concat();
    let clean = cleaned(&file);
    assert!(has(&file, PLACE) && !has(&clean, PLACE));
    assert!(!has(&clean, b"tIME") && has(&clean, &gamma));
    assert_eq!(shown(&clean), (shown(&plain).0, 8));
    assert_eq!(cleaned(&plain), plain);
}

#[test]
fn a_webp_keeps_its_pixels_and_which_way_up_it_is_media_12() {
    let picture = picture(20, 10);
    let plain = encoded(&picture, ImageFormat::WebP);
    assert_eq!(cleaned(&plain), plain);
    let extended = |flags: u8| riff_chunk(b"VP8X", &[flags, 0, 0, 0, 19, 0, 0, 9, 0, 0]);
    let file = |orientation: u8| {
        let chunks = [
            extended(0x0C),
            plain[12..].to_vec(),
            riff_chunk(b"EXIF", &exif(orientation, false)),
            riff_chunk(b"XMP ", PLACE),
            riff_chunk(b"PrVt", PLACE),
        ];
        [riff(b"WEBP", &chunks), PLACE.to_vec()].concat()
    };
    let clean = cleaned(&file(5));
    assert!(!has(&clean, PLACE));
    assert_eq!(shown(&clean), (picture.clone(), 5));
    let clean = cleaned(&file(1));
    assert_eq!(clean, riff(b"WEBP", &[extended(0), plain[12..].to_vec()]));
}

#[test]
fn a_frame_of_an_animated_webp_is_looked_into_media_12() {
    let pixels = riff_chunk(b"VP8L", b"pixels");
    let frame = |more: &[u8]| riff_chunk(b"ANMF", &[&[0; 16], &pixels[..], more].concat());
    let file = |frame: Vec<u8>| riff(b"WEBP", &[riff_chunk(b"ANIM", &[0; 6]), frame]);
    let said = riff_chunk(b"EXIF", PLACE);
    assert_eq!(cleaned(&file(frame(&said))), file(frame(b"")));
}

#[test]
fn a_gif_keeps_its_pixels_and_its_loop_media_13() {
    let plain = encoded(&picture(12, 12), ImageFormat::Gif);
    let said = |name: &[u8; 11], data: &[u8]| {
        let length = u8::try_from(data.len()).unwrap();
        [&[b'!', 0xFF, 11], &name[..], &[length], data, &[0]].concat()
    };
    let comment = [
        &[b'!', 0xFE, u8::try_from(PLACE.len()).unwrap()],
        PLACE,
        &[0],
    ]
    .concat();
    let turns = said(b"NETSCAPE2.0", &[1, 0, 0]);
    // Blocks stand before the trailer as well as anywhere.
    let (body, trailer) = plain.split_at(plain.len() - 1);
    let file = [
        body,
        &turns,
        &comment,
        &said(b"XMP DataXMP", PLACE),
        trailer,
        PLACE,
    ]
    .concat();
    let clean = cleaned(&file);
    assert_eq!(clean, [body, &turns, trailer].concat());
    assert_eq!(shown(&clean).0, shown(&plain).0);
}
