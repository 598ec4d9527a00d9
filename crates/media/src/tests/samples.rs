//! Files that betray something, made of pieces.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// What must be in no file that is sent: a place as EXIF, as XMP and as QuickTime write it.
pub(super) const PLACE: &[u8] = b"+48.8577+002.295/ GPS";

/// A picture whose four corners differ.
pub(super) fn picture(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| {
        let part = |at: u32, all: u32| u8::try_from(at * 255 / all.max(1)).unwrap();
        Rgb([part(x, width), part(y, height), part(x + y, width + height)])
    }))
}

pub(super) fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// EXIF with an orientation between other entries, and a place.
pub(super) fn exif(orientation: u8, little: bool) -> Vec<u8> {
    let short = |value: u16| {
        if little {
            value.to_le_bytes()
        } else {
            value.to_be_bytes()
        }
    };
    let long = |value: u32| {
        if little {
            value.to_le_bytes()
        } else {
            value.to_be_bytes()
        }
    };
    let mut tiff = if little {
        b"II".to_vec()
    } else {
        b"MM".to_vec()
    };
    tiff.extend(short(42));
    tiff.extend(long(8));
    tiff.extend(short(2));
    for (tag, kind, count) in [(0x010F, 2, PLACE.len() as u32), (0x0112, 3, 1)] {
        tiff.extend(short(tag));
        tiff.extend(short(kind));
        tiff.extend(long(count));
        match tag {
            0x0112 => {
                tiff.extend(short(u16::from(orientation)));
                tiff.extend(short(0));
            }
            _ => tiff.extend(long(38)),
        }
    }
    tiff.extend(long(0));
    tiff.extend(PLACE);
    tiff
}

/// A segment of a JPEG.
pub(super) fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap();
    [&[0xFF, marker], &length.to_be_bytes()[..], payload].concat()
}

/// A JPEG with segments behind its first two bytes, and more behind its end.
pub(super) fn jpeg(picture: &DynamicImage, segments: &[Vec<u8>], behind: &[u8]) -> Vec<u8> {
    let plain = encoded(picture, ImageFormat::Jpeg);
    [&plain[..2], &segments.concat(), &plain[2..], behind].concat()
}

/// A chunk of a PNG.
pub(super) fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(kind);
    checksum.update(data);
    let length = u32::try_from(data.len()).unwrap();
    [
        &length.to_be_bytes(),
        &kind[..],
        data,
        &checksum.finalize().to_be_bytes(),
    ]
    .concat()
}

/// A chunk of a WebP.
pub(super) fn riff_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    let padding: &[u8] = if data.len() % 2 == 1 { &[0] } else { &[] };
    [kind, &length.to_le_bytes()[..], data, padding].concat()
}

/// A RIFF file of chunks.
pub(super) fn riff(form: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [form.to_vec(), chunks.concat()].concat();
    riff_chunk(b"RIFF", &body)
}

/// A box of a film.
pub(super) fn part(kind: &[u8; 4], content: &[Vec<u8>]) -> Vec<u8> {
    let content = content.concat();
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes(), &kind[..], &content].concat()
}

/// Numbers of 32 bits, one after another.
pub(super) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A small MP4: `ftyp`, `mdat`, then `moov` with a track of pictures and one of data. The pictures'
/// bytes are `frames`.
pub(super) fn film(frames: &[u8]) -> Vec<u8> {
    let kind = part(b"ftyp", &[b"mp42\0\0\0\0isommp42".to_vec()]);
    let first = u32::try_from(kind.len() + 8).unwrap();
    let second = first + u32::try_from(frames.len()).unwrap();
    let data = part(b"mdat", &[frames.to_vec(), PLACE.to_vec(), PLACE.to_vec()]);
    let frames = u32::try_from(frames.len()).unwrap();
    let place = u32::try_from(PLACE.len()).unwrap();
    let moov = part(
        b"moov",
        &[
            part(
                b"mvhd",
                &[
                    words(&[0, 0xD1D1_D1D1, 0xD1D1_D1D1, 1000, 2500]),
                    vec![7; 80],
                ],
            ),
            track(
                b"vide",
                &words(&[0, 0, 1, frames]),
                part(b"stco", &[words(&[0, 1, first])]),
            ),
            track(
                b"meta",
                &words(&[0, place, 2]),
                part(b"co64", &[words(&[0, 2, 0, second, 0, second + place])]),
            ),
            part(b"udta", &[part(b"\xA9xyz", &[PLACE.to_vec()])]),
            part(b"meta", &[part(b"keys", &[PLACE.to_vec()])]),
            part(b"gps ", &[PLACE.to_vec()]),
        ],
    );
    let xmp = part(b"uuid", &[vec![0xBE; 16], PLACE.to_vec()]);
    let space = part(b"free", &[PLACE.to_vec()]);
    let trailer = [&[0xFF; 6], PLACE].concat();
    [kind, data, moov, xmp, space, trailer].concat()
}

/// A track with one sample in each chunk.
fn track(handler: &[u8; 4], sizes: &[u8], chunks: Vec<u8>) -> Vec<u8> {
    let times = words(&[0, 0xD1D1_D1D1, 0xD1D1_D1D1, 1]);
    let table = part(
        b"stbl",
        &[
            part(b"stsc", &[words(&[0, 1, 1, 1, 1])]),
            part(b"stsz", &[sizes.to_vec()]),
            chunks,
        ],
    );
    let media = part(
        b"mdia",
        &[
            part(b"mdhd", &[times.clone(), words(&[1000, 0])]),
            part(b"hdlr", &[words(&[0, 0]), handler.to_vec(), vec![0; 13]]),
            part(b"minf", &[table]),
        ],
    );
    let turned = [times, vec![9; 68]].concat();
    let said = part(b"udta", &[part(b"loci", &[PLACE.to_vec()])]);
    part(b"trak", &[part(b"tkhd", &[turned]), media, said])
}

/// A small HEIC: a picture in `mdat`, EXIF behind it, and XMP in `idat`.
pub(super) fn still(pixels: &[u8]) -> Vec<u8> {
    let kind = part(b"ftyp", &[b"heic\0\0\0\0mif1heic".to_vec()]);
    let entry = |id: u16, kind: &[u8; 4], more: &[u8]| {
        let head = [words(&[0x0200_0000]), id.to_be_bytes().to_vec(), vec![0, 0]].concat();
        part(b"infe", &[head, kind.to_vec(), more.to_vec()])
    };
    let exif = [vec![0; 4], exif(6, false)].concat();
    let list = part(
        b"iinf",
        &[
            vec![0, 0, 0, 0, 0, 3],
            entry(1, b"hvc1", b"\0"),
            entry(2, b"Exif", b"\0"),
            entry(3, b"mime", b"\0application/rdf+xml\0"),
        ],
    );
    let meta = |first: u32| {
        let second = first + u32::try_from(pixels.len()).unwrap();
        let entry = |id: u16, method: u16, offset: u32, length: usize| {
            let head: Vec<_> = [id, method, 0, 1]
                .iter()
                .flat_map(|word| word.to_be_bytes())
                .collect();
            [head, words(&[offset, u32::try_from(length).unwrap()])].concat()
        };
        let places = part(
            b"iloc",
            &[
                vec![1, 0, 0, 0, 0x44, 0, 0, 3],
                entry(1, 0, first, pixels.len()),
                entry(2, 0, second, exif.len()),
                entry(3, 1, 0, PLACE.len()),
            ],
        );
        part(
            b"meta",
            &[
                vec![0; 4],
                part(b"hdlr", &[words(&[0, 0]), b"pict".to_vec(), vec![0; 13]]),
                list.clone(),
                places,
                part(b"iprp", &[part(b"ipco", &[part(b"irot", &[vec![3]])])]),
                part(b"idat", &[PLACE.to_vec()]),
            ],
        )
    };
    let first = u32::try_from(kind.len() + meta(0).len() + 8).unwrap();
    let data = part(b"mdat", &[pixels.to_vec(), exif.clone()]);
    // What a phone appends: a film, with a place of its own.
    let behind = part(b"mpvd", &[film(b"moving")]);
    [kind, meta(first), data, behind].concat()
}
