//! What we say of ourselves, and what others do (CON-201, CON-202).
//!
//! One's own profile is a register of the session among one's own devices; from there it goes into
//! every other session, where sync brings it to whoever lacks it.

use tenet_apps::contacts::profile::{self, Profile};
use tenet_identity::keys::IdentityId;
use tenet_log::{clock::Hlc, ids::SessionId, register::Register, store::StoreError};

use super::{Engine, Fault};
use crate::{input::Notice, storage::Storage};

impl<S: Storage> Engine<S> {
    /// What this person says of themselves.
    pub fn profile(&self) -> Profile {
        self.profile.clone().unwrap_or_else(|| Profile {
            name: self.own.name.clone(),
            ..Profile::default()
        })
    }

    /// Reads what this person says of themselves.
    pub(super) fn load_profile(&mut self) -> Result<(), StoreError> {
        let latest = self.latest_own(profile::KEY)?;
        self.profile = latest.and_then(|register| Profile::decode(register.value()).ok());
        Ok(())
    }

    /// Says something of this person, to everybody they know.
    pub(crate) fn set_profile(&mut self, now: u64, profile: Profile) -> Result<(), Fault> {
        self.profile = Some(profile);
        let sessions: Vec<SessionId> = self.sessions.keys().copied().collect();
        for session in sessions {
            self.publish_profile(now, session)?;
        }
        let profile = self.profile();
        self.notify(Notice::Profile { name: profile.name });
        Ok(())
    }

    /// Says in a session what this person says of themselves, if they ever did. CON-1301: to many, who are no
    /// contacts of theirs, at least what they are called.
    pub(crate) fn publish_profile(&mut self, now: u64, session: SessionId) -> Result<(), Fault> {
        let known = self.sessions.get(&session);
        let many = known.is_some_and(|session| !session.roster().kind.is_closed());
        let profile = match &self.profile {
            Some(profile) => Some(profile.clone()),
            None => Some(self.profile()).filter(|profile| many && !profile.name.is_empty()),
        };
        match profile {
            Some(profile) => {
                let value = profile.encode();
                // Later than what any of my devices has said (CON-203).
                let latest = self.latest_own(profile::KEY)?;
                let after = latest.map_or_else(Hlc::default, |latest| latest.version().0);
                self.write_register_after(now, session, profile::KEY, value, after)
            }
            None => Ok(()),
        }
    }

    /// Somebody says something of themselves; of a stranger nothing is noted, and nonsense is let be.
    pub(super) fn learn_profile(
        &mut self,
        identity: Option<IdentityId>,
        register: &Register,
    ) -> Result<(), Fault> {
        let Some(identity) = identity else {
            return Ok(());
        };
        if !self.is_last_said(identity, register)? {
            return Ok(());
        }
        if identity == self.own.identity() && self.is_own(register.session()) {
            // Another device of mine says it from now on, and to everybody.
            self.load_profile()?;
            let profile = self.profile();
            self.notify(Notice::Profile { name: profile.name });
            return Ok(());
        }
        let contact = self.store.contact(identity)?;
        let profile = Profile::decode(register.value());
        let Some((mut contact, profile)) = contact.zip(profile.ok()) else {
            let session = register.session();
            self.notify(Notice::Named { session });
            return Ok(());
        };
        if contact.shows(profile) {
            self.put_contact(&contact)?;
            self.must_last();
            self.notify(Notice::ContactProfile { identity });
        }
        Ok(())
    }

    /// CON-203: whether no other device of that person has said something later.
    fn is_last_said(&self, identity: IdentityId, register: &Register) -> Result<bool, StoreError> {
        let session = register.session();
        let Some(state) = self.sessions.get(&session) else {
            return Ok(true);
        };
        let roster = state.roster();
        let devices = roster.active().filter(|(_, one)| one.identity == identity);
        for (author, _) in devices {
            let said = self.store.register(session, author.device, profile::KEY)?;
            if said.is_some_and(|said| said.version() > register.version()) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
