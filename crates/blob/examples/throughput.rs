//! How fast files go through: `cargo run --release -p tenet-blob --example throughput -- 1024 [FOLDER]`.
//!
//! Prints MB/s (10^6 bytes of the file a second) of every step, and its share of what its unavoidable
//! parts allow, as measured alone in the same run: hashing, writing to the page cache, and to the disk.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use tenet_blob::{Folder, FreshKey, Incoming, Ranges, Sealed, State, unwatched};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mib: usize = arguments.next().map_or(1024, |mib| mib.parse().unwrap());
    let place = arguments.next().map_or(std::env::temp_dir(), PathBuf::from);
    let place = tempfile::tempdir_in(place).unwrap();
    let here = Folder::open(&place.path().join("here")).unwrap();
    let (plain, limits) = limits(place.path(), mib << 20);
    let sealed = rest(place.path(), &here, &plain, &limits);
    travel(place.path(), &here, &sealed, &limits);
    small(&here);
}

/// What the machine gives, in MB/s.
struct Limits {
    /// BLAKE3 of a file in memory.
    hash: f64,
    /// Writing a new file in pieces of 64 KiB.
    cache: f64,
    /// That, and bringing it onto the medium.
    disk: f64,
}

impl Limits {
    /// Hashing and writing, one after the other.
    fn hash_and_cache(&self) -> f64 {
        1.0 / (1.0 / self.hash + 1.0 / self.cache)
    }
}

/// A file, and what the machine gives for it.
fn limits(place: &Path, size: usize) -> (PathBuf, Limits) {
    let mut bytes = vec![0; size];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    let size = size as u64;
    let (_, hash) = measure("limit: hash in memory", size, None, || blake3::hash(&bytes));
    let plain = place.join("plain");
    let write = || {
        let mut file = File::create(&plain).unwrap();
        for piece in bytes.chunks(1 << 16) {
            file.write_all(piece).unwrap();
        }
        file
    };
    let (_, cache) = measure("limit: write", size, None, write);
    std::fs::remove_file(&plain).unwrap();
    let (_, disk) = measure("limit: write and fsync", size, None, || {
        write().sync_all().unwrap();
    });
    (plain, Limits { hash, cache, disk })
}

/// Sealing, reading, saving.
fn rest(place: &Path, here: &Folder, plain: &Path, limits: &Limits) -> Sealed {
    let size = plain.metadata().unwrap().len();
    let (sealed, _) = measure("seal, durable", size, Some(limits.disk), || {
        let key = FreshKey::from_random([7; 32]);
        let file = File::open(plain).unwrap();
        here.seal(file, key, &mut unwatched).unwrap()
    });
    measure("open and read", size, None, || {
        let mut opened = here.read(&sealed.hash, &sealed.key).unwrap();
        let mut buffer = vec![0; 1 << 16];
        while opened.read(&mut buffer).unwrap() > 0 {}
    });
    let wanted = place.join("saved");
    let (saved, _) = measure("save, durable", size, Some(limits.disk), || {
        here.save(&sealed.hash, &sealed.key, &wanted, &mut unwatched)
            .unwrap()
    });
    std::fs::remove_file(saved).unwrap();
    std::fs::remove_file(plain).unwrap();
    sealed
}

/// Serving, receiving, and both at once.
fn travel(place: &Path, here: &Folder, sealed: &Sealed, limits: &Limits) {
    let there = Folder::open(&place.join("there")).unwrap();
    let size = sealed.sealed_size;
    let all = Ranges::whole(size);
    let serve = || here.serve(&sealed.hash, &all).unwrap();
    let receive = || -> Incoming {
        let incoming = there.receive(&sealed.hash, size, u64::MAX).unwrap();
        incoming.unwrap()
    };
    measure(
        "serve to nobody, one thread",
        size,
        Some(limits.hash),
        || {
            serve().write(io::sink()).unwrap();
        },
    );
    let mut slice = Vec::new();
    serve().write(&mut slice).unwrap();
    let receiving = Some(limits.hash_and_cache());
    measure("receive from memory, one thread", size, receiving, || {
        receive().take(&all, &slice[..], &mut unwatched).unwrap();
    });
    drop(slice);
    there.remove(&sealed.hash).unwrap();
    measure("serve to receive, two threads", size, receiving, || {
        let (writer, reader) = pipe();
        let serving = serve();
        let serving = std::thread::spawn(move || serving.write(writer).unwrap());
        receive().take(&all, reader, &mut unwatched).unwrap();
        serving.join().unwrap();
    });
    let restarted = Folder::open(&place.join("there")).unwrap();
    measure("prove after a restart", size, Some(limits.hash), || {
        let State::Partial { present, .. } = restarted.state(&sealed.hash).unwrap() else {
            return assert!(size <= 16, "it is coming");
        };
        assert!(present.covers(&all));
    });
    measure("finish", size, None, || receive().finish().unwrap());
}

/// A thousand files of 1 KiB.
fn small(here: &Folder) {
    let begun = Instant::now();
    let mut batch = here.batch().unwrap();
    for number in 0..1000_u32 {
        let mut key = [9; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        let key = FreshKey::from_random(key);
        let file = [number as u8; 1024];
        batch.seal(&file[..], key, &mut unwatched).unwrap();
    }
    batch.commit().unwrap();
    println!("1,000 files of 1 KiB, durable: {:?}", begun.elapsed());
}

/// Prints and returns MB/s, with the share of a limit that was measured before.
fn measure<T>(what: &str, bytes: u64, limit: Option<f64>, act: impl FnOnce() -> T) -> (T, f64) {
    let (begun, before) = (Instant::now(), worked());
    let done = act();
    let megabytes = bytes as f64 / 1e6;
    let rate = megabytes / begun.elapsed().as_secs_f64();
    let each = megabytes / (worked() - before).max(0.01);
    let share = limit.map(|limit| format!("{:.0} % of its limit", 100.0 * rate / limit));
    let share = share.unwrap_or_default();
    println!("{what:32} {rate:6.0} MB/s  {each:6.0} MB per second of a core  {share}");
    (done, rate)
}

/// Seconds that cores worked for this process, in hundredths (Linux; elsewhere none).
fn worked() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

/// A pipe in memory, of at most 16 writes, whose buffers go round.
fn pipe() -> (PipeWriter, PipeReader) {
    let (full, filled) = sync_channel(16);
    let (empty, emptied) = sync_channel(16);
    let (left, at) = (Vec::new(), 0);
    let reader = PipeReader {
        filled,
        empty,
        left,
        at,
    };
    (PipeWriter { full, emptied }, reader)
}

struct PipeWriter {
    full: SyncSender<Vec<u8>>,
    emptied: Receiver<Vec<u8>>,
}

struct PipeReader {
    filled: Receiver<Vec<u8>>,
    empty: SyncSender<Vec<u8>>,
    left: Vec<u8>,
    at: usize,
}

impl Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut buffer = self.emptied.try_recv().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(bytes);
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.full.send(buffer).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for PipeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.left.len() {
            let Ok(next) = self.filled.recv() else {
                return Ok(0);
            };
            let _ = self.empty.try_send(std::mem::replace(&mut self.left, next));
            self.at = 0;
        }
        let read = (&self.left[self.at..]).read(buffer)?;
        self.at += read;
        Ok(read)
    }
}
