//! The CBOR map in a link.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use minicbor::{Decode, Decoder, Encode, Encoder};

use super::{Error, Ext, VERSION};
use crate::{
    encoding,
    keys::{EndpointId, IdentityId},
    meeting::invite::Secret,
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
        })
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Version {
    #[n(0)]
    version: u16,
}

/// An address as 4 or 16 bytes followed by the port, big-endian: no text to parse, and short.
struct Address(SocketAddr);

impl<C> Encode<C> for Address {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let port = self.0.port().to_be_bytes();
        match self.0.ip() {
            IpAddr::V4(ip) => encoder
                .bytes(&[ip.octets().as_slice(), &port].concat())?
                .ok(),
            IpAddr::V6(ip) => encoder
                .bytes(&[ip.octets().as_slice(), &port].concat())?
                .ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for Address {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = decoder.position();
        let bytes = decoder.bytes()?;
        let (ip, port) = bytes
            .split_at_checked(bytes.len().wrapping_sub(2))
            .unwrap_or_default();
        let ip = match ip.len() {
            4 => <[u8; 4]>::try_from(ip)
                .map(Ipv4Addr::from)
                .map(IpAddr::V4)
                .ok(),
            16 => <[u8; 16]>::try_from(ip)
                .map(Ipv6Addr::from)
                .map(IpAddr::V6)
                .ok(),
            _ => None,
        };
        let port = <[u8; 2]>::try_from(port).map(u16::from_be_bytes).ok();
        ip.zip(port)
            .map(|(ip, port)| Self(SocketAddr::new(ip, port)))
            .ok_or_else(|| minicbor::decode::Error::message("not an address").at(at))
    }
}
