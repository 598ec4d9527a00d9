//! What my devices tell each other about a contact (OWN-2).

use minicbor::{Decode, Encode};
use tenet_identity::{encoding, name};
use tenet_log::ids::SessionId;

use super::{
    Contact,
    contact::{Share, Verification},
};

/// What my devices tell each other about a contact. Sessions come by themselves, pictures and what they say
/// of themselves from the contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedContact {
    /// What I call them.
    pub name: String,
    /// When we became contacts, in Unix milliseconds.
    pub added: u64,
    /// When I confirmed that we saw the same short string, in Unix milliseconds.
    pub verified: Option<u64>,
    /// What the short string is made of.
    pub verification: Option<Verification>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    name: String,
    #[n(1)]
    added: u64,
    #[n(2)]
    verified: Option<u64>,
    #[n(3)]
    mine: Option<Share>,
    #[n(4)]
    theirs: Option<Share>,
    #[n(5)]
    session: Option<SessionId>,
}

impl SharedContact {
    /// What is to be told of a contact.
    pub fn of(contact: &Contact) -> Self {
        Self {
            name: contact.name.clone(),
            added: contact.added,
            verified: contact.verified,
            verification: contact.verification,
        }
    }

    /// Takes it in; says whether that is news.
    pub fn apply(self, contact: &mut Contact) -> bool {
        let before = Self::of(contact);
        if before == self {
            return false;
        }
        contact.name = self.name;
        contact.added = self.added;
        contact.verified = self.verified;
        contact.verification = self.verification.or(contact.verification);
        true
    }

    /// The register's value.
    pub fn encode(&self) -> Vec<u8> {
        let verification = self.verification;
        encoding::encode(&Form {
            name: self.name.clone(),
            added: self.added,
            verified: self.verified,
            mine: verification.map(|it| it.mine),
            theirs: verification.map(|it| it.theirs),
            session: verification.map(|it| it.session),
        })
    }

    /// Reads a register's value; `None` for what is none, and for a name that is none.
    pub fn decode(value: &[u8]) -> Option<Self> {
        let form: Form = encoding::decode(value).ok()?;
        name::check(&form.name).ok()?;
        let parts = form.mine.zip(form.theirs).zip(form.session);
        Some(Self {
            name: form.name,
            added: form.added,
            verified: form.verified,
            verification: parts.map(|((mine, theirs), session)| Verification {
                mine,
                theirs,
                session,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;
    use tenet_identity::keys::{DeviceId, IdentityId};

    fn bert() -> Contact {
        let identity = IdentityId::from([0xbb; 32]);
        let mut bert = Contact::new(identity, "Bert".into(), "bert".into(), 1_000);
        let share = |n| Share {
            device: DeviceId::from([n; 32]),
            nonce: [n; 32],
        };
        bert.met(Verification {
            mine: share(1),
            theirs: share(2),
            session: SessionId::from([3; 32]),
        });
        bert
    }

    /// OWN-2
    #[test]
    fn another_device_knows_the_same() {
        let mut told = bert();
        told.name = "Berti".into();
        told.confirm(2_000);
        let mut here = Contact::new(told.identity, "bert".into(), "bert".into(), 9_000);
        let shared = SharedContact::decode(&SharedContact::of(&told).encode()).unwrap();
        assert!(shared.clone().apply(&mut here));
        assert!(!shared.apply(&mut here), "it is known now");
        assert_eq!((here.name.as_str(), here.added), ("Berti", 1_000));
        assert_eq!(here.verified, Some(2_000));
        let me = IdentityId::from([0xaa; 32]);
        assert_eq!(here.short(me), told.short(me));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = SharedContact::decode(&bytes);
        }
    }
}
