//! What the devices of one person tell each other beside sessions: registers of the session among them.
//!
//! ```text
//! a device ── Register (prefix/id, value) ──▶ session among own devices ── latest ──▶ what all go by
//! ```
//!
//! Of one key the latest version stands, whichever device wrote it (OWN-1): so what was noted here last
//! holds everywhere, and nothing of what it replaced is kept. What a value means is the matter of whoever
//! wrote it.

pub mod status;

use std::{
    collections::{BTreeMap, BTreeSet},
    str,
};

use data_encoding::BASE64URL_NOPAD;
use tenet_identity::{keys::DeviceId, name};
use tenet_log::{
    ids::SessionId,
    register::{MAX_VALUE_BYTES, Register},
    store::StoreError,
};

/// What my devices are called.
pub const DEVICE: &str = "device";
/// The renewed card of a device of mine.
pub const CARD: &str = "card";
/// Whom I know, and what I call them.
pub const CONTACT: &str = "contact";
/// Whom I do not want to hear.
pub const BLOCKED: &str = "blocked";
/// What I began to write.
pub const DRAFT: &str = "draft";
/// Links into groups that I made.
pub const LINK: &str = "link";
/// What I have switched or set.
pub const SETTING: &str = "setting";
/// How a device of mine is, as it says itself.
pub const STATUS: &str = "status";

/// Which devices of mine the others do not speak with for a while.
pub const SUSPENDED: &str = "suspended";

/// What is said where something holds; nothing where it does not.
pub const YES: &[u8] = b"yes";

/// Settings that hold for a person; the others hold for a machine (OWN-3).
pub const PERSONAL: [&str; 3] = ["fetch_unasked", "read_positions", "typing"];

/// What a device's store remembers of the device itself.
///
/// Every method works inside the caller's transaction; an implementation never commits.
pub trait OwnStore {
    /// The devices that the one with this store was before, by id: those whose keys it gave up, and its present one
    /// once it was found to have been set back (BACK-1).
    ///
    /// # Errors
    /// [`StoreError`], as for every method here.
    fn former_devices(&self) -> Result<Vec<DeviceId>, StoreError>;

    /// Notes one of them.
    fn put_former_device(&mut self, device: DeviceId) -> Result<(), StoreError>;

    /// The sessions that another device of the same identity said to be out of, and of which not all is here (NODE-109).
    fn bygone(&self) -> Result<Vec<SessionId>, StoreError>;

    /// Notes one of them, or that it is none any more.
    fn set_bygone(&mut self, session: SessionId, bygone: bool) -> Result<(), StoreError>;
}

/// The key of what is said about something with 32 bytes of id.
pub fn key(prefix: &str, id: &[u8; 32]) -> String {
    format!("{prefix}/{}", BASE64URL_NOPAD.encode(id))
}

/// The key of what is said about something with a name.
pub fn named(prefix: &str, name: &str) -> String {
    format!("{prefix}/{name}")
}

/// Takes a key apart: its prefix, and what it is about. `None` for one of another sort.
pub fn parts(key: &str) -> Option<(&str, &str)> {
    key.split_once('/')
}

/// The 32 bytes of id in the second part of a key.
pub fn id(part: &str) -> Option<[u8; 32]> {
    let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).ok()?;
    bytes.try_into().ok()
}

/// Of each key the latest version (OWN-1).
pub fn latest<'a>(
    registers: impl IntoIterator<Item = &'a Register>,
) -> BTreeMap<&'a str, &'a Register> {
    let mut latest: BTreeMap<&str, &Register> = BTreeMap::new();
    for register in registers {
        if parts(register.key()).is_none() {
            continue;
        }
        let known = latest.entry(register.key()).or_insert(register);
        if known.version() < register.version() {
            *known = register;
        }
    }
    latest
}

/// What devices are called by their owner, where that is not what their cards say.
pub fn device_names<'a>(
    registers: impl IntoIterator<Item = &'a Register>,
) -> Vec<(DeviceId, String)> {
    let named = latest(registers).into_iter().filter_map(|(key, register)| {
        let (DEVICE, about) = parts(key)? else {
            return None;
        };
        let called = str::from_utf8(register.value()).ok()?;
        name::check(called).ok()?;
        Some((DeviceId::from(id(about)?), called.to_owned()))
    });
    named.filter(|(_, called)| !called.is_empty()).collect()
}

/// Devices of mine that are suspended by the latest word of any other one: what a device says of itself is
/// not heard (OWN-903).
pub fn suspended<'a>(registers: impl IntoIterator<Item = &'a Register>) -> BTreeSet<DeviceId> {
    let of_others = registers.into_iter().filter(|register| {
        let about = parts(register.key()).and_then(|(_, about)| id(about));
        about != Some(*register.device().as_bytes())
    });
    let said = latest(of_others).into_iter().filter_map(|(key, register)| {
        let (SUSPENDED, about) = parts(key)? else {
            return None;
        };
        let device = DeviceId::from(id(about)?);
        (register.value() == YES).then_some(device)
    });
    said.collect()
}

/// What is told of what was begun to be written; a draft that is too long for it stays on its
/// device, and the others have none (OWN-4).
pub fn draft(text: Option<&str>) -> Vec<u8> {
    let text = text.filter(|text| text.len() <= MAX_VALUE_BYTES);
    text.unwrap_or_default().as_bytes().to_vec()
}

/// The conversation that a key is about.
pub fn session(part: &str) -> Option<SessionId> {
    id(part).map(SessionId::from)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use tenet_identity::keys::DeviceKey;
    use tenet_log::clock::Hlc;

    fn register(device: u8, key: &str, time: u64, value: &str) -> Register {
        let device = DeviceKey::from_seed([device; 32]);
        let session = SessionId::from([9; 32]);
        let value = value.as_bytes().to_vec();
        Register::sign(&device, session, key, Hlc::from_raw(time), value).unwrap()
    }

    /// OWN-1
    #[test]
    fn the_latest_word_of_any_device_stands() {
        let key = key(DEVICE, &[7; 32]);
        let said = [
            register(1, &key, 5, "kitchen"),
            register(2, &key, 9, "attic"),
            register(3, &key, 7, "cellar"),
            register(3, "endpoint", 99, "not of this sort"),
        ];
        let named = device_names(&said);
        assert_eq!(named, [(DeviceId::from([7; 32]), "attic".to_owned())]);
        assert_eq!(latest(&said).len(), 1);
    }

    /// OWN-903
    #[test]
    fn a_device_is_suspended_by_another_one() {
        let [phone, tablet] =
            [1, 2].map(|seed| *DeviceKey::from_seed([seed; 32]).public().as_bytes());
        let about = |device: &[u8; 32]| key(SUSPENDED, device);
        let all = |said: &[Register]| suspended(said).into_iter().collect::<Vec<_>>();
        let mut said = vec![register(1, &about(&tablet), 5, "yes")];
        assert_eq!(all(&said), [DeviceId::from(tablet)]);
        said.push(register(2, &about(&tablet), 9, ""));
        assert_eq!(
            all(&said),
            [DeviceId::from(tablet)],
            "its own word counts for nothing"
        );
        said.push(register(2, &about(&phone), 6, "yes"));
        assert_eq!(all(&said).len(), 2);
        said.push(register(3, &about(&tablet), 7, ""));
        assert_eq!(all(&said), [DeviceId::from(phone)]);
    }

    #[test]
    fn keys_name_what_they_are_about() {
        let long = key(CONTACT, &[0xff; 32]);
        assert!(long.len() <= tenet_log::register::MAX_KEY_BYTES);
        let (prefix, about) = parts(&long).unwrap();
        assert_eq!((prefix, id(about)), (CONTACT, Some([0xff; 32])));
        assert_eq!(parts(&named(SETTING, "typing")), Some((SETTING, "typing")));
        assert_eq!(parts("endpoint"), None);
        assert_eq!(id("no id"), None);
    }

    /// OWN-4
    #[test]
    fn a_draft_that_is_too_long_is_not_told() {
        assert_eq!(draft(Some("dear")), b"dear");
        assert!(draft(Some(&"x".repeat(MAX_VALUE_BYTES + 1))).is_empty());
        assert!(draft(None).is_empty());
    }
}
