//! Who an identity is, seen without opening it as a node.

use std::path::Path;

use tenet_identity::{did, secrets::Secrets, vault::VaultKey};
use tenet_rpc::api;
use tenet_store::Store;
use zeroize::Zeroizing;

use super::{present, shared::failed, store_path};

/// Who an identity is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its DID.
    pub did: String,
    /// What it calls itself; as of the last time that it was closed in good order, where no node runs.
    pub name: String,
    /// The device.
    pub device: String,
}

/// Reads who an identity is out of the store in its folder; nothing is changed.
///
/// # Errors
/// The store's.
pub fn peek(folder: &Path, key: &VaultKey) -> Result<Known, api::Error> {
    let store = reader(folder, key)?;
    let secrets = secrets(&store)?;
    Ok(Known {
        did: did::encode(&secrets.card.identity()),
        name: store.own_name().map_err(failed)?,
        device: secrets.device.public().to_string(),
    })
}

/// The seed of an identity's phrase, where the phrase is held.
///
/// # Errors
/// The store's.
pub fn phrase_seed(
    folder: &Path,
    key: &VaultKey,
) -> Result<Option<Zeroizing<[u8; 64]>>, api::Error> {
    let phrase = secrets(&reader(folder, key)?)?.phrase;
    Ok(phrase.map(|phrase| phrase.seed()))
}

fn reader(folder: &Path, key: &VaultKey) -> Result<Store, api::Error> {
    Store::open_reader(&store_path(folder), key.as_bytes())
        .map_err(|error| present::open_error(&error))
}

fn secrets(store: &Store) -> Result<Secrets, api::Error> {
    let secrets = store.secrets().map_err(failed)?;
    secrets.ok_or_else(|| api::Error::failure("the store holds no identity; run `tenet doctor`"))
}
