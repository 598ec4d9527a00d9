//! The CBOR map in a link.

use minicbor::{Decode, Encode};

use super::{Error, Ext, VERSION};
use crate::{
    checked::Version,
    encoding,
    keys::{EndpointId, IdentityId},
    meeting::{address::Address, invite::Secret},
};

#[derive(Encode, Decode)]
#[cbor(map)]
pub(super) struct Form {
    #[n(0)]
    version: u16,
    #[n(1)]
    identity: IdentityId,
    #[n(2)]
    endpoint: EndpointId,
    #[n(3)]
    addresses: Vec<Address>,
    #[n(4)]
    secret: Secret,
    #[n(5)]
    expires_ms: u64,
    #[n(6)]
    reusable: bool,
    #[n(7)]
    name: Option<String>,
    #[n(8)]
    device: Option<bool>,
}

impl Form {
    pub(super) fn of(ext: &Ext) -> Self {
        Self {
            version: VERSION,
            identity: ext.identity,
            endpoint: ext.endpoint,
            addresses: ext.addresses.iter().copied().map(Address).collect(),
            secret: ext.secret.clone(),
            expires_ms: ext.expires_ms,
            reusable: ext.reusable,
            name: ext.name.clone(),
            device: ext.device.then_some(true),
        }
    }

    /// Reads the version before anything else: a newer form may have other fields.
    pub(super) fn read(bytes: &[u8]) -> Result<Ext, Error> {
        let Version { version } = encoding::decode(bytes)?;
        if version != VERSION {
            return Err(Error::Newer { version });
        }
        let form: Self = encoding::decode(bytes)?;
        Ok(Ext {
            identity: form.identity,
            endpoint: form.endpoint,
            addresses: form
                .addresses
                .into_iter()
                .map(|Address(address)| address)
                .collect(),
            secret: form.secret,
            expires_ms: form.expires_ms,
            reusable: form.reusable,
            name: form.name,
            device: form.device.unwrap_or(false),
        })
    }
}
