//! The detachable part of an event: the header commits to it, and erasing it breaks nothing (LOG-4).

use tenet_identity::domain::derive;

use crate::domain::EVENT_BODY;

/// The largest body, in bytes: a text of 64 KiB with room for what describes it.
pub const MAX_BODY_BYTES: usize = 96 * 1024;

/// Random bytes hashed with a body, so that a short body that was erased cannot be guessed.
pub type Salt = [u8; 32];

/// What an event says, with the salt that hides it once it is gone.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// 32 random bytes.
    pub salt: Salt,
    /// The app's bytes.
    pub bytes: Vec<u8>,
}

impl Body {
    /// The hash that a header commits to.
    pub fn hash(&self) -> [u8; 32] {
        derive(EVENT_BODY, &[&self.salt, &self.bytes])
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({} bytes, redacted)", self.bytes.len())
    }
}

/// The size class of a body: the number of the smallest bucket that holds it.
///
/// Bucket `n` holds bodies of less than `2^n` bytes: a header betrays at most the order of
/// magnitude of a body that was erased.
pub fn size_bucket(len: usize) -> u8 {
    (usize::BITS - len.leading_zeros()) as u8
}
