//! What can go wrong with a blob, told apart by who must act.

use std::io;

/// A failure of one operation; what was kept is said where the operation is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The blob is not here, or not the part of it that was asked for.
    #[error("the file is not here")]
    Missing,
    /// The disk, or this person's share of it, is full. Nothing that was here is lost.
    #[error("the disk is full")]
    Full,
    /// What rests here was changed at or behind this byte of the sealed form, or the key is another's.
    #[error("the file is damaged at byte {offset}, or this is not its key")]
    Damaged {
        /// The first byte of the segment or group that failed.
        offset: u64,
    },
    /// What came from outside is not what was asked for: the sender's fault. What was verified stays.
    #[error("what came does not match at byte {offset}")]
    Mismatch {
        /// The first byte of the sealed form that is not proven.
        offset: u64,
    },
    /// What came from outside ended early. What was verified stays.
    #[error("what came ended before byte {offset}")]
    Ended {
        /// The first byte of the sealed form that did not come.
        offset: u64,
    },
    /// Two sizes were named for one blob.
    #[error("the file is said to have {claimed} bytes, and {found}")]
    Size {
        /// What the caller named.
        claimed: u64,
        /// What is here, or what the sender named.
        found: u64,
    },
    /// No file seals into this many bytes.
    #[error("no sealed file has {0} bytes")]
    Impossible(u64),
    /// The size is above the caller's limit, or above what one key may seal.
    #[error("{size} bytes are more than the {limit} allowed")]
    TooLarge {
        /// In bytes of the sealed form.
        size: u64,
        /// In bytes of the sealed form.
        limit: u64,
    },
    /// Not everything came yet.
    #[error("the file is not complete")]
    Incomplete,
    /// The caller's progress callback said stop.
    #[error("cancelled")]
    Cancelled,
    /// What the caller gave to read from failed.
    #[error("reading failed")]
    Source(#[source] io::Error),
    /// What the caller gave to write to failed.
    #[error("writing failed")]
    Sink(#[source] io::Error),
    /// The folder, or the place to save to, failed in another way.
    #[error("the disk failed")]
    Disk(#[source] io::Error),
}

impl From<io::Error> for Error {
    /// A failure of the disk.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Disk(error),
        }
    }
}

impl From<Error> for io::Error {
    /// For the standard traits; the error itself is the source.
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Missing => io::ErrorKind::NotFound,
            Error::Full => io::ErrorKind::StorageFull,
            Error::Disk(error) | Error::Source(error) | Error::Sink(error) => error.kind(),
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
