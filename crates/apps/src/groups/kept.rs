//! What the maker of a link into a group keeps of it (`GROUP-2`).

use std::fmt;

use minicbor::{Decode, Encode};
use tenet_identity::{encoding, meeting::invite::Secret};
use tenet_log::ids::SessionId;

/// A link into a group that was made here: with what the group's log says of it, it can be shown again.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Kept {
    /// Into which session.
    #[n(0)]
    pub session: SessionId,
    /// The link's secret.
    #[n(1)]
    pub secret: Secret,
}

impl Kept {
    /// The value of the register among the own devices.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads it; `None` for what is none, or is kept no more.
    pub fn decode(value: &[u8]) -> Option<Self> {
        encoding::decode(value).ok()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({:?}, redacted)", self.session)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use data_encoding::HEXLOWER;

    /// GROUP-2: the bytes that are kept.
    #[test]
    fn kept_snapshot() {
        let kept = Kept {
            session: [5; 32].into(),
            secret: [6; 16].into(),
        };
        let expected = format!("a2005820{}0150{}", "05".repeat(32), "06".repeat(16));
        assert_eq!(HEXLOWER.encode(&kept.encode()), expected);
        assert_eq!(Kept::decode(&kept.encode()), Some(kept));
        assert_eq!(Kept::decode(b""), None);
    }
}
