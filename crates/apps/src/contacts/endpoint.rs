//! Where a device is met: the value of its register in every session.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use minicbor::{Decode, Encode};
use tenet_identity::{encoding, keys::EndpointId};
use tenet_log::register;

/// The key of the register.
pub const KEY: &str = "endpoint";

/// The most addresses (`CON-11`).
pub const MAX_ADDRESSES: usize = 16;

/// Where a device is met.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The key that it shows on the network.
    pub id: EndpointId,
    /// Where it listened when it wrote this, the best first; scopes and flows are 0.
    pub addresses: Vec<SocketAddr>,
    /// The UDP port that its home keeps; 0 where it does not listen.
    ///
    /// An address that is learnt otherwise, from the LAN for instance, is tried with this port.
    pub port: u16,
}

/// Why the value of a register names no endpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Malformed bytes.
    #[error("an endpoint register is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// Over a limit.
    #[error("an endpoint register is over the limit of {0}")]
    TooLarge(&'static str),
    /// An address of neither 6 nor 18 bytes.
    #[error("an endpoint register has an address of {0} bytes")]
    Address(usize),
}

impl Endpoint {
    /// An endpoint; of more than [`MAX_ADDRESSES`] addresses the first stay.
    pub fn new(id: EndpointId, addresses: &[SocketAddr], port: u16) -> Self {
        let addresses = addresses
            .iter()
            .map(|at| plain(*at))
            .take(MAX_ADDRESSES)
            .collect();
        Self {
            id,
            addresses,
            port,
        }
    }

    /// The register's value.
    pub fn encode(&self) -> Vec<u8> {
        let addresses = self
            .addresses
            .iter()
            .map(|at| AddressForm(pack(*at)))
            .collect();
        encoding::encode(&Form {
            id: self.id,
            addresses,
            port: self.port,
        })
    }

    /// Reads a register's value.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn decode(value: &[u8]) -> Result<Self, EndpointError> {
        if value.len() > register::MAX_VALUE_BYTES {
            return Err(EndpointError::TooLarge("4 KiB"));
        }
        let form: Form = encoding::decode(value)?;
        if form.addresses.len() > MAX_ADDRESSES {
            return Err(EndpointError::TooLarge("16 addresses"));
        }
        let addresses: Result<_, _> = form.addresses.iter().map(|form| unpack(&form.0)).collect();
        Ok(Self {
            id: form.id,
            addresses: addresses?,
            port: form.port,
        })
    }
}

/// Addresses are personal: they tell where somebody is.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Endpoint({:?}, {} addresses, redacted)",
            self.id,
            self.addresses.len()
        )
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    id: EndpointId,
    #[n(1)]
    addresses: Vec<AddressForm>,
    #[n(2)]
    port: u16,
}

/// 4 or 16 bytes of address and 2 of port, big-endian.
#[derive(Encode, Decode)]
#[cbor(transparent)]
struct AddressForm(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>);

/// Scope and flow mean nothing on another machine.
fn plain(at: SocketAddr) -> SocketAddr {
    match at {
        SocketAddr::V4(_) => at,
        SocketAddr::V6(v6) => SocketAddrV6::new(*v6.ip(), v6.port(), 0, 0).into(),
    }
}

fn pack(at: SocketAddr) -> Vec<u8> {
    let mut bytes = match at.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    bytes.extend_from_slice(&at.port().to_be_bytes());
    bytes
}

fn unpack(bytes: &[u8]) -> Result<SocketAddr, EndpointError> {
    let wrong = || EndpointError::Address(bytes.len());
    let (ip, port) = bytes.split_last_chunk::<2>().ok_or_else(wrong)?;
    let v4 = <[u8; 4]>::try_from(ip).map(Ipv4Addr::from).map(IpAddr::V4);
    let v6 = || <[u8; 16]>::try_from(ip).map(Ipv6Addr::from).map(IpAddr::V6);
    let ip = v4.or_else(|_| v6()).map_err(|_| wrong())?;
    Ok(SocketAddr::new(ip, u16::from_be_bytes(*port)))
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
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    fn id() -> EndpointId {
        EndpointId::from([0xee; 32])
    }

    /// CON-11: the bytes that travel.
    #[test]
    fn has_these_bytes() {
        let addresses = ["192.0.2.1:4433", "[2001:db8::1]:443"].map(|at| at.parse().unwrap());
        let endpoint = Endpoint::new(id(), &addresses, 4433);
        let expected = format!(
            "a3 005820{} 0182 46c00002011151 5220010db800000000000000000000000101bb 02191151",
            "ee".repeat(32)
        );
        assert_eq!(
            HEXLOWER.encode(&endpoint.encode()),
            expected.replace(' ', "")
        );
        assert_eq!(Endpoint::decode(&endpoint.encode()).unwrap(), endpoint);
        assert!(!format!("{endpoint:?}").contains("192.0.2.1"));
    }

    /// CON-11.
    #[test]
    fn sixteen_addresses_fit_and_no_more() {
        let address: SocketAddr = "[fe80::1%7]:1".parse().unwrap();
        let endpoint = Endpoint::new(id(), &[address; 20], 1);
        assert_eq!(endpoint.addresses, ["[fe80::1]:1".parse().unwrap(); 16]);
        assert_eq!(Endpoint::decode(&endpoint.encode()).unwrap(), endpoint);
        let too_many = Endpoint {
            addresses: vec![address; 17],
            ..endpoint
        };
        let decoded = Endpoint::decode(&too_many.encode());
        assert!(matches!(
            decoded,
            Err(EndpointError::TooLarge("16 addresses"))
        ));
        let decoded = Endpoint::decode(&[0; register::MAX_VALUE_BYTES + 1]);
        assert!(matches!(decoded, Err(EndpointError::TooLarge("4 KiB"))));
    }

    #[test]
    fn odd_addresses_are_refused() {
        for length in [0, 1, 2, 5, 7, 17, 19] {
            let addresses = vec![AddressForm(vec![1; length])];
            let value = encoding::encode(&Form {
                id: id(),
                addresses,
                port: 1,
            });
            let decoded = Endpoint::decode(&value);
            assert!(
                matches!(decoded, Err(EndpointError::Address(of)) if of == length),
                "{length}"
            );
        }
    }

    proptest! {
        #[test]
        fn round_trips(
            addresses in prop::collection::vec((any::<IpAddr>(), any::<u16>()), 0..17), port: u16,
        ) {
            let addresses: Vec<_> = addresses.into_iter().map(SocketAddr::from).collect();
            let endpoint = Endpoint::new(id(), &addresses, port);
            prop_assert_eq!(Endpoint::decode(&endpoint.encode()).unwrap(), endpoint);
        }

        #[test]
        fn never_panics(value in prop::collection::vec(any::<u8>(), 0..120)) {
            let _ = Endpoint::decode(&value);
        }

        #[test]
        fn never_panics_on_altered_values(at in any::<prop::sample::Index>(), to: u8) {
            let addresses = ["192.0.2.1:4433", "[2001:db8::1]:443"].map(|at| at.parse().unwrap());
            let mut value = Endpoint::new(id(), &addresses, 4433).encode();
            let at = at.index(value.len());
            value[at] = to;
            let _ = Endpoint::decode(&value);
        }
    }
}
