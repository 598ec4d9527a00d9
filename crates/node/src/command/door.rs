//! The door: whether anybody who knows our DID may knock; and the card that says where.

use tenet_apps::contacts::Invite;
use tenet_identity::meeting::{
    contact_card::ContactCard,
    door::{self, Place},
    link::MAX_ADDRESSES,
};

use super::{CommandError, Reply, line};
use crate::{engine::Engine, storage::Storage};

impl<S: Storage> Engine<S> {
    /// CON-106: from now on anybody who knows our DID may ask to become a contact.
    pub(super) fn open_door(
        &mut self,
        now: u64,
        question: Option<String>,
    ) -> Result<Reply, CommandError> {
        let question = line(question)?;
        let me = self.own.identity();
        let key = door::key(me).map_err(|error| CommandError::Refused(error.to_string()))?;
        let mut invite = Invite::door(key, door::secret(me), question, now);
        if let Some(known) = self.store.invite(invite.id())? {
            // Who was let in before gets its answer as before.
            invite.uses = known.uses;
        }
        self.must_last();
        self.store.put_invite(&invite)?;
        Ok(Reply::Done)
    }

    /// Nobody new may ask; who asked before waits for an answer as before.
    pub(super) fn close_door(&mut self, now: u64) -> Result<Reply, CommandError> {
        for mut invite in self.store.invites()? {
            if invite.door {
                invite.revoke(now);
                self.must_last();
                self.store.put_invite(&invite)?;
            }
        }
        Ok(Reply::Done)
    }

    /// Who we are and where we are met, signed.
    pub(super) fn contact_card(&self, now: u64) -> Reply {
        let addresses = self.own_addresses.iter().copied();
        let card = ContactCard {
            card: self.own.card.clone(),
            place: Place {
                endpoint: self.own.endpoint,
                addresses: addresses.take(MAX_ADDRESSES).collect(),
            },
            name: self.profile().name,
            made_ms: now,
        };
        Reply::Card(card.sign(&self.own.key))
    }
}
