//! `sync`: connect, send and receive all that is possible, then answer.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use tenet_apps::{
    chat::store::{ChatStore, MessageRow},
    contacts::{request::Decision, store::ContactStore},
};
use tenet_delivery::outbox::Outbox;
use tenet_log::{ids::EventId, store::StoreError};
use tenet_node::command::Command;
use tenet_rpc::{
    api,
    server::{Outcome, Pending, answer},
};
use tenet_store::Store;

use super::{
    live::Counted,
    shared::{Shared, failed},
};

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
    let tally = shared.live.tally();
    let mut activity = shared.waiters.activity();
    shared.engine.command(Command::Reach, Box::new(|_| {}));
    loop {
        let quiet = tokio::time::timeout(QUIET, activity.changed())
            .await
            .is_err();
        let (pending, people) = waiting(&shared).await?;
        let all_here = shared.live.online().len() as u64 >= people;
        let done = quiet && pending == 0 && all_here;
        let given_up = quiet && begin.elapsed() >= DIAL.min(patience);
        if done || given_up || begin.elapsed() >= patience {
            break;
        }
    }
    let (answerer, pending) = Pending::channel();
    let again = Arc::clone(&shared);
    shared
        .reader
        .read(move |store| answerer.answer(answer(synced(&again, store, &tally.counted()))));
    pending.await
}

/// What was done, in messages and in other events.
fn synced(shared: &Shared, store: &Store, counted: &Counted) -> Result<api::Synced, api::Error> {
    let sent = messages_among(store, &counted.delivered, |_| true)?;
    let received = messages_among(store, &counted.messages, |message| {
        message.order.author.device != shared.own.device
    })?;
    let (events, messages) = (
        store.pending_events().map_err(failed)?,
        store.pending_messages().map_err(failed)?,
    );
    Ok(api::Synced {
        sent,
        received,
        pending: messages,
        other: api::SyncedOther {
            sent: (counted.delivered.len() as u64).saturating_sub(sent),
            pending: events.saturating_sub(messages),
        },
    })
}

fn messages_among(
    store: &Store,
    ids: &BTreeSet<EventId>,
    fits: impl Fn(&MessageRow) -> bool,
) -> Result<u64, api::Error> {
    let mut count = 0;
    for id in ids {
        let message = store.message(*id).map_err(failed)?;
        count += u64::from(message.is_some_and(|message| fits(&message)));
    }
    Ok(count)
}

/// How many own events wait, and how many people there are to reach.
async fn waiting(shared: &Arc<Shared>) -> Result<(u64, u64), api::Error> {
    let (answerer, pending) = Pending::channel();
    shared.reader.read(move |store| {
        let counts = store
            .pending_events()
            .and_then(|pending| Ok((pending, people(store)?)));
        answerer.answer(answer(counts.map_err(failed)));
    });
    serde_json::from_str(&pending.await?).map_err(|error| api::Error::internal(error.to_string()))
}

/// Contacts who are heard, and who was accepted and has not been here since.
fn people(store: &Store) -> Result<u64, StoreError> {
    let mut requests = store.requests()?;
    requests.retain(|request| request.decision == Decision::Accepted);
    let mut contacts = store.contacts()?;
    contacts.retain(|contact| !contact.blocked && !contact.is_over());
    Ok((contacts.len() + requests.len()) as u64)
}
