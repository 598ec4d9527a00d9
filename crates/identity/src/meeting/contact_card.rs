//! Contact cards: who somebody is and where they are met, signed, to be kept in a file.
//!
//! ```text
//! card = "tenet-contact:" ‖ base64url([ body (byte string), signature of the device ])
//! ```
//!
//! A card is no secret: it says what a door needs (see [`super::door`]), and that it was the
//! identity's own device that said so.

use std::fmt;

use minicbor::{Decode, Encode};

use super::{address::Address, door::Place, link::MAX_ADDRESSES};
use crate::{
    armour,
    card::{self, DeviceCard, UnverifiedCard},
    checked::Version,
    domain::{CONTACT_CARD_ID, CONTACT_CARD_SIGNATURE, derive},
    encoding,
    keys::{DeviceKey, EndpointId, Signature, SignatureError, verify},
    name,
};

/// What a card begins with.
pub const SCHEME: &str = "tenet-contact:";
/// The version that this crate writes and reads.
pub const VERSION: u16 = 1;
/// The longest text that is read as a card, in characters; those of today have less than 1,500.
pub const MAX_CHARACTERS: usize = 4096;

/// Who somebody is and where they are met.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactCard {
    /// The card of the device that signed.
    pub card: DeviceCard,
    /// Where it is met.
    pub place: Place,
    /// What the person is called by themself; may be empty.
    pub name: String,
    /// When it was made, in Unix milliseconds.
    pub made_ms: u64,
}

/// Why a text is no contact card, or none can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not begin with [`SCHEME`].
    #[error("not a contact card: it begins with \"tenet-contact:\"")]
    NotACard,
    /// Not base64url, or more than [`MAX_CHARACTERS`].
    #[error("the contact card is damaged; ask for it again")]
    Damaged,
    /// Not of the expected form.
    #[error("the contact card is damaged; ask for it again")]
    Encoding(#[from] encoding::Error),
    /// Made by a newer program.
    #[error("the contact card is of version {version}, made by a newer program: update this one")]
    Newer {
        /// The card's version.
        version: u16,
    },
    /// The device is not certified by the identity.
    #[error("the contact card shows a device that is not its person's")]
    Card(#[from] card::Error),
    /// Somebody changed it.
    #[error("the contact card was altered; ask for it again")]
    Signature(#[from] SignatureError),
    /// The name is not allowed.
    #[error("a contact card with a name that is not allowed")]
    Name(#[from] name::Error),
    /// More than [`MAX_ADDRESSES`].
    #[error("a contact card with {got} addresses; at most 16 are allowed")]
    Addresses {
        /// How many there are.
        got: usize,
    },
}

impl ContactCard {
    /// The card as text, signed by the device that [`Self::card`] certifies.
    pub fn sign(&self, key: &DeviceKey) -> String {
        let body = encoding::encode(&Body {
            version: VERSION,
            card: self.card.to_unverified(),
            endpoint: self.place.endpoint,
            addresses: self.place.addresses.iter().copied().map(Address).collect(),
            name: self.name.clone(),
            made_ms: self.made_ms,
        });
        let signature = key.sign(CONTACT_CARD_SIGNATURE, &derive(CONTACT_CARD_ID, &[&body]));
        let signed = encoding::encode(&Signed { body, signature });
        armour::write(SCHEME, &signed)
    }

    /// Reads a card, and believes only what its device has signed (CARD-101); white space is
    /// ignored. Whether the device's card is still valid is shown when it is met.
    ///
    /// # Errors
    /// [`Error`].
    pub fn read(text: &str) -> Result<Self, Error> {
        let bytes = armour::read(text, SCHEME, MAX_CHARACTERS)?;
        let signed: Signed = encoding::decode(&bytes)?;
        let Version { version } = encoding::decode(&signed.body)?;
        if version != VERSION {
            return Err(Error::Newer { version });
        }
        let body: Body = encoding::decode(&signed.body)?;
        let card = body.card.verify()?;
        let id = derive(CONTACT_CARD_ID, &[&signed.body]);
        let device = card.device();
        verify(
            device.as_bytes(),
            CONTACT_CARD_SIGNATURE,
            &id,
            &signed.signature,
        )?;
        name::check(&body.name)?;
        let addresses: Vec<_> = body.addresses.into_iter().map(|Address(at)| at).collect();
        if addresses.len() > MAX_ADDRESSES {
            return Err(Error::Addresses {
                got: addresses.len(),
            });
        }
        Ok(Self {
            card,
            place: Place {
                endpoint: body.endpoint,
                addresses,
            },
            name: body.name,
            made_ms: body.made_ms,
        })
    }
}

impl From<armour::Error> for Error {
    fn from(error: armour::Error) -> Self {
        match error {
            armour::Error::Scheme => Self::NotACard,
            armour::Error::Damaged => Self::Damaged,
        }
    }
}

impl fmt::Debug for ContactCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContactCard({:?}, redacted)", self.card.identity())
    }
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Signed {
    #[cbor(n(0), with = "minicbor::bytes")]
    body: Vec<u8>,
    #[n(1)]
    signature: Signature,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Body {
    #[n(0)]
    version: u16,
    #[n(1)]
    card: UnverifiedCard,
    #[n(2)]
    endpoint: EndpointId,
    #[n(3)]
    addresses: Vec<Address>,
    #[n(4)]
    name: String,
    #[n(5)]
    made_ms: u64,
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
    use crate::keys::IdentityKey;
    use data_encoding::BASE64URL_NOPAD;
    use proptest::prelude::*;

    fn device(n: u8) -> DeviceKey {
        DeviceKey::from_seed([n; 32])
    }

    fn card() -> ContactCard {
        let now = 1_800_000_000_000;
        let key = IdentityKey::from_seed([1; 32]);
        ContactCard {
            card: card::issue(&key, device(2).public(), "laptop", now).unwrap(),
            place: Place {
                endpoint: EndpointId::from([3; 32]),
                addresses: vec!["192.0.2.1:80".parse().unwrap()],
            },
            name: "Anna".into(),
            made_ms: now,
        }
    }

    /// CARD-101.
    #[test]
    fn contact_card_snapshot() {
        let text = card().sign(&device(2));
        assert_eq!(
            text,
            "tenet-contact:gljqpgABAYJYZaYAAQFYIIqI4910CfGV_VLbLTy6XXLKZwm_HZQSG_N0iAG0D29cAlgggT\
             l3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5QDZmxhcHRvcAQbAAABoxM19AAFGwAAAapq5yAAWECYRZ\
             9-3RZRIVR7k1t3eyrsUqHClgoGjInaH1L53eYF_JS6h3TZcbFFAZ_HBbVA7TCd2ikzgu4iD-juPNU7N6oKAl\
             ggAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDgUbAAAIBAFAEZEFubmEFGwAAAaMYXFAAWEDQDh\
             F4R8gN9zIiWPBSe5eosn33W4XyjIf1LtnSp_5nmROiGDmyrzajrmOHjAJc3O5GPcmYgcqGjMc9gaU3zuIN"
        );
        assert_eq!(ContactCard::read(&text).unwrap(), card());
        let broken = text.replace('K', "K\n ");
        assert_eq!(ContactCard::read(&broken).unwrap(), card());
    }

    /// CARD-101: nothing of it can be changed, and only the device itself signs.
    #[test]
    fn a_changed_card_is_none() {
        let text = card().sign(&device(2));
        let (_, form) = text.split_at(SCHEME.len());
        let bytes = BASE64URL_NOPAD.decode(form.as_bytes()).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let changed = format!("{SCHEME}{}", BASE64URL_NOPAD.encode(&changed));
            assert!(ContactCard::read(&changed).is_err(), "byte {at}");
        }
        let forged = card().sign(&device(9));
        assert!(matches!(
            ContactCard::read(&forged),
            Err(Error::Signature(_))
        ));
        for bad in ["", "tenet:abc", "hello"] {
            assert!(matches!(ContactCard::read(bad), Err(Error::NotACard)));
        }
        assert!(matches!(
            ContactCard::read("tenet-contact:a!"),
            Err(Error::Damaged)
        ));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[a-zA-Z0-9_-]{0,90}", at in any::<prop::sample::Index>()) {
            let _ = ContactCard::read(&format!("{SCHEME}{text}"));
            let mut known = card().sign(&device(2));
            known.truncate(SCHEME.len() + at.index(known.len() - SCHEME.len()));
            let _ = ContactCard::read(&(known + &text));
        }
    }
}
