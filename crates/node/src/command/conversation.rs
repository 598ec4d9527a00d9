//! Conversations: muting, pinning, putting away, drafts.

use tenet_apps::{
    chat::text,
    conversations::{Change, Matter},
    own,
};

use super::{CommandError, Reply};
use crate::{engine::Engine, input::Notice, storage::Storage};

impl<S: Storage> Engine<S> {
    /// Changes what is on or off about a conversation; what is so already says nothing.
    pub(super) fn change_conversation(
        &mut self,
        now: u64,
        who: &str,
        changes: &[(Matter, bool)],
    ) -> Result<Reply, CommandError> {
        let (session, sessions) = self.sessions_of(who)?;
        let own = self.own_session();
        let own = own.ok_or_else(|| CommandError::NotFound("there is no own session".into()))?;
        for (matter, on) in changes {
            let mut standing = self.store.standing(session)?;
            for session in &sessions {
                standing.join(&self.store.standing(*session)?);
            }
            // Who puts away what came back puts it away anew.
            if standing.is(*matter) == *on && *matter != Matter::Archived {
                continue;
            }
            let change = Change {
                session,
                matter: *matter,
                on: *on,
            };
            let draft = change.draft();
            let draft = draft.map_err(|error| CommandError::Usage(error.to_string()))?;
            self.write(now, own, draft)?;
        }
        Ok(Reply::Conversation { session })
    }

    /// Keeps what was begun to be written, or forgets it, on all my devices (`CONV-4`, OWN-4).
    pub(super) fn keep_draft(
        &mut self,
        who: &str,
        draft: Option<&str>,
    ) -> Result<Reply, CommandError> {
        let session = self.session_of(who)?;
        let draft = draft.filter(|text| !text.is_empty());
        if let Some(len) = draft.map(str::len).filter(|len| *len > text::MAX_BYTES) {
            return Err(CommandError::Usage(format!(
                "the draft has {len} bytes, a message at most {}; the one before was kept",
                text::MAX_BYTES
            )));
        }
        self.store.put_draft(session, draft)?;
        let key = own::key(own::DRAFT, session.as_bytes());
        self.tell_own(&key, own::draft(draft))?;
        self.must_last();
        self.notify(Notice::Conversation { session });
        Ok(Reply::Conversation { session })
    }
}
