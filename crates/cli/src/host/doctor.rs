//! What only the node that holds the home open can check, and what it can mend.
//!
//! ```text
//! look ── damaged events, damaged files ── repair ─▶ fetched again from whoever is there ─▶ look again
//! ```

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use tenet_apps::contacts::store::ContactStore;
use tenet_delivery::fetch::{FetchState, Fetches};
use tenet_log::{
    ids::{BlobId, EventId, SessionId},
    session::Session,
    store::{LogStore, StoreError},
};
use tenet_node::command::{Command, Contents, Reply, TransferChange};
use tenet_rpc::{
    api,
    server::{Outcome, answer},
};
use tenet_store::{Audit, Store};
use tokio::{task::spawn_blocking, time};

use super::{present, shared::Shared};
use crate::time as clock;

/// How long a repair waits for what is damaged to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it looks whether it has come: an event of any kind, or a file, and no notice says that it
/// was the last.
const LOOK: Duration = Duration::from_millis(250);

/// How many events from the future are listed: all that can wait in sixteen sessions.
const MOST_HELD: usize = 4096;

/// What a look found; of what could not be read nothing, for `store` says why.
struct Found {
    store: Result<Vec<String>, StoreError>,
    audit: Option<Audit>,
    held: Option<api::Check>,
    whole: Vec<BlobId>,
}

/// Looks at everything, and with `repair` mends what can be mended.
pub(super) async fn doctor(shared: Arc<Shared>, wanted: api::Doctor) -> Outcome {
    answer(run(&shared, wanted.repair).await)
}

async fn run(shared: &Arc<Shared>, repair: bool) -> Result<api::Checks, api::Error> {
    let (mut found, mut files) = examine(shared).await?;
    let damaged = found.audit.as_ref().map(|audit| audit.damaged.clone());
    let damaged = damaged.unwrap_or_default();
    let miskept = found.audit.as_ref().map(|audit| audit.miskept.clone());
    let miskept = miskept.unwrap_or_default();
    if repair && !(damaged.is_empty() && files.is_empty() && miskept.is_empty()) {
        mend(shared, (damaged, miskept), &files).await;
        (found, files) = examine(shared).await?;
    }
    let tried = repair && shared.network.is_some();
    let mut checks = vec![integrity(found.store)];
    checks.extend(found.audit.map(|audit| log(&audit, tried)));
    checks.push(contents(found.whole.len(), files.len(), tried));
    checks.extend(found.held);
    checks.push(network(shared));
    Ok(api::Checks { checks })
}

/// Reads all that is stored; and which files are damaged.
async fn examine(shared: &Arc<Shared>) -> Result<(Found, Vec<BlobId>), api::Error> {
    let asked = Arc::clone(shared);
    let found = shared.read(move |store| look(&asked, store)).await?;
    let (whole, reads) = (found.whole.clone(), Arc::clone(shared));
    let files = spawn_blocking(move || reads.transfers.damaged(&whole)).await;
    let files = files.map_err(|error| api::Error::internal(error.to_string()))?;
    Ok((found, files))
}

fn look(shared: &Shared, store: &Store) -> Found {
    let whole = store.fetches(FetchState::Whole).unwrap_or_default();
    Found {
        store: store.check_integrity(),
        audit: store.audit().ok(),
        held: quarantine(shared, store).ok(),
        whole: whole.into_iter().map(|fetch| fetch.blob).collect(),
    }
}

/// Asks for everything that is damaged and waits a while for it.
async fn mend(
    shared: &Shared,
    (mut events, mut miskept): (Vec<(SessionId, EventId)>, Vec<SessionId>),
    files: &[BlobId],
) {
    for blob in files {
        for change in [TransferChange::Remove, TransferChange::Resume] {
            let of = Contents::One(*blob);
            command(shared, Command::Transfer { of, change }).await;
        }
    }
    command(shared, Command::Reach).await;
    let end = time::Instant::now() + PATIENCE;
    loop {
        let (events, miskept) = (std::mem::take(&mut events), std::mem::take(&mut miskept));
        let left = match command(shared, Command::Mend { events, miskept }).await {
            Some(Reply::Mending { left }) => left,
            _ => 0,
        };
        let here = files.iter().all(|blob| shared.transfers.is_here(*blob));
        if (left == 0 && here) || time::Instant::now() >= end {
            return;
        }
        time::sleep(LOOK).await;
    }
}

/// What a command came to; nothing where it was refused.
async fn command(shared: &Shared, command: Command) -> Option<Reply> {
    let done = shared.command(command).await;
    done.inspect_err(|error| tracing::warn!(%error, "a repair was refused"))
        .ok()
}

fn check(name: &str, detail: String, advice: Option<String>) -> api::Check {
    api::Check {
        name: name.into(),
        ok: advice.is_none(),
        detail,
        advice,
    }
}

fn integrity(found: Result<Vec<String>, StoreError>) -> api::Check {
    let damage = match found {
        Ok(lines) if lines.is_empty() => None,
        Ok(lines) => Some(lines.join("; ")),
        Err(error) => Some(error.to_string()),
    };
    let advice = damage.is_some().then(|| {
        "keep a copy of the home as it is; what the other side holds comes back when you meet: \
         restore the identity into a new home with `tenet id restore` and invite them again"
            .into()
    });
    let whole = || "every page is whole".into();
    check("store", damage.unwrap_or_else(whole), advice)
}

/// STORE-301.
fn log(audit: &Audit, tried: bool) -> api::Check {
    let Audit {
        events,
        damaged,
        missing,
        miskept,
    } = audit;
    if audit.is_well() {
        let detail = format!("{events} events, and every signature, hash and chain holds");
        return check("log", detail, None);
    }
    let (damaged, missing) = (damaged.len(), missing.len());
    if damaged + missing == 0 {
        let detail = format!(
            "{events} events, and every signature, hash and chain holds; but who is in is noted wrongly for {} conversations",
            miskept.len()
        );
        let advice = "say tenet doctor --repair: it is worked out anew from the events";
        return check("log", detail, Some(advice.into()));
    }
    let detail = match missing {
        0 => format!("{damaged} of {events} events are damaged"),
        _ => format!("{damaged} of {events} events are damaged, and {missing} are missing"),
    };
    let advice = match (damaged, tried) {
        (0, _) => {
            "keep a copy of the home; missing events cannot be put back: restore the identity into a \
             new home with `tenet id restore` and invite the others again"
        }
        (_, false) => {
            "keep a copy of the home, then: tenet doctor --repair, while the others are there"
        }
        (_, true) => {
            "nobody who has them whole is there now: leave the node running and say it again when \
             they are; what nobody has whole stays as it is, and all else goes on"
        }
    };
    check("log", detail, Some(advice.into()))
}

fn contents(all: usize, damaged: usize, tried: bool) -> api::Check {
    if damaged == 0 {
        return check("files", format!("{all} files are whole"), None);
    }
    let advice = match tried {
        false => "tenet doctor --repair fetches them again, while somebody who has them is there",
        true => "they are fetched again when somebody who has them is there: tenet transfers",
    };
    let detail = format!("{damaged} of {all} files are damaged");
    check("files", detail, Some(advice.into()))
}

/// LOG-8: what waits because its author's clock is ahead; whose, and until when.
fn quarantine(shared: &Shared, store: &Store) -> Result<api::Check, StoreError> {
    let contacts = store.contacts()?;
    let mut waiting: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    let mut sessions = BTreeMap::new();
    for held in store.due(u64::MAX, MOST_HELD)? {
        let id = held.event.session();
        if let Entry::Vacant(new) = sessions.entry(id) {
            new.insert(Session::load(store, id)?);
        }
        let session = sessions.get(&id).and_then(Option::as_ref);
        let identity = session.and_then(|session| session.roster().identity(held.event.author()));
        let who = identity.map_or_else(
            || format!("the device {}", held.event.author().device),
            |identity| present::name_of(identity, &shared.own, &contacts),
        );
        let (count, until) = waiting.entry(who).or_default();
        *count += 1;
        *until = held.acceptable_from.max(*until);
    }
    let listed: Vec<String> = waiting
        .into_iter()
        .map(|(who, (count, until))| {
            let until = clock::short(until);
            format!("{count} from {who}, whose clock is ahead, until {until}")
        })
        .collect();
    let detail = match listed.is_empty() {
        true => "nothing from the future waits".into(),
        false => listed.join("; "),
    };
    Ok(check("quarantine", detail, None))
}

fn network(shared: &Shared) -> api::Check {
    let addresses = shared
        .network
        .as_ref()
        .map(|network| network.addresses())
        .unwrap_or_default();
    let listed: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let ok = shared.network.is_none() || !listed.is_empty();
    let detail = match (&shared.network, listed.is_empty()) {
        (None, _) => "not opened by this command".into(),
        (Some(_), true) => "no address that another could dial".into(),
        (Some(_), false) => listed.join(", "),
    };
    let advice = (!ok).then(|| "connect this machine to a network".into());
    check("network", detail, advice)
}
