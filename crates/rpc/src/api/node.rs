//! The node itself: status, connections, synchronising, settings, checks.

use serde::{Deserialize, Serialize};

use super::Bringing;

/// `status`: what this node is and does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {}

/// `net`: the devices of contacts and how each is reached at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Net {}

/// `sync`: connect, send and receive all that is possible, then answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// How long at most, in milliseconds; the node's own limit if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// `settings_get`: one setting by its name, or all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsGet {
    /// The name of the one setting that is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `settings_set`: change one setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsSet {
    /// The setting's name.
    pub name: String,
    /// The new value, as a person types it.
    pub value: String,
}

/// `doctor`: the checks that only the node which holds the home open can make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doctor {
    /// Whether to fetch again what is damaged and others have.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repair: bool,
}

/// The answer of a method that has nothing to say but that it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

/// The answer to [`Status`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// What the node does.
    pub mode: Mode,
    /// The program's version.
    pub version: String,
    /// The identity; `null` while locked.
    pub did: Option<String>,
    /// What the identity calls itself; `null` while locked.
    pub name: Option<String>,
    /// This device; `null` while locked.
    pub device: Option<String>,
    /// Whether the home has a PIN.
    pub pin: bool,
    /// When the node was started.
    pub started: u64,
    /// Where it listens.
    pub addrs: Vec<String>,
    /// The web page's address; `null` without one.
    pub ui: Option<String>,
    /// How many contacts there are.
    pub contacts: u64,
    /// How many devices of others are connected.
    pub connected: u64,
    /// What own devices bring here; `null` where nothing is lacking.
    pub bringing: Option<Bringing>,
    /// How many own events wait for a device's acknowledgement.
    pub pending: u64,
    /// Links that were accepted and whose giver was not reached yet.
    pub accepting: u64,
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// It runs and talks to others.
    Running,
    /// It runs and holds no keys until it is unlocked.
    Locked,
    /// It is open for one command and does not listen.
    Offline,
}

/// The answer to [`Net`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Connections {
    /// One entry per device, in the order of contact names.
    pub peers: Vec<Peer>,
}

/// A device of a contact and how it is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// The device's id.
    pub device: String,
    /// Whose it is.
    pub did: String,
    /// What I call them.
    pub name: String,
    /// The kind of path in use.
    pub path: Path,
    /// The round trip in milliseconds; `null` without a connection.
    pub rtt_ms: Option<f64>,
    /// The address in use; `null` without a connection.
    pub addr: Option<String>,
}

/// The kind of path that a connection uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Path {
    /// From address to address.
    Direct,
    /// Through a relay.
    Relay,
    /// No connection at this moment.
    None,
}

/// The answer to [`Sync`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synced {
    /// Own messages that reached somebody meanwhile.
    pub sent: u64,
    /// Messages that came meanwhile.
    pub received: u64,
    /// Own messages that still wait for a device.
    pub pending: u64,
    /// What else was to be said: changes of messages, reactions, devices that come in.
    #[serde(default)]
    pub other: SyncedOther,
}

/// What is no message, in [`Synced`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncedOther {
    /// Own events that reached somebody meanwhile.
    pub sent: u64,
    /// Own events that still wait for a device.
    pub pending: u64,
}

impl Synced {
    /// Whether something of our own still waits.
    pub const fn waits(&self) -> bool {
        self.pending > 0 || self.other.pending > 0
    }
}

/// The answer to [`SettingsGet`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingList {
    /// In the order of their names.
    pub settings: Vec<Setting>,
}

/// One setting; the answer to [`SettingsSet`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value, as a person types it.
    pub value: String,
    /// The value that it has if nobody sets it.
    pub default: String,
    /// What it does.
    pub help: String,
}

/// The answer to [`Doctor`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// What was checked, in the order of checking.
    pub checks: Vec<Check>,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// A short stable name, `store` for instance.
    pub name: String,
    /// Whether it is well.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do about it; `null` where nothing is to be done.
    pub advice: Option<String>,
}
