//! A contact store in memory: the model that the stored one must match.

use std::collections::BTreeMap;

use tenet_identity::{
    keys::{DeviceId, IdentityId},
    meeting::invite::InviteId,
};
use tenet_log::store::StoreError;

use crate::contacts::{Answered, Contact, Invite, Knocking, Request, store::ContactStore};

/// A store that forgets everything when it is dropped.
#[derive(Clone, Debug, Default)]
pub struct MemoryContacts {
    contacts: BTreeMap<IdentityId, Contact>,
    former: BTreeMap<IdentityId, Contact>,
    invites: BTreeMap<InviteId, Invite>,
    knockings: BTreeMap<InviteId, Knocking>,
    answered: BTreeMap<(InviteId, DeviceId), Answered>,
    requests: BTreeMap<(InviteId, IdentityId), Request>,
}

impl ContactStore for MemoryContacts {
    fn contact(&self, identity: IdentityId) -> Result<Option<Contact>, StoreError> {
        Ok(self.contacts.get(&identity).cloned())
    }

    fn contacts(&self) -> Result<Vec<Contact>, StoreError> {
        Ok(self.contacts.values().cloned().collect())
    }

    fn put_contact(&mut self, contact: &Contact) -> Result<(), StoreError> {
        self.contacts.insert(contact.identity, contact.clone());
        Ok(())
    }

    fn remove_contact(&mut self, identity: IdentityId) -> Result<(), StoreError> {
        self.contacts.remove(&identity);
        Ok(())
    }

    fn former(&self, identity: IdentityId) -> Result<Option<Contact>, StoreError> {
        Ok(self.former.get(&identity).cloned())
    }

    fn put_former(&mut self, contact: &Contact) -> Result<(), StoreError> {
        self.former.insert(contact.identity, contact.clone());
        Ok(())
    }

    fn remove_former(&mut self, identity: IdentityId) -> Result<(), StoreError> {
        self.former.remove(&identity);
        Ok(())
    }

    fn invite(&self, id: InviteId) -> Result<Option<Invite>, StoreError> {
        Ok(self.invites.get(&id).cloned())
    }

    fn invites(&self) -> Result<Vec<Invite>, StoreError> {
        Ok(self.invites.values().cloned().collect())
    }

    fn put_invite(&mut self, invite: &Invite) -> Result<(), StoreError> {
        self.invites.insert(invite.id(), invite.clone());
        Ok(())
    }

    fn remove_invite(&mut self, id: InviteId) -> Result<(), StoreError> {
        self.invites.remove(&id);
        Ok(())
    }

    fn knocking(&self, id: InviteId) -> Result<Option<Knocking>, StoreError> {
        Ok(self.knockings.get(&id).cloned())
    }

    fn knockings(&self) -> Result<Vec<Knocking>, StoreError> {
        Ok(self.knockings.values().cloned().collect())
    }

    fn put_knocking(&mut self, knocking: &Knocking) -> Result<(), StoreError> {
        self.knockings.insert(knocking.id(), knocking.clone());
        Ok(())
    }

    fn remove_knocking(&mut self, id: InviteId) -> Result<(), StoreError> {
        self.knockings.remove(&id);
        Ok(())
    }

    fn answered(&self, invite: InviteId, device: DeviceId) -> Result<Option<Answered>, StoreError> {
        Ok(self.answered.get(&(invite, device)).cloned())
    }

    fn all_answered(&self, invite: InviteId) -> Result<Vec<Answered>, StoreError> {
        let all = self.answered.values();
        Ok(all
            .filter(|answered| answered.invite == invite)
            .cloned()
            .collect())
    }

    fn put_answered(&mut self, answered: &Answered) -> Result<(), StoreError> {
        self.answered
            .insert((answered.invite, answered.device), answered.clone());
        Ok(())
    }

    fn remove_answered(&mut self, invite: InviteId, device: DeviceId) -> Result<(), StoreError> {
        self.answered.remove(&(invite, device));
        Ok(())
    }

    fn request(
        &self,
        invite: InviteId,
        identity: IdentityId,
    ) -> Result<Option<Request>, StoreError> {
        Ok(self.requests.get(&(invite, identity)).cloned())
    }

    fn requests(&self) -> Result<Vec<Request>, StoreError> {
        Ok(self.requests.values().cloned().collect())
    }

    fn put_request(&mut self, request: &Request) -> Result<(), StoreError> {
        let key = (request.invite, request.identity);
        self.requests.insert(key, request.clone());
        Ok(())
    }

    fn remove_request(&mut self, invite: InviteId, identity: IdentityId) -> Result<(), StoreError> {
        self.requests.remove(&(invite, identity));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn conforms() {
        crate::contacts::testing::conformance(super::MemoryContacts::default);
    }
}
