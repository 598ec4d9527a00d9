//! Contents that have come are made durable together: one that comes while others are being written down
//! waits and goes with the next.
//!
//! ```text
//! fetch ── whole ──▶ waiting ──▶ the next free turn takes all of them ── Batch ──▶ each is told
//! ```

use std::sync::{Mutex, MutexGuard, PoisonError};

use tenet_blob::{BlobHash, Error, Folder, Incoming, State};
use tenet_node::input::FetchEnd;
use tokio::{
    sync::{Mutex as Turn, oneshot},
    task::spawn_blocking,
};

use super::fetch::end;

/// What is larger is made durable alone, in bytes: small ones do not wait for its bytes to be written.
const SMALL: u64 = 1 << 20;

/// What has come and is not durable yet.
#[derive(Default)]
pub(super) struct Finishing {
    waiting: Mutex<Vec<Waiting>>,
    turn: Turn<()>,
}

type Finished = Result<(), FetchEnd>;

struct Waiting {
    incoming: Incoming,
    done: oneshot::Sender<Finished>,
}

impl Finishing {
    /// Returns when a content is whole and durable (`BLOB-11`).
    pub(super) async fn finish(&self, folder: &Folder, incoming: Incoming) -> Finished {
        let (done, finished) = oneshot::channel();
        let mut together = vec![Waiting { incoming, done }];
        if together.iter().any(|one| one.incoming.size() > SMALL) {
            write_down(folder, together).await;
        } else {
            self.lock().append(&mut together);
            let _turn = self.turn.lock().await;
            let together = std::mem::take(&mut *self.lock());
            // Whoever had the turn before may have taken this one along.
            if !together.is_empty() {
                write_down(folder, together).await;
            }
        }
        finished.await.unwrap_or(Err(FetchEnd::Interrupted))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write_down(folder: &Folder, together: Vec<Waiting>) {
    let folder = folder.clone();
    let written = spawn_blocking(move || commit(&folder, together)).await;
    if written.is_err() {
        tracing::error!("making contents durable came to no end");
    }
}

fn commit(folder: &Folder, together: Vec<Waiting>) {
    let mut added = Vec::with_capacity(together.len());
    let committed = folder.batch().and_then(|mut batch| {
        for Waiting { incoming, done } in together {
            let hash = *incoming.hash();
            match batch.add(incoming) {
                Ok(()) => added.push((hash, done)),
                Err(error) => tell(done, Err(end(&error))),
            }
        }
        batch.commit()
    });
    for (hash, done) in added {
        let finished = match &committed {
            // One was removed meanwhile; the others have their names, durably.
            Err(Error::Missing) if is_whole(folder, &hash) => Ok(()),
            Err(error) => Err(end(error)),
            Ok(()) => Ok(()),
        };
        tell(done, finished);
    }
}

fn is_whole(folder: &Folder, hash: &BlobHash) -> bool {
    matches!(folder.state(hash), Ok(State::Whole { .. }))
}

fn tell(done: oneshot::Sender<Finished>, finished: Finished) {
    // Who asked may be gone; what is durable stays so.
    let _ = done.send(finished);
}
