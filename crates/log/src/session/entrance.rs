//! Who may come in by a link: asked of the operations themselves.

use tenet_identity::keys::{DeviceId, IdentityId};

use super::Session;
use crate::{
    ids::EventId,
    roster::{Op, Opening, Refusal},
    store::{LogStore, StoreError},
};

impl Session {
    /// The link that an event opened, if that counts, and whether it is open still.
    ///
    /// # Errors
    /// [`StoreError`], as for all here.
    pub fn opening<S: LogStore>(
        &self,
        store: &S,
        id: EventId,
    ) -> Result<Option<(&Opening, bool)>, StoreError> {
        Ok(self.fold(store)?.opening(id))
    }

    /// Whether the chain on which a device writes now was begun by a link.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn came_by_link<S: LogStore>(
        &self,
        store: &S,
        device: DeviceId,
    ) -> Result<bool, StoreError> {
        let Some(chain) = self.roster().author(device) else {
            return Ok(false);
        };
        let begun = self.fold(store)?.find(chain.added_by);
        Ok(begun.is_some_and(|begun| matches!(begun.op, Op::JoinLink(_))))
    }

    /// Who wrote an operation of the set.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn written_by<S: LogStore>(
        &self,
        store: &S,
        id: EventId,
    ) -> Result<Option<IdentityId>, StoreError> {
        let written = self.fold(store)?.find(id);
        Ok(written.and_then(|one| self.whose(one.order.author)))
    }

    /// Whether no link lets an identity in (ROS-504, ROS-1402).
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_shut_out<S: LogStore>(
        &self,
        store: &S,
        identity: IdentityId,
    ) -> Result<bool, StoreError> {
        Ok(self.fold(store)?.is_shut_out(identity))
    }

    /// All whom no link lets in, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn shut_out<S: LogStore>(&self, store: &S) -> Result<Vec<IdentityId>, StoreError> {
        Ok(self.fold(store)?.shut_out_by_links().collect())
    }

    /// What was answered to an identity that asked to come in, to its latest asking (ROS-1403).
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn refusal<S: LogStore>(
        &self,
        store: &S,
        identity: IdentityId,
    ) -> Result<Option<&Refusal>, StoreError> {
        Ok(self.fold(store)?.refusal(identity))
    }
}
