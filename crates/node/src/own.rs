//! Who this node is.

use tenet_identity::{
    card::DeviceCard,
    keys::{DeviceId, DeviceKey, EndpointId, IdentityId},
};

/// The device's own keys and names.
pub struct Own {
    /// The device's key.
    pub key: DeviceKey,
    /// The device's card, signed by the identity.
    pub card: DeviceCard,
    /// Where the device is met.
    pub endpoint: EndpointId,
    /// What this person calls themselves.
    pub name: String,
    /// Whether another device of this identity let this one in: it does not begin anything of its own.
    pub linked: bool,
}

impl Own {
    /// The device.
    pub fn device(&self) -> DeviceId {
        self.card.device()
    }

    /// The identity.
    pub fn identity(&self) -> IdentityId {
        self.card.identity()
    }
}
