//! Who an identity is, seen without opening it as a node.

use std::path::Path;

use tenet_apps::own::OwnStore;
use tenet_identity::{card, did, keys::DeviceKey, secrets::Secrets, vault::VaultKey};
use tenet_log::store::{Durability, Transactions};
use tenet_rpc::api;
use tenet_store::Store;
use zeroize::Zeroizing;

use super::{present, shared::failed, store_path};
use crate::{random, time};

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

/// Makes the store in a folder, a copy of another device's, that of a device of its own, with keys and a card
/// that nobody has seen (`MOVE-9`).
///
/// # Errors
/// The store's; that the identity's key is not in it, so that no card can be made.
pub fn renew(folder: &Path, key: &VaultKey) -> Result<(), api::Error> {
    let mut store = writer(folder, key)?;
    let secrets = under_other_keys(secrets(&store)?)?;
    store.leave_device(&secrets).map_err(failed)
}

/// Gives the device itself other keys, which nobody has seen: device and endpoint (`MOVE-9`, `device renew`).
///
/// # Errors
/// The store's; that the identity's key is not in it, so that no card can be made.
pub fn rekey(folder: &Path, key: &VaultKey) -> Result<(), api::Error> {
    let mut store = writer(folder, key)?;
    let old = secrets(&store)?;
    let former = old.device.public();
    let secrets = under_other_keys(old)?;
    store
        .begin()
        .and_then(|()| store.put_former_device(former))
        .and_then(|()| store.put_secrets(&secrets))
        .and_then(|()| store.commit(Durability::Power))
        .and_then(|()| store.checkpoint())
        .map_err(failed)
}

fn under_other_keys(old: Secrets) -> Result<Secrets, api::Error> {
    let Some(identity) = old.identity else {
        return Err(api::Error::refused(
            "this device does not hold the identity's key, so it cannot make another card; let another \
             device in by a link: tenet device link",
        ));
    };
    let broken = |error: &dyn std::fmt::Display| api::Error::internal(error.to_string());
    let device = DeviceKey::generate(&mut random::generator().map_err(|error| broken(&error))?);
    let mut endpoint = Zeroizing::new([0; 32]);
    getrandom::fill(endpoint.as_mut_slice()).map_err(|error| broken(&error))?;
    let card = card::issue(&identity, device.public(), old.card.name(), time::now())
        .map_err(|error| broken(&error))?;
    Ok(Secrets {
        identity: Some(identity),
        device,
        endpoint,
        card,
        ..old
    })
}

fn writer(folder: &Path, key: &VaultKey) -> Result<Store, api::Error> {
    Store::open(&store_path(folder), key.as_bytes()).map_err(|error| present::open_error(&error))
}

fn reader(folder: &Path, key: &VaultKey) -> Result<Store, api::Error> {
    Store::open_reader(&store_path(folder), key.as_bytes())
        .map_err(|error| present::open_error(&error))
}

fn secrets(store: &Store) -> Result<Secrets, api::Error> {
    let secrets = store.secrets().map_err(failed)?;
    secrets.ok_or_else(|| api::Error::failure("the store holds no identity; run `tenet doctor`"))
}
