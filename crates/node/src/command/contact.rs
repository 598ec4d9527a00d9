//! Contacts: whom a word means, and what is noted about them.

use tenet_apps::contacts::{
    Contact, name,
    resolve::{self, Own, Who},
};
use tenet_identity::did;
use tenet_log::{ids::SessionId, store::StoreError};

use super::{CommandError, Reply};
use crate::{engine::Engine, groups, input::Notice, storage::Storage};

/// How many words are remembered with the conversation that they name.
const MAX_NAMED: usize = 1024;

impl<S: Storage> Engine<S> {
    /// The session in which one writes to whom the word means, or wrote last, and all that are shown
    /// as one conversation with it.
    pub(super) fn sessions_of(
        &self,
        who: &str,
    ) -> Result<(SessionId, Vec<SessionId>), CommandError> {
        let none = || CommandError::NotFound(format!("there is no conversation with \"{who}\""));
        // Contacts first: what others call a group does not take a contact's place.
        let known = match self.resolve(who) {
            Ok(known) => known,
            Err(error) => {
                let group = self.group_of(who).map(|id| (id, vec![id]));
                let several = || groups::several(who, &self.groups()).map(CommandError::NotFound);
                return group.ok_or_else(|| several().unwrap_or(error));
            }
        };
        match known {
            Who::Own => {
                let sessions = self.own_sessions();
                Ok((*sessions.first().ok_or_else(none)?, sessions))
            }
            Who::Contact(identity) => {
                let contact = self.store.contact(identity)?.ok_or_else(none)?;
                let session = contact.session().or_else(|| contact.shown().last());
                Ok((session.ok_or_else(none)?, contact.shown().collect()))
            }
        }
    }

    /// The session in which one writes to whom the word means, remembered for the next time.
    pub(super) fn session_of(&mut self, who: &str) -> Result<SessionId, CommandError> {
        if let Some(session) = self.named.get(who) {
            return Ok(*session);
        }
        let (session, _) = self.sessions_of(who)?;
        if let Ok(Who::Contact(_)) = self.resolve(who) {
            can_write_to(&self.contact_of(who)?)?;
        }
        if self.named.len() >= MAX_NAMED {
            self.named.clear();
        }
        self.named.insert(who.to_owned(), session);
        Ok(session)
    }

    /// Writes a contact; what words meant may be different now.
    pub(crate) fn put_contact(&mut self, contact: &Contact) -> Result<(), StoreError> {
        self.named.clear();
        self.store.put_contact(contact)?;
        self.note_contact(contact)
    }

    pub(super) fn confirm(&mut self, now: u64, who: &str) -> Result<Reply, CommandError> {
        let mut contact = self.contact_of(who)?;
        contact.confirm(now);
        let identity = contact.identity;
        self.put_contact(&contact)?;
        self.tell_contact(&contact)?;
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
        self.tell_contact(&contact)?;
        self.must_last();
        self.notify(Notice::ContactRenamed { identity });
        Ok(Reply::Contact { identity })
    }

    /// NODE-103, CON-104: silence, from both sides. Whoever is no contact may be named by their DID.
    pub(super) fn block(&mut self, now: u64, who: &str) -> Result<Reply, CommandError> {
        let mut contact = match (self.contact_of(who), did::parse(who.trim())) {
            (Err(CommandError::NotFound(_)), Ok(identity)) => {
                self.new_contact(now, identity, None, "")?
            }
            (found, _) => found?,
        };
        contact.blocked = true;
        let identity = contact.identity;
        self.put_contact(&contact)?;
        self.tell_blocked(&contact)?;
        self.forget_requests_of(identity)?;
        self.must_last();
        self.silence(now, identity)?;
        self.notify(Notice::ContactBlocked { identity });
        Ok(Reply::Contact { identity })
    }

    /// The end of [`Self::block`]; who was blocked by their DID alone is nobody again.
    pub(super) fn unblock(&mut self, now: u64, who: &str) -> Result<Reply, CommandError> {
        let mut contact = self.contact_of(who)?;
        let identity = contact.identity;
        contact.blocked = false;
        self.tell_blocked(&contact)?;
        self.must_last();
        let nobody = contact.shown().next().is_none();
        if nobody {
            self.named.clear();
            self.store.remove_contact(identity)?;
        } else {
            self.put_contact(&contact)?;
        }
        self.hear_again(now, identity)?;
        self.notify(Notice::ContactUnblocked { identity });
        Ok(if nobody {
            Reply::Removed(Box::new(contact))
        } else {
            Reply::Contact { identity }
        })
    }

    /// CON-105: leaves what the two have; what was said stays, and is shown again if they meet
    /// again.
    pub(super) fn remove(&mut self, now: u64, who: &str) -> Result<Reply, CommandError> {
        let mut contact = self.contact_of(who)?;
        if contact.blocked {
            return Err(CommandError::Refused(format!(
                "{} is blocked, which holds only while you know them; unblock them first",
                contact.name
            )));
        }
        let identity = contact.identity;
        self.must_last();
        self.named.clear();
        self.store.remove_contact(identity)?;
        for session in contact.sessions.clone() {
            contact.ended(session);
            self.leave(now, session)?;
        }
        self.forget_meeting(identity)?;
        for knocking in self.store.knockings()? {
            if knocking.is_open() && knocking.link.ext().identity == identity {
                self.store.remove_knocking(knocking.id())?;
                self.forget_unwanted(now, knocking.link.ext().endpoint)?;
            }
        }
        if !contact.past.is_empty() {
            self.store.put_former(&contact)?;
        }
        self.notify(Notice::ContactRemoved { identity });
        Ok(Reply::Removed(Box::new(contact)))
    }

    pub(super) fn contact_of(&self, who: &str) -> Result<Contact, CommandError> {
        match self.resolve(who)? {
            Who::Contact(identity) => Ok(self
                .store
                .contact(identity)?
                .ok_or_else(|| CommandError::NotFound(format!("there is no contact \"{who}\"")))?),
            Who::Own => Err(CommandError::Usage("that is you".into())),
        }
    }

    pub(super) fn resolve(&self, who: &str) -> Result<Who, CommandError> {
        let own = Own {
            identity: self.own.identity(),
            session: self.own_session(),
        };
        resolve::resolve(who, &own, &self.store.contacts()?)
            .map_err(|error| CommandError::NotFound(error.to_string()))
    }
}

fn can_write_to(contact: &Contact) -> Result<(), CommandError> {
    let name = &contact.name;
    if contact.blocked {
        return Err(CommandError::Refused(format!(
            "you have blocked {name}; to write to them: tenet contact unblock '{name}'"
        )));
    }
    if contact.is_over() {
        return Err(CommandError::Refused(format!(
            "{name} has ended the contact; a new link makes you contacts again"
        )));
    }
    Ok(())
}
