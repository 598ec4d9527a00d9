//! Out of a home into a file.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tenet_blob::stream::{Opener, Sealer};
use tenet_blob::{BlobKey, FreshKey};
use tenet_identity::home_file;
use tenet_identity::vault::{Cost, VaultKey};
use zeroize::Zeroizing;

use super::form::{self, Part};
use super::{Error, HEAD, sync_folder_of, unfinished, unpack, write_head};
use crate::home::{Draft, Held, Home, Moved};
use crate::{host, random, time};

/// An identity that is to go: held, so that nobody writes meanwhile, and open.
#[derive(Debug)]
pub struct Moving {
    /// The hold on it.
    pub held: Held,
    /// What opens its store.
    pub key: VaultKey,
    /// Whether it is the usual one.
    pub current: bool,
}

/// What was exported.
#[derive(Debug)]
pub struct Packed {
    /// Where it is.
    pub file: PathBuf,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Puts a home into a file and marks it as moved (`MOVE-5`). Nobody else may be in the home.
///
/// # Errors
/// [`Error`]; the home is as it was then, unless it says that it was moved: [`finish`] goes on.
pub fn pack(
    home: &Home,
    identities: &[Moving],
    file: &Path,
    password: &str,
) -> Result<Packed, Error> {
    let head = prepare(identities, file, password, None)?;
    let moved = Moved {
        at: time::now(),
        head,
        file: file.to_owned(),
    };
    home.mark_moved(&moved)?;
    finish(&moved)
}

/// Puts into a file what another device of each identity needs; the home stays as it is (`MOVE-8`).
///
/// # Errors
/// [`Error`]; there is no file then.
pub fn pack_copy(
    home: &Home,
    identities: &[Moving],
    file: &Path,
    password: &str,
) -> Result<Packed, Error> {
    let head = prepare(identities, file, password, Some(home))?;
    give_head(&head, file)
}

/// Writes and verifies all but the head, which it gives; a copy where the home is given to make it in.
fn prepare(
    identities: &[Moving],
    file: &Path,
    password: &str,
    copy: Option<&Home>,
) -> Result<String, Error> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(crate::home::Error::from)?;
    let rng = &mut random::generator().map_err(crate::home::Error::from)?;
    let head = home_file::seal(rng, &key, password, Cost::DEFAULT)?;
    // As whoever imports it will open it.
    if *home_file::open(&head, password)? != *key {
        return Err(Error::Damaged);
    }
    if file.exists() {
        let source = io::Error::from(io::ErrorKind::AlreadyExists);
        return Err(Error::disk(file)(source));
    }
    let hidden = unfinished(file);
    let written = write(&hidden, &key, identities, copy).and_then(|()| verify(&hidden, &key));
    if let Err(error) = written {
        let _ = fs::remove_file(&hidden);
        return Err(error);
    }
    Ok(head)
}

/// Makes the file of a home that is marked as moved one that can be opened; it may be so already (`MOVE-6`).
///
/// # Errors
/// It is not there, or cannot be written: the home stays moved, and this can be tried again.
pub fn finish(moved: &Moved) -> Result<Packed, Error> {
    give_head(&moved.head, &moved.file)
}

fn give_head(head: &str, file: &Path) -> Result<Packed, Error> {
    let hidden = unfinished(file);
    let failed = Error::disk(file);
    match File::options().write(true).open(&hidden) {
        Ok(written) => {
            let done = write_head(&written, head).and_then(|()| written.sync_all());
            done.and_then(|()| fs::rename(&hidden, file))
                .map_err(failed)?;
            sync_folder_of(file)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let metadata = fs::metadata(file).map_err(Error::disk(file))?;
    Ok(Packed {
        file: file.to_owned(),
        bytes: metadata.len(),
    })
}

/// Writes all but the head, durably.
fn write(
    path: &Path,
    key: &[u8; 32],
    identities: &[Moving],
    copy: Option<&Home>,
) -> Result<(), Error> {
    let failed = || Error::disk(path);
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).map_err(failed())?;
    file.set_len(HEAD)
        .and_then(|()| file.seek(SeekFrom::Start(HEAD)))
        .map_err(failed())?;
    let mut sealer = Sealer::new(file, FreshKey::from_random(*key));
    form::write_head(&mut sealer, copy.is_some()).map_err(failed())?;
    for identity in identities {
        let part = Part::Identity {
            key: identity.key.clone(),
            current: identity.current,
        };
        form::write_part(&mut sealer, &part).map_err(failed())?;
        let folder = identity.held.place().folder();
        let copied = copy.map(|home| copied(home, identity)).transpose()?;
        for name in names(folder)? {
            let from = match &copied {
                Some(copied) if !name.starts_with("files/") => copied.folder().join(&name),
                _ => folder.join(&name),
            };
            // The log of a copy is folded into it.
            if from.exists() {
                write_file(&mut sealer, path, name, &from)?;
            }
        }
    }
    let end = Part::End {
        identities: identities.len() as u64,
    };
    form::write_part(&mut sealer, &end).map_err(failed())?;
    let file = sealer.finish().map_err(failed())?;
    file.sync_all().map_err(failed())?;
    sync_folder_of(path)
}

/// A copy of a store, under its own key, without what is one device's alone: in the home as a draft, so that it
/// is swept whatever happens (`HOME-10`).
fn copied(home: &Home, identity: &Moving) -> Result<Draft, Error> {
    let draft = home.draft()?;
    for name in ["store.db", "store.db-wal"] {
        let from = identity.held.place().folder().join(name);
        let to = draft.folder().join(name);
        if from.exists() {
            fs::copy(&from, &to).map_err(Error::disk(&to))?;
        }
    }
    host::renew(draft.folder(), &identity.key).map_err(Error::Store)?;
    Ok(draft)
}

fn write_file(
    sealer: &mut Sealer<File>,
    path: &Path,
    name: String,
    from: &Path,
) -> Result<(), Error> {
    let file = File::open(from).map_err(Error::disk(from))?;
    let size = file.metadata().map_err(Error::disk(from))?.len();
    form::write_part(sealer, &Part::File { name, size }).map_err(Error::disk(path))?;
    // Nobody writes there meanwhile; if somebody did, the size would tell.
    let copied = io::copy(&mut file.take(size), sealer).map_err(Error::disk(path))?;
    match copied == size {
        true => Ok(()),
        false => Err(Error::Damaged),
    }
}

/// The files of an identity that go with it, in the order in which they are written: the store first.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = vec!["store.db".to_owned()];
    if folder.join("store.db-wal").exists() {
        names.push("store.db-wal".to_owned());
    }
    let files = folder.join("files");
    let entries = match fs::read_dir(&files) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        Err(error) => return Err(Error::disk(&files)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(Error::disk(&files))?;
        let name = format!("files/{}", entry.file_name().to_string_lossy());
        // What is being sealed when a process ends is nobody's.
        if form::is_ours(&name) {
            names.push(name);
        }
    }
    names.sort_by_key(|name| name.starts_with("files/"));
    Ok(names)
}

/// Reads all that was written, as whoever imports it will.
fn verify(path: &Path, key: &[u8; 32]) -> Result<(), Error> {
    let mut file = File::open(path).map_err(Error::disk(path))?;
    file.seek(SeekFrom::Start(HEAD))
        .map_err(Error::disk(path))?;
    let mut opener = Opener::new(BufReader::new(file), &BlobKey::from_bytes(*key));
    unpack::read(&mut opener, &mut unpack::Nowhere).map(|_copy| ())
}
