//! A log file that never grows beyond a size: the full one is set aside, the oldest goes.
//!
//! ```text
//! tenet.log  ──full──▶  tenet.log.1  ──▶  tenet.log.2  ──▶  …  ──▶  gone
//! ```

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rustix::fs::{FlockOperation, flock};
use tracing_subscriber::fmt::MakeWriter;

/// Bytes of one file: some 40,000 lines.
const MAX_BYTES: u64 = 4 << 20;

/// How many full files are kept beside the present one.
const KEPT: u32 = 4;

/// A file that is written line by line, from any thread.
#[derive(Debug)]
pub(super) struct Rotating(Mutex<Current>);

#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: File,
    most: u64,
}

/// One line on its way into the file.
#[derive(Debug)]
pub(super) struct Line<'a>(&'a Rotating);

impl Rotating {
    /// Goes on writing at the end of a file, or makes it.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::with_size(path, MAX_BYTES)
    }

    fn with_size(path: &Path, most: u64) -> io::Result<Self> {
        Ok(Self(Mutex::new(Current {
            path: path.to_owned(),
            file: append(path)?,
            most,
        })))
    }
}

impl<'a> MakeWriter<'a> for Rotating {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut current = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        current.write(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Current {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        // Looked at each time: other processes of the home write here too.
        let written = self.file.metadata()?.len();
        if written > 0 && written.saturating_add(length) > self.most {
            self.rotate()?;
        }
        self.file.write_all(line)
    }

    /// Of several processes, the first sets the full file aside, and the others go on in the new one.
    fn rotate(&mut self) -> io::Result<()> {
        flock(&self.file, FlockOperation::LockExclusive)?;
        let (ours, there) = (self.file.metadata()?, fs::metadata(&self.path));
        if there.is_ok_and(|there| there.ino() != ours.ino() || there.dev() != ours.dev()) {
            self.file = append(&self.path)?;
            return Ok(());
        }
        for number in (1..KEPT).rev() {
            set_aside(&aside(&self.path, number), &aside(&self.path, number + 1))?;
        }
        set_aside(&self.path, &aside(&self.path, 1))?;
        self.file = append(&self.path)?;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

fn aside(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    name.into()
}

fn set_aside(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_oldest_lines_go_and_no_line_is_split() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenet.log");
        let log = |number: u32| {
            // As after a restart: the file is gone on with.
            let rotating = Rotating::with_size(&path, 30).unwrap();
            let line = format!("line {number:04}\n");
            rotating.make_writer().write_all(line.as_bytes()).unwrap();
        };
        (0..50).for_each(log);
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        assert_eq!(read(&path), "line 0048\nline 0049\n");
        assert_eq!(read(&aside(&path, 1)), "line 0045\nline 0046\nline 0047\n");
        let oldest = read(&aside(&path, KEPT));
        assert!(oldest.starts_with("line 0036\n"), "{oldest}");
        assert!(!aside(&path, KEPT + 1).exists());
    }

    #[test]
    fn a_line_longer_than_a_file_is_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenet.log");
        let rotating = Rotating::with_size(&path, 4).unwrap();
        for line in ["a long line\n", "another\n"] {
            rotating.make_writer().write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "another\n");
        assert_eq!(
            fs::read_to_string(aside(&path, 1)).unwrap(),
            "a long line\n"
        );
    }
}
