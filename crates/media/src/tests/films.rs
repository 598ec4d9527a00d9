//! Films, in which nothing moves.

use std::io::{Cursor, Read};

use super::samples::{PLACE, film, part, words};
use super::{cleaned, has};
use crate::boxes::{self, Found};
use crate::source::Source;
use crate::{Cleaned, Error, clean};

const FRAMES: &[u8] = b"pictures, one after another";

/// The bytes of a box, found by its way from the top.
fn content(file: &[u8], path: &[&[u8; 4]]) -> Vec<u8> {
    let mut cursor = Cursor::new(file);
    let mut source = Source::of(&mut cursor).unwrap();
    let size = source.size();
    let part = boxes::descend(&mut source, path, 0, size).unwrap().unwrap();
    source.upto(part.body, part.end - part.body).unwrap()
}

#[test]
fn a_film_keeps_its_pictures_and_every_offset_media_20() {
    let file = film(FRAMES);
    let clean = cleaned(&file);
    assert_eq!(clean.len(), file.len());
    assert!(has(&file, PLACE) && !has(&clean, PLACE));
    let table = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stco"];
    let chunks = content(&clean, &table);
    assert_eq!(chunks, content(&file, &table));
    let first = u32::from_be_bytes(chunks[8..12].try_into().unwrap()) as usize;
    assert_eq!(&clean[first..first + FRAMES.len()], FRAMES);
}

#[test]
fn what_has_place_becomes_free_space_media_21() {
    let clean = cleaned(&film(FRAMES));
    for kind in [b"udta", b"uuid", b"gps ", b"keys", b"\xA9xyz", b"loci"] {
        assert!(!has(&clean, kind), "{kind:?}");
    }
    // Every box from the top on is well-formed, up to what was a trailer.
    let mut cursor = Cursor::new(&clean);
    let mut source = Source::of(&mut cursor).unwrap();
    let (mut place, size) = (0, source.size());
    let mut kinds = Vec::new();
    while let Found::Part(part) = boxes::at(&mut source, place, size).unwrap() {
        kinds.push(part.kind);
        place = part.end;
    }
    assert_eq!(kinds, [*b"ftyp", *b"mdat", *b"moov", *b"free", *b"free"]);
}

#[test]
fn times_go_and_how_it_is_turned_stays_media_22() {
    let file = film(FRAMES);
    let clean = cleaned(&file);
    assert!(!has(&clean, &[0xD1; 4]));
    let header = content(&clean, &[b"moov", b"mvhd"]);
    assert_eq!(header[..20], words(&[0, 0, 0, 1000, 2500]));
    assert_eq!(header[20..], [7; 80]);
    assert_eq!(content(&clean, &[b"moov", b"trak", b"tkhd"])[16..], [9; 68]);
}

#[test]
fn long_times_go_too_media_22() {
    let times = [
        words(&[0x0100_0000]),
        vec![0xD1; 16],
        words(&[1000]),
        vec![0; 8],
    ]
    .concat();
    let moov = part(b"moov", &[part(b"mvhd", &[times])]);
    let file = [part(b"ftyp", &[b"qt  \0\0\0\0".to_vec()]), moov].concat();
    let clean = cleaned(&file);
    assert!(!has(&clean, &[0xD1]) && has(&clean, &words(&[1000])));
}

#[test]
fn a_track_of_data_goes_with_its_samples_media_23() {
    let clean = cleaned(&film(FRAMES));
    assert!(has(&clean, b"vide") && !has(&clean, b"meta"));
    let data = content(&clean, &[b"mdat"]);
    assert_eq!(&data[..FRAMES.len()], FRAMES);
    assert_eq!(data[FRAMES.len()..], vec![0; PLACE.len() * 2]);
}

#[test]
fn samples_that_lie_in_the_boxes_themselves_are_refused_media_23() {
    let mut file = film(FRAMES);
    let at = file
        .windows(4)
        .position(|window| window == b"co64")
        .unwrap();
    // The lower half of the first offset, which now names the film's header.
    file[at + 16..at + 20].copy_from_slice(&200_u32.to_be_bytes());
    assert!(matches!(
        clean(&mut Cursor::new(file)),
        Err(Error::Unreadable(_))
    ));
}

#[test]
fn data_in_fragments_is_left_to_the_person_media_23() {
    let fragment = part(b"moof", &[part(b"mfhd", &[words(&[0, 1])])]);
    let film = film(FRAMES);
    let header = 24;
    let file = [&film[..header], &fragment, &film[header..]].concat();
    // Every offset is wrong by the fragment, but all that counts is that both are there.
    assert!(matches!(
        clean(&mut Cursor::new(file)),
        Err(Error::Unreadable(_))
    ));
}

#[test]
fn a_film_that_is_cut_short_is_not_emptied_media_4() {
    let whole = film(FRAMES);
    let kind = &whole[..24];
    // The film's header before its bytes, of which some are missing.
    let moov = part(b"moov", &[part(b"mvhd", &[vec![0; 100]])]);
    let data = part(b"mdat", &[vec![1; 1000]]);
    let cut = [kind, &moov, &data, &data[..500]].concat();
    assert!(matches!(
        clean(&mut Cursor::new(cut)),
        Err(Error::Unreadable(_))
    ));
}

#[test]
fn a_large_box_and_one_to_the_end_are_read_media_20() {
    let mut large = words(&[1]);
    large.extend(b"mdat");
    large.extend(24_u64.to_be_bytes());
    large.extend([5; 8]);
    let moov = part(b"moov", &[part(b"udta", &[PLACE.to_vec()])]);
    let mut last = vec![0, 0, 0, 0];
    last.extend(b"mdat");
    last.extend(PLACE);
    let file = [
        &part(b"ftyp", &[b"isom\0\0\0\0".to_vec()]),
        &large,
        &moov,
        &last[..],
    ]
    .concat();
    let clean = cleaned(&file);
    let end = file.len() - last.len();
    assert!(!has(&clean[..end], PLACE));
    // What is in the bytes of pictures and sound is theirs.
    assert_eq!(clean[end..], last);
}

#[test]
fn patches_are_the_same_however_a_file_is_read_media_20() {
    let file = film(FRAMES);
    let Cleaned::Patched(patches) = clean(&mut Cursor::new(&file)).unwrap() else {
        panic!("not patched");
    };
    let whole = cleaned(&file);
    for step in [1, 3, 7, 64] {
        let mut patched = patches.clone().apply(&file[..]);
        let mut bytes = Vec::<u8>::new();
        let mut buffer = vec![0; step];
        loop {
            let count = patched.read(&mut buffer).unwrap();
            if count == 0 {
                break;
            }
            bytes.extend(&buffer[..count]);
        }
        assert_eq!(bytes, whole, "{step}");
    }
}
