//! What a device keeps in its vault: the keys that it speaks with.
//!
//! Where the identity was made or its phrase was typed, phrase and identity key are here too; a
//! device that was linked has neither, only its card.

use std::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder};
use zeroize::Zeroizing;

use crate::{
    card::{self, DeviceCard, UnverifiedCard},
    checked::Version,
    encoding,
    keys::{DeviceKey, IdentityKey, bytes_of},
    phrase::{self, Language, Phrase},
};

/// The version of the stored form that this crate writes and reads.
pub const VERSION: u16 = 1;
/// The largest stored form, in bytes: a full one has under 1,100.
pub const MAX_BYTES: usize = 4096;

/// The secrets of one device of one identity.
pub struct Secrets {
    /// The phrase, where this device holds it.
    pub phrase: Option<HeldPhrase>,
    /// Which identity of the phrase this is, from 0.
    pub index: u32,
    /// The identity's key, where this device holds it.
    pub identity: Option<IdentityKey>,
    /// The device's key.
    pub device: DeviceKey,
    /// The seed of the device's endpoint key, which may be replaced.
    pub endpoint: Zeroizing<[u8; 32]>,
    /// The device's card.
    pub card: DeviceCard,
}

/// A phrase, and what became of it if a passphrase was used.
pub struct HeldPhrase {
    /// The words.
    pub phrase: Phrase,
    /// The 64-byte BIP-39 seed, only if a passphrase was used; the passphrase is not kept (SEC-2).
    pub seed: Option<Zeroizing<[u8; 64]>>,
}

/// Why stored secrets cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not deterministic CBOR of the expected form.
    #[error("the stored secrets are damaged")]
    Encoding(#[from] encoding::Error),
    /// More than [`MAX_BYTES`].
    #[error("stored secrets of {got} bytes are too large")]
    TooLarge {
        /// The bytes given.
        got: usize,
    },
    /// Made by a newer program.
    #[error("the secrets are of version {version}, made by a newer program: update this one")]
    Newer {
        /// The version of the stored form.
        version: u16,
    },
    /// The card does not hold.
    #[error("the stored card is bad")]
    Card(#[from] card::Error),
    /// The entropy is that of no phrase.
    #[error("the stored phrase is bad")]
    Phrase(#[from] phrase::Error),
    /// The card is not that of the device and identity keys beside it (SEC-1).
    #[error("the stored card and keys do not belong together")]
    Mismatch,
}

impl Secrets {
    /// The stored form, to be put into the vault and nowhere else.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let form = Form {
            version: VERSION,
            index: self.index,
            device: Bytes(self.device.seed()),
            endpoint: Bytes(self.endpoint.clone()),
            card: self.card.to_unverified(),
            identity: self.identity.as_ref().map(|key| Bytes(key.seed())),
            phrase: self.phrase.as_ref().map(PhraseForm::of),
        };
        // Large enough never to grow: growing would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
        let outcome = minicbor::encode(&form, &mut *bytes);
        debug_assert!(outcome.is_ok(), "writing to memory cannot fail");
        bytes
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`Error`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLarge { got: bytes.len() });
        }
        let Version { version } = encoding::decode(bytes)?;
        if version != VERSION {
            return Err(Error::Newer { version });
        }
        let form: Form = encoding::decode(bytes)?;
        let secrets = Self {
            phrase: form.phrase.map(PhraseForm::read).transpose()?,
            index: form.index,
            identity: form.identity.map(|seed| IdentityKey::from_seed(*seed.0)),
            device: DeviceKey::from_seed(*form.device.0),
            endpoint: form.endpoint.0,
            card: form.card.verify()?,
        };
        let device = secrets.device.public() == secrets.card.device();
        let identity = secrets.identity.as_ref().map(IdentityKey::public);
        if !device || identity.is_some_and(|identity| identity != secrets.card.identity()) {
            return Err(Error::Mismatch);
        }
        Ok(secrets)
    }
}

impl HeldPhrase {
    /// The 64-byte BIP-39 seed, of the passphrase that was used if there was one.
    pub fn seed(&self) -> Zeroizing<[u8; 64]> {
        self.seed.clone().unwrap_or_else(|| self.phrase.seed(""))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("card", &self.card)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HeldPhrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeldPhrase(…)")
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    version: u16,
    #[n(1)]
    index: u32,
    #[n(2)]
    device: Bytes<32>,
    #[n(3)]
    endpoint: Bytes<32>,
    #[n(4)]
    card: UnverifiedCard,
    #[n(5)]
    identity: Option<Bytes<32>>,
    #[n(6)]
    phrase: Option<PhraseForm>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct PhraseForm {
    #[n(0)]
    language: Language,
    #[n(1)]
    entropy: Entropy,
    #[n(2)]
    seed: Option<Bytes<64>>,
}

impl PhraseForm {
    fn of(held: &HeldPhrase) -> Self {
        Self {
            language: held.phrase.language(),
            entropy: Entropy(held.phrase.entropy()),
            seed: held.seed.clone().map(Bytes),
        }
    }

    fn read(self) -> Result<HeldPhrase, Error> {
        let phrase = Phrase::from_entropy(self.language, &self.entropy.0)?;
        Ok(HeldPhrase {
            phrase,
            seed: self.seed.map(|seed| seed.0),
        })
    }
}

/// Secret bytes of a fixed length.
struct Bytes<const N: usize>(Zeroizing<[u8; N]>);

/// Secret bytes of a length that [`Phrase::from_entropy`] checks.
pub(crate) struct Entropy(pub(crate) Zeroizing<Vec<u8>>);

impl<C, const N: usize> Encode<C> for Bytes<N> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(self.0.as_slice())?.ok()
    }
}

impl<'b, C, const N: usize> Decode<'b, C> for Bytes<N> {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        bytes_of(decoder).map(Zeroizing::new).map(Self)
    }
}

impl<C> Encode<C> for Entropy {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Entropy {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        decoder
            .bytes()
            .map(|bytes| Self(Zeroizing::new(bytes.to_vec())))
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

    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn secrets_snapshot() {
        assert_eq!(
            HEXLOWER.encode(&full().to_bytes()),
            "a700010100025820020202020202020202020202020202020202020202020202020202020202020203582003\
            0303030303030303030303030303030303030303030303030303030303030304825865a600010158208a88e3\
            dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c0258208139770ea87d175f56a35466\
            c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b39403666c6170746f70041b000001a31335f400051b000001aa\
            6ae72000584098459f7edd165121547b935b777b2aec52a1c2960a068c89da1f52f9dde605fc94ba8774d971\
            b145019fc705b540ed309dda293382ee220fe8ee3cd53b37aa0a055820010101010101010101010101010101\
            010101010101010101010101010101010106a30000015000000000000000000000000000000000025840b6a5\
            6bdfda06ff177133cd2e42dcef3b973dbaaff9c8a8036d7a89724d79ed75e4ae77967b7d6d5ced562fd7e645\
            d616b39a1c5c4b6172ee3751306720ac392e"
        );
    }

    #[test]
    fn linked_secrets_snapshot() {
        let linked = Secrets {
            phrase: None,
            identity: None,
            ..full()
        };
        assert_eq!(
            HEXLOWER.encode(&linked.to_bytes()),
            "a500010100025820020202020202020202020202020202020202020202020202020202020202020203582003\
            0303030303030303030303030303030303030303030303030303030303030304825865a600010158208a88e3\
            dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c0258208139770ea87d175f56a35466\
            c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b39403666c6170746f70041b000001a31335f400051b000001aa\
            6ae72000584098459f7edd165121547b935b777b2aec52a1c2960a068c89da1f52f9dde605fc94ba8774d971\
            b145019fc705b540ed309dda293382ee220fe8ee3cd53b37aa0a"
        );
        let read = Secrets::from_bytes(&linked.to_bytes()).unwrap();
        assert!(read.phrase.is_none() && read.identity.is_none());
    }

    #[test]
    fn keeps_everything_in_one_deterministic_piece() {
        let bytes = full().to_bytes();
        encoding::check(&bytes).unwrap();
        assert_eq!(bytes.capacity(), MAX_BYTES);
        let read = Secrets::from_bytes(&bytes).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        let held = read.phrase.unwrap();
        assert_eq!(held.seed(), held.phrase.seed("a passphrase"));
        let plain = HeldPhrase {
            phrase: held.phrase.clone(),
            seed: None,
        };
        assert_eq!(plain.seed(), held.phrase.seed(""));
    }

    /// SEC-1.
    #[test]
    fn refuses_keys_that_do_not_belong_to_the_card() {
        let device = Secrets {
            device: DeviceKey::from_seed([9; 32]),
            ..full()
        };
        let identity = Secrets {
            identity: Some(IdentityKey::from_seed([9; 32])),
            ..full()
        };
        for wrong in [device, identity] {
            assert!(matches!(
                Secrets::from_bytes(&wrong.to_bytes()),
                Err(Error::Mismatch)
            ));
        }
    }

    #[test]
    fn tells_newer_damaged_and_oversized_apart() {
        let newer = Secrets::from_bytes(&[0xa1, 0, 2]);
        assert!(matches!(newer, Err(Error::Newer { version: 2 })));
        assert!(matches!(
            Secrets::from_bytes(&[0xa0]),
            Err(Error::Encoding(_))
        ));
        let large = Secrets::from_bytes(&[0; MAX_BYTES + 1]);
        assert!(matches!(large, Err(Error::TooLarge { .. })));
        let bytes = full().to_bytes();
        for end in 0..bytes.len() {
            assert!(matches!(
                Secrets::from_bytes(&bytes[..end]),
                Err(Error::Encoding(_))
            ));
        }
    }

    /// SEC-2.
    #[test]
    fn prints_no_secret() {
        let shown = format!("{:?} {:?}", full(), full().phrase);
        assert!(
            !shown.contains("0202") && !shown.contains("abandon"),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn round_trips(
            device in any::<[u8; 32]>(), endpoint in any::<[u8; 32]>(), index in any::<u32>(),
            language in 0..10_usize, entropy in any::<[u8; 32]>(), length in 0..5_usize,
        ) {
            let language = Language::ALL[language];
            let phrase = Phrase::from_entropy(language, &entropy[..16 + 4 * length]).unwrap();
            let identity = IdentityKey::from_seed([1; 32]);
            let device = DeviceKey::from_seed(device);
            let card = card::issue(&identity, device.public(), "laptop", NOW).unwrap();
            let secrets = Secrets {
                phrase: Some(HeldPhrase { phrase, seed: None }),
                index, identity: Some(identity), device, endpoint: Zeroizing::new(endpoint), card,
            };
            let bytes = secrets.to_bytes();
            prop_assert_eq!(Secrets::from_bytes(&bytes).unwrap().to_bytes(), bytes);
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0..400_usize) {
            let mut altered = full().to_bytes();
            if let Some(byte) = altered.get_mut(at) {
                *byte ^= bytes.first().copied().unwrap_or_default();
            }
            let _ = Secrets::from_bytes(&bytes);
            let _ = Secrets::from_bytes(&altered);
        }
    }

    fn full() -> Secrets {
        let phrase = Phrase::from_entropy(Language::English, &[0; 16]).unwrap();
        let seed = Some(phrase.seed("a passphrase"));
        let identity = IdentityKey::from_seed([1; 32]);
        let device = DeviceKey::from_seed([2; 32]);
        let card = card::issue(&identity, device.public(), "laptop", NOW).unwrap();
        Secrets {
            phrase: Some(HeldPhrase { phrase, seed }),
            index: 0,
            identity: Some(identity),
            device,
            endpoint: Zeroizing::new([3; 32]),
            card,
        }
    }
}
