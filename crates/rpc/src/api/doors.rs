//! Being found without a link: the door, contact cards, and whom one finds so.

use serde::{Deserialize, Serialize};

/// `door`: whether anybody may ask who knows this DID, and what they need to know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Door {}

/// `door_open`: anybody may ask from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorOpen {
    /// What is asked of them first; at most 280 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
}

/// `door_close`: nobody new may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorClose {}

/// `contact_card`: who this is and where it is met, signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactCard {}

/// `contact_add`: ask somebody to become a contact whose door is open. Either `did` and `at`, or
/// `card`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactAdd {
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub did: Option<String>,
    /// Where, as `door` says it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What `contact_card` says there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// What to call them; what they call themselves if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What to say to them; at most 280 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// How long to wait for them, in milliseconds; absent or 0 not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// The answer to [`Door`], [`DoorOpen`] and [`DoorClose`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorInfo {
    /// Whether anybody may ask.
    pub open: bool,
    /// What is asked of them first.
    pub question: Option<String>,
    /// Whom they ask.
    pub did: String,
    /// Where: the endpoint and its addresses; `null` where this node does not listen.
    pub address: Option<String>,
}

/// The answer to [`ContactCard`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactCardText {
    /// The card, one line of text.
    pub card: String,
}
