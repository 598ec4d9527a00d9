//! Contents of files between the network and the disk; the engine says which, from and to whom.
//!
//! ```text
//! Output::Fetch  ── fetch ── Network::ask ══ chunks ══▶ Incoming ──▶ Input::Fetched
//! Output::Answer ── serve ── Slice ══ chunks ══▶ Answering
//! a path         ── seal  ── Batch ──▶ Command::Send
//! a place        ◀─ save  ── Folder
//! ```
//!
//! Disks block: whatever touches one runs on a thread that may.

mod claims;
mod fetch;
mod finish;
mod list;
mod meter;
mod name;
mod pipe;
mod save;
mod seal;
mod serve;
mod shows;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::shared::Shared;
use claims::Claims;
use finish::Finishing;
use meter::Meter;
use tenet_blob::{BlobHash, Folder, Ranges, State};
use tenet_delivery::fetch::Fetches;
use tenet_log::ids::BlobId;
use tenet_rpc::api;
use tenet_store::Store;
use tokio::{sync::watch, task::spawn_blocking};

pub(super) use fetch::fetch;
pub(super) use list::{files, transfers};
pub(super) use name::Contents;
pub(super) use save::save;
pub(super) use seal::{Sealing, seal};
pub(super) use serve::{refuse, serve};

/// The contents of files, at rest and on their way.
pub(super) struct Transfers {
    folder: Folder,
    coming: Mutex<BTreeMap<BlobId, Arc<Coming>>>,
    /// Answers under way, by a number of their own.
    going: Mutex<BTreeMap<u64, Arc<Going>>>,
    next: AtomicU64,
    finishing: Finishing,
    /// Changes when a content is here, or stands differently.
    changes: watch::Sender<u64>,
}

/// A content that is on its way here, from all its sources.
#[derive(Default)]
pub(super) struct Coming {
    meter: Meter,
    claims: Arc<Claims>,
    /// Nothing more of it is wanted.
    stopped: watch::Sender<bool>,
    /// Whether it was made durable; whoever finds it whole first does so.
    finished: tokio::sync::Mutex<bool>,
    begun: AtomicBool,
    sources: AtomicU64,
}

/// A content that is on its way to another device.
struct Going {
    blob: BlobId,
    meter: Meter,
}

impl Transfers {
    /// Opens the folder of contents and removes what no event names, and copies that were removed.
    pub(super) fn open(folder: &Path, store: &Store) -> Result<Self, api::Error> {
        let folder = Folder::open(&folder.join("files")).map_err(|error| failed(&error))?;
        folder
            .sweep(|hash| match store.fetch(id(hash)) {
                // Of what is only offered a copy was removed here, and the removal cut short.
                Ok(fetch) => fetch.is_some_and(|fetch| fetch.state.reserves()),
                // What cannot be looked up is not thrown away.
                Err(_) => true,
            })
            .map_err(|error| failed(&error))?;
        Ok(Self {
            folder,
            coming: Mutex::default(),
            going: Mutex::default(),
            next: AtomicU64::new(0),
            finishing: Finishing::default(),
            changes: watch::Sender::new(0),
        })
    }

    /// How many bytes of a content that is coming are here.
    pub(super) fn verified(&self, blob: BlobId) -> Option<u64> {
        let coming = self.lock().get(&blob).map(Arc::clone)?;
        Some(coming.meter.done())
    }

    /// Notes that a content goes to another device, until [`Self::gone`] is told its number.
    fn going(&self, blob: BlobId) -> (u64, Arc<Going>) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let going = Arc::new(Going {
            blob,
            meter: Meter::default(),
        });
        self.lock_going().insert(number, Arc::clone(&going));
        (number, going)
    }

    fn gone(&self, number: u64) {
        self.lock_going().remove(&number);
    }

    /// Stops fetching a content; what came stays.
    pub(super) fn stop(&self, blob: BlobId) {
        if let Some(coming) = self.lock().get(&blob) {
            coming.stopped.send_replace(true);
        }
        self.note_change();
    }

    /// Removes contents whose message was not written.
    pub(super) async fn discard(&self, contents: Vec<BlobId>) {
        let folder = self.folder.clone();
        let discard = move || {
            for content in contents {
                if let Err(error) = folder.remove(&hash(content)) {
                    // The next start sweeps it.
                    tracing::debug!(%error, "a content that nobody names stays");
                }
            }
        };
        if spawn_blocking(discard).await.is_err() {
            tracing::error!("contents that nobody names stay");
        }
    }

    /// Which of these contents are not what their names say, or not here; all of each is read.
    pub(super) fn damaged(&self, contents: &[BlobId]) -> Vec<BlobId> {
        let is_damaged = |blob: &&BlobId| !self.is_whole(**blob);
        contents.iter().filter(is_damaged).copied().collect()
    }

    fn is_whole(&self, blob: BlobId) -> bool {
        let Ok(State::Whole { size }) = self.folder.state(&hash(blob)) else {
            return false;
        };
        let slice = self.folder.serve(&hash(blob), &Ranges::whole(size));
        slice.is_ok_and(|slice| slice.write(std::io::sink()).is_ok())
    }

    /// Whether all of a content is here.
    pub(super) fn is_here(&self, blob: BlobId) -> bool {
        matches!(self.folder.state(&hash(blob)), Ok(State::Whole { .. }))
    }

    /// Notes that a content stands differently.
    pub(super) fn note_change(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn lock_going(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Going>>> {
        self.going.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<BlobId, Arc<Coming>>> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes what is here of a content that the engine wants no more.
pub(super) fn discard(shared: &Arc<Shared>, blob: BlobId) {
    let transfers = Arc::clone(shared);
    shared.runtime.spawn(async move {
        transfers.transfers.discard(vec![blob]).await;
        transfers.transfers.note_change();
    });
}

fn id(hash: &BlobHash) -> BlobId {
    BlobId::from(*hash.as_bytes())
}

fn hash(id: BlobId) -> BlobHash {
    BlobHash::from_bytes(*id.as_bytes())
}

fn failed(error: &tenet_blob::Error) -> api::Error {
    use tenet_blob::Error as E;
    match error {
        E::Full => {
            api::Error::failure("the disk is full; nothing was kept, make room and try again")
        }
        E::Source(cause) | E::Sink(cause) | E::Disk(cause) => {
            api::Error::failure(format!("{error}: {cause}"))
        }
        error => api::Error::failure(error.to_string()),
    }
}
