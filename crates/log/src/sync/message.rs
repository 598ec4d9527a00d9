//! What two devices say to each other about one session.

use minicbor::{Decode, Encode, bytes::ByteVec};
use tenet_identity::{encoding, keys::DeviceId};

use crate::{
    clock::Hlc,
    ids::{Author, EventId},
};

/// The most events in one message.
pub const MAX_EVENTS_PER_MESSAGE: usize = 1024;
/// The most heads in one message: 113 bytes each, so that with [`MAX_REGISTERS`] they fit 1 MiB.
pub(super) const MAX_HEADS: usize = 6144;
/// The most registers named in one message: up to 146 bytes each.
pub(super) const MAX_REGISTERS: usize = 2048;
/// How many ranges there are.
const MAX_RANGES: usize = 256;

/// An event in its wire form.
pub type Event = ByteVec;

/// The head of one branch of one author's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct HeadEntry {
    /// Whose chain.
    #[n(0)]
    pub author: Author,
    /// The head's place in it.
    #[n(1)]
    pub seq: u64,
    /// The head's id.
    #[n(2)]
    pub id: EventId,
}

/// Which version of a register a device holds.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RegisterEntry {
    /// Whose register.
    #[n(0)]
    pub device: DeviceId,
    /// Its key.
    #[n(1)]
    pub key: String,
    /// Its version's time.
    #[n(2)]
    pub time: Hlc,
    /// Its version's id.
    #[n(3)]
    pub id: EventId,
}

/// A hash over what a device holds of a range: of all devices whose keys begin with one byte (SYNC-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RangeEntry {
    /// With which byte.
    #[n(0)]
    pub range: u8,
    /// The hash.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub digest: [u8; 32],
}

/// Of which ranges a frontier is, ascending.
pub type Within = ByteVec;

/// Why an event was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Objection {
    /// It is dated more than ten minutes ahead of the receiver's clock, which is given in Unix
    /// milliseconds.
    #[n(0)]
    TooEarly(#[n(0)] u64),
    /// The receiver will never take it.
    #[n(1)]
    Invalid,
    /// The receiver's store cannot take anything now.
    #[n(2)]
    NoRoom,
}

/// The most events that are wanted again in one message: what answers it stays under 5 MiB.
pub const MAX_WANTED: usize = 32;

/// A message about one session.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Message {
    /// A hash over everything that the sender holds.
    #[n(0)]
    Digest(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    /// What the sender holds, by name: all of it, or of the ranges that are given.
    #[n(1)]
    Frontier(
        #[n(0)] Vec<HeadEntry>,
        #[n(1)] Vec<RegisterEntry>,
        #[n(2)] Option<Within>,
    ),
    /// Events that the receiver lacks, parents before children.
    #[n(2)]
    Events(#[n(0)] Vec<Event>),
    /// Registers that the receiver lacks.
    #[n(3)]
    Registers(#[n(0)] Vec<ByteVec>),
    /// Heads that are durable at the sender now.
    #[n(4)]
    Have(#[n(0)] Vec<HeadEntry>),
    /// An event was not taken.
    #[n(5)]
    Object(#[n(0)] EventId, #[n(1)] Objection),
    /// Events whose copies at the sender are damaged (SYNC-301).
    #[n(6)]
    Want(#[n(0)] Vec<EventId>),
    /// A hash over each range of which the sender holds anything, ascending.
    #[n(7)]
    Ranges(#[n(0)] Vec<RangeEntry>),
}

/// Why bytes are no message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Malformed.
    #[error("sync message is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// Over a limit.
    #[error("sync message holds too many {0}")]
    Limit(&'static str),
}

impl Message {
    /// Checks the limits of a decoded message.
    ///
    /// # Errors
    /// [`MessageError::Limit`].
    pub fn check(&self) -> Result<(), MessageError> {
        let (what, len, max) = match self {
            Self::Frontier(_, registers, _) if registers.len() > MAX_REGISTERS => {
                ("registers", registers.len(), MAX_REGISTERS)
            }
            Self::Frontier(_, _, Some(within)) if within.len() > MAX_RANGES => {
                ("ranges", within.len(), MAX_RANGES)
            }
            Self::Frontier(heads, ..) | Self::Have(heads) => ("heads", heads.len(), MAX_HEADS),
            Self::Ranges(ranges) => ("ranges", ranges.len(), MAX_RANGES),
            Self::Events(events) => ("events", events.len(), MAX_EVENTS_PER_MESSAGE),
            Self::Registers(registers) => ("registers", registers.len(), MAX_REGISTERS),
            Self::Want(events) => ("wanted events", events.len(), MAX_WANTED),
            Self::Digest(_) | Self::Object(..) => return Ok(()),
        };
        if len > max {
            Err(MessageError::Limit(what))
        } else {
            Ok(())
        }
    }
}
