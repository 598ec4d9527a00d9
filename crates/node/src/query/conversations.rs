//! A conversation in a list of them.

use tenet_apps::{
    chat::{
        read::{self, Position},
        timer,
    },
    conversations::{Matter, Standing},
};
use tenet_identity::keys::IdentityId;
use tenet_log::{ids::SessionId, session::Session, store::StoreError};

use super::{Shown, history, readers_of};
use crate::storage::Storage;

/// How far unread messages are counted: nobody reads a greater number.
pub const MOST_UNREAD: usize = 1000;

/// A conversation as a list shows it.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// How many messages of others I have not read, at most [`MOST_UNREAD`].
    pub unread: usize,
    /// Whether its messages are not announced.
    pub muted: bool,
    /// Whether it stands above the others.
    pub pinned: bool,
    /// Whether it is put away and nothing was written since.
    pub archived: bool,
    /// What was begun to be written.
    pub draft: Option<String>,
    /// After how many seconds messages disappear.
    pub timer: Option<u64>,
    /// The last message.
    pub last: Option<Shown>,
}

/// The conversation that is held in these sessions, of which the first is written in.
///
/// # Errors
/// [`StoreError`].
pub fn conversation<S: Storage>(
    store: &S,
    me: IdentityId,
    sessions: &[SessionId],
) -> Result<Conversation, StoreError> {
    let mut standing = Standing::default();
    let (mut unread, mut draft) = (0, None);
    for session in sessions {
        standing.join(&store.standing(*session)?);
        unread += unread_in(store, me, *session)?;
        draft = match draft {
            None => store.draft(*session)?,
            draft => draft,
        };
    }
    let written = sessions.first().map(|session| timer::of(store, *session));
    let set = written.transpose()?.flatten();
    let last = history(store, me, sessions, None, 1)?.pop();
    let time = store.history(sessions, None, 1)?.pop();
    Ok(Conversation {
        unread: unread.min(MOST_UNREAD),
        muted: standing.is(Matter::Muted),
        pinned: standing.is(Matter::Pinned),
        archived: standing.is_away(time.map(|row| row.order.time)),
        draft,
        timer: set.map(|set| set.seconds).filter(|seconds| *seconds > 0),
        last,
    })
}

fn unread_in<S: Storage>(
    store: &S,
    me: IdentityId,
    session: SessionId,
) -> Result<usize, StoreError> {
    let Some(state) = Session::load(store, session)? else {
        return Ok(0);
    };
    let readers = readers_of(store, me, session)?;
    let mine = readers.into_iter().filter(|reader| reader.identity == me);
    let mine: Vec<Position> = mine.map(|reader| reader.position).collect();
    let roster = state.roster();
    let mut others: Vec<_> = state.frontier().heads().map(|head| head.author).collect();
    others.retain(|author| {
        roster
            .identity(*author)
            .is_some_and(|identity| identity != me)
    });
    others.dedup();
    read::unread(store, session, others, &mine, MOST_UNREAD)
}
