//! Who asks to come into a group, as the member's device tells that was asked (`GROUP-1`).

use std::fmt;

use minicbor::{Decode, Encode, bytes::ByteVec};
use tenet_identity::{
    encoding,
    keys::{DeviceId, IdentityId},
    name,
};
use tenet_log::{clock::FAR_AHEAD_MS, ids::EventId, register::MAX_VALUE_BYTES};

/// How many registers a device may fill with them: half of those that it has.
pub const SLOTS: usize = 16;
/// How many of them stand in one register: with the longest names and remarks they fit its 4 KiB.
pub const PER_SLOT: usize = 5;
/// For how long one is kept after its last knock, in milliseconds: 30 days, as other requests (`CON-102`).
pub const LASTS_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// The most bytes of a place: an endpoint and four addresses.
const MAX_PLACE_BYTES: usize = 160;

/// With what the keys of the registers begin.
const PREFIX: &str = "asks.";

/// Somebody who asks to come into a group.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ask {
    /// Who.
    #[n(0)]
    pub identity: IdentityId,
    /// With which device.
    #[n(1)]
    pub device: DeviceId,
    /// By which link: the event that opened it.
    #[n(2)]
    pub opening: EventId,
    /// What they call themselves.
    #[n(3)]
    pub name: String,
    /// When they asked, in Unix milliseconds by their clock.
    #[n(4)]
    pub asked: u64,
    /// When they knocked last, in Unix milliseconds by the clock of the device that tells.
    #[n(5)]
    pub last: u64,
    /// What they say.
    #[n(6)]
    pub remark: Option<String>,
    /// Where their device is met, in the form of the register that says so; at most 160 bytes.
    #[n(7)]
    pub place: ByteVec,
}

impl Ask {
    fn is_sound(&self) -> bool {
        let remark = self.remark.as_deref().unwrap_or_default();
        name::check(&self.name).is_ok()
            && name::check_line(remark).is_ok()
            && self.place.len() <= MAX_PLACE_BYTES
    }

    /// Whether it says that it was asked, or told of, at a time that no clock shows yet: who is refused as who asked
    /// then could not ask again until that has come.
    pub fn is_far_ahead(&self, now: u64) -> bool {
        self.asked.max(self.last) > now.saturating_add(FAR_AHEAD_MS)
    }

    /// Whether it is too old to be shown.
    pub fn is_over(&self, now: u64) -> bool {
        now.saturating_sub(self.last) >= LASTS_MS
    }
}

/// The key of a register.
pub fn key(slot: usize) -> String {
    format!("{PREFIX}{slot}")
}

/// Whether a register with this key says who asks.
pub fn is_key(key: &str) -> bool {
    let slot = key.strip_prefix(PREFIX).and_then(|slot| slot.parse().ok());
    slot.is_some_and(|slot: usize| slot < SLOTS && self::key(slot) == key)
}

/// The value of a register.
pub fn encode(asks: &[Ask]) -> Vec<u8> {
    match asks {
        [] => Vec::new(),
        asks => encoding::encode(&asks.to_vec()),
    }
}

/// Reads the value of a register; what is no such value says nothing.
pub fn decode(value: &[u8]) -> Vec<Ask> {
    if value.is_empty() || value.len() > MAX_VALUE_BYTES {
        return Vec::new();
    }
    let asks: Vec<Ask> = encoding::decode(value).unwrap_or_default();
    let sound = asks.into_iter().take(PER_SLOT).filter(Ask::is_sound);
    sound.collect()
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ask({:?}, redacted)", self.identity)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;
    use tenet_identity::name::{MAX_BYTES, MAX_LINE_BYTES};

    fn ask() -> Ask {
        Ask {
            identity: [1; 32].into(),
            device: [2; 32].into(),
            opening: [3; 32].into(),
            name: "Ben".into(),
            asked: 7,
            last: 8,
            remark: Some("bass".into()),
            place: vec![9].into(),
        }
    }

    /// GROUP-1: the bytes that are kept and travel.
    #[test]
    fn asks_snapshot() {
        let id = |byte: &str| format!("5820{}", byte.repeat(32));
        let expected = format!(
            "81a800{}01{}02{}036342656e0407050806646261737307 4109",
            id("01"),
            id("02"),
            id("03")
        );
        assert_eq!(
            HEXLOWER.encode(&encode(&[ask()])),
            expected.replace(' ', "")
        );
        assert_eq!(decode(&encode(&[ask()])), [ask()]);
        assert!(encode(&[]).is_empty() && decode(&[]).is_empty());
        assert!(!format!("{:?}", ask()).contains("Ben"));
    }

    /// GROUP-1
    #[test]
    fn the_longest_fit_a_register() {
        let longest = Ask {
            name: "x".repeat(MAX_BYTES),
            remark: Some("x".repeat(MAX_LINE_BYTES)),
            asked: u64::MAX,
            last: u64::MAX,
            place: vec![0; MAX_PLACE_BYTES].into(),
            ..ask()
        };
        let full = vec![longest; PER_SLOT];
        let value = encode(&full);
        assert!(value.len() <= MAX_VALUE_BYTES, "{}", value.len());
        assert_eq!(decode(&value), full);
        let named = Ask {
            name: "x".repeat(MAX_BYTES + 1),
            ..ask()
        };
        assert!(decode(&encode(&[named])).is_empty());
    }

    #[test]
    fn keys_are_told_from_others() {
        assert!((0..SLOTS).all(|slot| is_key(&key(slot))));
        for other in ["asks.16", "asks.01", "asks.", "asks", "read", "asks.-1"] {
            assert!(!is_key(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(value in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&value);
        }
    }
}
