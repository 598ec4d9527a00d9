//! Why a request was not done, in the form that travels and in the form that scripts act on.

use serde::{Deserialize, Serialize};

/// What went wrong, as a program needs to know it; each kind has one JSON-RPC code and one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The line is not JSON (code -32700, exit 2).
    Parse,
    /// The JSON is not a request (code -32600, exit 2).
    Request,
    /// No such method (code -32601, exit 2).
    Method,
    /// The parameters make no sense; the message says which (code -32602, exit 2).
    Usage,
    /// The node made a mistake (code -32603, exit 1).
    Internal,
    /// It was tried and did not work (code -32001, exit 1).
    Failure,
    /// No node runs where one is needed (code -32003, exit 3). A client's own finding.
    NoNode,
    /// What was named is not there (code -32004, exit 4).
    NotFound,
    /// Not allowed: a wrong PIN, a used link, too soon (code -32005, exit 5).
    Refused,
    /// The home is locked: the PIN is needed first (code -32006, exit 5).
    Locked,
    /// Too much at once: try again later (code -32007, exit 1).
    Busy,
}

/// A refused or failed request (`API-8`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What a program acts on.
    pub kind: Kind,
    /// What a person reads: what happened, what was kept, what to do next.
    pub message: String,
}

impl Kind {
    /// The JSON-RPC error code.
    pub const fn code(self) -> i64 {
        match self {
            Self::Parse => -32700,
            Self::Request => -32600,
            Self::Method => -32601,
            Self::Usage => -32602,
            Self::Internal => -32603,
            Self::Failure => -32001,
            Self::NoNode => -32003,
            Self::NotFound => -32004,
            Self::Refused => -32005,
            Self::Locked => -32006,
            Self::Busy => -32007,
        }
    }

    /// The kind of a JSON-RPC error code; one that this version does not know is a failure.
    pub const fn from_code(code: i64) -> Self {
        match code {
            -32700 => Self::Parse,
            -32600 => Self::Request,
            -32601 => Self::Method,
            -32602 => Self::Usage,
            -32603 => Self::Internal,
            -32003 => Self::NoNode,
            -32004 => Self::NotFound,
            -32005 => Self::Refused,
            -32006 => Self::Locked,
            -32007 => Self::Busy,
            _ => Self::Failure,
        }
    }

    /// The exit code of a command that ends so.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Parse | Self::Request | Self::Method | Self::Usage => 2,
            Self::Internal | Self::Failure | Self::Busy => 1,
            Self::NoNode => 3,
            Self::NotFound => 4,
            Self::Refused | Self::Locked => 5,
        }
    }
}

impl Error {
    /// An error of this kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The parameters make no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// It was tried and did not work.
    pub fn failure(message: impl Into<String>) -> Self {
        Self::new(Kind::Failure, message)
    }

    /// What was named is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// It is not allowed.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// The home is locked.
    pub fn locked() -> Self {
        Self::new(
            Kind::Locked,
            "the home is locked; unlock it with its PIN: tenet unlock",
        )
    }

    /// The node made a mistake.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
    }

    /// The JSON-RPC error code.
    pub const fn code(&self) -> i64 {
        self.kind.code()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_kinds_are_one_to_one() {
        let kinds = [
            (Kind::Parse, 2),
            (Kind::Request, 2),
            (Kind::Method, 2),
            (Kind::Usage, 2),
            (Kind::Internal, 1),
            (Kind::Failure, 1),
            (Kind::NoNode, 3),
            (Kind::NotFound, 4),
            (Kind::Refused, 5),
            (Kind::Locked, 5),
            (Kind::Busy, 1),
        ];
        for (kind, exit) in kinds {
            assert_eq!(Kind::from_code(kind.code()), kind);
            assert_eq!(kind.exit_code(), exit);
        }
        assert_eq!(Kind::from_code(-1), Kind::Failure);
    }
}
