//! Sealing: a file becomes segments that open alone, and only in their place.
//!
//! ```text
//! file     │ 64 KiB            │ 64 KiB            │ the rest │
//!            AES-256-GCM, nonce = 7 zero bytes ‖ index (32 bits, big-endian) ‖ is this the last
//! sealed   │ 64 KiB │ tag 16 B │ 64 KiB │ tag 16 B │ the rest │ tag │
//! ```
//!
//! This is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its
//! Nonce-Reuse Misuse-Resistance", CRYPTO 2015), in the flavour with a counter of 32 bits. A segment
//! that was moved, dropped, repeated or put behind the last one does not open.

use std::fmt;

use aead_stream::{NewStream, Nonce, StreamBE32, StreamPrimitive};
use aes_gcm::Aes256Gcm;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of the file in every segment but the last.
///
/// One pread and one tag for 64 KiB: the tags are 0.02 % of a file, and a reader that jumps decrypts
/// no more than this for its first byte. `age` chose the same.
pub const SEGMENT: usize = 64 * 1024;

/// Bytes that sealing adds to a segment.
pub const TAG: usize = 16;

/// Bytes of a sealed segment that is not the last.
const SEALED_SEGMENT: u64 = (SEGMENT + TAG) as u64;

/// The most bytes that one key seals into: every index of 32 bits used once, 256 TiB.
const MOST_SEALED: u64 = (u32::MAX as u64 + 1) * SEALED_SEGMENT;

/// The key of one file, which opens it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct BlobKey([u8; 32]);

/// A key that has sealed nothing yet; it is consumed by sealing.
///
/// Nonces begin at zero for every file, so a key that sealed two files would give both away.
#[derive(Debug)]
pub struct FreshKey(BlobKey);

/// The cipher under one key.
pub(crate) struct Segments(StreamBE32<Aes256Gcm>);

/// A segment does not open.
pub(crate) struct Refused;

/// How many bytes a file of this size seals into; nothing above 256 TiB.
#[must_use]
pub fn sealed_size(plain: u64) -> Option<u64> {
    let segments = plain.div_ceil(SEGMENT as u64).max(1);
    let sealed = segments
        .checked_mul(TAG as u64)
        .and_then(|tags| plain.checked_add(tags))?;
    (sealed <= MOST_SEALED).then_some(sealed)
}

/// How many bytes the file has that sealed into this many; nothing where none does (BLOB-3).
#[must_use]
pub fn plain_size(sealed: u64) -> Option<u64> {
    let tags = sealed.div_ceil(SEALED_SEGMENT).checked_mul(TAG as u64)?;
    let plain = sealed.checked_sub(tags)?;
    (sealed_size(plain) == Some(sealed)).then_some(plain)
}

impl BlobKey {
    /// The key that these bytes are: of a file that was sealed with it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be kept where only those read who may read the file.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlobKey(…)")
    }
}

impl FreshKey {
    /// A key from 32 random bytes that serve nothing else (BLOB-1).
    #[must_use]
    pub const fn from_random(bytes: [u8; 32]) -> Self {
        Self(BlobKey(bytes))
    }

    /// What opens the file that was sealed.
    pub(crate) fn used(self) -> BlobKey {
        self.0
    }

    pub(crate) fn segments(&self) -> Segments {
        Segments::new(&self.0)
    }
}

impl Segments {
    /// BLOB-2: the key as it is, and a nonce prefix of zeros, since the key seals one file.
    pub(crate) fn new(key: &BlobKey) -> Self {
        Self(StreamBE32::new(
            &(*key.as_bytes()).into(),
            &Nonce::<Aes256Gcm, StreamBE32<Aes256Gcm>>::default(),
        ))
    }

    /// Seals a segment in place; it grows by its tag. Nothing where the index is above 32 bits.
    pub(crate) fn seal(&self, index: u64, last: bool, segment: &mut Vec<u8>) -> Option<()> {
        let index = u32::try_from(index).ok()?;
        self.0.encrypt_in_place(index, last, b"", segment).ok()
    }

    /// Opens a segment in place; it shrinks by its tag. One that does not open is emptied.
    pub(crate) fn open(
        &self,
        index: u64,
        last: bool,
        segment: &mut Vec<u8>,
    ) -> Result<(), Refused> {
        let opened = u32::try_from(index)
            .ok()
            .and_then(|index| self.0.decrypt_in_place(index, last, b"", segment).ok());
        opened.ok_or_else(|| {
            segment.clear();
            Refused
        })
    }
}

/// Where a segment lies in the sealed form.
pub(crate) struct Place {
    /// Its first byte.
    pub(crate) offset: u64,
    /// Its bytes, with the tag.
    pub(crate) size: usize,
    pub(crate) last: bool,
}

impl Place {
    /// The segment with this index in a sealed form of this size; nothing behind the last.
    pub(crate) fn of(index: u64, sealed: u64) -> Option<Self> {
        let offset = index.checked_mul(SEALED_SEGMENT)?;
        let rest = sealed.checked_sub(offset).filter(|rest| *rest > 0)?;
        Some(Self {
            offset,
            size: usize::try_from(rest.min(SEALED_SEGMENT)).ok()?,
            last: rest <= SEALED_SEGMENT,
        })
    }

    /// The index of the last segment.
    pub(crate) fn last(sealed: u64) -> u64 {
        sealed.div_ceil(SEALED_SEGMENT).saturating_sub(1)
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

    use aes_gcm::aead::{Aead, KeyInit};
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_segment_is_aes_gcm_under_the_nonce_of_the_spec() {
        // BLOB-2.
        let segments = FreshKey::from_random([7; 32]).segments();
        let mut sealed = b"a segment".to_vec();
        segments.seal(0x0102_0304, true, &mut sealed).unwrap();
        let nonce = [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 1];
        let direct = Aes256Gcm::new(&[7; 32].into());
        let direct = direct.encrypt(&nonce.into(), &b"a segment"[..]).unwrap();
        assert_eq!(sealed, direct);
    }

    /// Published: Crypto++ / McGrew and Viega's "The Galois/Counter Mode of Operation (GCM)",
    /// test cases 13 and 14: AES-256, key and nonce zero.
    #[test]
    fn published_vectors_of_the_cipher_hold() {
        let segments = FreshKey::from_random([0; 32]).segments();
        let mut empty = Vec::new();
        segments.seal(0, false, &mut empty).unwrap();
        assert_eq!(HEXLOWER.encode(&empty), "530f8afbc74536b9a963b4f1c4cb738b");
        let mut block = vec![0; 16];
        segments.seal(0, false, &mut block).unwrap();
        assert_eq!(
            HEXLOWER.encode(&block),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        );
    }

    #[test]
    fn a_segment_opens_in_its_place_only() {
        // BLOB-4.
        let segments = FreshKey::from_random([7; 32]).segments();
        let mut sealed = b"a segment".to_vec();
        segments.seal(3, false, &mut sealed).unwrap();
        for (index, last) in [(2, false), (4, false), (3, true), (1 << 32 | 3, false)] {
            let mut moved = sealed.clone();
            assert!(segments.open(index, last, &mut moved).is_err());
            assert!(moved.is_empty(), "nothing is released");
        }
        assert!(segments.open(3, false, &mut sealed).is_ok());
        assert_eq!(sealed, b"a segment");
    }

    #[test]
    fn sizes_at_the_edges() {
        // BLOB-3.
        assert_eq!(sealed_size(0), Some(16));
        assert_eq!(sealed_size(65536), Some(65552));
        assert_eq!(sealed_size(65537), Some(65569));
        for impossible in [0, 15, 65553, 65568, u64::MAX, MOST_SEALED + 1] {
            assert_eq!(plain_size(impossible), None, "{impossible}");
        }
        assert_eq!(plain_size(MOST_SEALED), Some(1 << 48));
    }

    #[test]
    fn a_key_does_not_print() {
        assert_eq!(format!("{:?}", BlobKey::from_bytes([7; 32])), "BlobKey(…)");
    }

    proptest! {
        #[test]
        fn sizes_go_both_ways(plain in 0..1u64 << 48, sealed: u64) {
            let there = sealed_size(plain).unwrap();
            prop_assert_eq!(plain_size(there), Some(plain));
            if let Some(plain) = plain_size(sealed) {
                prop_assert_eq!(sealed_size(plain), Some(sealed));
            }
        }

        #[test]
        fn opening_never_panics(index: u64, last: bool, mut segment: Vec<u8>) {
            let segments = FreshKey::from_random([7; 32]).segments();
            prop_assert!(segments.open(index, last, &mut segment).is_err());
        }

        #[test]
        fn places_cover_the_sealed_form(sealed in 1..1u64 << 24) {
            let last = Place::last(sealed);
            let mut end = 0;
            for index in 0..=last {
                let place = Place::of(index, sealed).unwrap();
                prop_assert_eq!(place.offset, end);
                prop_assert_eq!(place.last, index == last);
                end += place.size as u64;
            }
            prop_assert_eq!(end, sealed);
            prop_assert!(Place::of(last + 1, sealed).is_none());
        }
    }
}
