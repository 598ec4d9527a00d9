//! Why a connection ends, and how that is said on the wire.

use std::fmt;

use iroh::endpoint::{ConnectionError, VarInt};

/// Why a side closes a connection; travels as the QUIC application close code (`NET-16`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// 0: everything was said.
    Done,
    /// 1: another connection of the same two endpoints is kept.
    Duplicate,
    /// 2: this peer is not welcome.
    Unwelcome,
    /// 3: what was sent breaks the protocol.
    Violation,
    /// 4: a frame was announced that is longer than allowed.
    Oversized,
    /// 5: what is sent is not taken.
    Stalled,
    /// 6: the peer did not show in time who it is.
    Late,
    /// 7: the peer sent more than a stranger may.
    Excess,
    /// 8: this node stops.
    Shutdown,
    /// 9: this node made a mistake.
    Internal,
    /// A code that this version does not know.
    Unknown(u64),
}

/// How a connection ended, told once for every one that was connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// This side closed it.
    ByUs(CloseReason),
    /// The peer closed it.
    ByPeer(CloseReason),
    /// Nobody closed it.
    Lost(Loss),
}

/// How a connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// Nothing came back for as long as one waits (`NET-6`).
    Silence,
    /// The peer has forgotten the connection: it was restarted.
    Restart,
    /// One side's QUIC gave up with this transport error code (RFC 9000 §20.1).
    Transport(u64),
}

impl CloseReason {
    /// The number on the wire.
    pub const fn code(self) -> u64 {
        match self {
            Self::Done => 0,
            Self::Duplicate => 1,
            Self::Unwelcome => 2,
            Self::Violation => 3,
            Self::Oversized => 4,
            Self::Stalled => 5,
            Self::Late => 6,
            Self::Excess => 7,
            Self::Shutdown => 8,
            Self::Internal => 9,
            Self::Unknown(code) => code,
        }
    }

    /// What a number on the wire says.
    pub const fn from_code(code: u64) -> Self {
        match code {
            0 => Self::Done,
            1 => Self::Duplicate,
            2 => Self::Unwelcome,
            3 => Self::Violation,
            4 => Self::Oversized,
            5 => Self::Stalled,
            6 => Self::Late,
            7 => Self::Excess,
            8 => Self::Shutdown,
            9 => Self::Internal,
            code => Self::Unknown(code),
        }
    }

    pub(crate) fn varint(self) -> VarInt {
        VarInt::from_u64(self.code()).unwrap_or(VarInt::MAX)
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "everything was said",
            Self::Duplicate => "another connection is kept",
            Self::Unwelcome => "the peer is not welcome",
            Self::Violation => "the protocol was broken",
            Self::Oversized => "a frame was too long",
            Self::Stalled => "what was sent was not taken",
            Self::Late => "the peer did not show in time who it is",
            Self::Excess => "a stranger sent too much",
            Self::Shutdown => "the node stops",
            Self::Internal => "the node made a mistake",
            Self::Unknown(code) => return write!(f, "close code {code}"),
        })
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByUs(reason) => write!(f, "closed here: {reason}"),
            Self::ByPeer(reason) => write!(f, "closed by the peer: {reason}"),
            Self::Lost(Loss::Silence) => f.write_str("lost: the peer fell silent"),
            Self::Lost(Loss::Restart) => f.write_str("lost: the peer was restarted"),
            Self::Lost(Loss::Transport(code)) => write!(f, "lost: transport error {code}"),
        }
    }
}

impl From<&ConnectionError> for Ended {
    fn from(error: &ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(close) => {
                Self::ByPeer(CloseReason::from_code(close.error_code.into_inner()))
            }
            ConnectionError::LocallyClosed => Self::ByUs(CloseReason::Shutdown),
            ConnectionError::TimedOut => Self::Lost(Loss::Silence),
            ConnectionError::Reset => Self::Lost(Loss::Restart),
            ConnectionError::TransportError(error) => {
                Self::Lost(Loss::Transport(error.code.into()))
            }
            ConnectionError::ConnectionClosed(close) => {
                Self::Lost(Loss::Transport(close.error_code.into()))
            }
            // RFC 9000 §20.1: INTERNAL_ERROR stands for what has no code of its own.
            ConnectionError::VersionMismatch | ConnectionError::CidsExhausted => {
                Self::Lost(Loss::Transport(1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes are on the wire: they never change.
    #[test]
    fn codes_stay() {
        let known = [
            CloseReason::Done,
            CloseReason::Duplicate,
            CloseReason::Unwelcome,
            CloseReason::Violation,
            CloseReason::Oversized,
            CloseReason::Stalled,
            CloseReason::Late,
            CloseReason::Excess,
            CloseReason::Shutdown,
            CloseReason::Internal,
        ];
        for (code, reason) in (0u64..).zip(known) {
            assert_eq!(reason.code(), code);
            assert_eq!(CloseReason::from_code(code), reason);
        }
        assert_eq!(CloseReason::from_code(10), CloseReason::Unknown(10));
        assert_eq!(CloseReason::Unknown(10).code(), 10);
    }
}
