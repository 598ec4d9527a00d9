//! Invites: the key pair, the name and the secret behind a link.

use std::fmt;

use p384::elliptic_curve::{Generate, sec1::ToSec1Point};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    byte_id,
    domain::{INVITE_ID, derive},
    keys::bytes_of,
};

byte_id! {
    /// The name of an invite in lists and knocks; it follows from the public key alone.
    pub struct InviteId(16);
}

/// The secret half of an invite's P-384 key pair, kept by the inviter.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteKey(p384::SecretKey);

/// The public half of an invite's P-384 key pair: a point of the curve, compressed (SEC 1 §2.3.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvitePublic([u8; 49]);

/// The secret of a link, 128 random bits: whoever knows it may knock once, or until it expires.
///
/// Comparison takes the same time whatever differs.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 16]>);

/// The bytes are no P-384 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a P-384 key")]
pub struct BadKey;

impl InviteKey {
    /// A new random key.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(p384::SecretKey::generate_from_rng(rng))
    }

    /// The key with this secret scalar, 48 bytes, big-endian.
    ///
    /// # Errors
    /// [`BadKey`] where it is zero or not below the order of the curve.
    pub fn from_bytes(bytes: &[u8; 48]) -> Result<Self, BadKey> {
        p384::SecretKey::from_slice(bytes)
            .map(Self)
            .map_err(|_| BadKey)
    }

    /// The key that follows from some bytes: its secret scalar is `derive(domain, from ‖ 00) ‖ derive(domain, from ‖
    /// 01)`, of which the first 48 bytes, the first bit cleared.
    ///
    /// # Errors
    /// [`BadKey`], for one derivation in 2³⁸³.
    pub(super) fn derived(domain: &'static str, from: &[u8]) -> Result<Self, BadKey> {
        let (first, second) = (derive(domain, &[from, &[0]]), derive(domain, &[from, &[1]]));
        let mut scalar = Zeroizing::new([0; 48]);
        for (to, from) in scalar.iter_mut().zip(first.into_iter().chain(second)) {
            *to = from;
        }
        // Below the order of the curve, which begins with 64 one bits.
        if let Some(top) = scalar.first_mut() {
            *top &= 0x7f;
        }
        Self::from_bytes(&scalar)
    }

    /// Its secret scalar, to be kept where secrets are kept.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 48]> {
        Zeroizing::new(self.0.to_bytes().into())
    }

    /// Its public half.
    pub fn public(&self) -> InvitePublic {
        InvitePublic(self.0.public_key().to_compressed_point().into())
    }
}

impl InvitePublic {
    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 49] {
        &self.0
    }

    /// The name of the invite (LINK-4).
    pub fn id(&self) -> InviteId {
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(derive(INVITE_ID, &[&self.0])) {
            *to = from;
        }
        InviteId::from(id)
    }
}

impl TryFrom<&[u8]> for InvitePublic {
    type Error = BadKey;

    fn try_from(bytes: &[u8]) -> Result<Self, BadKey> {
        let compressed = <[u8; 49]>::try_from(bytes).map_err(|_| BadKey)?;
        p384::PublicKey::from_sec1_bytes(bytes).map_err(|_| BadKey)?;
        Ok(Self(compressed))
    }
}

impl Secret {
    /// A new random secret.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut secret = Self::from([0; 16]);
        rng.fill_bytes(secret.0.as_mut_slice());
        secret
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for Secret {
    fn from(bytes: [u8; 16]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for Secret {}

impl<C> minicbor::Encode<C> for Secret {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(self.0.as_slice())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Secret {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        bytes_of(decoder).map(Self::from)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Debug for InviteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InviteKey(secret of {:?})", self.public())
    }
}

impl fmt::Debug for InvitePublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvitePublic({:?})", self.id())
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
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    /// The generator of P-384 (FIPS 186-4 §D.1.2.4) is the public half of the secret one.
    ///
    /// LINK-4.
    #[test]
    fn invite_id_snapshot() {
        let mut one = [0; 48];
        one[47] = 1;
        let public = InviteKey::from_bytes(&one).unwrap().public();
        assert_eq!(
            HEXLOWER.encode(public.as_bytes()),
            "03aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545\
             e3872760ab7"
        );
        assert_eq!(public.id().to_string(), "212b6ed0c57d045f2d0a1b04e076251b");
    }

    #[test]
    fn keeps_and_gives_back_its_key() {
        let key = InviteKey::generate(&mut ChaCha20Rng::from_seed([1; 32]));
        assert_eq!(InviteKey::from_bytes(&key.to_bytes()), Ok(key.clone()));
        assert_eq!(
            InvitePublic::try_from(key.public().as_bytes().as_slice()),
            Ok(key.public())
        );
        assert!(!format!("{key:?}").contains(&HEXLOWER.encode(&key.to_bytes()[..4])));
    }

    /// LINK-1.
    #[test]
    fn refuses_what_is_no_key() {
        assert_eq!(InviteKey::from_bytes(&[0; 48]), Err(BadKey));
        assert_eq!(InviteKey::from_bytes(&[0xff; 48]), Err(BadKey));
        for bad in [&[][..], &[0; 49], &[2; 48], &[0xff; 49], &[4; 97], &[0]] {
            assert_eq!(InvitePublic::try_from(bad), Err(BadKey));
        }
    }
}
