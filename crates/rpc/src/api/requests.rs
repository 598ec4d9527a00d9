//! Asking to become contacts: who came by an own link for several, and links that were taken here.

use serde::{Deserialize, Serialize};

use super::AcceptState;

/// `requests`: who asks to become a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {}

/// `request_accept`: somebody who asks becomes a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestAccept {
    /// The request's id, or a beginning of it; or the DID of who asks.
    pub id: String,
}

/// `request_reject`: somebody who asks does not become a contact.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestReject {
    /// The request's id, or a beginning of it; or the DID of who asks.
    pub id: String,
    /// What they are told with it; at most 280 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// `accepts`: the links that were taken here, and how far each is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepts {}

/// The answer to [`Requests`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestList {
    /// The oldest first.
    pub requests: Vec<RequestInfo>,
}

/// Somebody who asks; the answer to [`RequestAccept`] and [`RequestReject`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestInfo {
    /// The request's id.
    pub id: String,
    /// Who asks.
    pub did: String,
    /// What they call themselves; may be empty, and anybody may call themselves anything.
    pub name: String,
    /// What they say.
    pub remark: Option<String>,
    /// The id of the link by which they came.
    pub invite: String,
    /// What was said to it.
    pub state: RequestState,
    /// When they first asked.
    pub first: u64,
    /// When they last asked.
    pub last: u64,
}

/// What was said to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RequestState {
    /// Nothing yet.
    Waiting,
    /// Yes; they have not been here since.
    Accepted,
    /// No.
    Rejected,
}

/// The answer to [`Accepts`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptList {
    /// The oldest first.
    pub accepts: Vec<AcceptInfo>,
}

/// A link that was taken here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptInfo {
    /// The link's id.
    pub id: String,
    /// Whose link it is.
    pub did: String,
    /// What they are called.
    pub name: String,
    /// How far it is.
    pub state: AcceptState,
    /// Why it was refused; `null` unless it was.
    pub reason: Option<String>,
    /// What was said to them.
    pub remark: Option<String>,
    /// When it was taken.
    pub started: u64,
    /// The name of the group into which it leads; `null` for a person's link.
    #[serde(default)]
    pub group: Option<String>,
}

// What people say to each other is not printed.

impl std::fmt::Debug for RequestReject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestReject")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RequestInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestInfo")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AcceptInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AcceptInfo")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
