//! Whatever a file holds.

use std::io::Cursor;
use std::sync::LazyLock;

use image::ImageFormat;
use proptest::prelude::*;

use super::samples::{self, PLACE, encoded, exif, picture, png_chunk, riff, riff_chunk, segment};
use super::sent;
use crate::{Cleaned, clean, duration_ms, harmless, preview};

/// One file of each format, with all that it may say.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let small = picture(9, 7);
    let said = segment(0xE1, &[b"Exif\0\0", &exif(3, true)[..]].concat());
    let png = encoded(&small, ImageFormat::Png);
    let chunk = png_chunk(b"eXIf", &exif(3, false));
    let webp = encoded(&small, ImageFormat::WebP);
    let chunks = [
        riff_chunk(b"VP8X", &[12, 0, 0, 0, 8, 0, 0, 6, 0, 0]),
        webp[12..].to_vec(),
        riff_chunk(b"EXIF", &exif(3, false)),
    ];
    vec![
        samples::jpeg(&small, &[said], PLACE),
        [&png[..33], &chunk, &png[33..]].concat(),
        riff(b"WEBP", &chunks),
        encoded(&small, ImageFormat::Gif),
        samples::film(b"pictures"),
        samples::still(b"pixels"),
    ]
});

/// Everything that reads strangers' bytes, and what must hold of whatever it gives.
fn holds(file: &[u8]) {
    harmless(file);
    duration_ms(&mut Cursor::new(file));
    let Ok(found) = clean(&mut Cursor::new(file)) else {
        return;
    };
    let once = sent(file).unwrap();
    if let Cleaned::Patched(patches) = found {
        assert_eq!(once.len(), file.len());
        let ends = patches.as_slice().iter().map(|patch| patch.end());
        assert!(ends.max().is_some_and(|end| end <= file.len() as u64));
    }
    assert_eq!(sent(&once).unwrap(), once);
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
    let cut = prop::option::weighted(0.3, any::<prop::sample::Index>());
    (0..FILES.len(), changes, cut).prop_map(|(which, changes, cut)| {
        let mut file = FILES[which].clone();
        for (place, value) in changes {
            let place = place.index(file.len());
            file[place] = value;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        file
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn changed_files_are_cleaned_once_or_refused_media_5(file in mutated()) {
        holds(&file);
    }

    #[test]
    fn any_bytes_behind_a_beginning_are_cleaned_once_or_refused_media_5(
        which in 0..FILES.len(),
        beginning in 0_usize..64,
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let beginning = FILES[which].get(..beginning).unwrap();
        holds(&[beginning, &rest].concat());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn previews_of_changed_files_fit_or_are_none_media_31(file in mutated()) {
        if let Some(preview) = preview(&file) {
            prop_assert!(harmless(&preview.jpeg).is_some());
        }
    }
}
