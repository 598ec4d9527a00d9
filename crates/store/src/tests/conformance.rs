//! Every suite of the cores, in memory and on disk.

use std::cell::RefCell;

use rusqlite::params;
use tempfile::TempDir;
use tenet_apps::{chat, contacts};
use tenet_delivery::{
    outbox::{Acked, Dispatch, Outbox, Outgoing, Recipient},
    state::Failure,
    testing,
};
use tenet_identity::keys::DeviceId;
use tenet_log::{
    event::Event,
    ids::{Author, EventId, SessionId},
    standing::Standing,
    store::{self, LogStore, Position, StoreError, Transactions},
};

use crate::Store;

#[test]
fn log_in_memory() {
    store::conformance::run(in_memory);
}

#[test]
fn log_on_disk() {
    let disk = RefCell::new(Disk::default());
    store::conformance::run(|| disk.borrow_mut().store());
}

#[test]
fn delivery_in_memory() {
    testing::conformance(|| Loose(in_memory()));
}

#[test]
fn delivery_on_disk() {
    let mut disk = Disk::default();
    testing::conformance(|| Loose(disk.store()));
}

#[test]
fn fetches_in_memory() {
    testing::fetches_conformance(in_memory);
}

#[test]
fn fetches_on_disk() {
    let mut disk = Disk::default();
    testing::fetches_conformance(|| disk.store());
}

#[test]
fn chat_in_memory() {
    chat::testing::conformance(in_memory, put);
}

#[test]
fn chat_on_disk() {
    let mut disk = Disk::default();
    chat::testing::conformance(|| disk.store(), put);
}

#[test]
fn search_in_memory() {
    chat::testing::search_conformance(in_memory, put);
}

#[test]
fn search_on_disk() {
    let mut disk = Disk::default();
    chat::testing::search_conformance(|| disk.store(), put);
}

#[test]
fn conversations_in_memory() {
    tenet_apps::conversations::testing::conformance(in_memory());
}

#[test]
fn contacts_in_memory() {
    contacts::testing::conformance(in_memory);
}

#[test]
fn contacts_on_disk() {
    let mut disk = Disk::default();
    contacts::testing::conformance(|| disk.store());
}

/// An outbox over a store whose log lacks the events: their rows are made up.
struct Loose(Store);

impl Outbox for Loose {
    fn queue(&mut self, outgoing: &Outgoing, recipients: &[Recipient]) -> Result<(), StoreError> {
        let session = self.0.session_row(outgoing.session)?;
        let author = self.0.author_row(session, outgoing.author)?;
        self.0.execute(
            "INSERT OR IGNORE INTO event (position, id, session, author, seq, time, standing, \
             header, signature) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, x'', x'')",
            params![
                outgoing.position.0,
                outgoing.event.as_bytes(),
                session,
                author,
                outgoing.seq as i64
            ],
        )?;
        self.0.catch_up()?;
        self.0.note_place(outgoing.event, outgoing.position.0);
        self.0.queue(outgoing, recipients)
    }

    fn acknowledge(
        &mut self,
        session: SessionId,
        author: Author,
        seq: u64,
        device: DeviceId,
    ) -> Result<Vec<Acked>, StoreError> {
        self.0.acknowledge(session, author, seq, device)
    }

    fn pending(
        &self,
        device: DeviceId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Outgoing>, StoreError> {
        self.0.pending(device, after, limit)
    }

    fn waiting(&self) -> Result<Vec<(DeviceId, u64)>, StoreError> {
        self.0.waiting()
    }

    fn pending_events(&self) -> Result<u64, StoreError> {
        self.0.pending_events()
    }

    fn undelivered(
        &self,
        session: SessionId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Outgoing>, StoreError> {
        self.0.undelivered(session, after, limit)
    }

    fn forget(&mut self, session: SessionId, device: DeviceId) -> Result<Vec<EventId>, StoreError> {
        self.0.forget(session, device)
    }

    fn fail(&mut self, event: EventId, failure: Failure) -> Result<(), StoreError> {
        self.0.fail(event, failure)
    }

    fn reach(&mut self, event: EventId, reached: u32, of: u32) -> Result<(), StoreError> {
        self.0.reach(event, reached, of)
    }

    fn dispatch(&self, event: Position) -> Result<Option<Dispatch>, StoreError> {
        self.0.dispatch(event)
    }
}

fn put(store: &mut Store, event: &Event, counts: bool) -> Position {
    let standing = if counts {
        Standing::Counted
    } else {
        Standing::OffRoster
    };
    match store.event(event.id()).unwrap() {
        Some(stored) => {
            store.set_standing(event.id(), standing).unwrap();
            stored.position
        }
        None => store.insert(event, standing).unwrap(),
    }
}

fn in_memory() -> Store {
    in_a_batch(Store::in_memory().unwrap())
}

fn in_a_batch(mut store: Store) -> Store {
    store.begin().unwrap();
    store
}

/// Folders that last as long as the stores in them.
#[derive(Default)]
struct Disk(Vec<TempDir>);

impl Disk {
    fn store(&mut self) -> Store {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.db"), &[7; 32]).unwrap();
        self.0.push(folder);
        in_a_batch(store)
    }
}
