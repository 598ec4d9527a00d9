//! Contacts: whom a word means, and what is noted about them.

use tenet_apps::contacts::{
    Contact, name,
    resolve::{self, Own, Who},
};
use tenet_log::ids::SessionId;

use super::{CommandError, Reply};
use crate::{engine::Engine, input::Notice, storage::Storage};

impl<S: Storage> Engine<S> {
    /// The session in which one writes to whom the word means.
    pub(super) fn session_of(&self, who: &str) -> Result<SessionId, CommandError> {
        let none = || CommandError::NotFound(format!("there is no conversation with \"{who}\""));
        match self.resolve(who)? {
            Who::Own => self.own_session().ok_or_else(none),
            Who::Contact(identity) => {
                self.store.contact(identity)?.and_then(|contact| contact.session()).ok_or_else(none)
            }
        }
    }

    pub(super) fn confirm(&mut self, now: u64, who: &str) -> Result<Reply, CommandError> {
        let mut contact = self.contact_of(who)?;
        contact.confirm(now);
        let identity = contact.identity;
        self.store.put_contact(&contact)?;
        self.must_last();
        self.notify(Notice::ContactVerified { identity });
        Ok(Reply::Contact { identity })
    }

    pub(super) fn rename(&mut self, who: &str, new: &str) -> Result<Reply, CommandError> {
        let mut contact = self.contact_of(who)?;
        let identity = contact.identity;
        contact.name = name::check(new, identity, &self.store.contacts()?)
            .map_err(|error| CommandError::Usage(error.to_string()))?;
        self.store.put_contact(&contact)?;
        self.must_last();
        self.notify(Notice::ContactRenamed { identity });
        Ok(Reply::Contact { identity })
    }

    fn contact_of(&self, who: &str) -> Result<Contact, CommandError> {
        match self.resolve(who)? {
            Who::Contact(identity) => Ok(self.store.contact(identity)?.ok_or_else(|| {
                CommandError::NotFound(format!("there is no contact \"{who}\""))
            })?),
            Who::Own => Err(CommandError::Usage("that is you".into())),
        }
    }

    fn resolve(&self, who: &str) -> Result<Who, CommandError> {
        let own = Own { identity: self.own.identity(), session: self.own_session() };
        resolve::resolve(who, &own, &self.store.contacts()?)
            .map_err(|error| CommandError::NotFound(error.to_string()))
    }
}
