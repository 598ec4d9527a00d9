//! Names of things in the log: 32-byte hashes and who wrote.

use minicbor::{Decode, Encode};
use tenet_identity::{byte_id, keys::DeviceId};

byte_id! {
    /// A session: derived from its founding event, so the id proves the founding.
    pub struct SessionId;
}

byte_id! {
    /// An event: BLAKE3 in derive-key mode over the header without its signature.
    pub struct EventId;
}

byte_id! {
    /// The sealed content of a file: the BLAKE3 hash of the sealed bytes. Events name it; it is no
    /// event and lies beside the log.
    pub struct BlobId;
}

/// Who wrote an event: a device, and the event that added it to the session.
///
/// Adding the same device again starts a new chain under another author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Author {
    /// The device whose key signs.
    #[n(0)]
    pub device: DeviceId,
    /// The event that put the device on the roster; its own first event where it joined by itself.
    #[n(1)]
    pub added_by: EventId,
}
