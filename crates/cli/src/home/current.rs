//! Which identity is meant where none is named (`HOME-703`): its folder's random name.

use std::path::Path;

use super::{Error, files};

const NAME: &str = "current";

/// The name that was chosen, if any; what is no text chooses none.
pub(super) fn read(home: &Path) -> Result<Option<String>, Error> {
    let bytes = files::read(&home.join(NAME))?;
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(text.map(|text| text.trim().to_owned()))
}

/// Chooses, unless it is chosen already.
pub(super) fn write(home: &Path, name: &str) -> Result<(), Error> {
    match read(home)?.as_deref() == Some(name) {
        true => Ok(()),
        false => files::write(&home.join(NAME), format!("{name}\n").as_bytes()),
    }
}
