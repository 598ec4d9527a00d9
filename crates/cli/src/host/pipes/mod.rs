//! Pipes: what a program here says goes to a program there, live, beside the log.
//!
//! ```text
//! pipe_write ─▶ Out ── Answering ═══▶ the other end asks from where it is, again and again
//! pipe_read  ◀─ In  ◀── Answer  ═════ asked for here, in turns of at most a mebibyte
//! ```
//!
//! Each end pulls. A request names the bytes that are there, so what was on its way when a connection
//! broke is said again and nothing is said twice; whoever asks shows that its end is open, so the ends
//! find each other in whichever order they are opened (NODE-27, NODE-28).

mod end;
mod give;
mod take;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use data_encoding::BASE64;
use end::{End, Other};
use tenet_identity::keys::DeviceId;
use tenet_node::{ask::Pipe, input::AskId};
use tenet_rpc::{
    api,
    server::{Pending, answer},
};
use tenet_store::Store;

use super::shared::{Shared, Whom};

/// How many pipes are open at most.
const MAX_PIPES: usize = 64;

/// How long a pipe is open that nobody waits for.
const UNHELD: Duration = Duration::from_secs(10);

/// The most bytes that are written at once.
const MAX_WRITE: usize = 64 << 10;

/// All pipes that are open, by number.
#[derive(Default)]
pub(super) struct Pipes(Mutex<Open>);

#[derive(Default)]
struct Open {
    next: u64,
    ends: BTreeMap<u64, Arc<End>>,
}

/// Closes a pipe when whoever waits for its end is gone.
struct Held {
    shared: Arc<Shared>,
    number: u64,
}

/// Opens a pipe to a conversation; it is closed again where nobody waits for its end soon.
pub(super) fn open(
    shared: &Arc<Shared>,
    store: &Store,
    who: &str,
) -> Result<api::PipeOpened, api::Error> {
    let session = shared.sessions_of(store, who)?.into_iter().next();
    let session = session.ok_or_else(|| api::Error::not_found("there is no session with them"))?;
    let identity = match shared.who(store, who)? {
        Whom::Own => shared.own.identity,
        Whom::Contact(contact) => contact.identity,
        Whom::Group(_) => {
            let why = "a pipe leads to one person; name a contact";
            return Err(api::Error::usage(why));
        }
    };
    let number = shared.pipes.add(&Arc::new(End::new(identity, session)?))?;
    let forgotten = Arc::clone(shared);
    shared.runtime.spawn(async move {
        tokio::time::sleep(UNHELD).await;
        forgotten.pipes.close(number, |end| !end.is_held());
    });
    Ok(api::PipeOpened {
        pipe: number.to_string(),
    })
}

/// Waits for the end of a pipe, which is open until then (`API-19`).
pub(super) fn wait(shared: &Arc<Shared>, wanted: &api::PipeWait) -> Pending {
    let held = shared.pipes.find(&wanted.pipe).and_then(|(number, end)| {
        if !end.hold() {
            return Err(api::Error::usage("somebody waits for this pipe already"));
        }
        let shared = Arc::clone(shared);
        Ok((end, Held { shared, number }))
    });
    match held {
        Ok((end, held)) => Pending::future(async move {
            let ended = tokio::select! {
                error = take::take(&held.shared, &end) => Err(error),
                ended = end.ended() => Ok(ended),
            };
            answer(ended)
        }),
        Err(error) => Pending::ready(Err(error)),
    }
}

/// Puts bytes into a pipe.
pub(super) fn write(shared: &Shared, wanted: &api::PipeWrite) -> Pending {
    let bytes = BASE64
        .decode(wanted.data.as_bytes())
        .ok()
        .filter(|bytes| bytes.len() <= MAX_WRITE);
    match (shared.pipes.find(&wanted.pipe), bytes) {
        (Ok((_, end)), Some(bytes)) => {
            let last = wanted.end;
            Pending::future(async move {
                end.write(&bytes, last).await;
                answer(Ok(api::Done {}))
            })
        }
        (Err(error), _) => Pending::ready(Err(error)),
        (_, None) => Pending::ready(Err(api::Error::usage(
            "data is base64 of at most 64 KiB of bytes",
        ))),
    }
}

/// Takes bytes out of a pipe.
pub(super) fn read(shared: &Shared, wanted: &api::PipeRead) -> Pending {
    match shared.pipes.find(&wanted.pipe) {
        Ok((_, end)) => Pending::future(async move {
            let (bytes, ended) = end.read().await;
            answer(Ok(api::PipeData {
                data: BASE64.encode(&bytes),
                end: ended,
            }))
        }),
        Err(error) => Pending::ready(Err(error)),
    }
}

/// Another device asks for what comes out of a pipe here.
pub(super) fn asked(shared: &Arc<Shared>, ask: AskId, device: DeviceId, pipe: &Pipe) {
    let answering = shared
        .network
        .as_ref()
        .and_then(|network| network.answering(ask));
    let Some(answering) = answering else { return };
    match shared.pipes.of(device, pipe) {
        Some((end, turn)) => {
            let give = give::give(end, turn, answering);
            shared.runtime.spawn(give);
        }
        None => answering.refuse(),
    }
}

impl Pipes {
    /// A device came or went: whoever waits for one looks again.
    pub(super) fn stir(&self) {
        self.lock().ends.values().for_each(|end| end.stir());
    }

    fn add(&self, end: &Arc<End>) -> Result<u64, api::Error> {
        let mut open = self.lock();
        if open.ends.len() >= MAX_PIPES {
            return Err(api::Error::refused("too many pipes are open"));
        }
        if open.ends.values().any(|other| other.session == end.session) {
            return Err(api::Error::refused(
                "a pipe to them is open here already; end that one first",
            ));
        }
        open.next += 1;
        let number = open.next;
        open.ends.insert(number, Arc::clone(end));
        Ok(number)
    }

    fn find(&self, name: &str) -> Result<(u64, Arc<End>), api::Error> {
        let number = name.parse().ok();
        let open = self.lock();
        let found = number.and_then(|number| Some((number, Arc::clone(open.ends.get(&number)?))));
        found.ok_or_else(|| api::Error::not_found("this pipe is not open"))
    }

    /// The end that a request is for, and the number of its turn; `None` where there is none, or where
    /// it has another other end.
    fn of(&self, device: DeviceId, pipe: &Pipe) -> Option<(Arc<End>, u64)> {
        let open = self.lock();
        let mut ends = open.ends.values();
        let end = ends.find(|end| end.session == pipe.session)?;
        let asking = Other {
            device,
            end: *pipe.end,
        };
        let turn = end.asked(asking, pipe.offset)?;
        Some((Arc::clone(end), turn))
    }

    fn close(&self, number: u64, which: impl Fn(&End) -> bool) {
        let mut open = self.lock();
        if open.ends.get(&number).is_some_and(|end| which(end))
            && let Some(end) = open.ends.remove(&number)
        {
            end.close();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.pipes.close(self.number, |_| true);
    }
}
