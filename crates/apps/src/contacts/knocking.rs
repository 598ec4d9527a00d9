//! A link that I took: whose it is, and how far I am with it.

use std::fmt;

use minicbor::{Decode, Encode};
use tenet_identity::meeting::{
    invite::InviteId,
    knock::{Reason, Refusal},
    link::Link,
};
use tenet_log::ids::SessionId;
use zeroize::Zeroizing;

use super::record::{self, RecordError, VERSION};

/// A link that I took.
#[derive(Clone, PartialEq, Eq)]
pub struct Knocking {
    /// The link.
    pub link: Link,
    /// What I want to call the one who gave it.
    pub name: Option<String>,
    /// My share of the short string. The same in every knock by this link, because the one who
    /// answers refuses another commitment (`CON-8`).
    pub nonce: [u8; 32],
    /// How far it is.
    pub state: State,
    /// When I took it, in Unix milliseconds.
    pub started: u64,
    /// What I say to the person who is asked about me.
    pub remark: Option<String>,
    /// What they said with their last refusal.
    pub said: Option<String>,
}

/// How far I am with a link that I took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not answered yet; it is tried again.
    Pending,
    /// They were reached, and a person there is asked about me; it is tried again.
    Requested,
    /// We are contacts.
    Connected {
        /// The session that was founded.
        session: SessionId,
    },
    /// Refused for good.
    Refused(Reason),
}

impl Knocking {
    /// A link that I take now; `nonce` is fresh.
    pub fn new(link: Link, name: Option<String>, nonce: [u8; 32], now: u64) -> Self {
        Self {
            link,
            name,
            nonce,
            state: State::Pending,
            started: now,
            remark: None,
            said: None,
        }
    }

    /// Whether it is tried again.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Pending | State::Requested)
    }

    /// The invite that it knocks at.
    pub fn id(&self) -> InviteId {
        self.link.invite().id()
    }

    /// Takes in that the knock was refused; says whether for good (`CON-9`).
    pub fn refused(&mut self, refusal: &Refusal) -> bool {
        // CON-1401: another member may know the link that this one has not heard of.
        let elsewhere = self.link.ext().group.is_some() && refusal.reason == Reason::Unknown;
        let last = is_final(refusal.reason) && !elsewhere;
        if self.is_open() {
            self.said.clone_from(&refusal.remark);
            if last {
                self.state = State::Refused(refusal.reason);
            } else if refusal.reason == Reason::Waiting {
                self.state = State::Requested;
            }
        }
        last
    }

    /// What a person is told of a refusal for good; `None` while there is none.
    pub fn refusal(&self) -> Option<String> {
        let State::Refused(reason) = self.state else {
            return None;
        };
        let why = match self.link.ext().group {
            Some(_) => explain_group(reason),
            None => explain(reason),
        };
        Some(match &self.said {
            Some(said) => format!("{why}: {said}"),
            None => why.to_owned(),
        })
    }

    /// The bytes that are stored; they hold the link's secret.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let (state, session, reason) = match self.state {
            State::Pending => (0, None, None),
            State::Connected { session } => (1, Some(session), None),
            State::Refused(reason) => (2, None, Some(reason_code(reason))),
            State::Requested => (3, None, None),
        };
        Zeroizing::new(record::encode(&Form {
            version: VERSION,
            link: Text(self.link.text()),
            name: self.name.clone(),
            nonce: self.nonce,
            state,
            session,
            reason,
            started: self.started,
            remark: self.remark.clone(),
            said: self.said.clone(),
        }))
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let form: Form = record::decode(bytes)?;
        let state = match (form.state, form.session, form.reason) {
            (0, None, None) => State::Pending,
            (1, Some(session), None) => State::Connected { session },
            (2, None, Some(code)) => State::Refused(reason_of(code)?),
            (3, None, None) => State::Requested,
            _ => return Err(RecordError::Unknown("state")),
        };
        Ok(Self {
            link: Link::parse(&form.link.0)?,
            name: form.name,
            nonce: form.nonce,
            state,
            started: form.started,
            remark: form.remark,
            said: form.said,
        })
    }
}

impl fmt::Debug for Knocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Knocking({:?}, {:?}, redacted)", self.id(), self.state)
    }
}

/// Whether a reason stays: knocking again will not help (`CON-9`).
pub const fn is_final(reason: Reason) -> bool {
    !matches!(reason, Reason::TooMany | Reason::Busy | Reason::Waiting)
}

/// What a person is told who took a link and was refused.
pub const fn explain(reason: Reason) -> &'static str {
    match reason {
        Reason::Unknown => "they know no such link; ask for a new one",
        Reason::Expired => "the link has expired; ask for a new one",
        Reason::Used => {
            "the link was used already, and not by this device: perhaps somebody intercepted it; \
             tell the one who gave it to you, and ask for a new one"
        }
        Reason::Revoked => "the link was withdrawn; ask for a new one",
        Reason::TooMany => "too many have knocked by this link; it is tried again later",
        Reason::Busy => "they cannot answer now; it is tried again later",
        Reason::Waiting => "they are asked, and have not said yet",
        Reason::Rejected => "they said no",
        Reason::Question => {
            "they ask something first; take the link again with the answer as your remark"
        }
        _ => "refused for a reason that this version does not know; update, or ask for a new link",
    }
}

/// The same of a link into a group.
pub const fn explain_group(reason: Reason) -> &'static str {
    match reason {
        Reason::Unknown => "nobody there knows this link yet; it is tried again later",
        Reason::Revoked => "the link was closed; ask for a new one",
        Reason::Rejected => "they said no",
        reason => explain(reason),
    }
}

/// The number that is stored; what a newer program sent is above 255.
const fn reason_code(reason: Reason) -> u16 {
    match reason {
        Reason::Expired => 1,
        Reason::Used => 2,
        Reason::Revoked => 3,
        Reason::TooMany => 4,
        Reason::Busy => 5,
        Reason::Waiting => 6,
        Reason::Rejected => 7,
        Reason::Question => 8,
        Reason::Other(code) => 256 + code as u16,
        _ => 0,
    }
}

fn reason_of(code: u16) -> Result<Reason, RecordError> {
    Ok(match code {
        0 => Reason::Unknown,
        1 => Reason::Expired,
        2 => Reason::Used,
        3 => Reason::Revoked,
        4 => Reason::TooMany,
        5 => Reason::Busy,
        6 => Reason::Waiting,
        7 => Reason::Rejected,
        8 => Reason::Question,
        _ => {
            let code = code
                .checked_sub(256)
                .and_then(|code| u8::try_from(code).ok());
            Reason::Other(code.ok_or(RecordError::Unknown("reason"))?)
        }
    })
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    version: u8,
    #[n(1)]
    link: Text,
    #[n(2)]
    name: Option<String>,
    #[cbor(n(3), with = "minicbor::bytes")]
    nonce: [u8; 32],
    #[n(4)]
    state: u8,
    #[n(5)]
    session: Option<SessionId>,
    #[n(6)]
    reason: Option<u16>,
    #[n(7)]
    started: u64,
    #[n(8)]
    remark: Option<String>,
    #[n(9)]
    said: Option<String>,
}

/// A text that is wiped.
struct Text(Zeroizing<String>);

impl<C> Encode<C> for Text {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Text {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        Ok(Self(Zeroizing::new(decoder.str()?.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;
    use crate::contacts::testing;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    fn knocking() -> Knocking {
        Knocking::new(testing::link(1), None, [0x4e; 32], 1_000)
    }

    fn reasons() -> [Reason; 11] {
        let known = [
            Reason::Unknown,
            Reason::Expired,
            Reason::Used,
            Reason::Revoked,
        ];
        let [a, b, c, d] = known;
        [
            a,
            b,
            c,
            d,
            Reason::TooMany,
            Reason::Busy,
            Reason::Waiting,
            Reason::Rejected,
            Reason::Question,
            Reason::Other(9),
            Reason::Other(255),
        ]
    }

    /// CON-9.
    #[test]
    fn a_final_refusal_stays_and_a_passing_one_does_not() {
        for reason in reasons() {
            let mut knocking = knocking();
            let passing = matches!(reason, Reason::TooMany | Reason::Busy | Reason::Waiting);
            assert_eq!(knocking.refused(&reason.into()), !passing);
            assert_eq!(knocking.is_open(), passing, "{reason:?}");
            assert_eq!(knocking.refusal().is_none(), passing);
            assert!(!explain(reason).is_empty());
        }
        let mut connected = knocking();
        connected.state = State::Connected {
            session: SessionId::from([1; 32]),
        };
        assert!(connected.refused(&Reason::Used.into()));
        assert!(
            matches!(connected.state, State::Connected { .. }),
            "what was reached stays"
        );
    }

    /// CON-1: the bytes that are stored.
    #[test]
    fn has_these_bytes() {
        let text = testing::link(1).text();
        let link = format!("78{:02x}{}", text.len(), HEXLOWER.encode(text.as_bytes()));
        let nonce = format!("035820{}", "4e".repeat(32));
        let pending = format!("a5 0001 01{link} {nonce} 0400 071903e8");
        assert_eq!(
            HEXLOWER.encode(&knocking().encode()),
            pending.replace(' ', "")
        );
        let mut connected = knocking();
        connected.name = Some("Anna".into());
        connected.state = State::Connected {
            session: SessionId::from([0x5e; 32]),
        };
        let session = format!("055820{}", "5e".repeat(32));
        let expected = format!("a7 0001 01{link} 0264416e6e61 {nonce} 0401 {session} 071903e8");
        assert_eq!(
            HEXLOWER.encode(&connected.encode()),
            expected.replace(' ', "")
        );
        let mut refused = knocking();
        refused.refused(&Reason::Other(77).into());
        let expected = format!("a6 0001 01{link} {nonce} 0402 0619014d 071903e8");
        assert_eq!(
            HEXLOWER.encode(&refused.encode()),
            expected.replace(' ', "")
        );
    }

    /// CON-103: of a request both sides know that it is one, and what was said.
    #[test]
    fn a_request_waits_and_hears_what_was_said() {
        let mut knocking = knocking();
        knocking.remark = Some("it's me".into());
        assert!(!knocking.refused(&Reason::Waiting.into()));
        assert_eq!(knocking.state, State::Requested);
        assert!(!knocking.refused(&Reason::Busy.into()));
        assert_eq!(knocking.state, State::Requested, "still");
        assert_eq!(Knocking::decode(&knocking.encode()).unwrap(), knocking);
        let rejected = Refusal {
            reason: Reason::Rejected,
            remark: Some("who?".into()),
        };
        assert!(knocking.refused(&rejected));
        assert_eq!(knocking.refusal().unwrap(), "they said no: who?");
        assert_eq!(Knocking::decode(&knocking.encode()).unwrap(), knocking);
    }

    #[test]
    fn round_trips_with_every_reason() {
        for reason in reasons() {
            let mut knocking = knocking();
            knocking.state = State::Refused(reason);
            assert_eq!(Knocking::decode(&knocking.encode()).unwrap(), knocking);
        }
        for code in [9, 255, 512, u16::MAX] {
            assert!(
                matches!(reason_of(code), Err(RecordError::Unknown("reason"))),
                "{code}"
            );
        }
    }

    #[test]
    fn shows_nothing_of_the_link() {
        let shown = format!("{:?}", knocking());
        let text = testing::link(1).text();
        assert!(!shown.contains(&text[6..20]));
    }

    proptest! {
        #[test]
        fn never_panics(at in any::<prop::sample::Index>(), to: u8) {
            let mut bytes = knocking().encode();
            let at = at.index(bytes.len());
            bytes[at] = to;
            let _ = Knocking::decode(&bytes);
            let _ = Knocking::decode(&bytes[at..]);
        }
    }
}
