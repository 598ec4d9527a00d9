//! The devices of this identity.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Secret;

/// `devices`: all devices of this identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Devices {}

/// `device_link`: a link by which one other device is let in; one made before ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceLink {
    /// Whether the device is let in only after [`DeviceConfirm`].
    #[serde(default)]
    pub ask: bool,
    /// For how long it is good; ten minutes if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_seconds: Option<u64>,
    /// The phrase, where this device does not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phrase: Option<Secret>,
    /// The passphrase that belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<Secret>,
}

/// `device_confirm`: the device that asks shows the same as this one, or does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfirm {
    /// Whether it does; if not it is not let in.
    pub same: bool,
}

/// `device_revoke`: a device speaks for this identity no more, for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceRevoke {
    /// The device's name, its id, or a beginning of it that no other has.
    pub id: String,
    /// The phrase, where this device does not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phrase: Option<Secret>,
    /// The passphrase that belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<Secret>,
}

/// `device_rename`: call a device something else; others do not see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceRename {
    /// The device's name, its id, or a beginning of it that no other has.
    pub id: String,
    /// The new name.
    pub name: String,
}

/// `device_suspend`: my other devices do not speak with one, until [`DeviceResume`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceSuspend {
    /// The device's name, its id, or a beginning of it that no other has.
    pub id: String,
}

/// `device_resume`: my other devices speak with one again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceResume {
    /// The device's name, its id, or a beginning of it that no other has.
    pub id: String,
}

/// The answer to [`DeviceLink`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceLinked {
    /// The link's id.
    pub id: String,
    /// The link: who has it first becomes a device of this identity.
    pub link: String,
    /// When it stops being good.
    pub expires: u64,
}

/// The answer to [`Devices`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceList {
    /// The devices, the first first.
    pub devices: Vec<DeviceInfo>,
}

/// A device of this identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// Its id.
    pub device: String,
    /// What it is called.
    pub name: String,
    /// Whether it is this one.
    pub this: bool,
    /// Whether it is connected now.
    pub online: bool,
    /// When something of it was last heard; now for this one and those that are connected.
    pub last_seen: Option<u64>,
    /// Until when its card is good.
    pub expires: u64,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Whether my other devices do not speak with it.
    pub suspended: bool,
    /// What is brought to it by this device, of this one what is brought here; `null` where nothing is lacking.
    pub bringing: Option<Bringing>,
    /// How it is, as it said last; `null` where it has not said.
    pub status: Option<DeviceStatus>,
}

/// How far a device is that is brought what it lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bringing {
    /// The session that is being brought.
    pub session: String,
    /// Events that came, of all sessions together.
    pub done: u64,
    /// Events that were lacking when both compared.
    pub total: u64,
}

/// How a device is. What it could not find out is `null`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceStatus {
    /// When it said so.
    pub at: u64,
    /// The program's version.
    pub version: String,
    /// The machine's system and processor.
    pub platform: String,
    /// How much of its processors was wanted over the last minute, in percent; above 100 some waited.
    pub cpu: Option<u64>,
    /// Bytes of memory in use.
    pub memory_used: Option<u64>,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Bytes that are free where its home lies.
    pub disk_free: Option<u64>,
    /// Bytes of the disk where its home lies.
    pub disk: Option<u64>,
    /// For how long the machine has been on, in seconds.
    pub uptime: Option<u64>,
}

/// A device is new, revoked, or asks to be let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceNews {
    /// What is new.
    pub change: DeviceChange,
    /// Which device.
    pub device: String,
    /// Whose it is.
    pub did: String,
    /// What it asks to be called; `null` unless it asks.
    pub name: Option<String>,
    /// What its screen must show too, if it asks; else empty.
    pub emoji: Vec<String>,
    /// The same as digits.
    pub digits: Option<String>,
    /// Whether it is let in only after `device_confirm`.
    pub waits: bool,
}

/// What is new about a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeviceChange {
    /// A device asks to be let in.
    Asks,
    /// A device was added.
    Added,
    /// A device was revoked.
    Revoked,
    /// An own device was suspended.
    Suspended,
    /// An own device is suspended no more.
    Resumed,
}

impl fmt::Debug for DeviceLinked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceLinked")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
