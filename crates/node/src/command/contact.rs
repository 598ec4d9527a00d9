//! Contacts: whom a word means, and what is noted about them.

use tenet_apps::contacts::{
    Contact, name,
    resolve::{self, Own, Who},
};
use tenet_log::{ids::SessionId, store::StoreError};

use super::{CommandError, Reply};
use crate::{engine::Engine, input::Notice, storage::Storage};

/// How many words are remembered with the conversation that they name.
const MAX_NAMED: usize = 1024;

impl<S: Storage> Engine<S> {
    /// The session in which one writes to whom the word means, and all that are shown as one
    /// conversation with it.
    pub(super) fn sessions_of(
        &self,
        who: &str,
    ) -> Result<(SessionId, Vec<SessionId>), CommandError> {
        let none = || CommandError::NotFound(format!("there is no conversation with \"{who}\""));
        match self.resolve(who)? {
            Who::Own => {
                let session = self.own_session().ok_or_else(none)?;
                Ok((session, vec![session]))
            }
            Who::Contact(identity) => {
                let contact = self.store.contact(identity)?.ok_or_else(none)?;
                let session = contact.session().ok_or_else(none)?;
                Ok((session, contact.sessions.into_iter().collect()))
            }
        }
    }

    /// The session in which one writes to whom the word means, remembered for the next time.
    pub(super) fn session_of(&mut self, who: &str) -> Result<SessionId, CommandError> {
        if let Some(session) = self.named.get(who) {
            return Ok(*session);
        }
        let (session, _) = self.sessions_of(who)?;
        if self.named.len() >= MAX_NAMED {
            self.named.clear();
        }
        self.named.insert(who.to_owned(), session);
        Ok(session)
    }

    /// Writes a contact; what words meant may be different now.
    pub(crate) fn put_contact(&mut self, contact: &Contact) -> Result<(), StoreError> {
        self.named.clear();
        self.store.put_contact(contact)
    }

    pub(super) fn confirm(&mut self, now: u64, who: &str) -> Result<Reply, CommandError> {
        let mut contact = self.contact_of(who)?;
        contact.confirm(now);
        let identity = contact.identity;
        self.put_contact(&contact)?;
        self.must_last();
        self.notify(Notice::ContactVerified { identity });
        Ok(Reply::Contact { identity })
    }

    pub(super) fn rename(&mut self, who: &str, new: &str) -> Result<Reply, CommandError> {
        let mut contact = self.contact_of(who)?;
        let identity = contact.identity;
        contact.name = name::check(new, identity, &self.store.contacts()?)
            .map_err(|error| CommandError::Usage(error.to_string()))?;
        self.put_contact(&contact)?;
        self.must_last();
        self.notify(Notice::ContactRenamed { identity });
        Ok(Reply::Contact { identity })
    }

    fn contact_of(&self, who: &str) -> Result<Contact, CommandError> {
        match self.resolve(who)? {
            Who::Contact(identity) => Ok(self
                .store
                .contact(identity)?
                .ok_or_else(|| CommandError::NotFound(format!("there is no contact \"{who}\"")))?),
            Who::Own => Err(CommandError::Usage("that is you".into())),
        }
    }

    fn resolve(&self, who: &str) -> Result<Who, CommandError> {
        let own = Own {
            identity: self.own.identity(),
            session: self.own_session(),
        };
        resolve::resolve(who, &own, &self.store.contacts()?)
            .map_err(|error| CommandError::NotFound(error.to_string()))
    }
}
