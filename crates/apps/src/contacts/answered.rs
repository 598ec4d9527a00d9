//! What I answered to a knock, so that the same device gets the same answer again.

use std::fmt;

use minicbor::{Decode, Encode};
use tenet_identity::{
    keys::{DeviceId, IdentityId},
    meeting::invite::InviteId,
};

use super::record::{self, RecordError, VERSION};

/// An answer that I gave.
#[derive(Clone, PartialEq, Eq)]
pub struct Answered {
    /// The invite that was knocked at.
    pub invite: InviteId,
    /// The device that knocked.
    pub device: DeviceId,
    /// Whose device.
    pub identity: IdentityId,
    /// What they called themselves.
    pub nickname: String,
    /// What they committed to.
    pub commitment: [u8; 32],
    /// My share of the short string.
    pub nonce: [u8; 32],
    /// The founding event that I sent, as it travels.
    pub founding: Vec<u8>,
    /// When I first answered, in Unix milliseconds.
    pub at: u64,
    /// Whether they opened their commitment and joined: we are contacts.
    pub opened: bool,
}

impl Answered {
    /// Whether a further knock of this device may have this answer again (`CON-8`).
    ///
    /// With another commitment it must be refused. The device knows my nonce by now: could it
    /// commit anew, it would search for a nonce that gives the short string it wants.
    pub fn may_repeat(&self, commitment: &[u8; 32]) -> bool {
        self.commitment == *commitment
    }

    /// The bytes that are stored.
    pub fn encode(&self) -> Vec<u8> {
        record::encode(&Form {
            version: VERSION,
            invite: self.invite,
            device: self.device,
            identity: self.identity,
            nickname: self.nickname.clone(),
            commitment: self.commitment,
            nonce: self.nonce,
            founding: self.founding.clone(),
            at: self.at,
            opened: self.opened,
        })
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let form: Form = record::decode(bytes)?;
        Ok(Self {
            invite: form.invite,
            device: form.device,
            identity: form.identity,
            nickname: form.nickname,
            commitment: form.commitment,
            nonce: form.nonce,
            founding: form.founding,
            at: form.at,
            opened: form.opened,
        })
    }
}

impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Answered({:?} at {:?}, redacted)",
            self.device, self.invite
        )
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    version: u8,
    #[n(1)]
    invite: InviteId,
    #[n(2)]
    device: DeviceId,
    #[n(3)]
    identity: IdentityId,
    #[n(4)]
    nickname: String,
    #[cbor(n(5), with = "minicbor::bytes")]
    commitment: [u8; 32],
    #[cbor(n(6), with = "minicbor::bytes")]
    nonce: [u8; 32],
    #[cbor(n(7), with = "minicbor::bytes")]
    founding: Vec<u8>,
    #[n(8)]
    at: u64,
    #[n(9)]
    opened: bool,
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
    use proptest::prelude::*;

    fn answered() -> Answered {
        Answered {
            invite: InviteId::from([0x11; 16]),
            device: DeviceId::from([0x22; 32]),
            identity: IdentityId::from([0x33; 32]),
            nickname: "Bert".into(),
            commitment: [0x44; 32],
            nonce: [0x55; 32],
            founding: vec![0x66, 0x67],
            at: 1_000,
            opened: true,
        }
    }

    /// CON-8.
    #[test]
    fn another_commitment_gets_no_second_answer() {
        assert!(answered().may_repeat(&[0x44; 32]));
        assert!(!answered().may_repeat(&[0x45; 32]));
    }

    /// CON-1: the bytes that are stored.
    #[test]
    fn has_these_bytes() {
        let id = |byte: &str| format!("5820{}", byte.repeat(32));
        let expected = format!(
            "aa 0001 0150{} 02{} 03{} 046442657274 05{} 06{} 07426667 081903e8 09f5",
            "11".repeat(16),
            id("22"),
            id("33"),
            id("44"),
            id("55"),
        );
        assert_eq!(
            HEXLOWER.encode(&answered().encode()),
            expected.replace(' ', "")
        );
        assert!(!format!("{:?}", answered()).contains("Bert"));
    }

    proptest! {
        #[test]
        fn round_trips(
            nickname in ".{0,20}", nonce: [u8; 32], founding in prop::collection::vec(any::<u8>(), 0..40),
            at: u64, opened: bool,
        ) {
            let answered = Answered { nickname, nonce, founding, at, opened, ..answered() };
            prop_assert_eq!(Answered::decode(&answered.encode()).unwrap(), answered);
        }

        #[test]
        fn never_panics(at in any::<prop::sample::Index>(), to: u8) {
            let mut bytes = answered().encode();
            let at = at.index(bytes.len());
            bytes[at] = to;
            let _ = Answered::decode(&bytes);
            let _ = Answered::decode(&bytes[at..]);
        }
    }
}
