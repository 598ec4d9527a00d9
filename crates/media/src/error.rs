//! Why a file could not be cleaned.

use std::io;

use crate::clean::{Format, PICTURE_LIMIT};

/// A file that could not be cleaned; nothing of it was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The first bytes name a format, and the rest does not keep to it (MEDIA-4).
    #[error(
        "this looks like {0}, but it is damaged or of a kind that is not known: what it says of place and \
         time cannot be removed, so it is sent only as it is and only if you say so"
    )]
    Unreadable(Format),
    /// A picture that has to be written anew is larger than [`PICTURE_LIMIT`] (MEDIA-3).
    #[error(
        "this picture ({0}) is larger than {limit} MiB: what it says of place and time cannot be removed, so \
         it is sent only as it is and only if you say so",
        limit = PICTURE_LIMIT / (1024 * 1024)
    )]
    TooLarge(Format),
    /// The source could not be read.
    #[error("the file could not be read")]
    Read(#[from] io::Error),
}
