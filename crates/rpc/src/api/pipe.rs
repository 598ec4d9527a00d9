//! Pipes: bytes from a program here to a program there, and back.

use serde::{Deserialize, Serialize};

/// `pipe_open`: open a pipe to somebody (`API-19`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipeOpen {
    /// To whom: name, DID or session id.
    pub who: String,
}

/// The answer to [`PipeOpen`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipeOpened {
    /// Which pipe, for the other methods.
    pub pipe: String,
}

/// `pipe_wait`: answer when both ends have said all. A pipe is open for as long as somebody waits so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipeWait {
    /// Which pipe.
    pub pipe: String,
}

/// The answer to [`PipeWait`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipeEnded {
    /// How many bytes went there.
    pub sent: u64,
    /// How many bytes came.
    pub received: u64,
}

/// `pipe_write`: put bytes into a pipe; answered when it has room for more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipeWrite {
    /// Which pipe.
    pub pipe: String,
    /// The bytes in base64, at most 64 KiB of them.
    #[serde(default)]
    pub data: String,
    /// Whether these are the last.
    #[serde(default)]
    pub end: bool,
}

/// `pipe_read`: take bytes out of a pipe; answered when there are some, or no more will come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipeRead {
    /// Which pipe.
    pub pipe: String,
}

/// The answer to [`PipeRead`].
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipeData {
    /// The bytes in base64; none only at the end.
    pub data: String,
    /// Whether no more will come.
    pub end: bool,
}

// What goes through a pipe is nobody's business.
impl std::fmt::Debug for PipeWrite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PipeWrite({} bytes, redacted)", self.data.len())
    }
}

impl std::fmt::Debug for PipeData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PipeData({} bytes, redacted)", self.data.len())
    }
}
