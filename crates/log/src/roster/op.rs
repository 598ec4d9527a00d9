//! Roster operations: the payloads of events that change who is in a session.

use minicbor::{Decode, Encode};
use tenet_identity::{
    card::{self, DeviceCard, Revocation, UnverifiedCard, UnverifiedRevocation},
    encoding,
    keys::IdentityId,
};

use super::{
    founding::{Founding, Member},
    kind,
    opening::{Joining, JoiningForm, Opening, Refusal},
    policy::{Policy, PolicyForm, Role},
};
use crate::{
    clock::Hlc,
    event::{Content, Event},
    ids::{Author, EventId},
};

/// The longest key of a setting, in bytes.
pub const MAX_SETTING_KEY_BYTES: usize = 64;
/// The largest value of a setting, in bytes.
pub const MAX_SETTING_BYTES: usize = 4096;
/// The longest reason for a withdrawal, in bytes.
pub const MAX_REASON_BYTES: usize = 512;

/// A change of the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// See [`kind::FOUND`].
    Found(Founding),
    /// See [`kind::JOIN`].
    Join(DeviceCard),
    /// See [`kind::ADD_DEVICE`].
    AddDevice(DeviceCard),
    /// See [`kind::REMOVE_DEVICE`]; names the chain that ends.
    RemoveDevice(Author),
    /// See [`kind::REVOKE`].
    Revoke(Revocation),
    /// See [`kind::LEAVE`].
    Leave,
    /// See [`kind::ADD`].
    Add(Addition),
    /// See [`kind::JOIN_LINK`].
    JoinLink(Joining),
    /// See [`kind::PROMOTE`].
    Promote(Member),
    /// See [`kind::DEMOTE`].
    Demote(Member),
    /// See [`kind::REMOVE`].
    Remove(Removal),
    /// See [`kind::MUTE`].
    Mute(Muting),
    /// See [`kind::UNMUTE`].
    Unmute(IdentityId),
    /// See [`kind::OPEN_LINK`].
    OpenLink(Opening),
    /// See [`kind::CLOSE_LINK`]; names the event that opened it.
    CloseLink(EventId),
    /// See [`kind::POLICY`].
    Policy(Policy),
    /// See [`kind::SET`].
    Set(Setting),
    /// See [`kind::WITHDRAW`].
    Withdraw(Withdrawal),
    /// See [`kind::UNBLOCK`].
    Unblock(IdentityId),
    /// See [`kind::REFUSE`].
    Refuse(Refusal),
    /// See [`kind::DISSOLVE`].
    Dissolve,
}

/// A new member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Addition {
    /// Who.
    #[n(0)]
    pub identity: IdentityId,
    /// As what.
    #[n(1)]
    pub role: Role,
    /// From when on what was said is for the newcomer, where the policy lets it have the last
    /// events (ROS-515).
    #[n(2)]
    pub floor: Option<Hlc>,
}

/// A membership that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Whose.
    pub identity: IdentityId,
    /// Whether no link lets it in again.
    pub shut_out: bool,
}

/// A member that loses the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Muting {
    /// Who.
    #[n(0)]
    pub identity: IdentityId,
    /// What is dated then or later counts again.
    #[n(1)]
    pub until: Option<Hlc>,
}

/// An event of somebody else's that is not to be shown any more. Whoever reads it makes sure that it is that
/// identity's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Withdrawal {
    /// Whose.
    #[n(0)]
    pub identity: IdentityId,
    /// Which.
    #[n(1)]
    pub event: EventId,
    /// Why, at most 512 bytes; empty where that is not said.
    #[n(2)]
    pub reason: String,
}

/// A setting of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Which, 1 to 64 bytes.
    pub key: String,
    /// Its value, at most 4 KiB.
    pub value: Vec<u8>,
}

/// Why an event of a roster kind is no operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpError {
    /// Malformed payload.
    #[error("roster operation is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// A card in it is not valid.
    #[error("roster operation shows a card that is not valid: {0}")]
    Card(#[from] card::Error),
    /// It contradicts its own header or a limit.
    #[error("roster operation contradicts itself: {0}")]
    Contradiction(&'static str),
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct RemovalForm {
    #[n(0)]
    identity: IdentityId,
    #[n(1)]
    shut_out: Option<bool>,
}

/// A payload with one name in it.
#[derive(Encode, Decode)]
#[cbor(map)]
struct NameForm<T> {
    #[n(0)]
    name: T,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct SettingForm {
    #[n(0)]
    key: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    value: Vec<u8>,
}

impl Op {
    /// The kind of event that carries it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Found(_) => kind::FOUND,
            Self::Join(_) => kind::JOIN,
            Self::AddDevice(_) => kind::ADD_DEVICE,
            Self::RemoveDevice(_) => kind::REMOVE_DEVICE,
            Self::Revoke(_) => kind::REVOKE,
            Self::Leave => kind::LEAVE,
            Self::Add(_) => kind::ADD,
            Self::JoinLink(_) => kind::JOIN_LINK,
            Self::Promote(_) => kind::PROMOTE,
            Self::Demote(_) => kind::DEMOTE,
            Self::Remove(_) => kind::REMOVE,
            Self::Mute(_) => kind::MUTE,
            Self::Unmute(_) => kind::UNMUTE,
            Self::OpenLink(_) => kind::OPEN_LINK,
            Self::CloseLink(_) => kind::CLOSE_LINK,
            Self::Policy(_) => kind::POLICY,
            Self::Set(_) => kind::SET,
            Self::Withdraw(_) => kind::WITHDRAW,
            Self::Unblock(_) => kind::UNBLOCK,
            Self::Refuse(_) => kind::REFUSE,
            Self::Dissolve => kind::DISSOLVE,
        }
    }

    /// The payload that travels in the header.
    pub fn payload(&self) -> Vec<u8> {
        match self {
            Self::Found(founding) => founding.encode(),
            Self::Join(card) | Self::AddDevice(card) => encoding::encode(&card.to_unverified()),
            Self::RemoveDevice(author) => encoding::encode(author),
            Self::Revoke(revocation) => encoding::encode(&revocation.to_unverified()),
            Self::Leave | Self::Dissolve => Vec::new(),
            Self::Add(addition) => encoding::encode(addition),
            Self::JoinLink(joining) => encoding::encode(&JoiningForm::of(joining)),
            Self::Promote(member) | Self::Demote(member) => encoding::encode(member),
            Self::Remove(removal) => encoding::encode(&RemovalForm {
                identity: removal.identity,
                shut_out: removal.shut_out.then_some(true),
            }),
            Self::Mute(muting) => encoding::encode(muting),
            Self::Unmute(identity) | Self::Unblock(identity) => {
                encoding::encode(&NameForm { name: *identity })
            }
            Self::OpenLink(opening) => encoding::encode(opening),
            Self::CloseLink(opening) => encoding::encode(&NameForm { name: *opening }),
            Self::Policy(policy) => encoding::encode(&PolicyForm::from(*policy)),
            Self::Withdraw(withdrawal) => encoding::encode(withdrawal),
            Self::Refuse(refusal) => encoding::encode(refusal),
            Self::Set(setting) => encoding::encode(&SettingForm {
                key: setting.key.clone(),
                value: setting.value.clone(),
            }),
        }
    }

    /// The operation that an event carries; `None` for ordinary events and for roster kinds of
    /// later versions, which have no effect here.
    ///
    /// # Errors
    /// [`OpError`] for what no honest device writes.
    pub fn of(event: &Event) -> Result<Option<Self>, OpError> {
        Self::read(event, Source::Elsewhere)
    }

    /// The same of an event back from a store that keeps only what was verified.
    ///
    /// # Errors
    /// [`OpError`] where the stored bytes are damaged.
    pub fn trusted(event: &Event) -> Result<Option<Self>, OpError> {
        Self::read(event, Source::Store)
    }

    fn read(event: &Event, source: Source) -> Result<Option<Self>, OpError> {
        let header = event.header();
        let name = header.kind.as_str();
        if !header.kind.is_roster() {
            return Ok(None);
        }
        let Content::Payload(payload) = &header.content else {
            return Err(OpError::Contradiction("a roster operation has a body"));
        };
        let op = match name {
            kind::FOUND => Self::Found(Founding::decode(payload)?),
            kind::JOIN => Self::Join(source.card(encoding::decode(payload)?)?),
            kind::ADD_DEVICE => Self::AddDevice(source.card(encoding::decode(payload)?)?),
            kind::REMOVE_DEVICE => Self::RemoveDevice(encoding::decode(payload)?),
            kind::REVOKE => Self::Revoke(source.revocation(encoding::decode(payload)?)?),
            kind::LEAVE => Self::Leave,
            kind::DISSOLVE => Self::Dissolve,
            _ => match Self::of_many(name, payload, source)? {
                Some(op) => op,
                None => return Ok(None),
            },
        };
        op.check_author(event)?;
        Ok(Some(op))
    }

    /// The operations of sessions of many.
    fn of_many(name: &str, payload: &[u8], source: Source) -> Result<Option<Self>, OpError> {
        Ok(Some(match name {
            kind::ADD => Self::Add(encoding::decode(payload)?),
            kind::JOIN_LINK => {
                let form: JoiningForm = encoding::decode(payload)?;
                Self::JoinLink(form.with(|card| source.card(card))?)
            }
            kind::PROMOTE => Self::Promote(encoding::decode(payload)?),
            kind::DEMOTE => Self::Demote(encoding::decode(payload)?),
            kind::REMOVE => {
                let form: RemovalForm = encoding::decode(payload)?;
                Self::Remove(Removal {
                    identity: form.identity,
                    shut_out: form.shut_out == Some(true),
                })
            }
            kind::MUTE => Self::Mute(encoding::decode(payload)?),
            kind::UNMUTE => Self::Unmute(encoding::decode::<NameForm<_>>(payload)?.name),
            kind::OPEN_LINK => Self::OpenLink(encoding::decode::<Opening>(payload)?.checked()?),
            kind::UNBLOCK => Self::Unblock(encoding::decode::<NameForm<_>>(payload)?.name),
            kind::REFUSE => Self::Refuse(encoding::decode::<Refusal>(payload)?.checked()?),
            kind::CLOSE_LINK => Self::CloseLink(encoding::decode::<NameForm<_>>(payload)?.name),
            kind::POLICY => Self::Policy(encoding::decode::<PolicyForm>(payload)?.into()),
            kind::WITHDRAW => {
                let withdrawal: Withdrawal = encoding::decode(payload)?;
                if withdrawal.reason.len() > MAX_REASON_BYTES {
                    return Err(OpError::Contradiction("a reason is too long"));
                }
                Self::Withdraw(withdrawal)
            }
            kind::SET => {
                let form: SettingForm = encoding::decode(payload)?;
                let fits = (1..=MAX_SETTING_KEY_BYTES).contains(&form.key.len());
                if !fits || form.value.len() > MAX_SETTING_BYTES {
                    return Err(OpError::Contradiction("a setting is too large"));
                }
                Self::Set(Setting {
                    key: form.key,
                    value: form.value,
                })
            }
            _ => return Ok(None),
        }))
    }

    fn check_author(&self, event: &Event) -> Result<(), OpError> {
        let header = event.header();
        let adds_itself = header.added_by.is_none();
        let own_card = match self {
            Self::Found(Founding { card, .. })
            | Self::Join(card)
            | Self::JoinLink(Joining { card, .. }) => Some(card.device()),
            _ => None,
        };
        if adds_itself != own_card.is_some() {
            return Err(OpError::Contradiction(
                "author is not what the operation needs",
            ));
        }
        if own_card.is_some_and(|device| device != header.device) {
            return Err(OpError::Contradiction("card is another device's"));
        }
        if matches!(self, Self::Found(_)) != header.session.is_none() {
            return Err(OpError::Contradiction(
                "only a founding is without a session",
            ));
        }
        if header.session.is_none() && !header.deps.is_empty() {
            return Err(OpError::Contradiction("a founding builds on nothing"));
        }
        Ok(())
    }

    /// The card of the device whose chain this operation begins.
    pub(crate) fn card(&self) -> Option<&DeviceCard> {
        match self {
            Self::Found(Founding { card, .. })
            | Self::Join(card)
            | Self::AddDevice(card)
            | Self::JoinLink(Joining { card, .. }) => Some(card),
            _ => None,
        }
    }

    /// The identity about whose role or word it is, where that is not its author's.
    pub(crate) fn subject(&self) -> Option<IdentityId> {
        match self {
            Self::Add(Addition { identity, .. })
            | Self::Promote(Member { identity, .. })
            | Self::Demote(Member { identity, .. })
            | Self::Remove(Removal { identity, .. })
            | Self::Mute(Muting { identity, .. })
            | Self::Withdraw(Withdrawal { identity, .. })
            | Self::Refuse(Refusal { identity, .. })
            | Self::Unblock(identity)
            | Self::Unmute(identity) => Some(*identity),
            _ => None,
        }
    }

    /// Whether it takes something away.
    pub(crate) fn takes_away(&self) -> bool {
        matches!(
            self,
            Self::RemoveDevice(_)
                | Self::Revoke(_)
                | Self::Leave
                | Self::Demote(_)
                | Self::Remove(_)
                | Self::Mute(_)
                | Self::CloseLink(_)
                | Self::Dissolve
        )
    }

    /// Whether it has effect only in sessions of many (ROS-501).
    pub(super) fn is_for_many(&self) -> bool {
        !matches!(
            self,
            Self::Found(_)
                | Self::Join(_)
                | Self::AddDevice(_)
                | Self::RemoveDevice(_)
                | Self::Revoke(_)
                | Self::Leave
        )
    }
}

/// Where an event comes from: what a store keeps was checked before.
#[derive(Clone, Copy)]
enum Source {
    Elsewhere,
    Store,
}

impl Source {
    fn card(self, card: UnverifiedCard) -> Result<DeviceCard, card::Error> {
        match self {
            Self::Elsewhere => card.verify(),
            Self::Store => card.trusted(),
        }
    }

    fn revocation(self, revocation: UnverifiedRevocation) -> Result<Revocation, card::Error> {
        match self {
            Self::Elsewhere => revocation.verify(),
            Self::Store => revocation.trusted(),
        }
    }
}

#[cfg(test)]
mod tests;
