//! Hellos: a device shows itself inside a connection, and proves that it is this connection.
//!
//! ```text
//! exporter ‖ role ‖ dialler's endpoint ‖ dialled endpoint ── derive ── signed by the device key
//! ```
//!
//! The endpoint keys are those that the TLS handshake authenticated. The exporter (RFC 8446 §7.5)
//! is different in every connection and known to its two ends only, so a hello shown in one
//! connection is worthless in any other: not replayed later, not relayed by somebody in the
//! middle, not turned back to its sender (the role).

use crate::{
    card::{self, DeviceCard, UnverifiedCard},
    domain::{HELLO_BINDING, HELLO_SIGNATURE, derive},
    encoding,
    keys::{DeviceKey, EndpointId, Signature, SignatureError, verify},
};

/// The largest hello, in bytes: a card of [`card::MAX_BODY_BYTES`] and [`MAX_VERSIONS`] fit.
pub const MAX_BYTES: usize = 1024;
/// How many protocol versions a hello may offer (HELLO-2).
pub const MAX_VERSIONS: usize = 16;

/// Which end of the connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The end that opened the connection.
    Dialler,
    /// The end that accepted it.
    Dialled,
}

/// One connection and one direction: what a hello is bound to.
#[derive(Clone, Copy)]
pub struct Binding {
    /// 32 bytes from the TLS exporter, the same at both ends.
    pub exporter: [u8; 32],
    /// The end that shows the hello.
    pub role: Role,
    /// The endpoint that opened the connection.
    pub dialler: EndpointId,
    /// The endpoint that accepted it.
    pub dialled: EndpointId,
}

/// A hello that is believed: this device is at the other end of this connection.
///
/// Whether it is a device that may go on is the caller's question: contacts, revocations, knocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    versions: Vec<u16>,
    card: DeviceCard,
    signature: Signature,
}

/// A hello as it came: well formed, not believed.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct UnverifiedHello {
    #[n(0)]
    versions: Vec<u16>,
    #[n(1)]
    card: UnverifiedCard,
    #[n(2)]
    signature: Signature,
}

/// Why a hello is not believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not deterministic CBOR of the expected form.
    #[error("malformed hello")]
    Encoding(#[from] encoding::Error),
    /// More than [`MAX_BYTES`].
    #[error("hello of {got} bytes is too large")]
    TooLarge {
        /// The bytes that came.
        got: usize,
    },
    /// No protocol version, or more than [`MAX_VERSIONS`].
    #[error("hello that offers {got} protocol versions")]
    Versions {
        /// How many it offers.
        got: usize,
    },
    /// The card does not hold.
    #[error("hello with a bad card")]
    Card(#[from] card::Error),
    /// Not signed by the card's device for this connection and direction.
    #[error("hello not signed for this connection")]
    Signature(#[from] SignatureError),
    /// The card is no longer valid; the device must renew it.
    #[error("the device's card has expired")]
    Expired {
        /// The last moment of its validity, in Unix milliseconds.
        not_after: u64,
    },
    /// The card is not yet valid: one of the two clocks is wrong by more than a day.
    #[error("the device's card is not yet valid")]
    NotYet {
        /// The first moment of its validity, in Unix milliseconds.
        not_before: u64,
    },
}

/// The highest version that both sides speak (HELLO-2).
pub fn negotiate(ours: &[u16], theirs: &[u16]) -> Option<u16> {
    ours.iter()
        .filter(|version| theirs.contains(version))
        .max()
        .copied()
}

impl Hello {
    /// The hello of the device that `card` certifies, for one connection.
    ///
    /// `key` must be the card's device key: else no other side believes the hello.
    pub fn new(key: &DeviceKey, card: &DeviceCard, versions: &[u16], binding: &Binding) -> Self {
        Self {
            versions: versions.to_vec(),
            card: card.clone(),
            signature: key.sign(HELLO_SIGNATURE, &binding.hash()),
        }
    }

    /// The protocol versions that the device offers.
    pub fn versions(&self) -> &[u16] {
        &self.versions
    }

    /// The device's card.
    pub fn card(&self) -> &DeviceCard {
        &self.card
    }

    /// The hello as it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        encoding::encode(&UnverifiedHello {
            versions: self.versions.clone(),
            card: self.card.to_unverified(),
            signature: self.signature,
        })
    }
}

impl UnverifiedHello {
    /// Reads a hello.
    ///
    /// # Errors
    /// [`Error::Encoding`], [`Error::TooLarge`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLarge { got: bytes.len() });
        }
        Ok(encoding::decode(bytes)?)
    }

    /// Checks everything that the hello itself can show; `binding` has the speaker's role.
    ///
    /// The dates come last (HELLO-3), so that [`Error::Expired`] is the word of the device itself.
    ///
    /// # Errors
    /// [`Error`].
    pub fn verify(self, binding: &Binding, now_ms: u64) -> Result<Hello, Error> {
        let got = self.versions.len();
        if got == 0 || got > MAX_VERSIONS {
            return Err(Error::Versions { got });
        }
        let card = self.card.verify()?;
        verify(
            card.device().as_bytes(),
            HELLO_SIGNATURE,
            &binding.hash(),
            &self.signature,
        )?;
        if now_ms > card.not_after() {
            return Err(Error::Expired {
                not_after: card.not_after(),
            });
        }
        if !card.valid_at(now_ms) {
            return Err(Error::NotYet {
                not_before: card.not_before(),
            });
        }
        Ok(Hello {
            versions: self.versions,
            card,
            signature: self.signature,
        })
    }
}

impl Binding {
    /// What the device key signs (HELLO-1).
    fn hash(&self) -> [u8; 32] {
        let role = match self.role {
            Role::Dialler => 0,
            Role::Dialled => 1,
        };
        let (dialler, dialled) = (self.dialler.as_bytes(), self.dialled.as_bytes());
        derive(HELLO_BINDING, &[&self.exporter, &[role], dialler, dialled])
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
    use crate::keys::IdentityKey;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn hello_snapshot() {
        assert_eq!(
            HEXLOWER.encode(&hello().to_bytes()),
            "a300810101825865a600010158208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f\
            6f5c0258208139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b39403666c6170746f\
            70041b000001a31335f400051b000001aa6ae72000584098459f7edd165121547b935b777b2aec52a1c2960a\
            068c89da1f52f9dde605fc94ba8774d971b145019fc705b540ed309dda293382ee220fe8ee3cd53b37aa0a02\
            5840f4b833c405361b2c685a5e6166e5ccde2f0511a228c9ba092b80c9106726a54db53c90a47dffd7625311\
            d40022e8e388580e0ea4d7f30af5777c83cbc1e7560e"
        );
    }

    /// HELLO-1.
    #[test]
    fn is_believed_in_its_own_connection_and_direction_only() {
        let shown = UnverifiedHello::from_bytes(&hello().to_bytes()).unwrap();
        assert_eq!(shown.clone().verify(&binding(), NOW).unwrap(), hello());
        let others = [
            Binding {
                exporter: [9; 32],
                ..binding()
            },
            Binding {
                role: Role::Dialled,
                ..binding()
            },
            Binding {
                dialler: EndpointId::from([9; 32]),
                ..binding()
            },
            Binding {
                dialled: EndpointId::from([9; 32]),
                ..binding()
            },
            Binding {
                dialler: binding().dialled,
                dialled: binding().dialler,
                ..binding()
            },
        ];
        for other in others {
            assert!(matches!(
                shown.clone().verify(&other, NOW),
                Err(Error::Signature(_))
            ));
        }
    }

    #[test]
    fn a_card_is_worthless_without_its_device_key() {
        let thief = DeviceKey::from_seed([9; 32]);
        let hello = Hello::new(&thief, &card(), &[1], &binding());
        assert!(matches!(reshown(&hello, NOW), Err(Error::Signature(_))));
    }

    /// HELLO-3.
    #[test]
    fn says_that_a_card_has_expired_or_is_not_yet_valid() {
        let (first, last) = (card().not_before(), card().not_after());
        assert!(reshown(&hello(), first).is_ok() && reshown(&hello(), last).is_ok());
        let late = reshown(&hello(), last + 1);
        assert!(matches!(late, Err(Error::Expired { not_after }) if not_after == last));
        let early = reshown(&hello(), first - 1);
        assert!(matches!(early, Err(Error::NotYet { not_before }) if not_before == first));
    }

    /// HELLO-2.
    #[test]
    fn keeps_its_limits() {
        for count in [0, 17] {
            let hello = Hello::new(&device(), &card(), &vec![1; count], &binding());
            let got = reshown(&hello, NOW);
            assert!(matches!(got, Err(Error::Versions { got }) if got == count));
        }
        let versions: Vec<u16> = (0..16).map(|i| u16::MAX - i).collect();
        assert!(reshown(&Hello::new(&device(), &card(), &versions, &binding()), NOW).is_ok());
        let large = UnverifiedHello::from_bytes(&[0; MAX_BYTES + 1]);
        assert!(matches!(large, Err(Error::TooLarge { .. })));
    }

    #[test]
    fn negotiates_the_highest_common_version() {
        assert_eq!(negotiate(&[1, 2, 3], &[4, 2, 1]), Some(2));
        assert_eq!(negotiate(&[1], &[2]), None);
    }

    proptest! {
        #[test]
        fn round_trips(versions in prop::collection::vec(any::<u16>(), 1..=16),
                       exporter in any::<[u8; 32]>()) {
            let binding = Binding { exporter, ..binding() };
            let hello = Hello::new(&device(), &card(), &versions, &binding);
            let read = UnverifiedHello::from_bytes(&hello.to_bytes()).unwrap();
            prop_assert_eq!(read.verify(&binding, NOW).unwrap(), hello);
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0..240_usize) {
            let mut altered = hello().to_bytes();
            altered[at] ^= bytes.first().copied().unwrap_or_default();
            for bytes in [bytes, altered] {
                let _ = UnverifiedHello::from_bytes(&bytes)
                    .and_then(|hello| hello.verify(&binding(), NOW));
            }
        }
    }

    fn device() -> DeviceKey {
        DeviceKey::from_seed([2; 32])
    }

    fn card() -> DeviceCard {
        card::issue(
            &IdentityKey::from_seed([1; 32]),
            device().public(),
            "laptop",
            NOW,
        )
        .unwrap()
    }

    fn hello() -> Hello {
        Hello::new(&device(), &card(), &[1], &binding())
    }

    fn reshown(hello: &Hello, now_ms: u64) -> Result<Hello, Error> {
        UnverifiedHello::from_bytes(&hello.to_bytes())?.verify(&binding(), now_ms)
    }

    fn binding() -> Binding {
        Binding {
            exporter: [3; 32],
            role: Role::Dialler,
            dialler: EndpointId::from([4; 32]),
            dialled: EndpointId::from([5; 32]),
        }
    }
}
