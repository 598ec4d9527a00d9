//! A blob is named by the hash of its sealed form.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

/// The BLAKE3 hash of a sealed file: what it is asked for by, and what it is checked against.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobHash([u8; 32]);

/// A text is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a blob hash: 64 lower-case hexadecimal digits")]
pub struct NotAHash;

impl BlobHash {
    /// The hash that these 32 bytes are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<blake3::Hash> for BlobHash {
    fn from(hash: blake3::Hash) -> Self {
        Self(hash.into())
    }
}

impl From<BlobHash> for blake3::Hash {
    fn from(hash: BlobHash) -> Self {
        Self::from_bytes(hash.0)
    }
}

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobHash({self})")
    }
}

impl FromStr for BlobHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| NotAHash)?;
        bytes.try_into().map(Self).map_err(|_| NotAHash)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_hash_has_one_text() {
        let hash = BlobHash::from(blake3::hash(b""));
        let text = hash.to_string();
        assert_eq!(
            text,
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        );
        assert_eq!(text.parse(), Ok(hash));
        for wrong in [&text.to_uppercase(), "", &text[..62], &format!("{text}00")] {
            assert_eq!(wrong.parse::<BlobHash>(), Err(NotAHash));
        }
    }
}
