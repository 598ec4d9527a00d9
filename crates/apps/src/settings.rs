//! Settings: what a person can switch, by name.
//!
//! They are this device's own and travel nowhere.

use minicbor::{Decode, Encode};
use tenet_identity::encoding;
use tenet_log::store::StoreError;

/// What a person can switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether others see how far I have read.
    pub read_positions: bool,
    /// Whether devices on the local network are looked for, and may find this one.
    pub lan: bool,
}

/// One setting: its name and what it does.
#[derive(Clone, Copy)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
    slot: fn(&mut Settings) -> &mut bool,
}

/// All settings, by name (`SET-1`).
pub static ALL: [Setting; 2] = [
    Setting {
        name: "lan",
        help: "Look for devices on the local network, and let them find this one",
        slot: |settings| &mut settings.lan,
    },
    Setting {
        name: "read_positions",
        help: "Let others see how far you have read",
        slot: |settings| &mut settings.read_positions,
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
    /// A value that is neither on nor off.
    #[error("\"{value}\" is no value of {name}; use on or off")]
    BadValue {
        /// The setting.
        name: &'static str,
        /// What it should be set to.
        value: String,
    },
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
        }
    }
}

impl Settings {
    /// A setting's value, as a person types it.
    ///
    /// # Errors
    /// [`SettingError::UnknownName`].
    pub fn get(&self, name: &str) -> Result<&'static str, SettingError> {
        let mut copy = *self;
        Ok(shown(*(find(name)?.slot)(&mut copy)))
    }

    /// Changes a setting: `on` or `off`, also `true`, `false`, `yes`, `no`.
    ///
    /// # Errors
    /// [`SettingError`]; nothing is changed then.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        let setting = find(name)?;
        *(setting.slot)(self) = match value.trim().to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" => true,
            "off" | "false" | "no" => false,
            _ => {
                return Err(SettingError::BadValue {
                    name: setting.name,
                    value: value.into(),
                });
            }
        };
        Ok(())
    }

    /// The bytes that are stored.
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            read_positions,
            lan,
        } = *self;
        encoding::encode(&Form {
            read_positions: Some(read_positions),
            lan: Some(lan),
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
        })
    }
}

impl Setting {
    /// The value that it has if nobody sets it.
    pub fn default_value(&self) -> &'static str {
        shown(*(self.slot)(&mut Settings::default()))
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
}

fn find(name: &str) -> Result<&'static Setting, SettingError> {
    let found = ALL.iter().find(|setting| setting.name == name.trim());
    found.ok_or_else(|| SettingError::UnknownName { name: name.into() })
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
            assert_eq!(settings.get(name), Ok("on"));
            settings.set(name, " OFF ").unwrap();
            assert_eq!(settings.get(name), Ok("off"));
            settings.set(name, "yes").unwrap();
        }
        assert_eq!(settings, Settings::default());
        settings.set("lan", "no").unwrap();
        assert!(!settings.lan && settings.read_positions);
        assert_eq!(ALL.each_ref().map(Setting::default_value), ["on", "on"]);
    }

    #[test]
    fn mistakes_say_what_is_possible() {
        let mut settings = Settings::default();
        let error = settings.set("wifi", "on").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no setting \"wifi\"; there are: lan, read_positions"
        );
        let error = settings.set("lan", "maybe").unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"maybe\" is no value of lan; use on or off"
        );
        assert!(settings.get("").is_err());
    }

    #[test]
    fn have_these_bytes() {
        let settings = Settings {
            read_positions: true,
            lan: false,
        };
        assert_eq!(HEXLOWER.encode(&settings.encode()), "a200f501f4");
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
        fn round_trip(read_positions: bool, lan: bool) {
            let settings = Settings { read_positions, lan };
            prop_assert_eq!(Settings::decode(&settings.encode()).unwrap(), settings);
        }

        #[test]
        fn never_panic(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let _ = Settings::decode(&bytes);
        }
    }
}
