//! What two nodes say to each other over one connection.
//!
//! A frame is one CBOR array `[number, [fields…]]`. Its length is the transport's matter. What the
//! identity crate says (hello, knock and its answers) travels as bytes of that crate's own forms.

use minicbor::{Decode, Encode, bytes::ByteVec};
use tenet_identity::encoding;
use tenet_log::sync::{Message, MessageError, Tag};

/// The version of the protocol that this program speaks.
pub const VERSION: u16 = 1;

/// The most session tags in one frame, padding included.
pub const MAX_TAGS: usize = 16_384;

/// One frame.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Frame {
    /// Shows a device; the first frame of either side.
    #[n(0)]
    Hello(#[n(0)] ByteVec),
    /// A message of becoming contacts.
    #[n(1)]
    Knock(#[n(0)] ByteVec),
    /// Tags of the sessions that the sender believes to share, among random ones.
    #[n(2)]
    Meet(#[n(0)] Vec<Tag>),
    /// A message about the session with this tag of the sender's.
    #[n(3)]
    Sync(#[n(0)] Tag, #[n(1)] Message),
}

/// Why bytes are no frame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Malformed.
    #[error("frame is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// A message in it is over a limit.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Too many tags.
    #[error("frame holds too many session tags")]
    Tags,
}

impl Frame {
    /// The frame's bytes.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`FrameError`] for what no honest node sends.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let frame: Self = encoding::decode(bytes)?;
        match &frame {
            Self::Sync(_, message) => message.check()?,
            Self::Meet(tags) if tags.len() > MAX_TAGS => return Err(FrameError::Tags),
            _ => {}
        }
        Ok(frame)
    }
}
