//! Contents of files: which to fetch, from whom, and who may have them from us.
//!
//! ```text
//! an event names it ── small, or a yes ──▶ wanted ── members are here (sources.rs) ──▶ Output::Fetch, for each
//!        │                                   ▲                                │
//!        │                                   └── try another ◀── Input::Fetched ──▶ whole
//!        └── its message is taken back ──▶ Output::Discard
//!
//! Input::Asked ── a member of a session that names it ──▶ Output::Answer, else Output::Refuse (asked.rs)
//! ```
//!
//! The bytes do not pass through here: the shell moves them between the network and the disk.

use std::collections::{BTreeMap, BTreeSet};

use tenet_apps::chat::{Action, file::File};
use tenet_delivery::fetch::{Fetch, FetchState};
use tenet_identity::keys::DeviceId;
use tenet_log::{
    event::Event,
    ids::{BlobId, EventId, SessionId},
    store::{LogStore, Position, StoreError},
};

use super::{Engine, Fault};
use crate::{
    input::{CloseReason, ConnId, FetchEnd, Notice, Output},
    storage::Storage,
};

/// After how long somebody who did not give a content is asked again, in milliseconds.
///
/// A minute: who just came by it, or whose disk has room again, is not asked in vain for long.
const RETRY_MS: u64 = 60_000;

/// What is being fetched and what is yet to be.
#[derive(Default)]
pub(crate) struct Fetching {
    /// Contents that are wanted and not here, with the sessions that name them.
    pub(super) wanted: BTreeMap<BlobId, Wanted>,
    /// Over which connections one comes now.
    pub(super) running: BTreeMap<BlobId, BTreeSet<ConnId>>,
    /// Who did not give what.
    pub(super) fruitless: BTreeSet<(ConnId, BlobId)>,
    /// Who gave something else under which name: not asked for it again before a person asks.
    pub(super) liars: BTreeSet<(DeviceId, BlobId)>,
    /// When to try those again, in Unix milliseconds.
    retry_at: Option<u64>,
    /// Bytes of all that is here or to be here; wide enough for every sum of what peers say.
    reserved: u128,
    /// Something changed: another fetch may begin.
    pub(super) stirred: bool,
}

/// A content that is wanted and not here.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) size: u64,
    pub(super) sessions: Vec<SessionId>,
}

impl Fetching {
    /// Another fetch may begin.
    pub(super) fn stir(&mut self) {
        self.stirred = true;
    }

    /// Nothing more of a content over this connection for a while.
    pub(super) fn give_up(&mut self, now: u64, conn: ConnId, blob: BlobId) {
        self.fruitless.insert((conn, blob));
        self.retry_at.get_or_insert(now.saturating_add(RETRY_MS));
    }

    /// How many contents are fetched, are to be, or were not to be had just now.
    pub(super) fn len(&self) -> usize {
        self.wanted.len() + self.running.len() + self.fruitless.len() + self.liars.len()
    }

    /// When there is something to try again.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.retry_at
    }

    /// Tries again what is due.
    pub(super) fn on_tick(&mut self, now: u64) {
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.fruitless.clear();
            self.stir();
        }
    }

    /// What was fetched over a connection that is gone waits for the next.
    pub(super) fn on_closed(&mut self, conn: ConnId) {
        self.running.retain(|_, on| {
            on.remove(&conn);
            !on.is_empty()
        });
        self.fruitless.retain(|(on, _)| *on != conn);
        if self.fruitless.is_empty() {
            self.retry_at = None;
        }
        self.stir();
    }
}

impl<S: Storage> Engine<S> {
    /// What the store says is wanted; what runs goes on.
    pub(super) fn load_fetches(&mut self) -> Result<(), StoreError> {
        let mut wanted = BTreeMap::new();
        for fetch in self.store.fetches(FetchState::Wanted)? {
            wanted.insert(fetch.blob, self.as_wanted(&fetch)?);
        }
        self.fetching.wanted = wanted;
        self.fetching.reserved = self.store.reserved()?.into();
        self.fetching.stir();
        Ok(())
    }

    fn as_wanted(&self, fetch: &Fetch) -> Result<Wanted, StoreError> {
        let namings = self.store.namings(fetch.blob)?;
        let mut sessions: Vec<_> = namings.into_iter().map(|(session, _)| session).collect();
        sessions.dedup();
        Ok(Wanted {
            size: fetch.size,
            sessions,
        })
    }

    /// An event names contents (NODE-22).
    pub(super) fn name_files(
        &mut self,
        event: &Event,
        position: Position,
    ) -> Result<(), StoreError> {
        let files = files_of(event);
        let settings = self.store.settings()?;
        for file in files {
            self.store
                .name_blob(file.content(), event.session(), position)?;
            if let Some(known) = self.store.fetch(file.content())? {
                self.is_named_again(&known, event.session());
                continue;
            }
            let mut fetch = Fetch {
                blob: file.content(),
                size: file.size(),
                state: FetchState::Offered,
            };
            if file.size() <= settings.fetch_unasked {
                if !self.has_room(file.size(), settings.quota) {
                    self.notify(Notice::QuotaReached {
                        quota: settings.quota,
                    });
                } else if self.may_fetch_unasked(event, file.size()) {
                    fetch.state = FetchState::Wanted;
                }
            }
            self.put_fetch(&fetch)?;
        }
        Ok(())
    }

    /// NODE-26: an event names its contents no more; what no other names is removed.
    pub(super) fn release_files(
        &mut self,
        event: &Event,
        position: Position,
    ) -> Result<(), StoreError> {
        for file in files_of(event) {
            let blob = file.content();
            self.store.forget_naming(blob, position)?;
            if self.store.namings(blob)?.is_empty() {
                self.drop_content(blob)?;
                self.store.forget_fetch(blob)?;
            }
        }
        Ok(())
    }

    /// What is here of a content is removed; it is offered again.
    pub(crate) fn drop_content(&mut self, blob: BlobId) -> Result<(), StoreError> {
        let Some(fetch) = self.store.fetch(blob)? else {
            return Ok(());
        };
        let state = FetchState::Offered;
        self.put_fetch(&Fetch { state, ..fetch })?;
        self.output(Output::Discard { blob });
        Ok(())
    }

    /// Whether a quota leaves room for so many bytes more.
    pub(crate) fn has_room(&self, bytes: u64, quota: u64) -> bool {
        quota == u64::MAX || self.fetching.reserved + u128::from(bytes) <= quota.into()
    }

    /// Another session may be a way to a content; the other namings of it need not be read for that.
    fn is_named_again(&mut self, fetch: &Fetch, session: SessionId) {
        if let Some(wanted) = self.fetching.wanted.get_mut(&fetch.blob)
            && !wanted.sessions.contains(&session)
        {
            wanted.sessions.push(session);
            self.fetching.stir();
        }
    }

    /// Notes how a content stands, in the store and for what is fetched next.
    pub(crate) fn put_fetch(&mut self, fetch: &Fetch) -> Result<(), StoreError> {
        let before = self.store.fetch(fetch.blob)?;
        let before = before.map_or(0, |before| reserved(&before));
        let reserved = &mut self.fetching.reserved;
        *reserved = reserved
            .saturating_sub(before)
            .saturating_add(self::reserved(fetch));
        self.store.put_fetch(fetch)?;
        self.fetching.stir();
        if fetch.state == FetchState::Wanted {
            let wanted = self.as_wanted(fetch)?;
            self.fetching.wanted.insert(fetch.blob, wanted);
            return Ok(());
        }
        self.fetching.wanted.remove(&fetch.blob);
        self.fetching.liars.retain(|(_, of)| *of != fetch.blob);
        if self.fetching.running.remove(&fetch.blob).is_some() {
            self.output(Output::StopFetch { blob: fetch.blob });
        }
        Ok(())
    }

    /// A fetch ended.
    pub(super) fn on_fetched(
        &mut self,
        now: u64,
        conn: ConnId,
        blob: BlobId,
        end: FetchEnd,
    ) -> Result<(), Fault> {
        if let Some(on) = self.fetching.running.get_mut(&blob) {
            on.remove(&conn);
            if on.is_empty() {
                self.fetching.running.remove(&blob);
            }
        }
        self.fetching.stir();
        match end {
            FetchEnd::Whole => {
                // The sources of one content all end when it is whole.
                let fetch = self.store.fetch(blob)?;
                if let Some(fetch) = fetch.filter(|fetch| fetch.state != FetchState::Whole) {
                    self.must_last();
                    let state = FetchState::Whole;
                    self.put_fetch(&Fetch { state, ..fetch })?;
                    self.notify(Notice::File { blob });
                }
            }
            FetchEnd::Stopped => {}
            FetchEnd::Refused | FetchEnd::Interrupted => {
                self.fetching.give_up(now, conn, blob);
            }
            FetchEnd::Mismatch => {
                let device = self.device_on(conn);
                // Else every connection with this device would come to the same end.
                self.fetching
                    .liars
                    .extend(device.map(|device| (device, blob)));
                if !self.may_have_other_sources(blob)
                    && let Some(fetch) = self.store.fetch(blob)?
                {
                    let state = FetchState::Paused;
                    self.put_fetch(&Fetch { state, ..fetch })?;
                }
                self.notify(Notice::Misbehaved {
                    device,
                    what: "the content of a file that it sent is not what its name says".into(),
                });
                self.close(now, conn, CloseReason::Protocol);
            }
            FetchEnd::NoRoom => {
                self.fetching.give_up(now, conn, blob);
                self.notify(Notice::DiskFull);
            }
        }
        Ok(())
    }

    /// The contents of a message's files and how they stand.
    pub(crate) fn fetches_of(&self, message: EventId) -> Result<Vec<Fetch>, StoreError> {
        let Some(stored) = LogStore::event(&self.store, message)? else {
            return Ok(Vec::new());
        };
        let fetches = files_of(&stored.event)
            .iter()
            .map(|file| self.store.fetch(file.content()))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(fetches.into_iter().flatten().collect())
    }
}

/// Bytes that a content takes, or will take.
fn reserved(fetch: &Fetch) -> u128 {
    if fetch.state.reserves() {
        fetch.size.into()
    } else {
        0
    }
}

fn files_of(event: &Event) -> Vec<File> {
    match Action::decode(event) {
        Ok(Some(Action::Text(text))) => text.files().to_vec(),
        _ => Vec::new(),
    }
}
