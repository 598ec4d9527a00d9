//! The form of socket addresses in links and knocks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use minicbor::{Decode, Decoder, Encode, Encoder};

/// An address as 4 or 16 bytes followed by the port, big-endian: no text to parse, and short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address(pub(super) SocketAddr);

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
