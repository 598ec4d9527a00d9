//! Doors: the invite of an identity that everybody can work out who knows its DID.
//!
//! ```text
//! DID ── derive ──▶ key, secret of the invite      ‖ place: endpoint, addresses ──▶ Link
//! ```
//!
//! A door proves nothing but that whoever knocks knows the DID. So it leads to requests only, and
//! it is good only while its owner has it open.

use std::{fmt, net::SocketAddr, str::FromStr};

use super::{
    invite::{BadKey, InviteKey, Secret},
    link::{self, Ext, Link, MAX_ADDRESSES},
};
use crate::{
    domain::{DOOR_KEY, DOOR_SECRET, derive},
    keys::{EndpointId, IdentityId},
};

/// Where an identity is met: an endpoint, and where it was.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// The endpoint to dial.
    pub endpoint: EndpointId,
    /// Where to try; at most [`MAX_ADDRESSES`].
    pub addresses: Vec<SocketAddr>,
}

/// Why a text names no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// Not 64 hexadecimal digits, `@`, and at least one address.
    #[error("not an address: it has the form ENDPOINT@IP:PORT,…, as `tenet door` prints it")]
    Form,
    /// More than [`MAX_ADDRESSES`].
    #[error("an address with {got} places to try; at most 16 are allowed")]
    Addresses {
        /// How many there are.
        got: usize,
    },
}

/// The key pair of an identity's door (DOOR-101).
///
/// # Errors
/// [`BadKey`], for one identity in 2³⁸³.
pub fn key(identity: IdentityId) -> Result<InviteKey, BadKey> {
    InviteKey::derived(DOOR_KEY, identity.as_bytes())
}

/// The secret of an identity's door (DOOR-101).
pub fn secret(identity: IdentityId) -> Secret {
    let derived = derive(DOOR_SECRET, &[identity.as_bytes()]);
    let mut secret = [0; 16];
    for (to, from) in secret.iter_mut().zip(derived) {
        *to = from;
    }
    Secret::from(secret)
}

/// The link to knock with at an identity's door, which is at this place.
///
/// # Errors
/// [`link::Error`] where such a link cannot be.
pub fn link(identity: IdentityId, place: Place) -> Result<Link, link::Error> {
    let ext = Ext {
        identity,
        endpoint: place.endpoint,
        addresses: place.addresses,
        secret: secret(identity),
        expires_ms: u64::MAX,
        reusable: true,
        name: None,
        device: false,
        group: None,
    };
    Ok(Link::new(key(identity)?.public(), None, ext)?)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@", self.endpoint)?;
        for (n, address) in self.addresses.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{address}")?;
        }
        Ok(())
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let (endpoint, addresses) = text.trim().split_once('@').ok_or(PlaceError::Form)?;
        let endpoint = EndpointId::from_str(endpoint).map_err(|_| PlaceError::Form)?;
        let addresses: Result<Vec<SocketAddr>, _> = addresses.split(',').map(str::parse).collect();
        let addresses = addresses.map_err(|_| PlaceError::Form)?;
        match addresses.len() {
            got if got > MAX_ADDRESSES => Err(PlaceError::Addresses { got }),
            _ => Ok(Self {
                endpoint,
                addresses,
            }),
        }
    }
}

/// Addresses are personal: they tell where somebody is.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({:?}, redacted)", self.endpoint)
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;
    use crate::keys::IdentityKey;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    fn identity(n: u8) -> IdentityId {
        IdentityKey::from_seed([n; 32]).public()
    }

    fn place() -> Place {
        Place {
            endpoint: EndpointId::from([0x5e; 32]),
            addresses: vec!["192.0.2.1:80".parse().unwrap(), "[::1]:81".parse().unwrap()],
        }
    }

    /// DOOR-101.
    #[test]
    fn door_snapshot() {
        let key = key(identity(1)).unwrap();
        assert_eq!(
            key.public().id().to_string(),
            "3d6ff77987b68cb7292a51d01ed2a533"
        );
        assert_eq!(
            HEXLOWER.encode(secret(identity(1)).as_bytes()),
            "c504326d7aa6885a53f12278e195751f"
        );
    }

    /// DOOR-101: everybody works out the same, and another for everybody.
    #[test]
    fn a_door_follows_from_the_identity() {
        let [a, b, c] = [1, 1, 2].map(|n| link(identity(n), place()).unwrap());
        assert_eq!(a, b);
        assert_ne!(a.invite(), c.invite());
        assert_ne!(a.ext().secret, c.ext().secret);
        assert!(a.ext().reusable && !a.expired_at(u64::MAX - 1));
        assert_eq!(Link::parse(&a.text()).unwrap(), a);
    }

    /// DOOR-102.
    #[test]
    fn a_place_is_written_and_read() {
        let text = format!("{}@192.0.2.1:80,[::1]:81", "5e".repeat(32));
        assert_eq!(place().to_string(), text);
        assert_eq!(text.parse(), Ok(place()));
        for bad in [
            "",
            "@",
            "5e5e@1.2.3.4:5",
            &text[..65],
            &text[..64],
            "x",
            &format!("{text},"),
        ] {
            assert_eq!(bad.parse::<Place>(), Err(PlaceError::Form), "{bad}");
        }
        let many = format!("{}@{}", "5e".repeat(32), vec!["1.2.3.4:5"; 17].join(","));
        assert_eq!(
            many.parse::<Place>(),
            Err(PlaceError::Addresses { got: 17 })
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,90}", at in 0..100_usize) {
            let _ = text.parse::<Place>();
            let known = place().to_string();
            let cut: String = known.chars().take(at).chain(text.chars()).collect();
            let _ = cut.parse::<Place>();
        }
    }
}
