//! Settings: what a person can switch or set, by name.
//!
//! Those of the person are told to their other devices (`OWN-3`), those of the machine travel nowhere.

mod amount;

use minicbor::{Decode, Encode};
use tenet_identity::encoding;
use tenet_log::store::StoreError;

/// What a person can switch or set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether others see how far I have read.
    pub read_positions: bool,
    /// Whether devices on the local network are looked for, and may find this one.
    pub lan: bool,
    /// The largest file that is fetched unasked, in bytes; 0 fetches none (`SET-2`).
    pub fetch_unasked: u64,
    /// How many bytes of files are kept at most, those that are coming included; `u64::MAX` for no
    /// limit (`SET-3`).
    pub quota: u64,
    /// Whether others see that I type, and I see that they do (`SET-401`).
    pub typing: bool,
}

/// One setting: its name and what it does.
#[derive(Clone, Copy)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
    slot: Slot,
}

/// Where a setting's value stands, and what values it has.
#[derive(Clone, Copy)]
enum Slot {
    Switch(fn(&mut Settings) -> &mut bool),
    /// Bytes, and the number that `off` stands for.
    Bytes(fn(&mut Settings) -> &mut u64, u64),
}

/// All settings, by name (`SET-1`).
pub static ALL: [Setting; 5] = [
    Setting {
        name: "fetch_unasked",
        help: "Fetch files up to this size by themselves; larger ones wait for a yes",
        slot: Slot::Bytes(|settings| &mut settings.fetch_unasked, 0),
    },
    Setting {
        name: "lan",
        help: "Look for devices on the local network, and let them find this one",
        slot: Slot::Switch(|settings| &mut settings.lan),
    },
    Setting {
        name: "quota",
        help: "Keep at most this much of files; what does not fit waits",
        slot: Slot::Bytes(|settings| &mut settings.quota, u64::MAX),
    },
    Setting {
        name: "read_positions",
        help: "Let others see how far you have read",
        slot: Slot::Switch(|settings| &mut settings.read_positions),
    },
    Setting {
        name: "typing",
        help: "Let others see that you are typing, and see it of them",
        slot: Slot::Switch(|settings| &mut settings.typing),
    },
];

/// Why a setting cannot be read or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// No setting has this name.
    #[error("no setting \"{name}\"; there are: {}", names())]
    UnknownName {
        /// What was asked for.
        name: String,
    },
    /// A value that it cannot have.
    #[error("\"{value}\" is no value of {name}; use {wanted}")]
    BadValue {
        /// The setting.
        name: &'static str,
        /// What it should be set to.
        value: String,
        /// What it can be set to.
        wanted: &'static str,
    },
}

/// Bytes, as a person types them: `20GB`, `512 MiB`, `1000`; `None` for what is no size.
pub fn bytes(text: &str) -> Option<u64> {
    amount::read(text)
}

/// What settings need of a store.
///
/// Every method works inside the caller's transaction; an implementation never commits.
pub trait SettingStore {
    /// The settings as they were put last; the default ones before that.
    ///
    /// # Errors
    /// [`StoreError`], as for every method here.
    fn settings(&self) -> Result<Settings, StoreError>;

    /// Keeps settings.
    fn put_settings(&mut self, settings: &Settings) -> Result<(), StoreError>;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            read_positions: true,
            lan: true,
            // Photos and documents, not films: a guess. On a slow line of 10 Mbit/s it takes less
            // than half a minute.
            fetch_unasked: 32 << 20,
            quota: u64::MAX,
            typing: true,
        }
    }
}

impl Settings {
    /// A setting's value, as a person types it.
    ///
    /// # Errors
    /// [`SettingError::UnknownName`].
    pub fn get(&self, name: &str) -> Result<String, SettingError> {
        Ok(find(name)?.value(*self))
    }

    /// Changes a setting. A switch takes `on` or `off`, also `true`, `false`, `yes`, `no`; a size
    /// takes bytes, such as `500MB`, or `off`.
    ///
    /// # Errors
    /// [`SettingError`]; nothing is changed then.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        let setting = find(name)?;
        let bad = |wanted| SettingError::BadValue {
            name: setting.name,
            value: value.into(),
            wanted,
        };
        let switched = switched(value);
        match setting.slot {
            Slot::Switch(slot) => *slot(self) = switched.ok_or_else(|| bad("on or off"))?,
            Slot::Bytes(slot, off) => {
                let amount = match switched {
                    Some(false) => Some(off),
                    _ => amount::read(value),
                };
                *slot(self) =
                    amount.ok_or_else(|| bad("a size, 500MB or 20GB for instance, or off"))?;
            }
        }
        Ok(())
    }

    /// The bytes that are stored.
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            read_positions,
            lan,
            fetch_unasked,
            quota,
            typing,
        } = *self;
        encoding::encode(&Form {
            read_positions: Some(read_positions),
            lan: Some(lan),
            fetch_unasked: Some(fetch_unasked),
            quota: Some(quota),
            typing: Some(typing),
        })
    }

    /// Reads stored bytes; what they do not name has its default, what is unknown is skipped.
    ///
    /// # Errors
    /// [`encoding::Error`] where they are malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, encoding::Error> {
        let form: Form = encoding::decode(bytes)?;
        let default = Self::default();
        Ok(Self {
            read_positions: form.read_positions.unwrap_or(default.read_positions),
            lan: form.lan.unwrap_or(default.lan),
            fetch_unasked: form.fetch_unasked.unwrap_or(default.fetch_unasked),
            quota: form.quota.unwrap_or(default.quota),
            typing: form.typing.unwrap_or(default.typing),
        })
    }
}

impl Setting {
    /// The value that it has if nobody sets it.
    pub fn default_value(&self) -> String {
        self.value(Settings::default())
    }

    fn value(&self, mut settings: Settings) -> String {
        match self.slot {
            Slot::Switch(slot) => shown(*slot(&mut settings)).into(),
            Slot::Bytes(slot, off) => match *slot(&mut settings) {
                amount if amount == off => shown(false).into(),
                amount => amount::shown(amount),
            },
        }
    }
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Setting({})", self.name)
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    read_positions: Option<bool>,
    #[n(1)]
    lan: Option<bool>,
    #[n(2)]
    fetch_unasked: Option<u64>,
    #[n(3)]
    quota: Option<u64>,
    #[n(4)]
    typing: Option<bool>,
}

fn find(name: &str) -> Result<&'static Setting, SettingError> {
    let found = ALL.iter().find(|setting| setting.name == name.trim());
    found.ok_or_else(|| SettingError::UnknownName { name: name.into() })
}

fn switched(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" => Some(true),
        "off" | "false" | "no" => Some(false),
        _ => None,
    }
}

const fn shown(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

fn names() -> String {
    ALL.each_ref().map(|setting| setting.name).join(", ")
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

    /// SET-1.
    #[test]
    fn are_read_and_changed_by_name() {
        let mut settings = Settings::default();
        for Setting { name, .. } in &ALL {
            let before = settings.get(name).unwrap();
            settings.set(name, " OFF ").unwrap();
            assert_eq!(settings.get(name).unwrap(), "off");
            settings.set(name, &before).unwrap();
        }
        assert_eq!(settings, Settings::default());
        settings.set("lan", "no").unwrap();
        assert!(!settings.lan && settings.read_positions);
        settings.set("quota", "20 GB").unwrap();
        settings.set("fetch_unasked", "off").unwrap();
        assert_eq!(
            (settings.quota, settings.fetch_unasked),
            (20_000_000_000, 0)
        );
        let defaults = ALL.each_ref().map(Setting::default_value);
        assert_eq!(defaults, ["32MiB", "on", "off", "on", "on"]);
    }

    #[test]
    fn mistakes_say_what_is_possible() {
        let mut settings = Settings::default();
        let error = settings.set("wifi", "on").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no setting \"wifi\"; there are: fetch_unasked, lan, quota, read_positions, typing"
        );
        let error = settings.set("lan", "maybe").unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"maybe\" is no value of lan; use on or off"
        );
        for value in ["on", "-1", "1e3", "much", ""] {
            let error = settings.set("quota", value).unwrap_err();
            let says = "is no value of quota; use a size, 500MB or 20GB for instance, or off";
            assert!(error.to_string().ends_with(says), "{error}");
        }
        assert!(settings.get("").is_err());
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn have_these_bytes() {
        let settings = Settings {
            lan: false,
            fetch_unasked: 0x1000,
            ..Settings::default()
        };
        assert_eq!(
            HEXLOWER.encode(&settings.encode()),
            "a500f501f402191000031bffffffffffffffff04f5"
        );
        assert_eq!(Settings::decode(&[0xa0]).unwrap(), Settings::default());
        // {1: false, 9: 0}
        let newer = Settings::decode(&[0xa2, 0x01, 0xf4, 0x09, 0x00]).unwrap();
        assert_eq!(
            newer,
            Settings {
                lan: false,
                ..Settings::default()
            }
        );
    }

    proptest! {
        #[test]
        fn round_trip(read_positions: bool, lan: bool, fetch_unasked: u64, quota: u64, typing: bool) {
            let settings = Settings { read_positions, lan, fetch_unasked, quota, typing };
            prop_assert_eq!(Settings::decode(&settings.encode()).unwrap(), settings);
        }

        /// What is shown can be typed.
        #[test]
        fn sizes_are_read_as_they_are_shown(quota: u64) {
            let mut settings = Settings { quota, ..Settings::default() };
            let shown = settings.get("quota").unwrap();
            settings.set("quota", &shown).unwrap();
            prop_assert_eq!(settings.quota, quota);
        }

        #[test]
        fn never_panic(bytes in prop::collection::vec(any::<u8>(), 0..12), value in ".{0,12}") {
            let _ = Settings::decode(&bytes);
            let _ = Settings::default().set("quota", &value);
        }
    }
}
