//! The version of a home's layout: an older program leaves a newer home alone (`HOME-4`).

use std::path::Path;

use super::{Error, files};

/// The version that this program makes and opens.
pub const VERSION: u32 = 1;

const NAME: &str = "format";
const PREFIX: &str = "tenet home ";

/// Whether a folder says that it is a home.
pub(super) fn exists(home: &Path) -> Result<bool, Error> {
    files::exists(&home.join(NAME))
}

/// Makes a folder a home of this version.
pub(super) fn write(home: &Path) -> Result<(), Error> {
    files::write(&home.join(NAME), format!("{PREFIX}{VERSION}\n").as_bytes())
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
    let version = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_prefix(PREFIX)?.strip_suffix('\n')?.parse().ok());
    match version {
        Some(VERSION) => Ok(()),
        Some(version) if version > VERSION => Err(Error::Newer { version }),
        _ => Err(Error::Damaged { path }),
    }
}
