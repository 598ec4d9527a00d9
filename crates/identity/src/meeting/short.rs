//! Strings that two people compare to know that nobody stands between them.
//!
//! The short string is 42 bits, seven emoji or thirteen digits. It covers both identity keys, both
//! device keys, both nonces and the session, all of them fixed before the knocker opens its nonce:
//! so whoever stands between has one try, and one chance in 2⁴². The long number covers the identity
//! keys only and needs no handshake.

mod emoji;

pub use emoji::{EMOJI, Emoji};

use crate::{
    domain::{LONG_NUMBER, SHORT_STRING, derive},
    keys::{DeviceId, IdentityId},
};

/// One of the two: what it put into the short string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side {
    /// Its identity.
    pub identity: IdentityId,
    /// The device with which it knocked or answered.
    pub device: DeviceId,
    /// Its nonce of that knock.
    pub nonce: [u8; 32],
}

/// 42 bits to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short(u64);

/// The short string of two sides and their session; the same whichever comes first (SAS-1).
pub fn short(one: &Side, other: &Side, session: &[u8; 32]) -> Short {
    let (low, high) = if one <= other {
        (one, other)
    } else {
        (other, one)
    };
    let hash = derive(
        SHORT_STRING,
        &[
            low.identity.as_bytes(),
            high.identity.as_bytes(),
            low.device.as_bytes(),
            high.device.as_bytes(),
            &low.nonce,
            &high.nonce,
            session,
        ],
    );
    Short(number_of(hash.get(..6).unwrap_or_default()) >> 6)
}

/// The long number of two identities: 60 digits, the same whichever comes first (SAS-3).
///
/// Twelve groups of five digits, each from five bytes of BLAKE3's extended output. To stand between
/// two people unseen takes two identity keys whose numbers with the one and with the other person
/// are equal: about 2¹⁰⁰ keys tried. That is far beyond reach, so the hash is not repeated to make
/// each try dearer.
pub fn number(one: &IdentityId, other: &IdentityId) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(LONG_NUMBER);
    hasher.update(one.min(other).as_bytes());
    hasher.update(one.max(other).as_bytes());
    let mut bytes = [0; 60];
    hasher.finalize_xof().fill(&mut bytes);
    bytes
        .chunks(5)
        .map(|group| format!("{:05}", number_of(group) % 100_000))
        .collect()
}

impl Short {
    /// Seven emoji, the first from the highest six bits (SAS-2).
    pub fn emoji(&self) -> [Emoji; 7] {
        [36, 30, 24, 18, 12, 6, 0].map(|shift| {
            let index = usize::try_from(self.0 >> shift & 0x3f).unwrap_or_default();
            EMOJI.get(index).copied().unwrap_or_default()
        })
    }

    /// The same 42 bits as thirteen decimal digits (SAS-2).
    pub fn digits(&self) -> String {
        format!("{:013}", self.0)
    }
}

/// The bytes as a number, big-endian.
fn number_of(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
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
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn short_string_snapshot() {
        let short = short(&side(1), &side(2), &[9; 32]);
        let names = short.emoji().map(|emoji| emoji.name).join(", ");
        assert_eq!(
            names,
            "bread, egg, lemon, ladybird, cherries, cactus, light bulb"
        );
        assert_eq!(short.digits(), "1956728636578");
    }

    #[test]
    fn long_number_snapshot() {
        assert_eq!(
            number(&side(1).identity, &side(2).identity),
            "541921824191174815807930112969673106636817960533421259549491"
        );
    }

    /// SAS-1.
    #[test]
    fn depends_on_everything_that_it_covers() {
        let same = short(&side(1), &side(2), &[9; 32]);
        let others = [
            short(
                &Side {
                    identity: IdentityId::from([8; 32]),
                    ..side(1)
                },
                &side(2),
                &[9; 32],
            ),
            short(
                &Side {
                    device: DeviceId::from([8; 32]),
                    ..side(1)
                },
                &side(2),
                &[9; 32],
            ),
            short(
                &Side {
                    nonce: [8; 32],
                    ..side(1)
                },
                &side(2),
                &[9; 32],
            ),
            short(&side(1), &side(3), &[9; 32]),
            short(&side(1), &side(2), &[8; 32]),
        ];
        assert!(others.iter().all(|other| *other != same));
    }

    /// SAS-2.
    #[test]
    fn emoji_and_digits_say_all_42_bits() {
        let all = Short((1 << 42) - 1);
        assert_eq!(all.digits(), "4398046511103");
        assert!(all.emoji().iter().all(|emoji| *emoji == EMOJI[63]));
        let steps = Short(0b000001_000010_000011_000100_000101_000110_000111);
        assert_eq!(
            steps.emoji(),
            [1, 2, 3, 4, 5, 6, 7].map(|index: usize| EMOJI[index])
        );
        assert_eq!(Short(0).digits(), "0000000000000");
    }

    #[test]
    fn the_table_has_64_emoji_of_one_character_and_one_name_each() {
        assert_eq!(EMOJI.len(), 64);
        let symbols: BTreeSet<_> = EMOJI.iter().map(|emoji| emoji.symbol).collect();
        let names: BTreeSet<_> = EMOJI.iter().map(|emoji| emoji.name).collect();
        assert_eq!((symbols.len(), names.len()), (64, 64));
        assert!(
            names
                .iter()
                .all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == ' '))
        );
    }

    proptest! {
        /// SAS-1, SAS-3.
        #[test]
        fn is_the_same_on_both_sides(a in any::<[u8; 96]>(), b in any::<[u8; 96]>()) {
            let [a, b] = [a, b].map(|bytes| Side {
                identity: IdentityId::try_from(&bytes[..32]).unwrap(),
                device: DeviceId::try_from(&bytes[32..64]).unwrap(),
                nonce: bytes[64..].try_into().unwrap(),
            });
            prop_assert_eq!(short(&a, &b, &[9; 32]), short(&b, &a, &[9; 32]));
            let number = number(&a.identity, &b.identity);
            prop_assert_eq!(&number, &super::number(&b.identity, &a.identity));
            prop_assert!(number.len() == 60 && number.bytes().all(|c| c.is_ascii_digit()));
        }
    }

    fn side(byte: u8) -> Side {
        Side {
            identity: IdentityId::from([byte; 32]),
            device: DeviceId::from([0x10 + byte; 32]),
            nonce: [0x20 + byte; 32],
        }
    }
}
