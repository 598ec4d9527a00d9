//! What my other devices are told beside sessions, and what they tell (OWN-1 to OWN-5).

use std::collections::BTreeMap;

use tenet_apps::{
    contacts::{name, profile, shared::SharedContact},
    own,
    settings::Settings,
};
use tenet_identity::{
    card::{DeviceCard, UnverifiedCard},
    keys::{DeviceId, IdentityId},
};
use tenet_log::{clock::Hlc, ids::SessionId, register::Register, store::StoreError};

use super::{Engine, Fault};
use crate::{input::Notice, storage::Storage};
use tenet_apps::contacts::Contact;

impl<S: Storage> Engine<S> {
    /// Whether a session is one among my own devices.
    pub(super) fn is_own(&self, session: SessionId) -> bool {
        self.own_sessions().contains(&session)
    }

    /// Tells my other devices what I said just now, which holds from now on.
    pub(crate) fn tell_own(&mut self, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        let latest = self.latest_own(key)?;
        let known = latest.as_ref().map_or(&[][..], Register::value);
        match known == value {
            true => Ok(()),
            false => self.say_own(key, value),
        }
    }

    /// As [`Self::tell_own`], also where it is said already.
    pub(super) fn say_own(&mut self, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        let latest = self.latest_own(key)?;
        // Later than what any device has said, whatever its clock (OWN-1).
        let after = latest.map_or_else(Hlc::default, |it| it.version().0);
        self.tell_at(self.clock, key, value, after)
    }

    /// Tells my other devices what was noted here and nobody said on purpose: it gives way to whatever
    /// was said, wherever and whenever (OWN-5).
    fn note_own(&mut self, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        let latest = self.latest_own(key)?;
        let said = latest.is_some_and(|it| it.version().0.millis() > 0 || it.value() == value);
        match said || value.is_empty() {
            true => Ok(()),
            false => self.tell_at(0, key, value, Hlc::default()),
        }
    }

    fn tell_at(
        &mut self,
        now: u64,
        key: &str,
        value: Vec<u8>,
        after: Hlc,
    ) -> Result<(), StoreError> {
        let Some(session) = self.own_session() else {
            return Ok(());
        };
        match self.write_register_after(now, session, key, value, after) {
            Ok(()) => Ok(()),
            Err(Fault::Store(error)) => Err(error),
            Err(fault) => {
                tracing::error!(%fault, "own devices cannot be told");
                Ok(())
            }
        }
    }

    /// Notes a contact for my other devices.
    pub(crate) fn note_contact(&mut self, contact: &Contact) -> Result<(), StoreError> {
        // Whoever was named after their DID here, because a session came before the name did, has a name elsewhere.
        let made_up = name::is_made_up(&contact.name, contact.identity);
        if made_up || contact.shown().next().is_none() {
            return Ok(());
        }
        let key = own::key(own::CONTACT, contact.identity.as_bytes());
        self.note_own(&key, SharedContact::of(contact).encode())
    }

    /// Tells my other devices what I changed about a contact.
    pub(crate) fn tell_contact(&mut self, contact: &Contact) -> Result<(), StoreError> {
        let key = own::key(own::CONTACT, contact.identity.as_bytes());
        self.tell_own(&key, SharedContact::of(contact).encode())
    }

    /// Tells my other devices whether I want to hear somebody.
    pub(crate) fn tell_blocked(&mut self, contact: &Contact) -> Result<(), StoreError> {
        let blocked = if contact.blocked { own::YES } else { &[] };
        let key = own::key(own::BLOCKED, contact.identity.as_bytes());
        self.tell_own(&key, blocked.to_vec())
    }

    /// Tells my other devices what I have set, if it is mine and not this machine's.
    pub(crate) fn tell_setting(
        &mut self,
        settings: &Settings,
        name: &str,
    ) -> Result<(), StoreError> {
        let name = name.trim();
        match settings.get(name) {
            Ok(value) if own::PERSONAL.contains(&name) => {
                self.tell_own(&own::named(own::SETTING, name), value.into_bytes())
            }
            _ => Ok(()),
        }
    }

    /// OWN-5: a device that is new to my others is told what was noted before it came.
    pub(super) fn tell_all(&mut self) -> Result<(), StoreError> {
        for contact in self.store.contacts()? {
            self.note_contact(&contact)?;
            if contact.blocked {
                let key = own::key(own::BLOCKED, contact.identity.as_bytes());
                self.note_own(&key, own::YES.to_vec())?;
            }
        }
        // What I call myself, where I never said it to anybody: as my first device knows it.
        let first = self
            .own_session()
            .and_then(|id| self.sessions.get(&id))
            .map(|session| session.founder());
        if first == Some(self.own.device()) {
            self.note_own(profile::KEY, self.profile().encode())?;
        }
        let (settings, usual) = (self.store.settings()?, Settings::default());
        for name in own::PERSONAL {
            if let (Ok(value), Ok(usual)) = (settings.get(name), usual.get(name))
                && value != usual
            {
                self.note_own(&own::named(own::SETTING, name), value.into_bytes())?;
            }
        }
        Ok(())
    }

    /// Another device of mine says something.
    pub(super) fn learn_own(&mut self, now: u64, register: &Register) -> Result<(), Fault> {
        let Some((prefix, about)) = own::parts(register.key()) else {
            return Ok(());
        };
        if !self.is_own(register.session()) {
            return Ok(());
        }
        if prefix == own::SUSPENDED {
            // Not the latest word counts, but the latest of those that are heard.
            self.must_last();
            return self.heed_suspended(now);
        }
        let latest = self.latest_own(register.key())?;
        if latest.is_some_and(|latest| latest.version() > register.version()) {
            return Ok(());
        }
        self.must_last();
        let identity = own::id(about).map(IdentityId::from);
        match (prefix, identity, own::session(about)) {
            (own::CONTACT, Some(identity), _) => self.learn_contact(identity, register),
            (own::BLOCKED, Some(identity), _) => {
                self.learn_blocked(now, identity, register.value() == own::YES)
            }
            (own::DRAFT, _, Some(session)) => self.learn_draft(session, register),
            (own::SETTING, ..) => self.learn_setting(about, register),
            (own::CARD, Some(device), _) if device.as_bytes() == self.own.device().as_bytes() => {
                Ok(self.adopt_card()?)
            }
            _ => Ok(()),
        }
    }

    /// What is known of a contact from my other devices, once it is one here too.
    pub(super) fn remember_contact(&mut self, identity: IdentityId) -> Result<(), Fault> {
        let key = own::key(own::CONTACT, identity.as_bytes());
        match self.latest_own(&key)? {
            Some(register) => self.learn_contact(identity, &register),
            None => Ok(()),
        }
    }

    fn learn_contact(&mut self, identity: IdentityId, register: &Register) -> Result<(), Fault> {
        let known = self.store.contact(identity)?;
        let shared = SharedContact::decode(register.value());
        let Some((mut contact, mut shared)) = known.zip(shared) else {
            return Ok(());
        };
        let mut others = self.store.contacts()?;
        others.retain(|other| other.identity != identity);
        if others.iter().any(|other| other.name == shared.name) {
            shared.name = name::suggest(Some(&shared.name), &contact.nickname, identity, &others);
        }
        if shared.apply(&mut contact) {
            self.named.clear();
            self.store.put_contact(&contact)?;
            self.notify(Notice::ContactRenamed { identity });
        }
        Ok(())
    }

    fn learn_blocked(
        &mut self,
        now: u64,
        identity: IdentityId,
        blocked: bool,
    ) -> Result<(), Fault> {
        let known = self.store.contact(identity)?;
        let mut contact = match known {
            Some(contact) if contact.blocked != blocked => contact,
            None if blocked => self.new_contact(now, identity, None, "")?,
            _ => return Ok(()),
        };
        contact.blocked = blocked;
        self.named.clear();
        if blocked {
            self.store.put_contact(&contact)?;
            self.forget_requests_of(identity)?;
            self.silence(now, identity)?;
            self.notify(Notice::ContactBlocked { identity });
            return Ok(());
        }
        match contact.shown().next() {
            Some(_) => self.store.put_contact(&contact)?,
            None => self.store.remove_contact(identity)?,
        }
        self.hear_again(now, identity)?;
        self.notify(Notice::ContactUnblocked { identity });
        Ok(())
    }

    fn learn_draft(&mut self, session: SessionId, register: &Register) -> Result<(), Fault> {
        let text = std::str::from_utf8(register.value()).unwrap_or_default();
        let text = Some(text).filter(|text| !text.is_empty());
        if self.store.draft(session)?.as_deref() != text {
            self.store.put_draft(session, text)?;
            self.notify(Notice::Conversation { session });
        }
        Ok(())
    }

    fn learn_setting(&mut self, name: &str, register: &Register) -> Result<(), Fault> {
        let value = std::str::from_utf8(register.value()).unwrap_or_default();
        let mut settings = self.store.settings()?;
        if own::PERSONAL.contains(&name) && settings.set(name, value).is_ok() {
            self.store.put_settings(&settings)?;
            self.heed_typing(&settings);
        }
        Ok(())
    }

    /// OWN-6: shows the card that was renewed last, if one was.
    pub(crate) fn adopt_card(&mut self) -> Result<(), StoreError> {
        let (me, device) = (self.own.identity(), self.own.device());
        let told = self.latest_own(&own::key(own::CARD, device.as_bytes()))?;
        let renewed = told.and_then(|told| card_of(&told, me, device));
        let later = |card: &DeviceCard| card.not_after() > self.own.card.not_after();
        if let Some(card) = renewed.filter(later) {
            self.notify(Notice::CardRenewed {
                until: card.not_after(),
            });
            self.own.card = card;
        }
        Ok(())
    }

    /// OWN-6: the present cards of my devices that are in and not revoked.
    pub(crate) fn cards_of_mine(&self) -> Result<Vec<DeviceCard>, StoreError> {
        let me = self.own.identity();
        let mut cards: BTreeMap<DeviceId, DeviceCard> = BTreeMap::new();
        for session in self.own_sessions() {
            let Some(state) = self.sessions.get(&session) else {
                continue;
            };
            for (author, _) in state.roster().active() {
                if !self.revoked.contains(&(me, author.device)) {
                    cards.extend(
                        state
                            .card(&self.store, author)?
                            .map(|card| (author.device, card)),
                    );
                }
            }
        }
        for card in cards.values_mut() {
            let key = own::key(own::CARD, card.device().as_bytes());
            let renewed = self.latest_own(&key)?;
            if let Some(renewed) = renewed.and_then(|it| card_of(&it, me, card.device())) {
                *card = renewed;
            }
        }
        Ok(cards.into_values().collect())
    }

    /// The latest word of any of my devices under a key (OWN-1).
    pub(crate) fn latest_own(&self, key: &str) -> Result<Option<Register>, StoreError> {
        let mut latest: Option<Register> = None;
        for session in self.own_sessions() {
            let Some(state) = self.sessions.get(&session) else {
                continue;
            };
            let mut devices: Vec<DeviceId> =
                state.roster().chains.keys().map(|one| one.device).collect();
            devices.dedup();
            for device in devices {
                let said = self.store.register(session, device, key)?;
                let later = |said: &Register| {
                    let known = latest.as_ref();
                    known.is_none_or(|known| known.version() < said.version())
                };
                if let Some(said) = said.filter(later) {
                    latest = Some(said);
                }
            }
        }
        Ok(latest)
    }
}

/// A card of this device of ours, if that is what a register says.
fn card_of(register: &Register, me: IdentityId, device: DeviceId) -> Option<DeviceCard> {
    let card = UnverifiedCard::from_bytes(register.value()).ok()?;
    let card = card.verify().ok()?;
    (card.identity() == me && card.device() == device).then_some(card)
}
