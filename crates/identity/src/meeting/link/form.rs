//! The CBOR map in a link.

use minicbor::{Decode, Encode};

use super::{Error, Ext, Group, VERSION};
use crate::{
    checked::Version,
    encoding,
    keys::{EndpointId, IdentityId},
    meeting::{address::Address, door::Place, invite::Secret},
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
    #[n(9)]
    group: Option<GroupForm>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct GroupForm {
    #[cbor(n(0), with = "minicbor::bytes")]
    session: [u8; 32],
    #[cbor(n(1), with = "minicbor::bytes")]
    opening: [u8; 32],
    #[n(2)]
    name: String,
    #[n(3)]
    places: Vec<PlaceForm>,
    #[n(4)]
    consent: Option<bool>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct PlaceForm {
    #[n(0)]
    endpoint: EndpointId,
    #[n(1)]
    addresses: Vec<Address>,
}

impl GroupForm {
    fn of(group: &Group) -> Self {
        let places = group.places.iter().map(|place| PlaceForm {
            endpoint: place.endpoint,
            addresses: place.addresses.iter().copied().map(Address).collect(),
        });
        Self {
            session: group.session,
            opening: group.opening,
            name: group.name.clone(),
            places: places.collect(),
            consent: group.consent.then_some(true),
        }
    }

    fn read(self) -> Group {
        let places = self.places.into_iter().map(|place| Place {
            endpoint: place.endpoint,
            addresses: place.addresses.into_iter().map(|Address(at)| at).collect(),
        });
        Group {
            session: self.session,
            opening: self.opening,
            name: self.name,
            places: places.collect(),
            consent: self.consent == Some(true),
        }
    }
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
            group: ext.group.as_ref().map(GroupForm::of),
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
            group: form.group.map(GroupForm::read),
        })
    }
}
