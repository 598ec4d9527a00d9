//! An invite: a link that I gave, and who came by it.

use std::fmt;

use minicbor::{Decode, Encode};
use tenet_identity::{
    keys::{DeviceId, IdentityId, bytes_of},
    meeting::{
        invite::{InviteId, InviteKey, Secret},
        knock::Reason,
    },
};
use zeroize::Zeroizing;

use super::record::{self, RecordError, VERSION};

/// The most people that a reusable link lets in (`CON-7`).
///
/// A guess: more than a party, less than what fills a disk when the link ends up in public.
pub const MAX_USES: usize = 256;

/// The most devices whose attempts at a used link are kept; further ones are only counted.
pub const MAX_ATTEMPTS: usize = 16;

/// A link that I gave.
#[derive(Clone, PartialEq, Eq)]
pub struct Invite {
    /// What I want to call whoever takes it.
    pub name: Option<String>,
    /// The secret half of its key pair.
    pub key: InviteKey,
    /// What a knock must prove to know.
    pub secret: Secret,
    /// Whether more than one person may come by it.
    pub reusable: bool,
    /// When I made it, in Unix milliseconds.
    pub created: u64,
    /// The first moment when it is no longer valid, in Unix milliseconds.
    pub expires: u64,
    /// When I withdrew it, in Unix milliseconds.
    pub revoked: Option<u64>,
    /// Who came by it, in the order in which they came.
    pub uses: Vec<Use>,
    /// Who else tried it after it was used: at most [`MAX_ATTEMPTS`] devices.
    pub attempts: Vec<Use>,
    /// How often somebody else tried it after it was used.
    pub attempt_count: u32,
    /// What is asked first of who comes by it, if several may.
    pub question: Option<String>,
    /// Whether it is my door: an invite that everybody knows who knows my DID (`CON-106`).
    pub door: bool,
}

/// What is known of somebody who comes by a link that leads to requests (`CON-101`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Nothing: nobody was asked about them.
    None,
    /// I want to know them: a contact already, or somebody whose own link I took.
    Known,
    /// I was asked and have not said yet.
    Waiting,
    /// I said yes.
    Yes,
    /// I said no.
    No,
}

/// A device that knocked, and when it first did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Use {
    /// Whose device.
    #[n(0)]
    pub identity: IdentityId,
    /// The device.
    #[n(1)]
    pub device: DeviceId,
    /// When, in Unix milliseconds.
    #[n(2)]
    pub at: u64,
}

/// How somebody who knocked is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// For the first time.
    New,
    /// Again: it gets the same answer as the first time, which perhaps never reached it.
    Again,
    /// Not yet: a person is asked, or has not said yet.
    Ask,
}

/// Why somebody who knocked is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The link is for one person, and another device has used it.
    #[error("the link was used already")]
    Used {
        /// Whether somebody else than the first tries it: perhaps the link was intercepted.
        suspicious: bool,
    },
    /// I have withdrawn the link.
    #[error("the link was withdrawn")]
    Revoked,
    /// Its time is over.
    #[error("the link has expired")]
    Expired,
    /// As many as may have come by it.
    #[error("the link has let in as many people as it may")]
    Full,
    /// I said no.
    #[error("they were rejected")]
    Rejected,
}

impl Invite {
    /// A new invite.
    pub fn new(key: InviteKey, secret: Secret, reusable: bool, created: u64, expires: u64) -> Self {
        Self {
            name: None,
            key,
            secret,
            reusable,
            created,
            expires,
            revoked: None,
            uses: Vec::new(),
            attempts: Vec::new(),
            attempt_count: 0,
            question: None,
            door: false,
        }
    }

    /// My door, open from now on.
    pub fn door(key: InviteKey, secret: Secret, question: Option<String>, now: u64) -> Self {
        let door = Self::new(key, secret, true, now, u64::MAX);
        Self {
            question,
            door: true,
            ..door
        }
    }

    /// `CON-106`: whether it is a shut door: nobody hears that there is one but who came by it
    /// while it was open.
    pub fn is_shut_to(&self, now: u64, device: DeviceId, identity: IdentityId) -> bool {
        self.door && !self.is_open(now) && !self.has_let_in(device, identity)
    }

    /// Its name in lists and knocks.
    pub fn id(&self) -> InviteId {
        self.key.public().id()
    }

    /// Whether somebody new could still come by it.
    pub fn is_open(&self, now: u64) -> bool {
        self.refusal(now).is_none()
    }

    /// Decides about a device that has proven to know the secret, and notes that it came.
    ///
    /// The invite is to be stored whatever the answer is.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn admit(
        &mut self,
        now: u64,
        device: DeviceId,
        identity: IdentityId,
    ) -> Result<Admission, Refused> {
        let this = Use {
            identity,
            device,
            at: now,
        };
        // CON-5: whoever was let in once gets its answer, also after the link's end.
        if self.has_let_in(device, identity) {
            return Ok(Admission::Again);
        }
        match self.refusal(now) {
            None => {
                self.uses.push(this);
                Ok(Admission::New)
            }
            Some(Refused::Used { .. }) => Err(Refused::Used {
                suspicious: self.note_attempt(this),
            }),
            Some(refused) => Err(refused),
        }
    }

    /// Decides about a device that has proven to know the secret, of somebody of whom this is known;
    /// a one-time link was given to one person, so nobody is asked about who comes by it (`CON-101`).
    ///
    /// The invite is to be stored whatever the answer is.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn admit_by(
        &mut self,
        now: u64,
        device: DeviceId,
        identity: IdentityId,
        word: Word,
    ) -> Result<Admission, Refused> {
        if !self.reusable || word == Word::Known || self.has_let_in(device, identity) {
            return self.admit(now, device, identity);
        }
        match word {
            Word::No => Err(Refused::Rejected),
            Word::Waiting => Ok(Admission::Ask),
            // Who asked while the link was good is let in by a yes after its end, too.
            Word::Yes if self.uses.len() < MAX_USES => {
                self.uses.push(Use {
                    identity,
                    device,
                    at: now,
                });
                Ok(Admission::New)
            }
            Word::Yes => Err(Refused::Full),
            Word::None | Word::Known => self.refusal(now).map_or(Ok(Admission::Ask), Err),
        }
    }

    /// Withdraws the link; whoever has come by it stays.
    pub fn revoke(&mut self, now: u64) {
        self.revoked.get_or_insert(now);
    }

    /// The contact with somebody has ended: by a link for several they may ask again (`CON-105`).
    /// Says whether they came by it.
    pub fn forget(&mut self, identity: IdentityId) -> bool {
        let before = self.uses.len();
        if self.reusable {
            self.uses.retain(|known| known.identity != identity);
        }
        self.uses.len() != before
    }

    fn has_let_in(&self, device: DeviceId, identity: IdentityId) -> bool {
        let mut uses = self.uses.iter();
        uses.any(|known| known.device == device && known.identity == identity)
    }

    /// Why nobody new is let in any more. That a link was used is told before its end is: who
    /// tries a used link must be noticed whenever it does.
    fn refusal(&self, now: u64) -> Option<Refused> {
        if !self.reusable && !self.uses.is_empty() {
            Some(Refused::Used { suspicious: false })
        } else if self.revoked.is_some() {
            Some(Refused::Revoked)
        } else if now >= self.expires {
            Some(Refused::Expired)
        } else if self.uses.len() >= MAX_USES {
            Some(Refused::Full)
        } else {
            None
        }
    }

    /// CON-6: notes that a used link was tried, unless by the same person with another device.
    fn note_attempt(&mut self, this: Use) -> bool {
        let suspicious = self
            .uses
            .iter()
            .all(|known| known.identity != this.identity);
        if suspicious {
            self.attempt_count = self.attempt_count.saturating_add(1);
            let known = self
                .attempts
                .iter()
                .any(|attempt| attempt.device == this.device);
            if !known && self.attempts.len() < MAX_ATTEMPTS {
                self.attempts.push(this);
            }
        }
        suspicious
    }

    /// The bytes that are stored; they hold the secrets.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(record::encode(&Form {
            version: VERSION,
            name: self.name.clone(),
            key: KeyForm(self.key.to_bytes()),
            secret: self.secret.clone(),
            reusable: self.reusable,
            created: self.created,
            expires: self.expires,
            revoked: self.revoked,
            uses: self.uses.clone(),
            attempts: self.attempts.clone(),
            attempt_count: self.attempt_count,
            question: self.question.clone(),
            door: self.door.then_some(true),
        }))
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let form: Form = record::decode(bytes)?;
        Ok(Self {
            name: form.name,
            key: InviteKey::from_bytes(&form.key.0)?,
            secret: form.secret,
            reusable: form.reusable,
            created: form.created,
            expires: form.expires,
            revoked: form.revoked,
            uses: form.uses,
            attempts: form.attempts,
            attempt_count: form.attempt_count,
            question: form.question,
            door: form.door.unwrap_or_default(),
        })
    }
}

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Invite({:?}, {} uses, redacted)",
            self.id(),
            self.uses.len()
        )
    }
}

impl Refused {
    /// What the one who knocked is told.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Used { .. } => Reason::Used,
            Self::Revoked => Reason::Revoked,
            Self::Expired => Reason::Expired,
            Self::Full => Reason::TooMany,
            Self::Rejected => Reason::Rejected,
        }
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    version: u8,
    #[n(1)]
    name: Option<String>,
    #[n(2)]
    key: KeyForm,
    #[n(3)]
    secret: Secret,
    #[n(4)]
    reusable: bool,
    #[n(5)]
    created: u64,
    #[n(6)]
    expires: u64,
    #[n(7)]
    revoked: Option<u64>,
    #[n(8)]
    uses: Vec<Use>,
    #[n(9)]
    attempts: Vec<Use>,
    #[n(10)]
    attempt_count: u32,
    #[n(11)]
    question: Option<String>,
    #[n(12)]
    door: Option<bool>,
}

struct KeyForm(Zeroizing<[u8; 48]>);

impl<C> Encode<C> for KeyForm {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(self.0.as_slice())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for KeyForm {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        Ok(Self(Zeroizing::new(bytes_of(decoder)?)))
    }
}

#[cfg(test)]
mod tests;
