//! `chat.timer`: what is said from now on disappears after a while.
//!
//! It is about the conversation, not about a message, and it is shown among the messages: everybody
//! sees who set it, and when.

use minicbor::{Decode, Encode};
use tenet_identity::encoding;
use tenet_log::{
    event::Event,
    ids::{EventId, SessionId},
    store::StoreError,
};

use super::{Action, ActionError, ChatStore, overlay::Set};

/// The kind of the events that set the timer.
pub const KIND: &str = "chat.timer";

/// The longest time after which messages disappear, in seconds: 366 days.
pub const MAX_SECONDS: u64 = 366 * 24 * 60 * 60;

/// Messages disappear so long after they were written, or do not (`CHAT-19`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Timer {
    #[n(0)]
    seconds: u64,
}

impl Timer {
    /// After so many seconds; 0 for never.
    ///
    /// # Errors
    /// [`ActionError::Timer`] over [`MAX_SECONDS`].
    pub fn new(seconds: u64) -> Result<Self, ActionError> {
        if seconds > MAX_SECONDS {
            return Err(ActionError::Timer);
        }
        Ok(Self { seconds })
    }

    /// After how many seconds; 0 for never.
    pub fn seconds(&self) -> u64 {
        self.seconds
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ActionError> {
        Self::new(encoding::decode::<Self>(bytes)?.seconds)
    }
}

/// Under which name it is kept what was done to a conversation as a whole: no event is called so.
pub fn subject(session: SessionId) -> EventId {
    EventId::from(*session.as_bytes())
}

/// Who set the timer of a conversation last, and to what; `None` where nobody ever did.
///
/// # Errors
/// [`StoreError`].
pub fn of(store: &dyn ChatStore, session: SessionId) -> Result<Option<Set>, StoreError> {
    let overlay = store.overlay(session, subject(session))?;
    Ok(overlay.and_then(|overlay| overlay.timer()))
}

/// What an event sets the timer to, if it is about that.
pub fn set_by(event: &Event) -> Option<Timer> {
    match Action::decode(event) {
        Ok(Some(Action::Timer(timer))) => Some(timer),
        _ => None,
    }
}
