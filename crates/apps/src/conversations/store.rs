//! What is kept of conversations, and how events come into it.

use tenet_log::{
    event::Event,
    ids::SessionId,
    store::{LogStore, Position, StoreError},
};

use super::{Change, Standing};

/// How many events are read at a time where all are.
const PAGE: usize = 256;

/// What conversations need of a store.
///
/// Every method works inside the caller's transaction; an implementation never commits.
/// `conversations::testing::conformance` is the suite that every implementation passes.
pub trait ConversationStore {
    /// How the conversation in a session stands.
    ///
    /// # Errors
    /// [`StoreError`], as for every method here.
    fn standing(&self, session: SessionId) -> Result<Standing, StoreError>;

    /// Keeps how it stands.
    fn put_standing(&mut self, session: SessionId, standing: &Standing) -> Result<(), StoreError>;

    /// Forgets how all of them stand.
    fn clear_standings(&mut self) -> Result<(), StoreError>;

    /// What was begun to be written in it.
    fn draft(&self, session: SessionId) -> Result<Option<String>, StoreError>;

    /// Keeps what was begun, or forgets it.
    fn put_draft(&mut self, session: SessionId, text: Option<&str>) -> Result<(), StoreError>;
}

/// Takes in an event of the own session; gives the conversation that stands differently now.
///
/// # Errors
/// [`StoreError`].
pub fn fold<S: ConversationStore>(
    store: &mut S,
    event: &Event,
    counts: bool,
) -> Result<Option<SessionId>, StoreError> {
    let Ok(Some(change)) = Change::decode(event) else {
        return Ok(None);
    };
    let mut standing = store.standing(change.session)?;
    let time = event.header().time;
    if !counts || !standing.merge(change.matter, time, event.id(), change.on) {
        return Ok(None);
    }
    store.put_standing(change.session, &standing)?;
    Ok(Some(change.session))
}

/// Makes all standings anew from what counts in the own sessions: an event counts no more, or
/// again (`CONV-2`). Only a device that was taken out or has forked causes this.
///
/// # Errors
/// [`StoreError`].
pub fn refold<S: ConversationStore + LogStore>(
    store: &mut S,
    own: &[SessionId],
) -> Result<(), StoreError> {
    store.clear_standings()?;
    for session in own {
        let mut from = Some(Position::default());
        while let Some(after) = from {
            let page = store.since(*session, after, PAGE)?;
            for stored in &page {
                fold(store, &stored.event, stored.standing.counts())?;
            }
            let last = page.last().filter(|_| page.len() == PAGE);
            from = last.map(|last| last.position);
        }
    }
    Ok(())
}
