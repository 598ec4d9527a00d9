//! The messages of a knock and their form.
//!
//! ```text
//! message = [ kind, map ]     0 Knock   1 Answer   2 Open   3 Done   4 Refused   5 Group   6 Preview   7 Arrived
//! ```

use minicbor::{Decode, Decoder, Encode, Encoder};

use super::{Error, GroupKnock, Preview};
use crate::{
    card::UnverifiedCard,
    encoding,
    meeting::{address::Address, invite::InviteId},
    name,
};

/// The largest message, in bytes: an event of 16 KiB, a card, a name and the proofs.
pub const MAX_BYTES: usize = 18 * 1024;

/// One message of a knock, as it travels; what it says is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// The knocker shows itself and proves the secret.
    Knock(Knock),
    /// The inviter does the same, and founds the session.
    Answer(Answer),
    /// The knocker opens its commitment, and joins.
    Open(Open),
    /// The inviter has stored everything: both are contacts.
    Done,
    /// The inviter says why not.
    Refused(Refusal),
    /// Somebody knocks at a group instead of a person.
    Group(GroupKnock),
    /// A member's device says what group that is.
    Preview(Preview),
    /// It says that the knocker's device is in this session.
    Arrived([u8; 32]),
}

/// The first message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Knock {
    #[n(0)]
    pub(super) invite: InviteId,
    #[n(1)]
    pub(super) card: UnverifiedCard,
    #[n(2)]
    pub(super) name: String,
    #[cbor(n(3), with = "minicbor::bytes")]
    pub(super) commitment: [u8; 32],
    #[cbor(n(4), with = "minicbor::bytes")]
    pub(super) mac: [u8; 32],
    #[n(5)]
    pub(super) remark: Option<String>,
    #[n(6)]
    pub(super) addresses: Option<Vec<Address>>,
}

/// The inviter's answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Answer {
    #[n(0)]
    pub(super) card: UnverifiedCard,
    #[n(1)]
    pub(super) name: String,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(super) nonce: [u8; 32],
    #[cbor(n(3), with = "minicbor::bytes")]
    pub(super) founding: Vec<u8>,
    #[cbor(n(4), with = "minicbor::bytes")]
    pub(super) mac: [u8; 32],
}

/// The knocker's opening.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Open {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(super) nonce: [u8; 32],
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(super) join: Vec<u8>,
}

/// That a knock is refused, and what the inviter says to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// What the person says with it, or asks first: a line (KNOCK-101).
    pub remark: Option<String>,
}

/// Why a knock is refused, as the inviter says it.
///
/// A stranger without the secret hears [`Self::Unknown`] only, so it learns nothing about invites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No such invite, or the proof is wrong.
    Unknown,
    /// The link has expired.
    Expired,
    /// The link was for one person and somebody has used it: perhaps it was intercepted.
    Used,
    /// The inviter has withdrawn the link.
    Revoked,
    /// Too many knocks; later perhaps.
    TooMany,
    /// The inviter cannot answer now; later perhaps.
    Busy,
    /// The inviter's person is asked; later perhaps.
    Waiting,
    /// The inviter's person said no.
    Rejected,
    /// The inviter's person asks something first; the answer is the remark of another knock.
    Question,
    /// A reason that a newer program knows.
    Other(u8),
}

impl Message {
    /// The message as it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`Error::Encoding`], [`Error::TooLarge`]; [`Error::Name`] for a refusal with a remark that
    /// is no line (KNOCK-101).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLarge { got: bytes.len() });
        }
        let message = encoding::decode(bytes)?;
        match &message {
            Self::Refused(refusal) => {
                name::check_line(refusal.remark.as_deref().unwrap_or_default())?;
            }
            Self::Preview(preview) => preview.check()?,
            _ => {}
        }
        Ok(message)
    }
}

impl Knock {
    /// The invite that it knocks at: it says which secret to check it with.
    pub fn invite(&self) -> InviteId {
        self.invite
    }
}

impl Reason {
    const fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Expired => 1,
            Self::Used => 2,
            Self::Revoked => 3,
            Self::TooMany => 4,
            Self::Busy => 5,
            Self::Waiting => 6,
            Self::Rejected => 7,
            Self::Question => 8,
            Self::Other(number) => number,
        }
    }

    const fn of(number: u8) -> Self {
        match number {
            0 => Self::Unknown,
            1 => Self::Expired,
            2 => Self::Used,
            3 => Self::Revoked,
            4 => Self::TooMany,
            5 => Self::Busy,
            6 => Self::Waiting,
            7 => Self::Rejected,
            8 => Self::Question,
            other => Self::Other(other),
        }
    }
}

/// A map without entries today; a later version may add some.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Done {}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Arrived {
    #[cbor(n(0), with = "minicbor::bytes")]
    session: [u8; 32],
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Refused {
    #[n(0)]
    reason: u8,
    #[n(1)]
    remark: Option<String>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            remark: None,
        }
    }
}

impl<C> Encode<C> for Message {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.array(2)?;
        match self {
            Self::Knock(knock) => knock.encode(encoder.u8(0)?, context),
            Self::Answer(answer) => answer.encode(encoder.u8(1)?, context),
            Self::Open(open) => open.encode(encoder.u8(2)?, context),
            Self::Done => Done {}.encode(encoder.u8(3)?, context),
            Self::Refused(refusal) => Refused {
                reason: refusal.reason.number(),
                remark: refusal.remark.clone(),
            }
            .encode(encoder.u8(4)?, context),
            Self::Group(knock) => knock.encode(encoder.u8(5)?, context),
            Self::Preview(preview) => preview.encode(encoder.u8(6)?, context),
            Self::Arrived(session) => Arrived { session: *session }.encode(encoder.u8(7)?, context),
        }
    }
}

impl<'b, C> Decode<'b, C> for Message {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = decoder.position();
        if decoder.array()? != Some(2) {
            return Err(minicbor::decode::Error::message("not a knock message").at(at));
        }
        match decoder.u8()? {
            0 => Knock::decode(decoder, context).map(Self::Knock),
            1 => Answer::decode(decoder, context).map(Self::Answer),
            2 => Open::decode(decoder, context).map(Self::Open),
            3 => Done::decode(decoder, context).map(|Done {}| Self::Done),
            4 => Refused::decode(decoder, context).map(|Refused { reason, remark }| {
                Self::Refused(Refusal {
                    reason: Reason::of(reason),
                    remark,
                })
            }),
            5 => GroupKnock::decode(decoder, context).map(Self::Group),
            6 => Preview::decode(decoder, context).map(Self::Preview),
            7 => {
                Arrived::decode(decoder, context).map(|Arrived { session }| Self::Arrived(session))
            }
            _ => Err(minicbor::decode::Error::message("knock message of unknown kind").at(at)),
        }
    }
}
