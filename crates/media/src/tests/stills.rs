//! HEIC and AVIF.

use super::samples::{PLACE, still};
use super::{cleaned, has};

const PIXELS: &[u8] = b"a picture's bytes";

#[test]
fn exif_and_xmp_of_a_heic_are_blanked_media_24() {
    let file = still(PIXELS);
    let clean = cleaned(&file);
    assert_eq!(clean.len(), file.len());
    assert!(has(&file, PLACE) && !has(&clean, PLACE));
    assert!(has(&clean, PIXELS) && has(&clean, b"irot\x03"));
    // The item of EXIF is one still, and says nothing.
    let at = clean
        .windows(PIXELS.len())
        .position(|window| window == PIXELS);
    let exif = &clean[at.unwrap() + PIXELS.len()..];
    assert_eq!(&exif[..18], b"\0\0\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0");
    assert!(exif.iter().skip(18).take(20).all(|byte| *byte == 0));
}

#[test]
fn a_film_behind_a_still_goes_media_21() {
    let clean = cleaned(&still(PIXELS));
    assert!(!has(&clean, b"mpvd") && !has(&clean, b"moving"));
}

#[test]
fn an_item_that_lies_outside_the_file_is_refused_media_4() {
    let mut file = still(PIXELS);
    let at = file
        .windows(4)
        .position(|window| window == b"iloc")
        .unwrap();
    // The offset of the second item.
    file[at + 12 + 16 + 8] = 0x7F;
    assert!(super::sent(&file).is_err());
}
