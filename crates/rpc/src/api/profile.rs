//! What a person says of themselves.

use serde::{Deserialize, Serialize};

/// `profile`: what this person says of themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {}

/// `profile_set`: say something else; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileSet {
    /// What to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How one is; empty for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The path of a picture to be seen by; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
}

/// The answer to [`Profile`] and [`ProfileSet`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileInfo {
    /// This identity.
    pub did: String,
    /// What it is called.
    pub name: String,
    /// How it is; empty where that is not said.
    pub status: String,
    /// A small JPEG in base64; `null` without one.
    pub avatar: Option<String>,
}
