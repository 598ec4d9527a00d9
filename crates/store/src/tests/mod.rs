//! What the store promises, shown on real files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod conformance;
mod copied;
mod damage;
mod durable;
mod erased;
mod formats;
mod full;
mod killed;
mod places;
mod plain;
mod speed;
mod transactions;
mod waiting;

use std::path::Path;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tenet_apps::chat::{
    Action,
    fold::{self, Entry},
    store::ChatStore,
    text::Text,
};
use tenet_delivery::outbox::{Outbox, Outgoing, Recipient};
use tenet_identity::{
    card,
    keys::{DeviceId, DeviceKey, IdentityId, IdentityKey},
};
use tenet_log::{
    ids::{EventId, SessionId},
    roster::SessionKind,
    session::Session,
    store::{Durability, StoreError, Transactions},
};

use crate::Store;

const KEY: [u8; 32] = [7; 32];
const NOW: u64 = 1_800_000_000_000;

/// A child process that is a test of this binary does its part where this names a folder.
const CHILD: &str = "TENET_STORE_CHILD";

fn open(folder: &Path) -> Store {
    Store::open(&folder.join("store.db"), &KEY).unwrap()
}

fn reader(folder: &Path) -> Store {
    Store::open_reader(&folder.join("store.db"), &KEY).unwrap()
}

/// The engine's part: what is said is signed, kept, folded and owed.
struct Talk {
    session: Session,
    key: DeviceKey,
    identity: IdentityId,
    rng: ChaCha20Rng,
}

impl Talk {
    /// A direct session of two, committed.
    fn found(store: &mut Store) -> Self {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let (identity, key) = (
            IdentityKey::from_seed([1; 32]),
            DeviceKey::from_seed([2; 32]),
        );
        let card = card::issue(&identity, key.public(), "laptop", NOW).unwrap();
        let friend = IdentityKey::from_seed([3; 32]).public();
        store.begin().unwrap();
        let (session, _) = Session::found(
            store,
            &key,
            &card,
            SessionKind::Direct,
            &[friend],
            NOW,
            &mut rng,
        )
        .unwrap();
        store.commit(Durability::Power).unwrap();
        Self {
            session,
            key,
            identity: identity.public(),
            rng,
        }
    }

    fn id(&self) -> SessionId {
        self.session.id()
    }

    /// As the engine does it after it lost a batch.
    fn reload(&mut self, store: &Store) {
        self.session = Session::load(store, self.id()).unwrap().unwrap();
    }

    /// One input of an open batch.
    fn say(&mut self, store: &mut Store, text: &str) -> EventId {
        self.try_say(store, text).unwrap()
    }

    fn try_say(&mut self, store: &mut Store, text: &str) -> Result<EventId, StoreError> {
        let draft = Action::Text(Text::new(text.to_owned(), None).unwrap())
            .draft()
            .unwrap();
        let (event, admitted) = self
            .session
            .append(store, &self.key, draft, NOW, &mut self.rng)
            .map_err(|error| match error {
                tenet_log::session::AppendError::Store(error) => error,
                other => panic!("{other}"),
            })?;
        let entry = Entry {
            event: &event,
            position: admitted.position,
            identity: self.identity,
            counts: true,
        };
        fold::fold(store, &entry)?;
        let outgoing = Outgoing {
            position: admitted.position,
            session: self.id(),
            author: event.author(),
            seq: event.header().seq,
            event: event.id(),
        };
        let recipient = Recipient {
            device: DeviceId::from([9; 32]),
            receiver: true,
        };
        store.queue(&outgoing, &[recipient])?;
        Ok(event.id())
    }

    /// A batch of one message.
    fn commit(&mut self, store: &mut Store, text: &str) -> Result<EventId, StoreError> {
        store.begin()?;
        let done = self
            .try_say(store, text)
            .and_then(|id| store.commit(Durability::Power).map(|()| id));
        if done.is_err() {
            store.abandon().unwrap();
            self.reload(store);
        }
        done
    }
}

/// The texts of a session, earliest first.
fn texts(store: &Store, session: SessionId) -> Vec<String> {
    let rows = store.history(&[session], None, usize::MAX >> 1).unwrap();
    let text = |id| match Action::decode(&store.logged(id).unwrap().unwrap().0) {
        Ok(Some(Action::Text(text))) => text.into_text(),
        other => panic!("{other:?}"),
    };
    rows.iter().map(|row| text(row.id)).collect()
}

fn is_whole(store: &Store) -> bool {
    store.check_integrity().unwrap().is_empty()
}

/// The first keyed connection of a process and the last one that closes do not disturb others.
#[test]
fn many_threads_open_stores_at_once() {
    let together = std::sync::Barrier::new(16);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                together.wait();
                for _ in 0..20 {
                    drop(Store::in_memory().unwrap());
                }
            });
        }
    });
}

/// Which thread is the first happens once in a process, so it takes some.
#[test]
fn the_first_stores_of_a_process_open_at_once() {
    for _ in 0..6 {
        let this = std::env::current_exe().unwrap();
        let mut first = std::process::Command::new(this);
        first.args(["--exact", "tests::many_threads_open_stores_at_once"]);
        let output = first.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}
