//! What this person says of themselves, asked for and changed.

use std::{fs, io, sync::Arc};

use tenet_apps::contacts::profile::{self, Profile};
use tenet_log::store::LogStore;
use tenet_media::PICTURE_LIMIT;
use tenet_node::command::Command;
use tenet_rpc::api;
use tenet_store::Store;
use tokio::task::spawn_blocking;

use super::{
    present,
    shared::{Shared, failed},
};

/// What this person says of themselves.
pub(super) fn shown(shared: &Shared, store: &Store) -> Result<api::ProfileInfo, api::Error> {
    let own = &shared.own;
    let mut said = Vec::new();
    for session in own.sessions() {
        said.extend(store.registers(session).map_err(failed)?);
    }
    let said = profile::latest(&said).and_then(|said| Profile::decode(said.value()).ok());
    let said = said.unwrap_or_else(|| Profile {
        name: own.name(),
        ..Profile::default()
    });
    Ok(present::profile(own, &said))
}

/// Says something else; a picture is made small first.
pub(super) async fn set(
    shared: Arc<Shared>,
    wanted: api::ProfileSet,
) -> Result<api::ProfileInfo, api::Error> {
    let picture = match wanted.avatar {
        None => None,
        Some(path) if path.is_empty() => Some(None),
        Some(path) => Some(Some(small_picture(path).await?)),
    };
    let command = Command::Profile {
        name: wanted.name,
        status: wanted.status,
        picture,
    };
    shared.command(command).await?;
    let asking = Arc::clone(&shared);
    shared.read(move |store| shown(&asking, store)).await?
}

/// A picture, made small.
pub(super) async fn small_picture(path: String) -> Result<Vec<u8>, api::Error> {
    let made = spawn_blocking(move || small(&path)).await;
    made.map_err(|error| api::Error::internal(error.to_string()))?
}

fn small(path: &str) -> Result<Vec<u8>, api::Error> {
    let unreadable = |error: io::Error| {
        let message = format!("cannot read {path}: {error}");
        match error.kind() {
            io::ErrorKind::NotFound => api::Error::not_found(message),
            _ => api::Error::failure(message),
        }
    };
    let no_picture = || {
        api::Error::usage(format!(
            "{path} is no picture that can be shown: a JPEG, PNG, GIF or WebP of at most 64 MiB"
        ))
    };
    if fs::metadata(path).map_err(unreadable)?.len() > PICTURE_LIMIT {
        return Err(no_picture());
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let preview = tenet_media::preview(&bytes);
    preview.map(|preview| preview.jpeg).ok_or_else(no_picture)
}
