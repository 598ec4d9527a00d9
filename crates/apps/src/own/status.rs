//! How a device of mine is: what it tells my others, and nobody else, of the machine that it runs on (OWN-901).

use minicbor::{Decode, Encode};
use tenet_identity::encoding;
use tenet_log::register::Register;

use super::{STATUS, id, parts};

/// The most bytes of a version or platform that are taken: a line on a screen.
const MAX_WORDS: usize = 64;

/// How a device is. What it could not find out is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Status {
    /// The program's version, at most 64 bytes.
    #[n(0)]
    pub version: String,
    /// The machine's system and processor, at most 64 bytes.
    #[n(1)]
    pub platform: String,
    /// How much of all its processors was wanted over the last minute, in percent; more than 100 where some waited.
    #[n(2)]
    pub cpu: Option<u64>,
    /// Bytes of memory in use.
    #[n(3)]
    pub memory_used: Option<u64>,
    /// Bytes of memory.
    #[n(4)]
    pub memory: Option<u64>,
    /// Bytes that are free for this program where its home lies.
    #[n(5)]
    pub disk_free: Option<u64>,
    /// Bytes of the disk where its home lies.
    #[n(6)]
    pub disk: Option<u64>,
    /// For how long the machine has been on, in seconds.
    #[n(7)]
    pub uptime: Option<u64>,
}

impl Status {
    /// The register's value.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a register's value; `None` for what is none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let status: Self = encoding::decode(bytes).ok()?;
        let words = [&status.version, &status.platform];
        let fits = words.iter().all(|words| words.len() <= MAX_WORDS);
        fits.then_some(status)
    }

    /// What a register says of the device that wrote it, and when, in Unix milliseconds; `None` for any other.
    pub fn of(register: &Register) -> Option<(u64, Self)> {
        let (STATUS, about) = parts(register.key())? else {
            return None;
        };
        let own = id(about)? == *register.device().as_bytes();
        let status = Self::decode(register.value()).filter(|_| own)?;
        Some((register.version().0.millis(), status))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use data_encoding::HEXLOWER;
    use proptest::prelude::*;
    use tenet_identity::keys::DeviceKey;
    use tenet_log::{clock::Hlc, ids::SessionId};

    use super::*;
    use crate::own;

    fn status() -> Status {
        Status {
            version: "0.1.0".into(),
            platform: "linux x86_64".into(),
            cpu: Some(7),
            memory_used: Some(1 << 30),
            memory: Some(1 << 33),
            disk_free: None,
            disk: None,
            uptime: Some(60),
        }
    }

    /// OWN-901: the bytes that travel.
    #[test]
    fn has_these_bytes() {
        let hex = HEXLOWER.encode(&status().encode());
        let words = "a60065302e312e30016c6c696e7578207838365f3634";
        assert_eq!(
            hex,
            format!("{words}0207031a40000000041b000000020000000007183c")
        );
        assert_eq!(Status::decode(&status().encode()), Some(status()));
    }

    /// OWN-901
    #[test]
    fn a_device_speaks_of_itself_alone() {
        let device = DeviceKey::from_seed([1; 32]);
        let session = SessionId::from([9; 32]);
        let said = |about: &[u8; 32], status: &Status| {
            let key = own::key(STATUS, about);
            let time = Hlc::from_millis(5);
            let register = Register::sign(&device, session, &key, time, status.encode());
            Status::of(&register.unwrap())
        };
        let own = *device.public().as_bytes();
        assert_eq!(said(&own, &status()), Some((5, status())));
        assert_eq!(said(&[2; 32], &status()), None);
        let long = Status {
            version: "x".repeat(MAX_WORDS + 1),
            ..status()
        };
        assert_eq!(said(&own, &long), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(status) = Status::decode(&bytes) {
                prop_assert_eq!(Status::decode(&status.encode()), Some(status));
            }
        }
    }
}
