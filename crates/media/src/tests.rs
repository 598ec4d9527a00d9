#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod durations;
mod films;
mod pictures;
mod previews;
mod properties;
mod samples;
mod stills;

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use crate::{Cleaned, Error, Format, PICTURE_LIMIT, clean};

/// What a file is sent as.
fn sent(file: &[u8]) -> Result<Vec<u8>, Error> {
    Ok(match clean(&mut Cursor::new(file))? {
        Cleaned::Unknown | Cleaned::Clean => file.to_vec(),
        Cleaned::Rewritten(bytes) => bytes,
        Cleaned::Patched(patches) => {
            let mut bytes = Vec::new();
            patches.apply(file).read_to_end(&mut bytes).unwrap();
            bytes
        }
    })
}

/// Cleans a file that can be, and does it again, which changes nothing more (MEDIA-5).
fn cleaned(file: &[u8]) -> Vec<u8> {
    let once = sent(file).unwrap();
    let again = clean(&mut Cursor::new(&once)).unwrap();
    assert_eq!(again, Cleaned::Clean);
    once
}

fn has(file: &[u8], needle: &[u8]) -> bool {
    file.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn of_other_formats_nothing_is_said_media_4() {
    for file in [
        &b""[..],
        b"a text",
        b"%PDF",
        b"RIFF\x04\0\0\0WAVE",
        b"The free world",
        b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom",
    ] {
        assert_eq!(clean(&mut Cursor::new(file)).unwrap(), Cleaned::Unknown);
    }
}

#[test]
fn what_breaks_its_own_form_is_left_to_the_person_media_4() {
    for file in [
        &b"\xFF\xD8\xFF\xE1\0\x40Exif"[..],
        b"\xFF\xD8\xFF\xD9",
        b"\x89PNG\r\n\x1a\n\0\0\0\x0d",
        b"RIFF\x80\0\0\0WEBPVP8 ",
        b"GIF89a\x01\0\x01\0",
        b"\0\0\0\x18ftypmp42\0\0\0\0isommp42\0\x10\0\0moov",
    ] {
        let result = clean(&mut Cursor::new(file));
        assert!(matches!(result, Err(Error::Unreadable(_))), "{file:?}");
    }
}

/// A file of any size that has zeros between its beginning and its end.
struct Sparse {
    head: Vec<u8>,
    tail: Vec<u8>,
    size: u64,
    at: u64,
    /// How many bytes were ever read.
    read: u64,
}

impl Sparse {
    fn of(head: Vec<u8>, size: u64, tail: Vec<u8>) -> Self {
        let (at, read) = (0, 0);
        Self {
            head,
            tail,
            size,
            at,
            read,
        }
    }
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let tail = self.size - self.tail.len() as u64;
        let count = (buffer.len() as u64).min(self.size - self.at);
        buffer[..count as usize].fill(0);
        let given = (0..).zip(&self.head).chain((tail..).zip(&self.tail));
        for (at, byte) in given.filter(|(at, _)| (self.at..self.at + count).contains(at)) {
            buffer[(at - self.at) as usize] = *byte;
        }
        self.at += count;
        self.read += count;
        Ok(count as usize)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at.min(self.size),
            SeekFrom::End(by) => self.size.checked_add_signed(by).unwrap(),
            SeekFrom::Current(by) => self.at.checked_add_signed(by).unwrap(),
        };
        Ok(self.at)
    }
}

#[test]
fn a_picture_that_is_too_large_is_refused_media_3() {
    let mut source = Sparse::of(vec![0xFF, 0xD8, 0xFF, 0xE0], 1 << 40, Vec::new());
    let result = clean(&mut source);
    assert!(matches!(result, Err(Error::TooLarge(Format::Jpeg))));
    assert!(source.read <= PICTURE_LIMIT + 100);
}

#[test]
fn a_film_of_any_size_is_not_loaded_media_3() {
    let mut head = samples::part(b"ftyp", &[b"isom\0\0\0\0".to_vec()]);
    let first = head.len() as u64;
    head.extend(samples::words(&[1]));
    head.extend(b"mdat");
    head.extend((1_u64 << 40).to_be_bytes());
    let said = samples::part(b"udta", &[samples::PLACE.to_vec()]);
    let tail = samples::part(b"moov", &[said]);
    let size = first + (1 << 40) + tail.len() as u64;
    let mut source = Sparse::of(head, size, tail);
    let Cleaned::Patched(patches) = clean(&mut source).unwrap() else {
        panic!("not patched");
    };
    assert_eq!(patches.as_slice().len(), 2);
    assert!(source.read < 1000);
}
