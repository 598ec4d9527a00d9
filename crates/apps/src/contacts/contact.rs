//! A contact: another identity that I have accepted.

use std::{collections::BTreeSet, fmt};

use minicbor::{Decode, Encode, bytes::ByteVec};
use tenet_identity::{
    keys::{DeviceId, IdentityId},
    meeting::short::{self, Short, Side},
};
use tenet_log::ids::SessionId;

use super::{
    Profile,
    record::{self, RecordError, VERSION},
};

/// Another identity that I have accepted, with what I keep about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub identity: IdentityId,
    /// What I call them: see [`super::name`].
    pub name: String,
    /// What they call themselves; may be empty.
    pub nickname: String,
    /// What they say of how they are; may be empty.
    pub status: String,
    /// A small picture that they show, as they sent it.
    pub picture: Option<Vec<u8>>,
    /// Our direct sessions; usually one, two where both knocked at the same time, none once one of
    /// us has left.
    pub sessions: BTreeSet<SessionId>,
    /// Direct sessions that one of us has left: they are shown, and nothing is written in them.
    pub past: BTreeSet<SessionId>,
    /// When I confirmed that we saw the same short string, in Unix milliseconds.
    pub verified: Option<u64>,
    /// Whether I want to hear nothing of them.
    pub blocked: bool,
    /// What the short string is made of; absent until a knock was completed.
    pub verification: Option<Verification>,
    /// When we became contacts, in Unix milliseconds.
    pub added: u64,
    /// What I should know about how we became contacts.
    pub warning: Option<Warning>,
}

/// What the short string of two people is made of, apart from their identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// My device, and my nonce.
    pub mine: Share,
    /// Their device, and their nonce.
    pub theirs: Share,
    /// The session that the knock founded.
    pub session: SessionId,
}

/// One side's part of a short string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Share {
    /// The device that knocked or answered.
    #[n(0)]
    pub device: DeviceId,
    /// Its nonce of that knock.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub nonce: [u8; 32],
}

/// Something that makes it worth comparing the short string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Somebody else tried the one-time link by which we became contacts (`CON-6`): perhaps it was
    /// intercepted, and this contact is not who I gave it to.
    LinkReused {
        /// When it was last tried, in Unix milliseconds.
        at: u64,
    },
}

impl Contact {
    /// A new contact, of whom nothing is known yet but who it is.
    pub fn new(identity: IdentityId, name: String, nickname: String, now: u64) -> Self {
        Self {
            identity,
            name,
            nickname,
            status: String::new(),
            picture: None,
            sessions: BTreeSet::new(),
            past: BTreeSet::new(),
            verified: None,
            blocked: false,
            verification: None,
            added: now,
            warning: None,
        }
    }

    /// The session in which I write to them: of several the smallest, the same on both sides
    /// (`CON-3`). The messages of the others are shown in it.
    pub fn session(&self) -> Option<SessionId> {
        self.sessions.first().copied()
    }

    /// All sessions whose messages are shown as one conversation.
    pub fn shown(&self) -> impl Iterator<Item = SessionId> {
        self.sessions.union(&self.past).copied()
    }

    /// They say this of themselves (`CON-202`); says whether that is news. What I call them stays.
    pub fn shows(&mut self, profile: Profile) -> bool {
        let Profile {
            name,
            status,
            picture,
        } = profile;
        let news = (&self.nickname, &self.status, &self.picture) != (&name, &status, &picture);
        (self.nickname, self.status, self.picture) = (name, status, picture);
        news
    }

    /// One of us has left a session (`CON-105`); says whether that is news.
    pub fn ended(&mut self, session: SessionId) -> bool {
        let news = self.sessions.remove(&session);
        if news {
            self.past.insert(session);
        }
        news
    }

    /// Whether one of us has ended the contact: there is no session to write in.
    pub fn is_over(&self) -> bool {
        self.sessions.is_empty() && !self.past.is_empty()
    }

    /// The short string that both see, once a knock was completed.
    pub fn short(&self, me: IdentityId) -> Option<Short> {
        let Verification {
            mine,
            theirs,
            session,
        } = self.verification?;
        let side = |identity, Share { device, nonce }: Share| Side {
            identity,
            device,
            nonce,
        };
        Some(short::short(
            &side(me, mine),
            &side(self.identity, theirs),
            session.as_bytes(),
        ))
    }

    /// Takes in a completed knock.
    ///
    /// The short string is that of the smallest session, whichever knock was completed first: where
    /// two links cross, the two sides complete them in different orders (`CON-4`).
    pub fn met(&mut self, verification: Verification) {
        self.sessions.insert(verification.session);
        let smallest = self.session() == Some(verification.session);
        let over = |known: &Verification| !self.sessions.contains(&known.session);
        if smallest || self.verification.as_ref().is_none_or(over) {
            self.verification = Some(verification);
        }
    }

    /// I have compared the short string and it was the same; the warning has no more reason.
    pub fn confirm(&mut self, now: u64) {
        self.verified = Some(now);
        self.warning = None;
    }

    /// The bytes that are stored.
    pub fn encode(&self) -> Vec<u8> {
        record::encode(&Form {
            version: VERSION,
            identity: self.identity,
            name: self.name.clone(),
            nickname: self.nickname.clone(),
            sessions: self.sessions.iter().copied().collect(),
            verified: self.verified,
            blocked: self.blocked,
            verification: self.verification.map(VerificationForm::from),
            added: self.added,
            link_reused: self.warning.map(|Warning::LinkReused { at }| at),
            past: Some(self.past.iter().copied().collect())
                .filter(|past: &Vec<_>| !past.is_empty()),
            status: Some(self.status.clone()).filter(|status| !status.is_empty()),
            picture: self.picture.clone().map(ByteVec::from),
        })
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let form: Form = record::decode(bytes)?;
        Ok(Self {
            identity: form.identity,
            name: form.name,
            nickname: form.nickname,
            status: form.status.unwrap_or_default(),
            picture: form.picture.map(Into::into),
            sessions: form.sessions.into_iter().collect(),
            past: form.past.into_iter().flatten().collect(),
            verified: form.verified,
            blocked: form.blocked,
            verification: form.verification.map(Verification::from),
            added: form.added,
            warning: form.link_reused.map(|at| Warning::LinkReused { at }),
        })
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contact({:?}, redacted)", self.identity)
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    version: u8,
    #[n(1)]
    identity: IdentityId,
    #[n(2)]
    name: String,
    #[n(3)]
    nickname: String,
    #[n(4)]
    sessions: Vec<SessionId>,
    #[n(5)]
    verified: Option<u64>,
    #[n(6)]
    blocked: bool,
    #[n(7)]
    verification: Option<VerificationForm>,
    #[n(8)]
    added: u64,
    #[n(9)]
    link_reused: Option<u64>,
    #[n(10)]
    past: Option<Vec<SessionId>>,
    #[n(11)]
    status: Option<String>,
    #[n(12)]
    picture: Option<ByteVec>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct VerificationForm {
    #[n(0)]
    mine: Share,
    #[n(1)]
    theirs: Share,
    #[n(2)]
    session: SessionId,
}

impl From<Verification> for VerificationForm {
    fn from(
        Verification {
            mine,
            theirs,
            session,
        }: Verification,
    ) -> Self {
        Self {
            mine,
            theirs,
            session,
        }
    }
}

impl From<VerificationForm> for Verification {
    fn from(
        VerificationForm {
            mine,
            theirs,
            session,
        }: VerificationForm,
    ) -> Self {
        Self {
            mine,
            theirs,
            session,
        }
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
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    fn identity(n: u8) -> IdentityId {
        IdentityId::from([n; 32])
    }

    fn share(n: u8) -> Share {
        Share {
            device: DeviceId::from([n; 32]),
            nonce: [n + 1; 32],
        }
    }

    fn session(n: u8) -> SessionId {
        SessionId::from([n; 32])
    }

    fn bert() -> Contact {
        Contact::new(identity(0xbb), "Bert".into(), "bert".into(), 1_000)
    }

    /// CON-3.
    #[test]
    fn of_two_sessions_the_smaller_is_written_to() {
        let mut contact = bert();
        assert_eq!(contact.session(), None);
        for n in [7, 3, 9] {
            contact.met(Verification {
                mine: share(1),
                theirs: share(2),
                session: session(n),
            });
        }
        assert_eq!(contact.session(), Some(session(3)));
        assert_eq!(contact.sessions.len(), 3);
    }

    /// CON-4.
    #[test]
    fn both_sides_see_the_same_short_string_in_whatever_order_they_met() {
        let (anna, bert_id) = (identity(0xaa), identity(0xbb));
        let mut at_anna = bert();
        assert_eq!(at_anna.short(anna), None);
        let mut at_bert = Contact::new(anna, "Anna".into(), String::new(), 1_000);
        at_anna.met(Verification {
            mine: share(1),
            theirs: share(5),
            session: session(7),
        });
        at_bert.met(Verification {
            mine: share(5),
            theirs: share(1),
            session: session(7),
        });
        let first = at_anna.short(anna);
        assert!(first.is_some());
        assert_eq!(first, at_bert.short(bert_id));
        for (mine, theirs, n) in [(8, 9, 1), (3, 4, 9)] {
            at_anna.met(Verification {
                mine: share(mine),
                theirs: share(theirs),
                session: session(n),
            });
        }
        for (mine, theirs, n) in [(4, 3, 9), (9, 8, 1)] {
            at_bert.met(Verification {
                mine: share(mine),
                theirs: share(theirs),
                session: session(n),
            });
        }
        assert_ne!(at_anna.short(anna), first);
        assert_eq!(at_anna.short(anna), at_bert.short(bert_id));
    }

    /// CON-105.
    #[test]
    fn what_was_left_is_shown_and_not_written_in() {
        let mut contact = bert();
        let meet = |contact: &mut Contact, n| {
            contact.met(Verification {
                mine: share(n),
                theirs: share(n + 1),
                session: session(n),
            });
        };
        meet(&mut contact, 3);
        let before = contact.short(identity(1));
        assert!(contact.ended(session(3)) && contact.is_over());
        assert!(!contact.ended(session(3)), "no news");
        assert_eq!(
            (contact.session(), contact.short(identity(1))),
            (None, before)
        );
        meet(&mut contact, 7);
        assert!(!contact.is_over());
        assert_eq!(contact.session(), Some(session(7)));
        assert_eq!(
            contact.shown().collect::<Vec<_>>(),
            [session(3), session(7)]
        );
        assert_ne!(contact.short(identity(1)), before, "it is the one of now");
    }

    #[test]
    fn a_confirmed_contact_is_warned_of_no_more() {
        let mut contact = bert();
        contact.warning = Some(Warning::LinkReused { at: 5 });
        contact.confirm(9);
        assert_eq!((contact.verified, contact.warning), (Some(9), None));
    }

    /// CON-1: the bytes that are stored.
    #[test]
    fn has_these_bytes() {
        let id = |byte: &str| format!("5820{}", byte.repeat(32));
        let plain = format!(
            "a700 0101{} 02 6442657274 03 6462657274 0480 06f4 081903e8",
            id("bb")
        );
        assert_eq!(HEXLOWER.encode(&bert().encode()), plain.replace(' ', ""));
        let mut full = bert();
        full.met(Verification {
            mine: share(1),
            theirs: share(3),
            session: session(7),
        });
        (full.verified, full.blocked) = (Some(2_000), true);
        full.warning = Some(Warning::LinkReused { at: 3_000 });
        let share = |a, b| format!("a200{}01{}", id(a), id(b));
        let expected = format!(
            "aa00 0101{} 02 6442657274 03 6462657274 0481{} 051907d0 06f5 07a300{}01{}02{} \
             081903e8 09190bb8",
            id("bb"),
            id("07"),
            share("01", "02"),
            share("03", "04"),
            id("07"),
        );
        assert_eq!(HEXLOWER.encode(&full.encode()), expected.replace(' ', ""));
        assert_eq!(Contact::decode(&full.encode()).unwrap(), full);
        let mut over = bert();
        over.past.insert(session(7));
        let expected = format!(
            "a800 0101{} 02 6442657274 03 6462657274 0480 06f4 081903e8 0a81{}",
            id("bb"),
            id("07")
        );
        assert_eq!(HEXLOWER.encode(&over.encode()), expected.replace(' ', ""));
        assert!(!format!("{full:?}").contains("Bert"));
    }

    #[test]
    fn refuses_what_a_newer_version_wrote() {
        let mut bytes = bert().encode();
        bytes[2] = 2;
        assert!(matches!(
            Contact::decode(&bytes),
            Err(RecordError::Newer(2))
        ));
    }

    fn contact() -> impl Strategy<Value = Contact> {
        let texts = ("\\PC{0,20}", "\\PC{0,20}");
        let times = (
            prop::option::of(any::<u64>()),
            any::<u64>(),
            prop::option::of(any::<u64>()),
        );
        let met = prop::collection::vec((0..200u8, 0..200u8, any::<u8>()), 0..3);
        (any::<[u8; 32]>(), texts, times, any::<bool>(), met).prop_map(
            |(id, (name, nickname), (verified, added, reused), blocked, met)| {
                let mut contact = Contact::new(id.into(), name, nickname, added);
                for (mine, theirs, of) in met {
                    let (mine, theirs) = (share(mine), share(theirs));
                    contact.met(Verification {
                        mine,
                        theirs,
                        session: session(of),
                    });
                }
                (contact.verified, contact.blocked) = (verified, blocked);
                contact.warning = reused.map(|at| Warning::LinkReused { at });
                if let Some(first) = contact.session().filter(|_| verified.is_some()) {
                    contact.ended(first);
                }
                contact
            },
        )
    }

    proptest! {
        #[test]
        fn round_trips(contact in contact()) {
            prop_assert_eq!(Contact::decode(&contact.encode()).unwrap(), contact);
        }

        #[test]
        fn never_panics(contact in contact(), at in any::<prop::sample::Index>(), to: u8) {
            let mut bytes = contact.encode();
            let at = at.index(bytes.len());
            bytes[at] = to;
            let _ = Contact::decode(&bytes);
            let _ = Contact::decode(&bytes[at..]);
        }
    }
}
