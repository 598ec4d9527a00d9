//! Secret signing keys: zeroized when dropped, redacted when printed.

use std::fmt;

use ed25519_zebra::{SigningKey, VerificationKeyBytes};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::{DeviceId, IdentityId, InviteId, Signature};

secret_key! {
    /// The secret key of an identity; it signs device cards and revocations, and nothing else.
    IdentityKey, IdentityId
}

secret_key! {
    /// The secret key of a device; it signs events and hellos.
    DeviceKey, DeviceId
}

secret_key! {
    /// The secret key of a link into a session; whoever has it comes in by signing once.
    InviteKey, InviteId
}

/// A boxed signing key: moving it moves a pointer and leaves no copy of the secret behind.
struct Secret(Box<SigningKey>);

impl Secret {
    fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Box::new(SigningKey::from_bytes(seed)))
    }

    fn public(&self) -> [u8; 32] {
        VerificationKeyBytes::from(&*self.0).into()
    }

    fn sign(&self, domain: &'static str, message: &[u8; 32]) -> Signature {
        Signature::from(
            self.0
                .sign(&super::signature::signed_bytes(domain, message))
                .to_bytes(),
        )
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

macro_rules! secret_key {
    ($(#[$meta:meta])* $name:ident, $public:ident) => {
        $(#[$meta])*
        ///
        /// Expanded once when it is made, so that signing is fast.
        pub struct $name(Secret);

        impl $name {
            /// The key with this Ed25519 seed (RFC 8032 §5.1.5).
            ///
            /// Wiping the caller's own copy of the seed is the caller's part.
            pub fn from_seed(seed: [u8; 32]) -> Self {
                let seed = Zeroizing::new(seed);
                Self(Secret::from_seed(&seed))
            }

            /// A new key with a random seed.
            pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
                let mut seed = Zeroizing::new([0; 32]);
                rng.fill_bytes(seed.as_mut_slice());
                Self(Secret::from_seed(&seed))
            }

            /// Its seed, to be kept where secrets are kept.
            pub fn seed(&self) -> Zeroizing<[u8; 32]> {
                Zeroizing::new(*self.0.0.as_bytes())
            }

            /// Its public key.
            pub fn public(&self) -> $public {
                $public::from(self.0.public())
            }

            /// Signs `domain` followed by `message`, a hash.
            pub fn sign(&self, domain: &'static str, message: &[u8; 32]) -> Signature {
                self.0.sign(domain, message)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}(secret of {:?})", stringify!($name), self.public())
            }
        }
    };
}

use secret_key;

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

    /// RFC 8032 §7.1, tests 1 to 3: seed and public key.
    #[test]
    fn makes_the_public_keys_of_the_rfc() {
        let vectors = [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            ),
        ];
        for (seed, public) in vectors {
            let seed = HEXLOWER.decode(seed.as_bytes()).unwrap();
            let key = DeviceKey::from_seed(seed.clone().try_into().unwrap());
            assert_eq!(key.public().to_string(), public);
            assert_eq!(key.seed().as_slice(), seed);
        }
    }

    #[test]
    fn is_what_the_generator_gives_and_prints_nothing_secret() {
        let key = IdentityKey::generate(&mut ChaCha20Rng::from_seed([7; 32]));
        let again = IdentityKey::generate(&mut ChaCha20Rng::from_seed([7; 32]));
        assert_eq!(key.public(), again.public());
        let seed = HEXLOWER.encode(key.seed().as_slice());
        assert!(!format!("{key:?}").contains(&seed[..8]));
    }
}
