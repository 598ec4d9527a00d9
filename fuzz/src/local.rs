//! Lines of the local API, frames and names of the network, slices of a file.

use std::{cell::RefCell, io::Read};

use tenet_blob::{BlobHash, Folder, FreshKey, Ranges, unwatched};
use tenet_net::strange;
use tenet_rpc::{api::Request, frame};

use crate::Target;

/// The targets of this module.
pub const TARGETS: &[Target] = &[
    Target {
        name: "line",
        what: "a line of the local API, at either end",
        run: line,
        seeds: line_seeds,
        max_len: 2048,
    },
    Target {
        name: "stream",
        what: "a stream of frames: a byte for its pieces, the bytes",
        run: stream,
        seeds: || vec![b"\x01\0\0\0\x03abc\0\0\0\x01d".to_vec()],
        max_len: 1024,
    },
    Target {
        name: "announced",
        what: "a name that somebody announces on the local network",
        run: announced,
        seeds: || {
            let name = b"vov2xk5lvov2xk5lvov2xk5lvov2xk5lvov2xk5lvov2xk5lvovq";
            vec![name.to_vec()]
        },
        max_len: 128,
    },
    Target {
        name: "slice",
        what: "parts of a file: a byte for which file and parts, the slice",
        run: slice,
        seeds: slice_seeds,
        max_len: 2048,
    },
];

fn line(data: &[u8]) {
    if let Ok(asked) = frame::read_request(data)
        && let Ok(request) = Request::parse(&asked.method, asked.params)
    {
        assert_eq!(request.method(), asked.method);
        let _ = request.is_secret();
    }
    let _ = frame::read_told(data);
}

fn line_seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = [
        r#"{"jsonrpc":"2.0","id":7,"method":"send","params":{"who":"Bob","text":"hi","files":["/a"]}}"#,
        r#"{"jsonrpc":"2.0","id":"a","method":"settings_set","params":{"name":"lan","value":"on"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"a":[1,2,{}]}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32004,"message":"m","data":{"kind":"not_found"}}}"#,
        r#"{"jsonrpc":"2.0","method":"event","params":{"seq":12,"event":"message"}}"#,
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    for method in Request::METHODS {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{}}}}"#);
        seeds.push(text.into_bytes());
    }
    seeds
}

fn stream(data: &[u8]) {
    const LIMIT: usize = 300;
    let Some((piece, bytes)) = data.split_first() else {
        return;
    };
    let piece = usize::from(*piece).max(1);
    if let Ok(frames) = strange::frames(bytes, piece, LIMIT) {
        assert!(
            frames
                .iter()
                .all(|frame| (1..=LIMIT).contains(&frame.len()))
        );
        // However they are cut.
        assert_eq!(strange::frames(bytes, usize::MAX, LIMIT), Ok(frames));
    }
}

fn announced(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(endpoint) = strange::endpoint(&text) {
        let name = strange::label(endpoint);
        assert_eq!(strange::endpoint(&name), Some(endpoint));
    }
}

/// Files whose slices are asked for: of one group, and of three of which the last is short.
struct Files {
    folder: Folder,
    empty: Folder,
    files: Vec<(BlobHash, u64)>,
    // Removed with it.
    _place: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let place = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        let place = place.unwrap();
        let folder = Folder::open(&place.path().join("here")).unwrap();
        let mut files = Vec::new();
        for size in [100, 2 * 65_536] {
            let bytes = std::io::repeat(7).take(size);
            let key = FreshKey::from_random([1; 32]);
            let sealed = folder.seal(bytes, key, &mut unwatched).unwrap();
            files.push((sealed.hash, sealed.sealed_size));
        }
        let empty = Folder::open(&place.path().join("coming")).unwrap();
        Self {
            folder,
            empty,
            files,
            _place: place,
        }
    }

    fn asked(&self, which: u8) -> (BlobHash, u64, Ranges) {
        let (hash, size) = self.files[usize::from(which & 1)];
        // The last group, which is short; or all.
        let ranges = match which & 2 {
            0 => Ranges::of(size - 1..size),
            _ => Ranges::whole(size),
        };
        (hash, size, ranges)
    }

    fn rightly(&self, which: u8) -> Vec<u8> {
        let (hash, _, ranges) = self.asked(which);
        let mut bytes = Vec::new();
        let slice = self.folder.serve(&hash, &ranges).unwrap();
        slice.write(&mut bytes).unwrap();
        bytes
    }
}

thread_local! {
    static FILES: RefCell<Files> = RefCell::new(Files::new());
}

fn slice(data: &[u8]) {
    let Some((which, data)) = data.split_first() else {
        return;
    };
    FILES.with_borrow(|files| {
        let (hash, size, ranges) = files.asked(*which);
        let incoming = files.empty.receive(&hash, size, size).unwrap().unwrap();
        let mut source = data;
        let taken = incoming.take(&ranges, &mut source, &mut unwatched);
        if taken.is_ok() {
            let read = data.len() - source.len();
            assert_eq!(
                data[..read],
                files.rightly(*which),
                "only what is right is taken"
            );
        } else {
            assert!(incoming.verified() < size.max(1));
        }
        drop(incoming);
        files.empty.remove(&hash).unwrap();
    });
}

fn slice_seeds() -> Vec<Vec<u8>> {
    FILES.with_borrow(|files| {
        let short = [0, 1, 2].iter();
        short
            .map(|which| [vec![*which], files.rightly(*which)].concat())
            .collect()
    })
}
