//! The keys of a link into a group: all follow from the link's secret.
//!
//! ```text
//! secret ── derive ──▶ signing key: the session's opening names its public half (ROS-504)
//!        └─ derive ──▶ invite: by what name the link goes
//! ```
//!
//! So whoever keeps the secret can show the link again, and it is the same link.

use super::invite::{BadKey, InviteKey, Secret};
use crate::{
    domain::{GROUP_LINK_INVITE, GROUP_LINK_KEY, derive},
    keys,
};

/// The key that lets in, and proves the link to every member's device (GLINK-2).
pub fn key(secret: &Secret) -> keys::InviteKey {
    keys::InviteKey::from_seed(derive(GROUP_LINK_KEY, &[secret.as_bytes()]))
}

/// The invite by which the link goes (GLINK-2).
///
/// # Errors
/// [`BadKey`], for one secret in 2³⁸³.
pub fn invite(secret: &Secret) -> Result<InviteKey, BadKey> {
    InviteKey::derived(GROUP_LINK_INVITE, secret.as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// GLINK-2
    #[test]
    fn group_link_snapshot() {
        let secret = Secret::from([7; 16]);
        assert_eq!(
            key(&secret).public().to_string(),
            "08d737aa8a00650f7de1d3834d50133be3245741bce139b3aefc24ff8a9d7666"
        );
        assert_eq!(
            invite(&secret).unwrap().public().id().to_string(),
            "7c96b66529d892bfbdfadc1da892b2d8"
        );
    }
}
