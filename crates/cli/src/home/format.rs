//! The version of a home's layout: an older program leaves a newer home alone (`HOME-4`).

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::{Error, files};

/// The version that this program makes and opens.
pub const VERSION: u32 = 1;

const NAME: &str = "format";
const PREFIX: &str = "tenet home ";
/// What stands there instead once the home was moved: every release refuses to open it.
const MOVED: &[u8] = b"tenet home moved\n";

/// Where a home went that was moved (`MOVE-5`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// When, in milliseconds.
    pub at: u64,
    /// What opens the file, under its password: written here first, and then into the file.
    pub head: String,
    /// The file.
    pub file: PathBuf,
}

/// Whether a folder says that it is a home.
pub(super) fn exists(home: &Path) -> Result<bool, Error> {
    files::exists(&home.join(NAME))
}

/// Makes a folder a home of this version.
pub(super) fn write(home: &Path) -> Result<(), Error> {
    files::write(&home.join(NAME), format!("{PREFIX}{VERSION}\n").as_bytes())
}

/// The home is moved from now on, whatever happens next.
pub(super) fn write_moved(home: &Path, moved: &Moved) -> Result<(), Error> {
    let (at, head) = (moved.at, &moved.head);
    let mut bytes = MOVED.to_vec();
    bytes.extend_from_slice(format!("{at}\n{head}\n").as_bytes());
    bytes.extend_from_slice(moved.file.as_os_str().as_bytes());
    files::write(&home.join(NAME), &bytes)
}

/// When, what opens it, and the file's name, which may have any bytes in it.
fn read_moved(bytes: &[u8]) -> Option<Moved> {
    let mut lines = bytes.strip_prefix(MOVED)?.splitn(3, |byte| *byte == b'\n');
    let mut text = || std::str::from_utf8(lines.next()?).ok().map(str::to_owned);
    let (at, head) = (text()?.parse().ok()?, text()?);
    let file = OsString::from_vec(lines.next()?.to_vec()).into();
    Some(Moved { at, head, file })
}

/// Refuses a folder that is no home, or one of another version.
pub(super) fn check(home: &Path) -> Result<(), Error> {
    let path = home.join(NAME);
    let Some(bytes) = files::read(&path)? else {
        return if files::list(home)?.is_empty() {
            Err(Error::NoIdentity)
        } else {
            Err(Error::Foreign {
                path: home.to_owned(),
            })
        };
    };
    if let Some(moved) = read_moved(&bytes) {
        return Err(Error::Moved(Box::new(moved)));
    }
    let version = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_prefix(PREFIX)?.strip_suffix('\n')?.parse().ok());
    match version {
        Some(VERSION) => Ok(()),
        Some(version) if version > VERSION => Err(Error::Newer { version }),
        _ => Err(Error::Damaged { path }),
    }
}
