//! Keys: who is who, who signs, and what counts as a valid signature.
//!
//! One definition of a valid Ed25519 signature everywhere, alone and in a batch: ZIP-215. Two
//! nodes that judged an edge case differently would disagree on what was said. The signed bytes
//! are always a domain string followed by a 32-byte hash, so a signature for one purpose is none
//! for another.

mod id;
mod secret;
mod signature;

pub use id::{DeviceId, EndpointId, IdentityId, InviteId, ParseError, WeakKey, bytes_of};
pub use secret::{DeviceKey, IdentityKey, InviteKey};
pub use signature::{Signature, SignatureError, verify, verify_batch};
