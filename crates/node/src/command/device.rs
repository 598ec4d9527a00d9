//! Own devices: letting in another one, and taking one's right to speak.

use std::collections::{BTreeMap, BTreeSet};

use tenet_apps::own::{self, status::Status};
use tenet_identity::{
    card::{self, Revocation},
    keys::{DeviceId, IdentityKey},
    meeting::{
        invite::{InviteKey, Secret},
        link::{Ext, Link},
    },
    name,
};
use tenet_log::{ids::SessionId, roster::Op, store::StoreError};

use super::{CommandError, Reply};
use crate::{
    engine::{Engine, Linking, Ours},
    storage::Storage,
};

/// Something about the devices of this identity.
#[derive(Debug)]
#[non_exhaustive]
pub enum Deed {
    /// Make a link by which one other device is let in; one made before ends.
    Link {
        /// The identity's key, which signs the card.
        key: Box<IdentityKey>,
        /// Whether the card is given only after [`Self::Confirm`].
        ask: bool,
        /// For how long it is good, in milliseconds.
        lasts_ms: u64,
    },
    /// Both screens show the same, or not: the device that asks gets its card, or none.
    Confirm {
        /// Whether they do.
        same: bool,
    },
    /// Call a device something else, on all my devices.
    Rename {
        /// Which device: its name, its id, or a beginning of it.
        device: String,
        /// Its new name.
        name: String,
    },
    /// Have my devices not speak with one of them, or again (OWN-903).
    Suspend {
        /// Which device: its name, its id, or a beginning of it.
        device: String,
        /// Whether they do not.
        suspended: bool,
    },
    /// Renew the cards of my devices that end soon.
    RenewCards {
        /// The identity's key, which signs them.
        key: Box<IdentityKey>,
    },
    /// This device is so now; my others are told (OWN-902).
    Status(Status),
    /// Take a device's right to speak for this identity, for good.
    Revoke {
        /// The identity's key, which signs the statement.
        key: Box<IdentityKey>,
        /// Which device: its name, its id, or a beginning of it.
        device: String,
    },
    /// Revoke the keys that this device had before it was set back or renewed, once nothing more of them comes.
    RevokeFormer {
        /// The identity's key, which signs the statement.
        key: Box<IdentityKey>,
    },
}

/// The least number of digits by which a device may be named.
const LEAST_DIGITS: usize = 4;

impl<S: Storage> Engine<S> {
    pub(super) fn do_to_device(&mut self, now: u64, deed: Deed) -> Result<Reply, CommandError> {
        match deed {
            Deed::Link { key, ask, lasts_ms } => self.link_device(now, *key, ask, lasts_ms),
            Deed::Confirm { same } => self.confirm_device(now, same),
            Deed::Rename { device, name } => self.rename_device(&device, &name),
            Deed::Suspend { device, suspended } => self.suspend_device(now, &device, suspended),
            Deed::RenewCards { key } => self.renew_cards(now, &key),
            Deed::Status(status) => {
                self.note_status(now, status)?;
                Ok(Reply::Done)
            }
            Deed::Revoke { key, device } => self.revoke_device(now, &key, &device),
            Deed::RevokeFormer { key } => {
                self.check_own(&key)?;
                self.revoke_former(now, &key)
            }
        }
    }

    /// DLINK-7: makes the link by which another device of ours is let in.
    fn link_device(
        &mut self,
        now: u64,
        key: IdentityKey,
        ask: bool,
        lasts_ms: u64,
    ) -> Result<Reply, CommandError> {
        self.check_own(&key)?;
        self.end_linking(now);
        let invite = InviteKey::generate(&mut self.rng);
        let secret = Secret::generate(&mut self.rng);
        let ext = Ext {
            device: true,
            ..self.link_to_here(secret, now.saturating_add(lasts_ms))
        };
        let link = Link::new(invite.public(), None, ext)
            .map_err(|error| CommandError::Usage(error.to_string()))?;
        self.linking = Some(Linking::new(link.clone(), key, ask));
        Ok(Reply::Invited {
            id: link.invite().id(),
            link: Box::new(link),
        })
    }

    /// A person has compared what both screens show.
    fn confirm_device(&mut self, now: u64, same: bool) -> Result<Reply, CommandError> {
        if !same {
            self.end_linking(now);
            return Ok(Reply::Done);
        }
        match self.give_card(now)? {
            Some(_) => Ok(Reply::Done),
            None => Err(CommandError::NotFound(
                "no device waits for its card; make a new link: tenet device link".into(),
            )),
        }
    }

    /// CARD-4, OWN-6: this device's at once, another's by what all my devices are told.
    fn renew_cards(&mut self, now: u64, key: &IdentityKey) -> Result<Reply, CommandError> {
        self.check_own(key)?;
        let refused = |error: card::Error| CommandError::Usage(error.to_string());
        for known in self.cards_of_mine()? {
            if !known.is_due(now) {
                continue;
            }
            let card = card::issue(key, known.device(), known.name(), now).map_err(refused)?;
            self.must_last();
            let about = own::key(own::CARD, known.device().as_bytes());
            self.tell_own(&about, card.to_bytes())?;
        }
        self.adopt_card()?;
        Ok(Reply::Done)
    }

    /// OWN-1: what a device is called among my own; its card, which others see, stays.
    fn rename_device(&mut self, device: &str, name: &str) -> Result<Reply, CommandError> {
        let name = name.trim();
        name::check(name).map_err(|error| CommandError::Usage(error.to_string()))?;
        if name.is_empty() {
            return Err(CommandError::Usage("a name may not be empty".into()));
        }
        let device = self.own_device(device)?;
        let key = own::key(own::DEVICE, device.as_bytes());
        self.must_last();
        self.tell_own(&key, name.as_bytes().to_vec())?;
        Ok(Reply::Device { device })
    }

    /// OWN-903: any other device of mine may say so, without the identity's key.
    fn suspend_device(
        &mut self,
        now: u64,
        device: &str,
        suspended: bool,
    ) -> Result<Reply, CommandError> {
        let device = self.own_device(device)?;
        let here = self.own.device();
        if device == here || self.suspended.contains(&here) {
            return Err(CommandError::Refused(
                match device == here {
                    true => "this is the device that you are using: say it on another one of yours",
                    false => "this device is suspended: say it on the one that did so",
                }
                .into(),
            ));
        }
        if self.revoked.contains(&(self.own.identity(), device)) {
            return Err(CommandError::Refused(
                "it was revoked, for good: nobody speaks with it".into(),
            ));
        }
        match self.suspend(now, device, suspended) {
            Ok(()) => Ok(Reply::Device { device }),
            Err(fault) => Err(fault.into()),
        }
    }

    /// DLINK-8: the identity says that a device is its own no more; it is said in every session.
    fn revoke_device(
        &mut self,
        now: u64,
        key: &IdentityKey,
        device: &str,
    ) -> Result<Reply, CommandError> {
        self.check_own(key)?;
        let device = self.own_device(device)?;
        if device == self.own.device() {
            return Err(CommandError::Refused(
                "this is the device that you are using; revoke it from another one".into(),
            ));
        }
        self.revoke_key(now, key, device)?;
        Ok(Reply::Device { device })
    }

    /// DLINK-8: says in every session in which this device may that another is none of ours any more.
    pub(crate) fn revoke_key(
        &mut self,
        now: u64,
        key: &IdentityKey,
        device: DeviceId,
    ) -> Result<(), CommandError> {
        let revocation = Revocation::issue(key, device, now)
            .map_err(|error| CommandError::Usage(error.to_string()))?;
        let op = Op::Revoke(revocation);
        let me = self.own.identity();
        let sessions: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in sessions {
            let Some(session) = self.sessions.get_mut(&id) else {
                continue;
            };
            let roster = session.roster();
            let writes = roster.author(self.own.device()).is_some();
            if !writes || !roster.members.contains_key(&me) || roster.revoked.contains(&device) {
                continue;
            }
            let (event, admitted) = session.operate(&mut self.store, &self.own.key, &op, now)?;
            self.admitted(now, id, &event, admitted, Some(Ours))?;
        }
        Ok(())
    }

    /// The own device that a word names: what it alone is called, its id, or a beginning that no other has.
    fn own_device(&self, word: &str) -> Result<DeviceId, CommandError> {
        if let Some(device) = self.own_device_called(word.trim())? {
            return Ok(device);
        }
        let word = word.trim().to_ascii_lowercase();
        let me = self.own.identity();
        let chains = self.sessions.values().flat_map(|one| &one.roster().chains);
        let own = chains.filter(|(_, chain)| chain.identity == me);
        let found: BTreeSet<DeviceId> = own
            .map(|(author, _)| author.device)
            .filter(|device| device.to_string().starts_with(&word))
            .collect();
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(device), None) if word.len() >= LEAST_DIGITS => Ok(device),
            (Some(_), Some(_)) => Err(CommandError::Usage(format!(
                "several devices begin with {word}; give more of the id"
            ))),
            _ => Err(CommandError::NotFound(format!(
                "no device of yours has the id {word}; tenet device list shows them"
            ))),
        }
    }

    fn own_device_called(&self, name: &str) -> Result<Option<DeviceId>, StoreError> {
        let cards = self.cards_of_mine()?.into_iter();
        let mut names: BTreeMap<DeviceId, String> = cards
            .map(|card| (card.device(), card.name().to_owned()))
            .collect();
        let mut registers = Vec::new();
        for session in self.own_sessions() {
            registers.extend(self.store.registers(session)?);
        }
        for (device, called) in own::device_names(&registers) {
            names.entry(device).and_modify(|name| *name = called);
        }
        let mut called = names.into_iter().filter(|(_, called)| called == name);
        Ok(match (called.next(), called.next()) {
            (Some((device, _)), None) => Some(device),
            _ => None,
        })
    }

    fn check_own(&self, key: &IdentityKey) -> Result<(), CommandError> {
        match key.public() == self.own.identity() {
            true => Ok(()),
            false => Err(CommandError::Usage(
                "that is the key of another identity; nothing was done".into(),
            )),
        }
    }
}
