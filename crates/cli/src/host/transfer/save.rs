//! Files of a message, put where a person wants them; fetched first where they are not here.

use std::{path::Path, sync::Arc, time::Duration};

use tenet_apps::chat::file::File;
use tenet_blob::{BlobKey, Folder, unwatched};
use tenet_delivery::fetch::{FetchState, Fetches};
use tenet_log::ids::EventId;
use tenet_node::{
    command::{Command, Contents, TransferChange},
    query,
};
use tenet_rpc::api;
use tenet_store::Store;
use tokio::{task::spawn_blocking, time::timeout};

use super::{
    super::shared::{Shared, failed as store_failed},
    failed, hash,
};

/// How long to wait for contents where nothing else is asked for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Saves the files of a message into a folder; tells where they are.
pub(in super::super) async fn save(
    shared: Arc<Shared>,
    id: EventId,
    wanted: api::Save,
) -> Result<api::Saved, api::Error> {
    let (files, whole) = files_of(&shared, id).await?;
    if files.is_empty() {
        return Err(api::Error::not_found(format!("message {id} has no files")));
    }
    if !whole {
        let patience = wanted.timeout_ms.map_or(PATIENCE, Duration::from_millis);
        fetch(&shared, id, patience).await?;
    }
    let folder = shared.transfers.folder.clone();
    let paths = spawn_blocking(move || save_all(&folder, &files, Path::new(&wanted.to))).await;
    let paths = paths.map_err(|error| api::Error::internal(error.to_string()))??;
    Ok(api::Saved { paths })
}

fn save_all(folder: &Folder, files: &[File], to: &Path) -> Result<Vec<String>, api::Error> {
    if !to.is_dir() {
        let message = format!("{} is no folder to save into", to.display());
        return Err(api::Error::not_found(message));
    }
    let mut paths = Vec::with_capacity(files.len());
    for file in files {
        let key = BlobKey::from_bytes(*file.key());
        let place = to.join(file.name());
        let saved = folder
            .save(&hash(file.content()), &key, &place, &mut unwatched)
            .map_err(|error| failed(&error))?;
        paths.push(saved.display().to_string());
    }
    Ok(paths)
}

/// Asks for what is missing and waits until it is here.
async fn fetch(shared: &Arc<Shared>, id: EventId, patience: Duration) -> Result<(), api::Error> {
    let mut changes = shared.transfers.changes.subscribe();
    shared
        .command(Command::Transfer {
            of: Contents::Message(id),
            change: TransferChange::Resume,
        })
        .await?;
    let arrival = async {
        while !files_of(shared, id).await?.1 {
            if changes.changed().await.is_err() {
                break;
            }
        }
        Ok(())
    };
    timeout(patience, arrival).await.unwrap_or_else(|_| {
        Err(api::Error::failure(
            "not here yet; it goes on coming while tenet up runs and the other can be reached",
        ))
    })
}

/// The files of a message, and whether all of them are here.
async fn files_of(shared: &Arc<Shared>, id: EventId) -> Result<(Vec<File>, bool), api::Error> {
    let me = shared.own.identity;
    let found = move |store: &Store| {
        let shown = query::message(store, me, id).map_err(store_failed)?;
        let shown =
            shown.ok_or_else(|| api::Error::not_found(format!("there is no message {id}")))?;
        let files = shown.message.files;
        let mut whole = true;
        for file in &files {
            let fetch = store.fetch(file.content()).map_err(store_failed)?;
            whole &= fetch.is_some_and(|fetch| fetch.state == FetchState::Whole);
        }
        Ok((files, whole))
    };
    shared.read(found).await?
}
