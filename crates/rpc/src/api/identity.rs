//! Who speaks, and the PIN that guards it.

use serde::{Deserialize, Serialize};

use super::Secret;

/// `identity`: the identity of this home.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {}

/// `phrase`: the words from which the identity can be made again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrase {
    /// The PIN; needed exactly where the home has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Secret>,
}

/// `pin_set`: the home has no PIN and gets one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinSet {
    /// The new PIN.
    pub pin: Secret,
}

/// `pin_change`: another PIN takes the place of the present one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinChange {
    /// The present PIN.
    pub pin: Secret,
    /// The new PIN.
    pub new: Secret,
}

/// `pin_remove`: the home has no PIN any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinRemove {
    /// The present PIN.
    pub pin: Secret,
}

/// `lock`: the node closes what is open and forgets the keys until the PIN is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {}

/// `unlock`: the node opens the home again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unlock {
    /// The PIN.
    pub pin: Secret,
}

/// The answer to [`Identity`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityInfo {
    /// The identity.
    pub did: String,
    /// What it calls itself.
    pub name: String,
    /// This device's id.
    pub device: String,
    /// Whether the phrase is kept on this device.
    pub phrase: bool,
}

/// The answer to [`Phrase`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhraseShown {
    /// The words, separated by single spaces.
    pub phrase: Secret,
    /// Whether a passphrase is needed besides the words.
    pub passphrase: bool,
    /// Which identity of the phrase this is, from 0.
    pub index: u32,
}
