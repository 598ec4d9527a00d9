//! For tests of this and other crates: a store in memory, and the suite that every contact store
//! passes.
#![allow(clippy::unwrap_used)]

mod conformance;
mod memory;

use tenet_identity::{
    keys::{EndpointId, IdentityKey},
    meeting::{
        invite::{InviteKey, Secret},
        link::{Ext, Link},
    },
};

pub use conformance::conformance;
pub use memory::MemoryContacts;

/// The secret half of the key pair of invite `n`, which is at least 1.
///
/// # Panics
/// If `n` is 0.
pub fn invite_key(n: u8) -> InviteKey {
    let mut scalar = [0; 48];
    if let Some(last) = scalar.last_mut() {
        *last = n;
    }
    InviteKey::from_bytes(&scalar).unwrap()
}

/// A link of invite `n`, which is at least 1.
///
/// # Panics
/// If `n` is 0.
pub fn link(n: u8) -> Link {
    let ext = Ext {
        identity: IdentityKey::from_seed([n; 32]).public(),
        endpoint: EndpointId::from([n; 32]),
        addresses: vec!["192.0.2.1:4433".parse().unwrap()],
        secret: Secret::from([n; 16]),
        expires_ms: 1_900_000_000_000,
        reusable: false,
        name: None,
        device: false,
        group: None,
    };
    Link::new(invite_key(n).public(), None, ext).unwrap()
}
