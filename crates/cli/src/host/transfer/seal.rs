//! Files on their way out: sealed and durable before the message that names them is written.

use std::{fs::File as OsFile, io, path::Path, sync::Arc};

use tenet_apps::chat::file::{File, MAX_FILES};
use tenet_blob::{Batch, Folder, FreshKey, unwatched};
use tenet_media::Cleaned;
use tenet_rpc::api;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::{
    super::shared::Shared,
    failed, id,
    shows::{self, Prepared},
};

/// How files are sent.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Sealing {
    /// As they are, with all that they tell of place, time and device.
    pub(in super::super) keep_metadata: bool,
    /// As voice notes.
    pub(in super::super) voice: bool,
}

/// Seals the files at these paths, all or none.
pub(in super::super) async fn seal(
    shared: &Arc<Shared>,
    paths: Vec<String>,
    how: Sealing,
) -> Result<Vec<File>, api::Error> {
    let folder = shared.transfers.folder.clone();
    spawn_blocking(move || seal_all(&folder, &paths, how))
        .await
        .map_err(|error| api::Error::internal(error.to_string()))?
}

fn seal_all(folder: &Folder, paths: &[String], how: Sealing) -> Result<Vec<File>, api::Error> {
    let count = paths.len();
    if count > MAX_FILES {
        let message = format!("one message takes {MAX_FILES} files, not {count}; send several");
        return Err(api::Error::usage(message));
    }
    let mut batch = folder.batch().map_err(|error| failed(&error))?;
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        files.push(seal_one(&mut batch, Path::new(path), how)?);
    }
    batch.commit().map_err(|error| failed(&error))?;
    Ok(files)
}

fn seal_one(batch: &mut Batch, path: &Path, how: Sealing) -> Result<File, api::Error> {
    let shown = path.display();
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| api::Error::usage(format!("{shown} has no name to send")))?;
    let mut source = OsFile::open(path).map_err(|error| unreadable(path, &error))?;
    let kind = source
        .metadata()
        .map_err(|error| unreadable(path, &error))?
        .file_type();
    if kind.is_dir() {
        let message = format!("{shown} is a folder; pack it into one file first");
        return Err(api::Error::usage(message));
    }
    // What is no file, a pipe say, can be read only once: it goes as it is.
    let prepared = match kind.is_file() {
        true => shows::prepare(&mut source, path, how)?,
        false => Prepared::default(),
    };
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(|error| api::Error::internal(error.to_string()))?;
    let key = FreshKey::from_random(*key);
    let sealed = match prepared.cleaned {
        Cleaned::Rewritten(bytes) => batch.seal(bytes.as_slice(), key, &mut unwatched),
        Cleaned::Patched(patches) => batch.seal(patches.apply(source), key, &mut unwatched),
        Cleaned::Unknown | Cleaned::Clean => batch.seal(source, key, &mut unwatched),
    };
    let sealed = sealed.map_err(|error| match error {
        tenet_blob::Error::Source(error) => unreadable(path, &error),
        error => failed(&error),
    })?;
    File::new(
        name.to_owned(),
        sealed.plain_size,
        id(&sealed.hash),
        *sealed.key.as_bytes(),
    )
    .map(|file| file.showing(prepared.shows))
    .map_err(|error| api::Error::usage(format!("{shown}: {error}")))
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> api::Error {
    let message = format!("cannot read {}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::NotFound => api::Error::not_found(message),
        _ => api::Error::failure(message),
    }
}
