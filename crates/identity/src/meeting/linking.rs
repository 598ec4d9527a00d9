//! Linking: how a new device of an identity gets its card from a device that can sign it.
//!
//! ```text
//! new device                                   own device
//! Ask (device, name, commitment, proof)  ────▶ the link is used now
//!    ◀───────────────────────────────── Share  (card, nonce, proof)
//! Open (nonce, possession)               ────▶ both screens show the same short string
//!    ◀───────────────────────────────── Given  (card), after a yes where a person is asked
//! ```
//!
//! As in a knock the proofs show the link's secret, are bound to the connection, and the commitment fixes
//! the asker's nonce before it has seen the other. The asker has no card yet: that it holds the device key
//! is shown by a signature that is bound to the connection too.

use minicbor::{Decode, Encode};

use super::{
    invite::InviteId,
    knock::{Bond, same},
    short::{Short, Side, short},
};
use crate::{
    card::{self, DeviceCard, UnverifiedCard},
    domain::{
        DEVICE_LINK_BINDING, DEVICE_LINK_COMMITMENT, DEVICE_LINK_KEY, DEVICE_LINK_POSSESSION,
        derive,
    },
    encoding,
    keys::{DeviceId, DeviceKey, IdentityId, Signature, SignatureError, WeakKey, verify},
    name,
};

/// The largest message, in bytes: a card, a name and the proofs have under 1 KiB.
pub const MAX_BYTES: usize = 2 * 1024;

/// One message of linking, as it travels; what it says is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Message {
    /// The new device asks.
    #[n(0)]
    Ask(#[n(0)] Ask),
    /// The own device shows itself and gives its share of the short string.
    #[n(1)]
    Share(#[n(0)] Share),
    /// The new device opens its commitment.
    #[n(2)]
    Open(#[n(0)] Open),
    /// The new device's card, and what its person is called.
    #[n(3)]
    Given(#[n(0)] UnverifiedCard, #[n(1)] String),
    /// There is no card: 0 no such link or not any more, 1 another device has used it, 2 a person said no.
    #[n(4)]
    Refused(#[n(0)] u8),
}

/// The first message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ask {
    #[n(0)]
    invite: InviteId,
    #[n(1)]
    device: DeviceId,
    #[n(2)]
    name: String,
    #[cbor(n(3), with = "minicbor::bytes")]
    commitment: [u8; 32],
    #[cbor(n(4), with = "minicbor::bytes")]
    mac: [u8; 32],
}

/// The own device's answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Share {
    #[n(0)]
    card: UnverifiedCard,
    #[cbor(n(1), with = "minicbor::bytes")]
    nonce: [u8; 32],
    #[cbor(n(2), with = "minicbor::bytes")]
    mac: [u8; 32],
}

/// The new device's opening.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Open {
    #[cbor(n(0), with = "minicbor::bytes")]
    nonce: [u8; 32],
    #[n(1)]
    possession: Signature,
}

/// The device that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// Its key.
    pub device: DeviceId,
    /// What its card is to call it.
    pub name: String,
    /// [`commitment`] to the nonce that [`Open`] shows.
    pub commitment: [u8; 32],
}

/// Why a message of linking is not believed, or cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not deterministic CBOR of the expected form.
    #[error("malformed linking message")]
    Encoding(#[from] encoding::Error),
    /// A message over [`MAX_BYTES`].
    #[error("linking message of {got} bytes is too large")]
    TooLarge {
        /// The bytes that it has.
        got: usize,
    },
    /// The device's name is not allowed.
    #[error("linking with a name that is not allowed")]
    Name(#[from] name::Error),
    /// The device is a weak key.
    #[error("linking with a weak key")]
    Weak(#[from] WeakKey),
    /// Its maker does not know the link's secret, or made it for another connection.
    #[error("the proof of the link's secret is wrong")]
    Proof,
    /// A card does not hold.
    #[error("linking with a bad card")]
    Card(#[from] card::Error),
    /// A card of another identity than the link names, or of another device than asked.
    #[error("a card of somebody else than the link names")]
    Stranger,
    /// The nonce is not the one that was committed to.
    #[error("the nonce is not the one that was committed to")]
    Commitment,
    /// The device does not hold its key.
    #[error("the new device does not prove its key")]
    Possession(#[from] SignatureError),
}

/// The commitment of a new device to its nonce (DLINK-3).
pub fn commitment(nonce: &[u8; 32], device: DeviceId) -> [u8; 32] {
    derive(DEVICE_LINK_COMMITMENT, &[nonce, device.as_bytes()])
}

impl Ask {
    /// What a new device says first.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn new(bond: &Bond<'_>, invite: InviteId, newcomer: &Newcomer) -> Result<Self, Error> {
        name::check(&newcomer.name)?;
        let mac = ask_mac(bond, newcomer);
        let Newcomer {
            device,
            name,
            commitment,
        } = newcomer.clone();
        Ok(Self {
            invite,
            device,
            name,
            commitment,
            mac,
        })
    }

    /// The link by which it asks: it says which secret to check it with.
    pub fn invite(&self) -> InviteId {
        self.invite
    }

    /// Checks the proof before anything else (DLINK-1).
    ///
    /// # Errors
    /// [`Error`].
    pub fn check(self, bond: &Bond<'_>) -> Result<Newcomer, Error> {
        let Self {
            device,
            name,
            commitment,
            mac,
            ..
        } = self;
        let newcomer = Newcomer {
            device,
            name,
            commitment,
        };
        same(&ask_mac(bond, &newcomer), &mac).ok_or(Error::Proof)?;
        newcomer.device.check()?;
        name::check(&newcomer.name)?;
        Ok(newcomer)
    }
}

impl Share {
    /// What the own device answers.
    pub fn new(bond: &Bond<'_>, newcomer: &Newcomer, card: &DeviceCard, nonce: [u8; 32]) -> Self {
        let card = card.to_unverified();
        let mac = share_mac(bond, newcomer, &card, &nonce);
        Self { card, nonce, mac }
    }

    /// Checks everything but the dates of the card; gives the own device and its nonce.
    ///
    /// # Errors
    /// [`Error`].
    pub fn check(
        self,
        bond: &Bond<'_>,
        newcomer: &Newcomer,
    ) -> Result<(DeviceCard, [u8; 32]), Error> {
        let mac = share_mac(bond, newcomer, &self.card, &self.nonce);
        same(&mac, &self.mac).ok_or(Error::Proof)?;
        let card = self.card.verify()?;
        if card.identity() != bond.inviter {
            return Err(Error::Stranger);
        }
        Ok((card, self.nonce))
    }
}

impl Open {
    /// The opening of the new device's nonce.
    pub fn new(bond: &Bond<'_>, key: &DeviceKey, nonce: [u8; 32]) -> Self {
        let possession = key.sign(
            DEVICE_LINK_POSSESSION,
            &binding(bond, key.public(), Some(&nonce)),
        );
        Self { nonce, possession }
    }

    /// Checks commitment and possession; gives the nonce.
    ///
    /// # Errors
    /// [`Error::Commitment`], [`Error::Possession`].
    pub fn check(self, bond: &Bond<'_>, newcomer: &Newcomer) -> Result<[u8; 32], Error> {
        let committed = commitment(&self.nonce, newcomer.device);
        same(&committed, &newcomer.commitment).ok_or(Error::Commitment)?;
        let bound = binding(bond, newcomer.device, Some(&self.nonce));
        verify(
            newcomer.device.as_bytes(),
            DEVICE_LINK_POSSESSION,
            &bound,
            &self.possession,
        )?;
        Ok(self.nonce)
    }
}

/// What both screens show (SAS-1, of two devices of one identity; DLINK-5).
pub fn shown(bond: &Bond<'_>, own: (DeviceId, [u8; 32]), new: (DeviceId, [u8; 32])) -> Short {
    let side = |(device, nonce)| Side {
        identity: bond.inviter,
        device,
        nonce,
    };
    short(&side(own), &side(new), &binding(bond, new.0, None))
}

/// Reads the card that was given: it must be of the link's identity and this device.
///
/// # Errors
/// [`Error::Card`], [`Error::Stranger`].
pub fn given(
    card: UnverifiedCard,
    identity: IdentityId,
    device: DeviceId,
) -> Result<DeviceCard, Error> {
    let card = card.verify()?;
    if (card.identity(), card.device()) != (identity, device) {
        return Err(Error::Stranger);
    }
    Ok(card)
}

impl Message {
    /// The message as it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`Error::Encoding`], [`Error::TooLarge`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLarge { got: bytes.len() });
        }
        Ok(encoding::decode(bytes)?)
    }
}

fn ask_mac(bond: &Bond<'_>, newcomer: &Newcomer) -> [u8; 32] {
    let Newcomer {
        device,
        name,
        commitment,
    } = newcomer;
    let parts: [&[u8]; 3] = [device.as_bytes(), name.as_bytes(), commitment];
    bond.mac(DEVICE_LINK_KEY, &[0], &parts)
}

/// Covers what was asked, so that the answer is to this and nothing else.
fn share_mac(
    bond: &Bond<'_>,
    newcomer: &Newcomer,
    card: &UnverifiedCard,
    nonce: &[u8; 32],
) -> [u8; 32] {
    let card = card.to_bytes();
    let parts: [&[u8]; 4] = [
        newcomer.device.as_bytes(),
        &newcomer.commitment,
        &card,
        nonce,
    ];
    bond.mac(DEVICE_LINK_KEY, &[1], &parts)
}

/// One connection, one device, and its nonce once it is open.
fn binding(bond: &Bond<'_>, device: DeviceId, nonce: Option<&[u8; 32]>) -> [u8; 32] {
    let nonce = nonce.copied().unwrap_or_default();
    let parts: [&[u8]; 4] = [
        &bond.exporter,
        bond.inviter.as_bytes(),
        device.as_bytes(),
        &nonce,
    ];
    derive(DEVICE_LINK_BINDING, &parts)
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
    use crate::{
        keys::{EndpointId, IdentityKey},
        meeting::invite::Secret,
    };
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    const NOW: u64 = 1_800_000_000_000;

    fn secret() -> Secret {
        Secret::from([5; 16])
    }

    fn bond(secret: &Secret) -> Bond<'_> {
        Bond {
            exporter: [6; 32],
            secret,
            inviter: root().public(),
            endpoint: EndpointId::from([7; 32]),
        }
    }

    fn root() -> IdentityKey {
        IdentityKey::from_seed([1; 32])
    }

    fn own() -> DeviceCard {
        let device = DeviceKey::from_seed([2; 32]).public();
        card::issue(&root(), device, "phone", NOW).unwrap()
    }

    fn key() -> DeviceKey {
        DeviceKey::from_seed([3; 32])
    }

    fn newcomer() -> Newcomer {
        Newcomer {
            device: key().public(),
            name: "tablet".into(),
            commitment: commitment(&[8; 32], key().public()),
        }
    }

    fn ask() -> Ask {
        Ask::new(&bond(&secret()), InviteId::from([4; 16]), &newcomer()).unwrap()
    }

    /// The whole way: both sides come to the same string, and the card is believed.
    #[test]
    fn both_sides_show_the_same() {
        let secret = secret();
        let bond = bond(&secret);
        let asked = ask().check(&bond).unwrap();
        assert_eq!(asked, newcomer());
        let share = Share::new(&bond, &asked, &own(), [9; 32]);
        let (card, nonce) = share.check(&bond, &newcomer()).unwrap();
        assert_eq!((card.device(), nonce), (own().device(), [9; 32]));
        let opened = Open::new(&bond, &key(), [8; 32])
            .check(&bond, &asked)
            .unwrap();
        let one = shown(&bond, (own().device(), [9; 32]), (asked.device, opened));
        let other = shown(&bond, (card.device(), nonce), (key().public(), [8; 32]));
        assert_eq!(one.digits(), other.digits());
        let issued = card::issue(&root(), asked.device, &asked.name, NOW).unwrap();
        let read = given(issued.to_unverified(), bond.inviter, key().public()).unwrap();
        assert_eq!(read, issued);
    }

    /// DLINK-1, DLINK-2: a proof is worthless with another secret and on another connection.
    #[test]
    fn a_proof_holds_for_its_secret_and_connection_alone() {
        let (secret, wrong) = (secret(), Secret::from([0; 16]));
        let good = bond(&secret);
        for bad in [
            bond(&wrong),
            Bond {
                exporter: [0; 32],
                ..good
            },
            Bond {
                endpoint: EndpointId::from([0; 32]),
                ..good
            },
        ] {
            assert!(matches!(ask().check(&bad), Err(Error::Proof)));
            let share = Share::new(&bad, &newcomer(), &own(), [9; 32]);
            assert!(matches!(share.check(&good, &newcomer()), Err(Error::Proof)));
        }
        let open = Open::new(&bond(&wrong), &key(), [1; 32]);
        assert!(matches!(
            open.check(&good, &newcomer()),
            Err(Error::Commitment)
        ));
        let other = Bond {
            exporter: [0; 32],
            ..good
        };
        let open = Open::new(&other, &key(), [8; 32]);
        assert!(matches!(
            open.check(&good, &newcomer()),
            Err(Error::Possession(_))
        ));
    }

    /// DLINK-4: of another identity, or for another device.
    #[test]
    fn a_card_of_somebody_else_is_refused() {
        let secret = secret();
        let bond = bond(&secret);
        let stranger = IdentityKey::from_seed([0x77; 32]);
        let theirs = card::issue(&stranger, key().public(), "tablet", NOW).unwrap();
        let share = Share::new(&bond, &newcomer(), &theirs, [9; 32]);
        assert!(matches!(
            share.check(&bond, &newcomer()),
            Err(Error::Stranger)
        ));
        for card in [&theirs, &own()] {
            let read = given(card.to_unverified(), bond.inviter, key().public());
            assert!(matches!(read, Err(Error::Stranger)));
        }
    }

    #[test]
    fn linking_snapshot() {
        let secret = secret();
        let bond = bond(&secret);
        let hash = |message: &Message| {
            let bytes = message.to_bytes();
            assert_eq!(&Message::from_bytes(&bytes).unwrap(), message);
            HEXLOWER.encode(blake3::hash(&bytes).as_bytes())[..16].to_owned()
        };
        let share = Share::new(&bond, &newcomer(), &own(), [9; 32]);
        let hashes = [
            Message::Ask(ask()),
            Message::Share(share),
            Message::Open(Open::new(&bond, &key(), [8; 32])),
            Message::Given(own().to_unverified(), "ann".into()),
            Message::Refused(2),
        ]
        .map(|message| hash(&message));
        assert_eq!(hashes, SNAPSHOT);
        let short = shown(&bond, (own().device(), [9; 32]), (key().public(), [8; 32]));
        assert_eq!(short.digits(), DIGITS);
    }

    const SNAPSHOT: [&str; 5] = [
        "8d3bc6348d046071",
        "114949043863a410",
        "93edd0d16c274226",
        "9edf01e6e729c7b8",
        "17542c69c4eb2462",
    ];
    const DIGITS: &str = "3032807472128";

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Message::from_bytes(&bytes);
        }

        #[test]
        fn an_altered_ask_is_refused(at in any::<prop::sample::Index>(), to: u8) {
            let bytes = Message::Ask(ask()).to_bytes();
            let mut altered = bytes.clone();
            let at = at.index(altered.len());
            altered[at] = to;
            if let Ok(Message::Ask(read)) = Message::from_bytes(&altered)
                && read.invite() == ask().invite()
                && altered != bytes
            {
                prop_assert!(read.check(&bond(&secret())).is_err());
            }
        }
    }
}
