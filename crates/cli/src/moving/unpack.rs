//! Out of a file into a home.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tenet_blob::BlobKey;
use tenet_blob::stream::Opener;
use tenet_identity::home_file;
use tenet_identity::vault::VaultKey;
use tenet_rpc::api::Secret;

use super::form::{self, Part};
use super::{Error, HEAD, sync_folder_of};
use crate::home::{Draft, Held, Home};
use crate::host::{self, Known};

/// The first bytes of a store are random and say which it is.
const SALT: usize = 16;

/// What was imported.
#[derive(Debug)]
pub struct Unpacked {
    /// Who, and the hold on each.
    pub identities: Vec<(Held, Known)>,
    /// How many were in the file and are here already.
    pub skipped: usize,
    /// Whether the file is done with: it was a move, and all of it is here.
    pub used_up: bool,
}

/// Whatever takes what is in an exported home, piece by piece.
pub(super) trait Sink {
    /// An identity begins.
    fn identity(&mut self, key: VaultKey, current: bool) -> Result<(), Error>;
    /// A file of it, all of which is to be read.
    fn file(&mut self, name: &str, content: &mut dyn Read) -> Result<(), Error>;
}

/// Looks at everything and keeps nothing.
pub(super) struct Nowhere;

/// An identity on its way in.
struct Coming {
    draft: Draft,
    key: VaultKey,
    current: bool,
    /// It is here already.
    skipped: bool,
}

/// Drafts in a home.
struct Into<'a> {
    home: &'a Home,
    coming: Vec<Coming>,
}

/// Imports an exported home: each identity under this machine's secret and the PIN, if there is one (`MOVE-7`).
///
/// # Errors
/// [`Error`]; no identity was added then, unless the disk failed between two of them.
pub fn unpack(
    home: &Home,
    path: &Path,
    password: &str,
    pin: Option<&Secret>,
) -> Result<Unpacked, Error> {
    let mut file = File::open(path).map_err(Error::disk(path))?;
    let key = open_head(&mut file, path, password)?;
    file.seek(SeekFrom::Start(HEAD))
        .map_err(Error::disk(path))?;
    let mut opener = Opener::new(BufReader::new(file), &BlobKey::from_bytes(key));
    let mut into = Into {
        home,
        coming: Vec::new(),
    };
    let copy = read(&mut opener, &mut into)?;
    into.finish(pin, copy)
}

/// Removes a file that has done its work: imported once more, two devices would speak with one voice.
///
/// # Errors
/// It stays, to be removed by hand.
pub fn use_up(path: &Path) -> Result<(), Error> {
    fs::remove_file(path).map_err(Error::disk(path))?;
    sync_folder_of(path)
}

/// Reads all parts to the end; whether it is a copy.
pub(super) fn read(file: &mut impl Read, sink: &mut impl Sink) -> Result<bool, Error> {
    let copy = form::read_head(file)?;
    let mut identities = 0;
    loop {
        match form::read_part(file)? {
            Part::Identity { key, current } => {
                identities += 1;
                sink.identity(key, current)?;
            }
            Part::File { name, size } => {
                if identities == 0 {
                    return Err(Error::Damaged);
                }
                let mut content = file.by_ref().take(size);
                sink.file(&name, &mut content)?;
                if content.limit() > 0 {
                    return Err(Error::Damaged);
                }
            }
            Part::End { identities: said } if said == identities && identities > 0 => break,
            Part::End { .. } => return Err(Error::Damaged),
        }
    }
    // The last segment has come, and nothing behind it.
    match file.read(&mut [0])? {
        0 => Ok(copy),
        _ => Err(Error::Damaged),
    }
}

fn open_head(file: &mut File, path: &Path, password: &str) -> Result<[u8; 32], Error> {
    let mut head = vec![0; HEAD as usize];
    file.read_exact(&mut head)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::Damaged,
            _ => Error::disk(path)(error),
        })?;
    if head.iter().all(|byte| *byte == 0) {
        return Err(Error::Unfinished);
    }
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = std::str::from_utf8(line).map_err(|_| Error::Damaged)?;
    Ok(*home_file::open(text, password)?)
}

impl Sink for Nowhere {
    fn identity(&mut self, _: VaultKey, _: bool) -> Result<(), Error> {
        Ok(())
    }

    fn file(&mut self, _: &str, content: &mut dyn Read) -> Result<(), Error> {
        io::copy(content, &mut io::sink())?;
        Ok(())
    }
}

impl Sink for Into<'_> {
    fn identity(&mut self, key: VaultKey, current: bool) -> Result<(), Error> {
        self.coming.push(Coming {
            draft: self.home.draft()?,
            key,
            current,
            skipped: false,
        });
        Ok(())
    }

    fn file(&mut self, name: &str, content: &mut dyn Read) -> Result<(), Error> {
        let coming = self.coming.last_mut().ok_or(Error::Damaged)?;
        if coming.skipped {
            io::copy(content, &mut io::sink())?;
            return Ok(());
        }
        let path = coming.draft.folder().join(name);
        write(&path, content)?;
        if name == "store.db" && is_here(self.home, &path)? {
            coming.skipped = true;
            fs::remove_file(&path).map_err(Error::disk(&path))?;
        }
        Ok(())
    }
}

impl Into<'_> {
    fn finish(self, pin: Option<&Secret>, copy: bool) -> Result<Unpacked, Error> {
        let home = self.home;
        let (skipped, coming): (Vec<_>, Vec<_>) =
            self.coming.into_iter().partition(|coming| coming.skipped);
        if coming.is_empty() {
            return Err(Error::All);
        }
        let mut known = Vec::new();
        for coming in &coming {
            let folder = coming.draft.folder();
            if copy {
                // Every import of it is another device.
                host::renew(folder, &coming.key).map_err(Error::Store)?;
            }
            let who = host::peek(folder, &coming.key).map_err(Error::Store)?;
            let seed = host::phrase_seed(folder, &coming.key).map_err(Error::Store)?;
            if knows(home, &who, seed.as_deref())? {
                return Err(Error::Exists { did: who.did });
            }
            let pin = pin.map(Secret::expose);
            let vault = coming.draft.vault();
            vault.create(&coming.key, pin, seed.as_deref())?;
            known.push(who);
        }
        let was_empty = home.identities()?.is_empty();
        let mut identities = Vec::new();
        for (coming, known) in coming.into_iter().zip(known) {
            // All of it is on the medium before it has its name.
            sync_all(coming.draft.folder())?;
            let held = coming.draft.finish()?;
            if was_empty && coming.current {
                home.choose(held.place())?;
            }
            identities.push((held, known));
        }
        Ok(Unpacked {
            identities,
            skipped: skipped.len(),
            used_up: !copy,
        })
    }
}

/// Whether this very store is in the home already, whoever can open it.
fn is_here(home: &Home, store: &Path) -> Result<bool, Error> {
    let ours = salt(store)?;
    for place in home.identities()? {
        let path = place.folder().join("store.db");
        if path.exists() && salt(&path)? == ours {
            return Ok(true);
        }
    }
    Ok(false)
}

fn salt(store: &Path) -> Result<Vec<u8>, Error> {
    let mut salt = vec![0; SALT];
    let read = File::open(store).and_then(|mut file| file.read_exact(&mut salt));
    read.map_err(Error::disk(store))?;
    Ok(salt)
}

/// Whether somebody is in the home already, as far as it can be opened without a PIN or with these words.
fn knows(home: &Home, who: &Known, seed: Option<&[u8; 64]>) -> Result<bool, Error> {
    for place in home.identities()? {
        let vault = place.vault();
        let by_words = seed.and_then(|seed| vault.open_phrase(seed).ok());
        let Some(key) = by_words.or_else(|| vault.open(None, 0).ok()) else {
            continue;
        };
        if host::peek(place.folder(), &key).is_ok_and(|known| known.did == who.did) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn write(path: &PathBuf, content: &mut dyn Read) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        let mut builder = fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(folder);
        made.map_err(Error::disk(folder))?;
    }
    let mut options = File::options();
    let options = options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).map_err(Error::disk(path))?;
    io::copy(content, &mut file).map_err(Error::disk(path))?;
    Ok(())
}

/// Everything of the file system that a folder is on is durable.
fn sync_all(folder: &Path) -> Result<(), Error> {
    let opened = File::open(folder).map_err(Error::disk(folder))?;
    rustix::fs::syncfs(&opened).map_err(|error| Error::disk(folder)(error.into()))
}
