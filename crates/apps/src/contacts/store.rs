//! What contacts need of a store: six small tables.

use tenet_identity::{
    keys::{DeviceId, IdentityId},
    meeting::invite::InviteId,
};
use tenet_log::store::StoreError;

use super::{Answered, Contact, Invite, Knocking, Request};

/// What contacts need of a store.
///
/// Every method works inside the caller's transaction; an implementation never commits. Putting a
/// record replaces the one with the same key; removing one that is not there is no error.
/// `contacts::testing::conformance` is the suite that every implementation passes.
pub trait ContactStore {
    /// One contact.
    ///
    /// # Errors
    /// [`StoreError`], as for every method here.
    fn contact(&self, identity: IdentityId) -> Result<Option<Contact>, StoreError>;

    /// All contacts, by identity.
    fn contacts(&self) -> Result<Vec<Contact>, StoreError>;

    /// Writes a contact.
    fn put_contact(&mut self, contact: &Contact) -> Result<(), StoreError>;

    /// Forgets a contact.
    fn remove_contact(&mut self, identity: IdentityId) -> Result<(), StoreError>;

    /// Somebody who was a contact before I removed them.
    fn former(&self, identity: IdentityId) -> Result<Option<Contact>, StoreError>;

    /// Writes somebody whom I removed.
    fn put_former(&mut self, contact: &Contact) -> Result<(), StoreError>;

    /// Forgets somebody whom I removed.
    fn remove_former(&mut self, identity: IdentityId) -> Result<(), StoreError>;

    /// One link that I gave.
    fn invite(&self, id: InviteId) -> Result<Option<Invite>, StoreError>;

    /// All links that I gave, by id.
    fn invites(&self) -> Result<Vec<Invite>, StoreError>;

    /// Writes a link that I gave.
    fn put_invite(&mut self, invite: &Invite) -> Result<(), StoreError>;

    /// Forgets a link that I gave.
    fn remove_invite(&mut self, id: InviteId) -> Result<(), StoreError>;

    /// One link that I took.
    fn knocking(&self, id: InviteId) -> Result<Option<Knocking>, StoreError>;

    /// All links that I took, by the id of the invite.
    fn knockings(&self) -> Result<Vec<Knocking>, StoreError>;

    /// Writes a link that I took.
    fn put_knocking(&mut self, knocking: &Knocking) -> Result<(), StoreError>;

    /// Forgets a link that I took.
    fn remove_knocking(&mut self, id: InviteId) -> Result<(), StoreError>;

    /// What I answered to a device that knocked at an invite.
    fn answered(&self, invite: InviteId, device: DeviceId) -> Result<Option<Answered>, StoreError>;

    /// Everything that I answered to who knocked at an invite, by device.
    fn all_answered(&self, invite: InviteId) -> Result<Vec<Answered>, StoreError>;

    /// Writes an answer.
    fn put_answered(&mut self, answered: &Answered) -> Result<(), StoreError>;

    /// Forgets an answer.
    fn remove_answered(&mut self, invite: InviteId, device: DeviceId) -> Result<(), StoreError>;

    /// The request of somebody who knocked at an invite.
    fn request(
        &self,
        invite: InviteId,
        identity: IdentityId,
    ) -> Result<Option<Request>, StoreError>;

    /// All requests, by invite and identity.
    fn requests(&self) -> Result<Vec<Request>, StoreError>;

    /// Writes a request.
    fn put_request(&mut self, request: &Request) -> Result<(), StoreError>;

    /// Forgets a request.
    fn remove_request(&mut self, invite: InviteId, identity: IdentityId) -> Result<(), StoreError>;
}
