//! Small texts in files: contact cards, sealed links, key files.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use tenet_rpc::api::Error;

use crate::failure::Outcome;

/// Larger than any file that is written here.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// All of a file, or of stdin for `-`.
pub(super) fn read(path: &Path) -> Outcome<String> {
    let failed = |error: std::io::Error| {
        let message = format!("{} cannot be read: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::NotFound => Error::not_found(message),
            _ => Error::failure(message),
        }
    };
    let mut text = String::new();
    if path == Path::new("-") {
        let mut stdin = std::io::stdin().take(MAX_FILE_BYTES);
        stdin.read_to_string(&mut text).map_err(failed)?;
    } else {
        let file = fs::File::open(path).map_err(failed)?;
        let mut file = file.take(MAX_FILE_BYTES);
        file.read_to_string(&mut text).map_err(failed)?;
    }
    Ok(text)
}

/// A new file that only this user can read: what is sealed is a secret with a weak lock.
pub(super) fn write(path: &Path, text: &str) -> Outcome {
    let failed = |error: std::io::Error| {
        Error::failure(format!("{} cannot be written: {error}", path.display()))
    };
    let mut options = fs::OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).map_err(failed)?;
    writeln!(file, "{text}").map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(())
}
