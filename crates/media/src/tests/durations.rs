//! How long recordings are.

use std::io::Cursor;

use super::samples::{film, part, riff, riff_chunk, words};
use crate::duration_ms;

fn duration(file: &[u8]) -> Option<u64> {
    duration_ms(&mut Cursor::new(file))
}

fn page(position: u64, stream: u32, body: &[u8]) -> Vec<u8> {
    let head = [
        b"OggS\0\0",
        &position.to_le_bytes()[..],
        &stream.to_le_bytes(),
        &[0; 8],
    ]
    .concat();
    [&head[..], &[1, u8::try_from(body.len()).unwrap()], body].concat()
}

#[test]
fn ogg_is_measured_by_its_last_position_media_40() {
    let opus = [b"OpusHead\x01\x01", &312_u16.to_le_bytes()[..], &[0; 7]].concat();
    let file = [
        page(0, 7, &opus),
        page(u64::MAX, 7, b"sound"),
        page(48_000 * 3 + 312, 7, b"sound"),
        page(u64::MAX, 7, b"sound"),
        page(99_999_999, 8, b"of another stream"),
    ];
    assert_eq!(duration(&file.concat()), Some(3000));
    let vorbis = [b"\x01vorbis\0\0\0\0\x01", &44_100_u32.to_le_bytes()[..]].concat();
    let file = [page(0, 1, &vorbis), page(22_050, 1, b"sound")].concat();
    assert_eq!(duration(&file), Some(500));
}

#[test]
fn wav_is_measured_by_its_bytes_media_40() {
    let format = [
        &[1, 0, 1, 0],
        &8000_u32.to_le_bytes()[..],
        &16_000_u32.to_le_bytes(),
        &[2, 0, 16, 0],
    ];
    let format = riff_chunk(b"fmt ", &format.concat());
    let note = riff_chunk(b"LIST", b"odd");
    let mut file = riff(b"WAVE", &[format, note, riff_chunk(b"data", &[0; 8000])]);
    assert_eq!(duration(&file), Some(500));
    // A recorder that was cut off never wrote the length.
    let data = file.len() - 8004;
    file[data..data + 4].fill(0xFF);
    assert_eq!(duration(&file), Some(500));
}

#[test]
fn flac_is_measured_by_its_first_block_media_40() {
    let packed = (44_100_u64 << 44) | 88_200;
    let file = [
        b"fLaC\0\0\0\x22",
        &[0; 10][..],
        &packed.to_be_bytes(),
        &[0; 16],
    ]
    .concat();
    assert_eq!(duration(&file), Some(2000));
}

#[test]
fn films_are_measured_by_their_header_media_40() {
    assert_eq!(duration(&film(b"pictures")), Some(2500));
    let kind = part(b"ftyp", &[b"M4A \0\0\0\0".to_vec()]);
    let header = part(b"mvhd", &[words(&[0, 0, 0, 1000, 0])]);
    let fragments = part(b"mvex", &[part(b"mehd", &[words(&[0, 750])])]);
    let file = [kind, part(b"moov", &[header, fragments])].concat();
    assert_eq!(duration(&file), Some(750));
}

#[test]
fn mp3_is_measured_by_its_first_frame_media_40() {
    // MPEG version 1, layer III, 128 kbit/s, 44.1 kHz, stereo: 417 bytes, behind a tag of ten and six bytes.
    let tag = b"ID3\x04\0\0\0\0\0\x06ignore";
    let frame = |more: &[u8]| {
        let mut frame = vec![0; 417];
        frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0]);
        frame[36..36 + more.len()].copy_from_slice(more);
        frame
    };
    let constant = [tag.to_vec(), frame(b"").repeat(10)].concat();
    assert_eq!(duration(&constant), Some(260));
    let counted = [b"Xing", &words(&[1, 1000])[..]].concat();
    assert_eq!(duration(&frame(&counted)), Some(26_122));
}

#[test]
fn aac_is_measured_by_its_frames_media_40() {
    // 48 kHz, frames of nine bytes.
    let frame = [0xFF, 0xF1, 0x4C, 0x80, 0x01, 0x3F, 0xFC, 0, 0];
    assert_eq!(duration(&frame.repeat(75)), Some(1600));
    assert_eq!(duration(&frame), None);
}

#[test]
fn anything_else_has_none_media_40() {
    for file in [
        &b""[..],
        b"a text",
        b"OggS",
        b"fLaC",
        b"RIFF\0\0\0\0WAVE",
        &[0xFF; 64],
    ] {
        assert_eq!(duration(file), None);
    }
}
