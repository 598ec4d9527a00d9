//! Public names of fixed length, and the macro that makes them.

use curve25519_dalek::edwards::CompressedEdwardsY;

byte_id! {
    /// A person or program as others know it: an Ed25519 public key, shown as `did:key`.
    pub struct IdentityId;
}

byte_id! {
    /// One installation of an identity: the Ed25519 public key that signs its events.
    pub struct DeviceId;
}

byte_id! {
    /// Where a device is met on the network: an Ed25519 public key of its own, replaceable.
    pub struct EndpointId;
}

byte_id! {
    /// A link into a session: the Ed25519 public key whose secret half travels in the link.
    pub struct InviteId;
}

/// A public key under which a signature proves nothing: no point of the curve, or of small order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a weak public key: a signature under it proves nothing")]
pub struct WeakKey;

/// Why a text is not the lowercase hexadecimal name that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// A character other than `0-9` and `a-f`, or an odd number of them.
    #[error("not lowercase hexadecimal")]
    Hexadecimal,
    /// Hexadecimal of another length.
    #[error("{got} bytes where {expected} are needed")]
    Length {
        /// The length in bytes of the name.
        expected: usize,
        /// The length in bytes of the text's value.
        got: usize,
    },
}

impl IdentityId {
    /// The id of these bytes, unless they are a weak key.
    ///
    /// # Errors
    /// [`WeakKey`].
    pub fn checked(bytes: [u8; 32]) -> Result<Self, WeakKey> {
        Self::from(bytes).check()
    }

    /// Refuses a weak key.
    ///
    /// # Errors
    /// [`WeakKey`].
    pub fn check(self) -> Result<Self, WeakKey> {
        refuse_weak(self.as_bytes()).map(|()| self)
    }
}

impl DeviceId {
    /// The id of these bytes, unless they are a weak key.
    ///
    /// # Errors
    /// [`WeakKey`].
    pub fn checked(bytes: [u8; 32]) -> Result<Self, WeakKey> {
        Self::from(bytes).check()
    }

    /// Refuses a weak key.
    ///
    /// # Errors
    /// [`WeakKey`].
    pub fn check(self) -> Result<Self, WeakKey> {
        refuse_weak(self.as_bytes()).map(|()| self)
    }
}

/// The next CBOR byte string, which must have exactly `N` bytes.
///
/// # Errors
/// Where the item is another, or of another length.
pub fn bytes_of<const N: usize>(
    decoder: &mut minicbor::Decoder<'_>,
) -> Result<[u8; N], minicbor::decode::Error> {
    let at = decoder.position();
    <[u8; N]>::try_from(decoder.bytes()?)
        .map_err(|_| minicbor::decode::Error::message("byte string of another length").at(at))
}

/// ID-3. Under a key of small order some signature is valid for every message (ZIP-215 multiplies by
/// the cofactor), so whoever "owns" it has signed everything.
fn refuse_weak(key: &[u8; 32]) -> Result<(), WeakKey> {
    let point = CompressedEdwardsY(*key).decompress().ok_or(WeakKey)?;
    if point.is_small_order() {
        Err(WeakKey)
    } else {
        Ok(())
    }
}

/// Defines a public name of fixed length: a newtype over a byte array.
///
/// `byte_id! { /// Docs. pub struct Name; }` makes one of 32 bytes, `pub struct Name(16);` one of
/// 16. It is `Copy`, ordered and hashable, converts from and to bytes (`From`, `as_bytes`,
/// `TryFrom<&[u8]>`), is a byte string in CBOR, shows itself as lowercase hexadecimal and parses
/// that. `Debug` shows the first four bytes.
#[macro_export]
macro_rules! byte_id {
    ($(#[$meta:meta])* $vis:vis struct $name:ident;) => {
        $crate::byte_id! { $(#[$meta])* $vis struct $name(32); }
    };
    ($(#[$meta:meta])* $vis:vis struct $name:ident($length:literal);) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name([u8; $length]);

        impl $name {
            /// Its bytes.
            $vis const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl From<[u8; $length]> for $name {
            fn from(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }
        }

        impl From<$name> for [u8; $length] {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = $crate::keys::ParseError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                <[u8; $length]>::try_from(bytes).map(Self).map_err(|_| {
                    $crate::keys::ParseError::Length { expected: $length, got: bytes.len() }
                })
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::keys::ParseError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from($crate::expansion::from_hex(text)?.as_slice())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&$crate::expansion::to_hex(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let start = self.0.get(..4).unwrap_or(&self.0);
                write!(f, "{}({}…)", stringify!($name), $crate::expansion::to_hex(start))
            }
        }

        impl<C> $crate::expansion::minicbor::Encode<C> for $name {
            fn encode<W: $crate::expansion::minicbor::encode::Write>(
                &self,
                encoder: &mut $crate::expansion::minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), $crate::expansion::minicbor::encode::Error<W::Error>> {
                encoder.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> $crate::expansion::minicbor::Decode<'b, C> for $name {
            fn decode(
                decoder: &mut $crate::expansion::minicbor::Decoder<'b>,
                _: &mut C,
            ) -> Result<Self, $crate::expansion::minicbor::decode::Error> {
                $crate::keys::bytes_of(decoder).map(Self)
            }
        }
    };
}

use crate::byte_id;

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;
    use crate::encoding;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    byte_id! {
        /// A shorter one.
        pub struct Short(16);
    }

    #[test]
    fn has_one_form_as_text_and_one_as_bytes() {
        let id = DeviceId::from([0xab; 32]);
        assert_eq!(id.to_string(), "ab".repeat(32));
        assert_eq!(format!("{id:?}"), "DeviceId(abababab…)");
        assert_eq!(
            HEXLOWER.encode(&encoding::encode(&id)),
            format!("5820{}", "ab".repeat(32))
        );
        let short = Short::from([1; 16]);
        assert_eq!(
            HEXLOWER.encode(&encoding::encode(&short)),
            format!("50{}", "01".repeat(16))
        );
    }

    #[test]
    fn refuses_other_texts_and_lengths() {
        assert_eq!(
            "AB".repeat(32).parse::<DeviceId>(),
            Err(ParseError::Hexadecimal)
        );
        assert_eq!("abc".parse::<DeviceId>(), Err(ParseError::Hexadecimal));
        let length = ParseError::Length {
            expected: 32,
            got: 2,
        };
        assert_eq!("abab".parse::<DeviceId>(), Err(length));
        assert!(encoding::decode::<DeviceId>(&[0x41, 0]).is_err());
        assert!(encoding::decode::<Short>(&encoding::encode(&DeviceId::from([0; 32]))).is_err());
    }

    /// The eight points of small order with their canonical encodings, and two that are not.
    ///
    /// ID-3.
    #[test]
    fn refuses_keys_of_small_order_and_keys_that_are_no_point() {
        let weak = [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0200000000000000000000000000000000000000000000000000000000000000",
        ];
        for hex in weak {
            let id: IdentityId = hex.parse().unwrap();
            assert_eq!(id.check(), Err(WeakKey), "{hex}");
            assert_eq!(DeviceId::checked(id.into()), Err(WeakKey), "{hex}");
        }
        let base = "5866666666666666666666666666666666666666666666666666666666666666";
        assert!(base.parse::<IdentityId>().unwrap().check().is_ok());
    }

    proptest! {
        #[test]
        fn round_trips(bytes in any::<[u8; 32]>()) {
            let id = EndpointId::from(bytes);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(encoding::decode::<EndpointId>(&encoding::encode(&id)).unwrap(), id);
        }

        #[test]
        fn never_panics(text in ".{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = text.parse::<EndpointId>();
            let _ = encoding::decode::<EndpointId>(&bytes);
        }
    }
}
