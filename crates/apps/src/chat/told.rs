//! What was done to a session of many, told among its messages (`CHAT-1301`).
//!
//! ```text
//! roster operation ── of ──▶ Told: what was done, to whom ──▶ a line where the operation stands in the order
//! ```
//!
//! A line is no message: it is not unread, nobody answers it, and what would take it back has no effect.

use std::{collections::BTreeMap, str};

use tenet_identity::keys::{DeviceId, IdentityId};
use tenet_log::{
    event::Event,
    ids::EventId,
    roster::{Op, Policy, Role},
};

/// The settings of a session that people see: what it is called, what it is about, its picture.
pub const NAME: &str = "name";
/// See [`NAME`].
pub const DESCRIPTION: &str = "description";
/// See [`NAME`].
pub const AVATAR: &str = "avatar";

/// With what the settings begin that name pinned messages (`CHAT-1305`).
const PIN: &str = "pin.";

/// The setting that says whether a message is pinned; its value is the message's id, or empty. A key has no
/// room for all of an id: its first 30 bytes are as good.
pub fn pin(message: EventId) -> String {
    let hex = message.to_string();
    PIN.to_owned() + hex.get(..60).unwrap_or(&hex)
}

/// The message that a setting pins.
fn pinned(key: &str, value: &[u8]) -> Option<EventId> {
    let id = EventId::from(<[u8; 32]>::try_from(value).ok()?);
    (pin(id) == key).then_some(id)
}

/// The messages that a session's settings pin, in no particular order.
pub fn pins(settings: &BTreeMap<String, Vec<u8>>) -> impl Iterator<Item = EventId> {
    let from = settings.range(PIN.to_owned()..);
    let pins = from.take_while(|(key, _)| key.starts_with(PIN));
    pins.filter_map(|(key, value)| pinned(key, value))
}

/// What was done to a session of many.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Told {
    /// It was founded, with these in it.
    Founded(Vec<IdentityId>),
    /// A device of the author came in.
    Joined(DeviceId),
    /// The author came in by a link.
    JoinedByLink(DeviceId),
    /// The author took out a device of their own.
    DeviceRemoved(DeviceId),
    /// Somebody revoked a device of their own.
    DeviceRevoked(DeviceId, IdentityId),
    /// The author left.
    Left,
    /// Somebody was let in.
    Added(IdentityId, Role),
    /// Somebody was given a higher role.
    Promoted(IdentityId, Role),
    /// Somebody was left a lower role.
    Demoted(IdentityId, Role),
    /// Somebody was taken out, and perhaps may not come in by a link again.
    Removed(IdentityId, bool),
    /// Somebody's word was taken, perhaps until a time in Unix milliseconds.
    Muted(IdentityId, Option<u64>),
    /// Somebody was given the word back.
    Unmuted(IdentityId),
    /// A link was opened that lets others in as that, or, if so, by which they ask.
    LinkOpened(Role, bool),
    /// A link was closed.
    LinkClosed,
    /// Who may do what is another than before, or what newcomers get.
    Policy(Policy),
    /// It is called something else.
    Named(String),
    /// It is about something else; perhaps about nothing.
    Described(String),
    /// It has another picture, or none any more.
    Pictured(bool),
    /// A message was pinned.
    Pinned(EventId),
    /// A message is pinned no more.
    Unpinned,
    /// Links let somebody in again who was shut out.
    Unblocked(IdentityId),
    /// Somebody who asked to come in does not; what they are told.
    Refused(IdentityId, Option<String>),
    /// A message of somebody was withdrawn, for this reason.
    Withdrew(IdentityId, EventId, String),
    /// It was ended for all.
    Dissolved,
}

impl Told {
    /// What an event did to a session of many; `None` where it did nothing that people are told of.
    pub fn of(event: &Event) -> Option<Self> {
        if !event.header().kind.is_roster() {
            return None;
        }
        // It was verified when it came in.
        Some(match Op::trusted(event).ok()?? {
            Op::Found(founding) => {
                let founder = founding.card.identity();
                let others = founding.members.iter().map(|member| member.identity);
                Self::Founded(others.filter(|other| *other != founder).collect())
            }
            Op::Join(card) | Op::AddDevice(card) => Self::Joined(card.device()),
            Op::JoinLink(joining) => Self::JoinedByLink(joining.card.device()),
            Op::RemoveDevice(chain) => Self::DeviceRemoved(chain.device),
            Op::Revoke(revocation) => {
                Self::DeviceRevoked(revocation.device(), revocation.identity())
            }
            Op::Leave => Self::Left,
            Op::Add(addition) => Self::Added(addition.identity, addition.role),
            Op::Promote(member) => Self::Promoted(member.identity, member.role),
            Op::Demote(member) => Self::Demoted(member.identity, member.role),
            Op::Remove(removal) => Self::Removed(removal.identity, removal.shut_out),
            Op::Mute(muting) => {
                Self::Muted(muting.identity, muting.until.map(|until| until.millis()))
            }
            Op::Unmute(identity) => Self::Unmuted(identity),
            Op::OpenLink(opening) => Self::LinkOpened(opening.role, opening.asks()),
            Op::Unblock(identity) => Self::Unblocked(identity),
            Op::Refuse(refusal) => Self::Refused(refusal.identity, refusal.remark),
            Op::CloseLink(_) => Self::LinkClosed,
            Op::Policy(policy) => Self::Policy(policy),
            Op::Set(setting) => {
                let text = || {
                    str::from_utf8(&setting.value)
                        .unwrap_or_default()
                        .to_owned()
                };
                match setting.key.as_str() {
                    NAME => Self::Named(text()),
                    DESCRIPTION => Self::Described(text()),
                    AVATAR => Self::Pictured(!setting.value.is_empty()),
                    key if key.starts_with(PIN) && setting.value.is_empty() => Self::Unpinned,
                    key => Self::Pinned(pinned(key, &setting.value)?),
                }
            }
            Op::Withdraw(withdrawal) => {
                Self::Withdrew(withdrawal.identity, withdrawal.event, withdrawal.reason)
            }
            Op::Dissolve => Self::Dissolved,
        })
    }

    /// To whom it was done, where that is not its author.
    pub fn whom(&self) -> &[IdentityId] {
        match self {
            Self::Founded(others) => others,
            Self::DeviceRevoked(_, who)
            | Self::Added(who, _)
            | Self::Promoted(who, _)
            | Self::Demoted(who, _)
            | Self::Removed(who, _)
            | Self::Muted(who, _)
            | Self::Withdrew(who, ..)
            | Self::Unblocked(who)
            | Self::Refused(who, _)
            | Self::Unmuted(who) => std::slice::from_ref(who),
            _ => &[],
        }
    }

    /// The name by which scripts know it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Founded(_) => "founded",
            Self::Joined(_) => "joined",
            Self::JoinedByLink(_) => "joined_by_link",
            Self::DeviceRemoved(_) => "device_removed",
            Self::DeviceRevoked(..) => "device_revoked",
            Self::Left => "left",
            Self::Added(..) => "added",
            Self::Promoted(..) => "promoted",
            Self::Demoted(..) => "demoted",
            Self::Removed(..) => "removed",
            Self::Muted(..) => "muted",
            Self::Unmuted(_) => "unmuted",
            Self::LinkOpened(..) => "link_opened",
            Self::Unblocked(_) => "unblocked",
            Self::Refused(..) => "refused",
            Self::LinkClosed => "link_closed",
            Self::Policy(_) => "policy",
            Self::Named(_) => "named",
            Self::Described(_) => "described",
            Self::Pictured(true) => "pictured",
            Self::Pictured(false) => "picture_removed",
            Self::Pinned(_) => "pinned",
            Self::Unpinned => "unpinned",
            Self::Withdrew(..) => "withdrew",
            Self::Dissolved => "dissolved",
        }
    }
}
