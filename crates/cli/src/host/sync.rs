//! `sync`: connect, send and receive all that is possible, then answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tenet_apps::contacts::store::ContactStore;
use tenet_delivery::outbox::Outbox;
use tenet_node::command::Command;
use tenet_rpc::{
    api,
    server::{Outcome, Pending, answer},
};

use super::shared::{Shared, failed};

/// How long it must be quiet to be done, once everybody is connected.
const QUIET: Duration = Duration::from_millis(300);
/// How long to wait for those who are not connected: a dial that succeeds takes less.
const DIAL: Duration = Duration::from_secs(5);
/// How long at most, if nothing else is asked for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Dials everybody, and waits until nothing more goes to or fro.
pub(super) async fn sync(shared: Arc<Shared>, wanted: api::Sync) -> Outcome {
    let begin = Instant::now();
    let patience = wanted.timeout_ms.map_or(PATIENCE, Duration::from_millis);
    let (delivered, received) = shared.live.counts();
    let mut activity = shared.waiters.activity();
    shared.engine.command(Command::Reach, Box::new(|_| {}));
    let mut pending;
    loop {
        let quiet = tokio::time::timeout(QUIET, activity.changed())
            .await
            .is_err();
        let people;
        (pending, people) = counts(&shared).await?;
        let all_here = shared.live.online().len() as u64 >= people;
        let done = quiet && pending == 0 && all_here;
        let given_up = quiet && begin.elapsed() >= DIAL.min(patience);
        if done || given_up || begin.elapsed() >= patience {
            break;
        }
    }
    let (delivered_now, received_now) = shared.live.counts();
    answer(Ok(api::Synced {
        sent: delivered_now.saturating_sub(delivered),
        received: received_now.saturating_sub(received),
        pending,
    }))
}

/// How many own messages wait, and how many people there are to reach.
async fn counts(shared: &Arc<Shared>) -> Result<(u64, u64), api::Error> {
    let (answerer, pending) = Pending::channel();
    shared.reader.read(move |store| {
        let counts = store
            .pending_events()
            .map_err(failed)
            .and_then(|pending| Ok((pending, store.contacts().map_err(failed)?.len() as u64)));
        answerer.answer(answer(counts));
    });
    serde_json::from_str(&pending.await?).map_err(|error| api::Error::internal(error.to_string()))
}
