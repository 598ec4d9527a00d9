//! Signatures and the one definition of their validity: ZIP-215.

use ed25519_zebra::{VerificationKey, VerificationKeyBytes, batch};
use rand_core::CryptoRng;

use super::{ParseError, bytes_of};

/// An Ed25519 signature (RFC 8032 §5.1.6): 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

/// Why a signature is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The public key is no point of the curve.
    #[error("the public key is not one")]
    Key,
    /// The signature is not this key's over this message and domain.
    #[error("the signature is not valid")]
    Invalid,
}

/// Checks one signature over `domain` followed by `message`.
///
/// Valid is what ZIP-215 calls valid, as in [`verify_batch`] (ID-1). Under a weak key that says nothing
/// about who signed: keys are checked where cards are.
///
/// # Errors
/// [`SignatureError`].
pub fn verify(
    key: &[u8; 32],
    domain: &'static str,
    message: &[u8; 32],
    signature: &Signature,
) -> Result<(), SignatureError> {
    let key = VerificationKey::try_from(*key).map_err(|_| SignatureError::Key)?;
    let signature = ed25519_zebra::Signature::from_bytes(&signature.0);
    key.verify(&signature, &signed_bytes(domain, message))
        .map_err(|_| SignatureError::Invalid)
}

/// Checks many signatures of one domain: for each `(key, message, signature)` whether it is valid.
///
/// All together first, at about half the cost of one by one; only if that fails each alone. The
/// answers are those of [`verify`]: ZIP-215 exists so that both agree. `rng` weights the batch, so
/// that two wrong signatures cannot be made to cancel out.
pub fn verify_batch<R: CryptoRng + ?Sized>(
    rng: &mut R,
    domain: &'static str,
    items: &[([u8; 32], [u8; 32], Signature)],
) -> Vec<bool> {
    let mut all = batch::Verifier::new();
    for (key, message, signature) in items {
        let key = VerificationKeyBytes::from(*key);
        let signature = ed25519_zebra::Signature::from_bytes(&signature.0);
        all.queue((key, signature, &signed_bytes(domain, message)));
    }
    if all.verify(rng).is_ok() {
        return vec![true; items.len()];
    }
    items
        .iter()
        .map(|(key, message, signature)| verify(key, domain, message, signature).is_ok())
        .collect()
}

impl Signature {
    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl From<[u8; 64]> for Signature {
    fn from(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = ParseError;

    fn try_from(bytes: &[u8]) -> Result<Self, ParseError> {
        <[u8; 64]>::try_from(bytes)
            .map(Self)
            .map_err(|_| ParseError::Length {
                expected: 64,
                got: bytes.len(),
            })
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signature(…)")
    }
}

impl<C> minicbor::Encode<C> for Signature {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Signature {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        bytes_of(decoder).map(Self)
    }
}

/// What is signed: the domain, then the hash (ID-2).
///
/// The hash has a fixed length, so two domains never give the same bytes.
pub(super) fn signed_bytes(domain: &'static str, message: &[u8; 32]) -> Vec<u8> {
    [domain.as_bytes(), message].concat()
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
    use crate::{domain, encoding, keys::DeviceKey};
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    const DOMAIN: &str = domain::HELLO_SIGNATURE;

    #[test]
    fn signature_snapshot() {
        let key = DeviceKey::from_seed([1; 32]);
        let signature = key.sign(DOMAIN, &[2; 32]);
        assert_eq!(
            HEXLOWER.encode(&encoding::encode(&signature)),
            "58408d45eda436795f353144450819e6cfe4b1dbb55d17a325ecd0912f6ce0da1b8114f4b274d9423232e221\
            4414bd2964bf93f33c385fc0456b15e2ee1283d8db02"
        );
        verify(key.public().as_bytes(), DOMAIN, &[2; 32], &signature).unwrap();
    }

    /// What is signed is the plain concatenation, by plain Ed25519.
    ///
    /// ID-2.
    #[test]
    fn is_plain_ed25519_over_domain_and_hash() {
        let seed = [1; 32];
        let plain = [DOMAIN.as_bytes(), &[2; 32]].concat();
        let other = ed25519_zebra::SigningKey::from(seed)
            .sign(&plain)
            .to_bytes();
        assert_eq!(
            *DeviceKey::from_seed(seed).sign(DOMAIN, &[2; 32]).as_bytes(),
            other
        );
    }

    #[test]
    fn is_for_one_key_one_domain_and_one_message() {
        let key = DeviceKey::from_seed([1; 32]);
        let public = *key.public().as_bytes();
        let signature = key.sign(DOMAIN, &[2; 32]);
        let other = *DeviceKey::from_seed([3; 32]).public().as_bytes();
        let invalid = Err(SignatureError::Invalid);
        assert_eq!(verify(&other, DOMAIN, &[2; 32], &signature), invalid);
        assert_eq!(
            verify(&public, domain::CARD_SIGNATURE, &[2; 32], &signature),
            invalid
        );
        assert_eq!(verify(&public, DOMAIN, &[3; 32], &signature), invalid);
        let no_point = [
            2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0,
        ];
        assert_eq!(
            verify(&no_point, DOMAIN, &[2; 32], &signature),
            Err(SignatureError::Key)
        );
    }

    /// A signature with a small-order R and key: valid by ZIP-215, refused by stricter rules.
    ///
    /// ID-1.
    #[test]
    fn follows_zip_215_alone_and_in_a_batch() {
        let mut key = [0; 32];
        key[0] = 1;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(
            &HEXLOWER
                .decode(b"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
                .unwrap(),
        );
        let signature = Signature::from(bytes);
        assert_eq!(verify(&key, DOMAIN, &[9; 32], &signature), Ok(()));
        let items = vec![(key, [9; 32], signature); 3];
        assert_eq!(verify_batch(&mut rng(), DOMAIN, &items), [true; 3]);
    }

    #[test]
    fn names_the_wrong_ones_of_a_batch() {
        let mut items: Vec<_> = (0..20_u8)
            .map(|i| {
                let key = DeviceKey::from_seed([i % 3; 32]);
                (
                    *key.public().as_bytes(),
                    [i; 32],
                    key.sign(DOMAIN, &[i; 32]),
                )
            })
            .collect();
        assert_eq!(verify_batch(&mut rng(), DOMAIN, &items), [true; 20]);
        items[4].1 = [99; 32];
        items[11].0 = [255; 32];
        let wrong: Vec<_> = verify_batch(&mut rng(), DOMAIN, &items)
            .iter()
            .enumerate()
            .filter(|(_, valid)| !**valid)
            .map(|(i, _)| i)
            .collect();
        assert_eq!(wrong, [4, 11]);
        assert!(verify_batch(&mut rng(), DOMAIN, &[]).is_empty());
    }

    proptest! {
        /// ID-1.
        #[test]
        fn alone_and_in_a_batch_agree_on_any_bytes(
            key in any::<[u8; 32]>(), message in any::<[u8; 32]>(), bytes in any::<[u8; 64]>()
        ) {
            let signature = Signature::from(bytes);
            let alone = verify(&key, DOMAIN, &message, &signature).is_ok();
            let batch = verify_batch(&mut rng(), DOMAIN, &[(key, message, signature)]);
            prop_assert_eq!(batch, [alone]);
            prop_assert_eq!(encoding::decode::<Signature>(&encoding::encode(&signature)).unwrap(), signature);
        }
    }

    fn rng() -> ChaCha20Rng {
        ChaCha20Rng::from_seed([5; 32])
    }
}
