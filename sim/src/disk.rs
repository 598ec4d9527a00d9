//! A store that fails when it is told to.

use std::{cell::Cell, mem};

use tenet_apps::{
    chat::{
        overlay::Overlay,
        read,
        search::{Filter, Query, SearchStore, index::Indexed},
        store::{ChatStore, MessageRow, Reference},
    },
    contacts::{Answered, Contact, Invite, Knocking, Request, store::ContactStore},
    conversations::{ConversationStore, Standing as ConversationStanding},
    own::OwnStore,
    settings::{SettingStore, Settings},
};
use tenet_delivery::{
    fetch::{Fetch, FetchState, Fetches},
    outbox::{Acked, Dispatch, Outbox, Outgoing, Recipient},
    state::Failure,
};
use tenet_identity::{
    keys::{DeviceId, IdentityId},
    meeting::invite::InviteId,
};
use tenet_log::{
    clock::Hlc,
    event::Event,
    frontier::{Head, Past},
    ids::{Author, BlobId, EventId, SessionId},
    order::OrderKey,
    register::Register,
    standing::Standing,
    store::{Base, Durability, Held, LogStore, Position, StoreError, Stored, Transactions},
};

use tenet_store::Store;

/// The real store in memory, with writes that can be made to fail.
pub struct Disk {
    store: Store,
    reads: Cell<u64>,
    writes: u64,
    failing: Cell<Option<Failing>>,
    batch: Pending,
    input: Pending,
}

/// How far a transaction is: most inputs of a world of many change nothing, and beginning is half of what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    /// There is none.
    None,
    /// It begins with the first write.
    Due,
    /// The store knows of it.
    Begun,
}

/// Which writes fail, and how.
#[derive(Clone, Copy, Debug)]
pub struct Failing {
    /// The first write that fails; commits count as writes.
    pub from: u64,
    /// How many fail in a row.
    pub many: u64,
    /// Why.
    pub how: How,
}

/// Why a write fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The medium failed.
    Medium,
    /// The disk is full.
    Full,
    /// The disk is full, and the database has given up the whole transaction by itself.
    GaveUp,
}

impl Disk {
    /// An empty store that does not fail.
    pub fn new() -> Self {
        let store = Store::in_memory().expect("memory");
        Self {
            store,
            reads: Cell::new(0),
            writes: 0,
            failing: Cell::new(None),
            batch: Pending::None,
            input: Pending::None,
        }
    }

    /// Makes writes fail from now on; counting goes on where it was.
    pub fn fail(&self, failing: Option<Failing>) {
        self.failing.set(failing);
    }

    /// What is committed, in a store that does not fail.
    pub fn copy(&self) -> Self {
        let store = self.store.copy().expect("memory");
        Self {
            store,
            reads: Cell::new(0),
            writes: self.writes,
            failing: Cell::new(None),
            batch: Pending::None,
            input: Pending::None,
        }
    }

    /// How many rows were asked for, at least: one for each read and one for each that it gave.
    pub fn reads(&self) -> u64 {
        self.reads.get()
    }

    /// How many writes there were, failed ones included.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// The real store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Counts a write, which may be one that fails.
    fn wrote(&mut self) -> Result<(), StoreError> {
        if self.batch == Pending::Due {
            self.store.begin()?;
            self.batch = Pending::Begun;
        }
        if self.input == Pending::Due {
            self.store.savepoint()?;
            self.input = Pending::Begun;
        }
        self.count()
    }

    fn count(&mut self) -> Result<(), StoreError> {
        let this = self.writes;
        self.writes += 1;
        match self.failing.get() {
            Some(Failing { from, many, how }) if (from..from + many).contains(&this) => match how {
                How::Medium => Err(StoreError::Medium("the medium failed on demand".into())),
                How::Full => Err(StoreError::Full),
                How::GaveUp => {
                    self.store.abandon()?;
                    Err(StoreError::Full)
                }
            },
            _ => Ok(()),
        }
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Transactions for Disk {
    fn begin(&mut self) -> Result<(), StoreError> {
        self.batch = Pending::Due;
        Ok(())
    }

    fn savepoint(&mut self) -> Result<(), StoreError> {
        self.input = Pending::Due;
        Ok(())
    }

    fn keep(&mut self) -> Result<(), StoreError> {
        match mem::replace(&mut self.input, Pending::None) {
            Pending::Begun => self.store.keep(),
            _ => Ok(()),
        }
    }

    fn undo(&mut self) -> Result<(), StoreError> {
        match mem::replace(&mut self.input, Pending::None) {
            Pending::Begun => self.store.undo(),
            _ => Ok(()),
        }
    }

    fn commit(&mut self, durability: Durability) -> Result<(), StoreError> {
        self.count()?;
        match mem::replace(&mut self.batch, Pending::None) {
            Pending::Begun => self.store.commit(durability),
            _ => Ok(()),
        }
    }

    fn abandon(&mut self) -> Result<(), StoreError> {
        (self.batch, self.input) = (Pending::None, Pending::None);
        self.store.abandon()
    }
}

/// How many rows something took to read, beyond the one of every read.
trait Rows {
    fn rows(&self) -> u64 {
        0
    }
}

impl<T> Rows for Vec<T> {
    fn rows(&self) -> u64 {
        self.len() as u64
    }
}

impl<T> Rows for Option<T> {}

macro_rules! single {
    ($($of:ty),*) => { $(impl Rows for $of {})* };
}

single!(
    (),
    (u64, Position),
    bool,
    usize,
    u64,
    Position,
    Hlc,
    Settings,
    ConversationStanding
);

/// Passes methods of a trait on to the store; those that write may fail instead.
macro_rules! pass_on {
    ($of:ident {
        $(read $read:ident($($ra:ident: $rt:ty),*) -> $ro:ty;)*
        $(write $write:ident($($wa:ident: $wt:ty),*) -> $wo:ty;)*
    }) => {
        impl $of for Disk {
            $(fn $read(&self, $($ra: $rt),*) -> Result<$ro, StoreError> {
                let read = <Store as $of>::$read(&self.store, $($ra),*)?;
                self.reads.set(self.reads.get() + 1 + read.rows());
                Ok(read)
            })*
            $(fn $write(&mut self, $($wa: $wt),*) -> Result<$wo, StoreError> {
                self.wrote()?;
                <Store as $of>::$write(&mut self.store, $($wa),*)
            })*
        }
    };
}

pass_on! { LogStore {
    read sessions() -> Vec<SessionId>;
    read event(id: EventId) -> Option<Stored>;
    read chain(session: SessionId, author: Author, seq: u64, limit: usize) -> Vec<Stored>;
    read since(session: SessionId, position: Position, limit: usize) -> Vec<Stored>;
    read back_to(session: SessionId, from: Option<Position>, to: Position, limit: usize)
        -> Vec<Stored>;
    read position(session: SessionId, author: Author, seq: u64) -> Option<Position>;
    read last_position(session: SessionId) -> Position;
    read heads(session: SessionId) -> Vec<Head>;
    read operations(session: SessionId) -> Vec<(Stored, Past)>;
    read operation_count(session: SessionId) -> (u64, Position);
    read outcome(session: SessionId, read: &mut dyn FnMut(&[u8], &[u8])) -> ();
    read register(session: SessionId, device: DeviceId, key: &str) -> Option<Register>;
    read registers(session: SessionId) -> Vec<Register>;
    read registers_under(session: SessionId, key: &str) -> Vec<Register>;
    read register_count(session: SessionId, device: DeviceId) -> usize;
    read held_count(session: SessionId) -> usize;
    read due(now: u64, limit: usize) -> Vec<Held>;
    read next_due() -> Option<u64>;
    read latest_time(session: SessionId) -> Hlc;
    read expired(now: u64, limit: usize) -> Vec<Stored>;
    read next_expiry() -> Option<u64>;
    read is_lacking(id: EventId) -> bool;
    read lacking(session: SessionId, after: EventId, limit: usize) -> Vec<EventId>;
    read lacking_sessions() -> Vec<SessionId>;
    write insert(event: &Event, standing: Standing) -> Position;
    write mend(event: &Event) -> ();
    write erase(id: EventId) -> ();
    write settle_expiry(id: EventId) -> ();
    write set_lacking(id: EventId, lacking: bool) -> ();
    write set_standing(id: EventId, standing: Standing) -> ();
    write put_head(session: SessionId, head: &Head) -> ();
    write put_past(id: EventId, past: &Past, base: Option<Base<'_>>) -> ();
    write put_outcome(session: SessionId, key: &[u8], value: Option<&[u8]>) -> ();
    write forget_outcome(session: SessionId) -> ();
    write put_register(register: &Register) -> ();
    write hold(event: &Event) -> bool;
    write release(id: EventId) -> ();
} }

pass_on! { Outbox {
    read pending(device: DeviceId, after: Position, limit: usize) -> Vec<Outgoing>;
    read waiting() -> Vec<(DeviceId, u64)>;
    read pending_events() -> u64;
    read undelivered(session: SessionId, after: Position, limit: usize) -> Vec<Outgoing>;
    read dispatch(event: Position) -> Option<Dispatch>;
    write queue(outgoing: &Outgoing, recipients: &[Recipient]) -> ();
    write acknowledge(session: SessionId, author: Author, seq: u64, device: DeviceId)
        -> Vec<Acked>;
    write forget(session: SessionId, device: DeviceId) -> Vec<EventId>;
    write fail(event: EventId, failure: Failure) -> ();
    write reach(event: EventId, reached: u32, of: u32) -> ();
} }

pass_on! { Fetches {
    read fetch(blob: BlobId) -> Option<Fetch>;
    read fetches(state: FetchState) -> Vec<Fetch>;
    read namings(blob: BlobId) -> Vec<(SessionId, Position)>;
    read fetches_between(first: BlobId, last: BlobId, limit: usize) -> Vec<BlobId>;
    read reserved() -> u64;
    read named_in(session: SessionId, before: Option<Position>, limit: usize)
        -> Vec<(BlobId, Position)>;
    write put_fetch(fetch: &Fetch) -> ();
    write forget_fetch(blob: BlobId) -> ();
    write name_blob(blob: BlobId, session: SessionId, position: Position) -> ();
    write forget_naming(blob: BlobId, position: Position) -> ();
} }

pass_on! { ChatStore {
    read message(id: EventId) -> Option<MessageRow>;
    read history(sessions: &[SessionId], before: Option<&OrderKey>, limit: usize)
        -> Vec<MessageRow>;
    read message_at(position: Position) -> Option<MessageRow>;
    read following(sessions: &[SessionId], after: &OrderKey, limit: usize) -> Vec<MessageRow>;
    read chain_back(session: SessionId, author: Author, before: u64, limit: usize)
        -> Vec<MessageRow>;
    read read_here(session: SessionId) -> Option<read::Position>;
    read messages_between(first: EventId, last: EventId, limit: usize) -> Vec<EventId>;
    read overlay(session: SessionId, target: EventId) -> Option<Overlay>;
    read references(session: SessionId, target: EventId) -> Vec<Reference>;
    read logged(id: EventId) -> Option<(Event, bool)>;
    read logged_at(position: Position) -> Option<Event>;
    write remove_message(session: SessionId, id: EventId) -> ();
    write add_message(message: &MessageRow) -> bool;
    write set_hidden(id: EventId, hidden: bool) -> ();
    write put_overlay(session: SessionId, target: EventId, overlay: &Overlay) -> ();
    write add_reference(reference: &Reference) -> ();
    write put_read_here(session: SessionId, to: &read::Position) -> ();
} }

pass_on! { SearchStore {
    read logged_after(position: Position, limit: usize) -> Vec<(Position, Event)>;
    read has_after(position: Position) -> bool;
    read indexed_to() -> Position;
    read find(query: &Query, filter: &Filter, before: Option<Position>, limit: usize)
        -> Vec<Position>;
    read has_words_to_forget() -> bool;
    write set_indexed_to(position: Position) -> ();
    write put_words(indexed: &Indexed) -> ();
    write forget_words() -> bool;
    write remove_words(position: Position) -> ();
} }

pass_on! { ContactStore {
    read contact(identity: IdentityId) -> Option<Contact>;
    read contacts() -> Vec<Contact>;
    read former(identity: IdentityId) -> Option<Contact>;
    read invite(id: InviteId) -> Option<Invite>;
    read invites() -> Vec<Invite>;
    read knocking(id: InviteId) -> Option<Knocking>;
    read knockings() -> Vec<Knocking>;
    read answered(invite: InviteId, device: DeviceId) -> Option<Answered>;
    read all_answered(invite: InviteId) -> Vec<Answered>;
    read request(invite: InviteId, identity: IdentityId) -> Option<Request>;
    read requests() -> Vec<Request>;
    write put_contact(contact: &Contact) -> ();
    write remove_contact(identity: IdentityId) -> ();
    write put_former(contact: &Contact) -> ();
    write remove_former(identity: IdentityId) -> ();
    write put_invite(invite: &Invite) -> ();
    write remove_invite(id: InviteId) -> ();
    write put_knocking(knocking: &Knocking) -> ();
    write remove_knocking(id: InviteId) -> ();
    write put_answered(answered: &Answered) -> ();
    write remove_answered(invite: InviteId, device: DeviceId) -> ();
    write put_request(request: &Request) -> ();
    write remove_request(invite: InviteId, identity: IdentityId) -> ();
} }

pass_on! { ConversationStore {
    read standing(session: SessionId) -> ConversationStanding;
    read draft(session: SessionId) -> Option<String>;
    write put_standing(session: SessionId, standing: &ConversationStanding) -> ();
    write clear_standings() -> ();
    write put_draft(session: SessionId, text: Option<&str>) -> ();
} }

pass_on! { OwnStore {
    read former_devices() -> Vec<DeviceId>;
    read bygone() -> Vec<SessionId>;
    write put_former_device(device: DeviceId) -> ();
    write set_bygone(session: SessionId, bygone: bool) -> ();
} }

pass_on! { SettingStore {
    read settings() -> Settings;
    write put_settings(settings: &Settings) -> ();
} }
