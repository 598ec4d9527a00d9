//! `did:key`: an identity as one line of text (W3C CCG did:key method v0.7).
//!
//! ```text
//! did:key: ‖ z (multibase base58btc) ‖ base58( ed 01 (multicodec ed25519-pub) ‖ 32-byte key )
//! ```

use crate::keys::{IdentityId, WeakKey};

/// Why a text is not the DID of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not begin with `did:key:`.
    #[error("not a did:key: it must begin with \"did:key:z6Mk\"")]
    Method,
    /// The part after `did:key:` does not begin with `z`.
    #[error("a did:key in another base than base58btc")]
    Base,
    /// A character that base58 does not have, at this position from 0.
    #[error("character {} of the DID is not one of base58", at + 1)]
    Character {
        /// The position of the character in the text, from 0.
        at: usize,
    },
    /// Longer than any DID of an identity.
    #[error("too long for the DID of an identity")]
    TooLong,
    /// A key of another kind than Ed25519.
    #[error("the DID names a key of another kind than Ed25519")]
    KeyKind,
    /// An Ed25519 key that does not have 32 bytes: part of the DID is missing or doubled.
    #[error("the DID is incomplete: its key has {got} bytes instead of 32")]
    Length {
        /// The bytes after the multicodec.
        got: usize,
    },
    /// A key under which a signature proves nothing.
    #[error("the DID names a weak key")]
    Weak(#[from] WeakKey),
}

/// The DID of an identity: `did:key:z6Mk…`, 56 characters.
pub fn encode(identity: &IdentityId) -> String {
    let bytes = [ED25519.as_slice(), identity.as_bytes()].concat();
    format!("{METHOD}{BASE58BTC}{}", bs58::encode(bytes).into_string())
}

/// As much of a DID as a person takes in: `z6MkhaXg…aLmX9Q`. It names nobody.
pub fn short(identity: &IdentityId) -> String {
    let whole = encode(identity);
    let digits = whole.strip_prefix(METHOD).unwrap_or(&whole);
    let ends = digits
        .get(..8)
        .zip(digits.get(digits.len().saturating_sub(6)..));
    ends.map_or_else(
        || digits.to_owned(),
        |(first, last)| format!("{first}…{last}"),
    )
}

/// The identity that a DID names; only the form that [`encode`] gives is accepted (DID-1).
///
/// # Errors
/// [`Error`]; weak keys are refused.
pub fn parse(text: &str) -> Result<IdentityId, Error> {
    let based = text.strip_prefix(METHOD).ok_or(Error::Method)?;
    let digits = based.strip_prefix(BASE58BTC).ok_or(Error::Base)?;
    // Decoding base58 takes time quadratic in its length.
    if digits.len() > MAX_DIGITS {
        return Err(Error::TooLong);
    }
    let bytes = bs58::decode(digits).into_vec().map_err(|error| {
        let index = match error {
            bs58::decode::Error::InvalidCharacter { index, .. }
            | bs58::decode::Error::NonAsciiCharacter { index } => index,
            _ => 0,
        };
        Error::Character {
            at: text.len() - digits.len() + index,
        }
    })?;
    let key = bytes.strip_prefix(&ED25519).ok_or(Error::KeyKind)?;
    let key = <[u8; 32]>::try_from(key).map_err(|_| Error::Length { got: key.len() })?;
    Ok(IdentityId::checked(key)?)
}

const METHOD: &str = "did:key:";
/// The multibase prefix of base58btc.
const BASE58BTC: char = 'z';
/// The multicodec of an Ed25519 public key, 0xed, as a varint.
const ED25519: [u8; 2] = [0xed, 0x01];
/// 34 bytes take 47 digits; the rest lets a doubled tail be told from a foreign text.
const MAX_DIGITS: usize = 128;

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
    use proptest::prelude::*;

    /// The Ed25519 test vectors of the did:key method: seeds 0, 1 and 2 in the last byte.
    #[test]
    fn gives_the_published_dids() {
        let vectors = [
            (
                0,
                "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
            ),
            (
                1,
                "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG",
            ),
            (
                2,
                "did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf",
            ),
        ];
        for (last, did) in vectors {
            let mut seed = [0; 32];
            seed[31] = last;
            let identity = IdentityKey::from_seed(seed).public();
            assert_eq!(encode(&identity), did);
            assert_eq!(parse(did), Ok(identity));
        }
    }

    /// DID-1.
    #[test]
    fn says_what_is_wrong() {
        let did = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";
        let cases = [
            ("", Error::Method),
            ("did:web:example.org", Error::Method),
            (
                "DID:KEY:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
                Error::Method,
            ),
            ("did:key:", Error::Base),
            ("did:key:mAO0B", Error::Base),
            ("did:key:z6Mki0Bz", Error::Character { at: 13 }),
            ("did:key:z6Mkié", Error::Character { at: 13 }),
            (
                "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",
                Error::KeyKind,
            ),
            ("did:key:z", Error::KeyKind),
            (
                "did:key:z16MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
                Error::KeyKind,
            ),
        ];
        for (text, error) in cases {
            assert_eq!(parse(text), Err(error), "{text}");
        }
        assert!(matches!(
            parse(&did[..40]),
            Err(Error::KeyKind | Error::Length { .. })
        ));
        assert_eq!(
            parse(&format!("{did}#key")),
            Err(Error::Character { at: 56 })
        );
        assert_eq!(
            parse(&format!("did:key:z{}", "6".repeat(1 << 20))),
            Err(Error::TooLong)
        );
        let longer = [ED25519.as_slice(), &[7; 33]].concat();
        let longer = format!("did:key:z{}", bs58::encode(longer).into_string());
        assert_eq!(parse(&longer), Err(Error::Length { got: 33 }));
        let mut weak = [0; 32];
        weak[0] = 1;
        assert_eq!(
            parse(&encode(&IdentityId::from(weak))),
            Err(Error::Weak(WeakKey))
        );
    }

    proptest! {
        #[test]
        fn round_trips(seed in any::<[u8; 32]>()) {
            let identity = IdentityKey::from_seed(seed).public();
            prop_assert_eq!(parse(&encode(&identity)), Ok(identity));
        }

        /// DID-1.
        #[test]
        fn never_panics_and_accepts_one_form_only(text in "(did:key:z6Mk)?.{0,60}") {
            if let Ok(identity) = parse(&text) {
                prop_assert_eq!(encode(&identity), text);
            }
        }
    }
}
