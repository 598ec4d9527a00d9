//! Reading beside the engine: what a person sees, from any connection to the store.

mod conversations;
mod files;
mod search;

use std::collections::{BTreeMap, btree_map::Entry};

use tenet_apps::{
    chat::{
        read::{self, Position, Reader},
        store::MessageRow,
        view::{self, Message},
    },
    contacts::profile::{self, Profile},
};
use tenet_delivery::{fetch::FetchState, state::State};
use tenet_identity::keys::IdentityId;
use tenet_log::{
    clock::Hlc,
    ids::{Author, EventId, SessionId},
    order::OrderKey,
    register::Register,
    session::Session,
    store::StoreError,
};

use crate::storage::Storage;

pub use conversations::{Conversation, MOST_UNREAD, conversation};
pub use files::{Named, file, files};
pub use search::{Found, FoundPage, Search, search};

/// A message and how far it is.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The message, with everything that was done to it applied.
    pub message: Message,
    /// How far it is. Another's message is `Read` when I have read it, else `Delivered`.
    pub state: State,
    /// Of an own one to how many devices of others it went, and how many have it.
    pub reach: Option<Reach>,
    /// How the contents of its files stand here, in their order.
    pub files: Vec<FetchState>,
}

/// How many devices of others have an own message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// So many have said that they have it.
    pub devices: u32,
    /// Of so many that it is for.
    pub of: u32,
}

/// The last `limit` messages of these sessions before one of them, earliest first.
///
/// # Errors
/// [`StoreError`].
pub fn history<S: Storage>(
    store: &S,
    me: IdentityId,
    sessions: &[SessionId],
    before: Option<EventId>,
    limit: usize,
) -> Result<Vec<Shown>, StoreError> {
    let before = match before {
        Some(id) => store.message(id)?.map(|row| row.order),
        None => None,
    };
    let rows = store.history(sessions, before.as_ref(), limit)?;
    let mut shower = Shower {
        store,
        me,
        readers: BTreeMap::new(),
    };
    shower.show_all(&rows)
}

/// The first `limit` messages of these sessions after one of them, or from the beginning, earliest
/// first.
///
/// # Errors
/// [`StoreError`].
pub fn following<S: Storage>(
    store: &S,
    me: IdentityId,
    sessions: &[SessionId],
    after: Option<EventId>,
    limit: usize,
) -> Result<Vec<Shown>, StoreError> {
    let beginning = OrderKey {
        time: Hlc::from_millis(0),
        author: Author {
            device: [0; 32].into(),
            added_by: [0; 32].into(),
        },
        seq: 0,
        id: [0; 32].into(),
    };
    let after = match after {
        Some(id) => store.message(id)?.map(|row| row.order),
        None => None,
    };
    let rows = store.following(sessions, &after.unwrap_or(beginning), limit)?;
    let mut shower = Shower {
        store,
        me,
        readers: BTreeMap::new(),
    };
    shower.show_all(&rows)
}

/// What those call themselves who are or were in a session, as far as they have said it there.
///
/// # Errors
/// [`StoreError`].
pub fn names<S: Storage>(
    store: &S,
    session: SessionId,
) -> Result<BTreeMap<IdentityId, String>, StoreError> {
    match Session::load(store, session)? {
        Some(session) => names_in(store, &session),
        None => Ok(BTreeMap::new()),
    }
}

/// The same of a session that is at hand.
pub(crate) fn names_in<S: Storage>(
    store: &S,
    session: &Session,
) -> Result<BTreeMap<IdentityId, String>, StoreError> {
    let mut said: BTreeMap<IdentityId, Vec<Register>> = BTreeMap::new();
    for register in store.registers_under(session.id(), profile::KEY)? {
        let mut chains = session.roster().chains_of(register.device());
        if let Some((_, chain)) = chains.next() {
            said.entry(chain.identity).or_default().push(register);
        }
    }
    let name = |registers: &Vec<Register>| {
        let latest = profile::latest(registers)?;
        let name = Profile::decode(latest.value()).ok()?.name;
        (!name.is_empty()).then_some(name)
    };
    let names = said.iter();
    Ok(names
        .filter_map(|(identity, registers)| Some((*identity, name(registers)?)))
        .collect())
}

/// Makes messages of several sessions, whose read positions are looked up once.
struct Shower<'a, S> {
    store: &'a S,
    me: IdentityId,
    readers: BTreeMap<SessionId, Vec<Reader>>,
}

impl<S: Storage> Shower<'_, S> {
    fn show(&mut self, row: &MessageRow) -> Result<Shown, StoreError> {
        let readers = match self.readers.entry(row.session) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(readers_of(self.store, self.me, row.session)?),
        };
        show(self.store, self.me, row, readers)
    }

    fn show_all(&mut self, rows: &[MessageRow]) -> Result<Vec<Shown>, StoreError> {
        rows.iter().map(|row| self.show(row)).collect()
    }
}

/// One message; `None` where it is unknown or hidden.
///
/// # Errors
/// [`StoreError`].
pub fn message<S: Storage>(
    store: &S,
    me: IdentityId,
    id: EventId,
) -> Result<Option<Shown>, StoreError> {
    let Some(row) = store.message(id)?.filter(|row| !row.hidden) else {
        return Ok(None);
    };
    let readers = readers_of(store, me, row.session)?;
    show(store, me, &row, &readers).map(Some)
}

/// Own messages of a session that its other members have read, among its last `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn read_by_others<S: Storage>(
    store: &S,
    me: IdentityId,
    session: SessionId,
    limit: usize,
) -> Result<Vec<EventId>, StoreError> {
    let shown = history(store, me, &[session], None, limit)?;
    let mine = shown
        .iter()
        .filter(|shown| shown.message.identity == me && shown.message.read);
    Ok(mine.map(|shown| shown.message.id).collect())
}

fn show<S: Storage>(
    store: &S,
    me: IdentityId,
    row: &MessageRow,
    readers: &[Reader],
) -> Result<Shown, StoreError> {
    let message = view::load(store, row, me, readers)?;
    let mut reach = None;
    let state = if message.identity == me {
        let dispatch = store.dispatch(row.position)?.unwrap_or_default();
        reach = Some(Reach {
            devices: dispatch.acknowledged,
            of: dispatch.copies,
        });
        State::of(&dispatch, message.read)
    } else if message.read {
        State::Read
    } else {
        State::Delivered
    };
    let mut files = Vec::with_capacity(message.files.len());
    for file in &message.files {
        let fetch = store.fetch(file.content())?;
        files.push(fetch.map_or(FetchState::Offered, |fetch| fetch.state));
    }
    Ok(Shown {
        message,
        state,
        reach,
        files,
    })
}

/// How far each device of a session has read, as far as it says so.
fn readers_of<S: Storage>(
    store: &S,
    me: IdentityId,
    session: SessionId,
) -> Result<Vec<Reader>, StoreError> {
    let here = store.read_here(session)?;
    let here = here.map(|position| Reader {
        identity: me,
        position,
    });
    let positions = store.registers_under(session, read::KEY)?;
    if positions.is_empty() {
        return Ok(here.into_iter().collect());
    }
    let Some(state) = Session::load(store, session)? else {
        return Ok(Vec::new());
    };
    let roster = state.roster();
    Ok(positions
        .into_iter()
        .filter_map(|register| {
            let identity = roster.identity(roster.author(register.device())?)?;
            let position = Position::decode(register.value()).ok()?;
            Some(Reader { identity, position })
        })
        .chain(here)
        .collect())
}
