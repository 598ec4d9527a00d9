//! The stored form of the records of this app: deterministic CBOR maps with a version.

use minicbor::{Decode, Encode};
use tenet_identity::{
    encoding,
    meeting::{invite, link},
};

/// The version that this program writes (`CON-1`).
pub const VERSION: u8 = 1;

/// Why a stored record cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Malformed bytes.
    #[error("a stored record is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// Written by a newer version.
    #[error("a stored record is of version {0}: a newer program wrote it")]
    Newer(u8),
    /// A stored invite's key is none.
    #[error("a stored invite has a damaged key")]
    Key(#[from] invite::BadKey),
    /// A stored link is none.
    #[error("a stored link is damaged: {0}")]
    Link(#[from] link::Error),
    /// A number that stands for nothing.
    #[error("a stored record has an unknown {0}")]
    Unknown(&'static str),
}

/// Only the version: every record's form has it under the key 0.
#[derive(Decode)]
#[cbor(map)]
struct Head {
    #[n(0)]
    version: u8,
}

/// Reads a form, after its version.
pub(super) fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, RecordError> {
    let Head { version } = encoding::decode(bytes)?;
    if version > VERSION {
        return Err(RecordError::Newer(version));
    }
    Ok(encoding::decode(bytes)?)
}

/// Writes a form.
pub(super) fn encode<T: Encode<()>>(form: &T) -> Vec<u8> {
    encoding::encode(form)
}
