//! What there is of files, and what is on its way.

use tenet_delivery::fetch::{FetchState, Fetches};
use tenet_identity::did;
use tenet_log::ids::BlobId;
use tenet_node::query::{self, Named};
use tenet_rpc::api::{self, FileKind};
use tenet_store::Store;

use super::{
    super::{
        naming, present,
        shared::{Shared, failed},
    },
    Meter,
};

/// How many files a list has if nothing else is asked for.
const PAGE: u32 = 50;
/// The most files of a list.
const MAX_PAGE: u32 = 1000;

/// The files of a conversation.
pub(in super::super) fn files(
    shared: &Shared,
    store: &Store,
    wanted: &api::Files,
) -> Result<api::FileList, api::Error> {
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE) as usize;
    let before = wanted.before.as_deref().map(naming::read).transpose()?;
    let before = before.map(|name| name.find(store)).transpose()?;
    let sessions = shared.sessions_of(store, &wanted.who)?;
    let mut found = query::files(store, &sessions, before, limit + 1, |file| {
        wanted
            .kind
            .is_none_or(|kind| kind == FileKind::of(file.name()))
    })
    .map_err(failed)?;
    let more = found.len() > limit;
    if more {
        found.remove(0);
    }
    let files = found.iter().map(|named| listed(shared, named));
    Ok(api::FileList {
        files: files.collect(),
        more,
    })
}

fn listed(shared: &Shared, named: &Named) -> api::ListedFile {
    api::ListedFile {
        message: named.message.to_string(),
        session: named.session.to_string(),
        author: did::encode(&named.identity),
        time: named.time,
        kind: FileKind::of(named.file.name()),
        file: present::file(shared, &named.file, named.state),
    }
}

/// What comes, waits and goes.
pub(in super::super) fn transfers(
    shared: &Shared,
    store: &Store,
) -> Result<api::TransferList, api::Error> {
    let mut transfers = Vec::new();
    for state in [FetchState::Wanted, FetchState::Paused, FetchState::Offered] {
        for fetch in store.fetches(state).map_err(failed)? {
            if transfers.len() == MAX_PAGE as usize {
                break;
            }
            let coming = shared.transfers.lock().get(&fetch.blob).cloned();
            let meter = coming.as_ref().map(|coming| &coming.meter);
            transfers.extend(transfer(store, fetch.blob, state.name(), meter)?);
        }
    }
    let going: Vec<_> = shared.transfers.lock_going().values().cloned().collect();
    for going in going {
        transfers.extend(transfer(store, going.blob, "giving", Some(&going.meter))?);
    }
    Ok(api::TransferList { transfers })
}

/// A content on its way; `None` where no message that is shown has it.
fn transfer(
    store: &Store,
    blob: BlobId,
    state: &str,
    meter: Option<&Meter>,
) -> Result<Option<api::Transfer>, api::Error> {
    let named = query::file(store, blob).map_err(failed)?;
    Ok(named.map(|named| api::Transfer {
        id: blob.to_string(),
        name: named.file.name().to_owned(),
        message: named.message.to_string(),
        session: named.session.to_string(),
        // The meter counts the sealed form, which is a little longer.
        done: meter.map_or(0, Meter::done).min(named.file.size()),
        size: named.file.size(),
        came: meter.map_or(0, Meter::came),
        rate: meter.map_or(0, Meter::rate),
        state: state.to_owned(),
    }))
}
