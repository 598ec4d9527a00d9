//! Which sockets to open, and why one cannot be had.

use std::{
    error::Error,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use iroh::endpoint::{BindOpts, Builder};
use tokio::time::sleep;

/// How often a free port is looked for that both IPv4 and IPv6 have.
const TRIES: usize = 16;

/// Why a network could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another program has this UDP port.
    #[error("UDP port {} at {} is taken by another program", .address.port(), .address.ip())]
    PortTaken {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The system does not let this program have the address.
    #[error("no permission to listen on UDP {address}")]
    NoPermission {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// This machine does not have the address.
    #[error("this machine has no address {}", .address.ip())]
    NotHere {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The system refused the address for another reason.
    #[error("cannot listen on UDP {address}")]
    Refused {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No port is free on both IPv4 and IPv6.
    #[error("no free UDP port was found")]
    NoPort,
    /// The endpoint could not be started on sockets that could be had.
    #[error("cannot start the network endpoint")]
    Endpoint {
        /// What went wrong below.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Chooses the addresses to listen on and shows that they can be had.
///
/// # Errors
///
/// Has the cryptographic library gather what it needs before its first random bytes.
///
/// That takes some 60 ms of one processor, once a process. Whoever does it beside something else, in
/// a thread that may block, does not find the network waiting for it at the first dial.
pub fn warm_up() {
    let mut bytes = [0; 32];
    if crate::raw::provider()
        .secure_random
        .fill(&mut bytes)
        .is_err()
    {
        // The first handshake will say so.
        tracing::debug!("no random bytes yet");
    }
}

/// [`BindError`]; a machine without IPv6 is none unless an IPv6 address was asked for.
pub(crate) fn choose(
    listen: &[SocketAddr],
    port: Option<u16>,
) -> Result<Vec<SocketAddr>, BindError> {
    if !listen.is_empty() {
        return named(listen, port);
    }
    match port {
        Some(port) => everywhere(port),
        None => anywhere(),
    }
}

/// Hands the addresses to iroh, which wants one default for each family.
pub(crate) fn apply(mut builder: Builder, addresses: &[SocketAddr]) -> Result<Builder, BindError> {
    for (at, address) in addresses.iter().enumerate() {
        let earlier = addresses.iter().take(at);
        let first = !earlier
            .into_iter()
            .any(|other| other.is_ipv4() == address.is_ipv4());
        let options = BindOpts::default().set_prefix_len(match address.ip() {
            _ if first => 0,
            IpAddr::V4(ip) if ip.is_loopback() => 8,
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        });
        builder = builder
            .bind_addr_with_opts(*address, options)
            .map_err(|source| BindError::Endpoint {
                source: source.into(),
            })?;
    }
    Ok(builder)
}

/// Returns once nobody has these addresses: iroh closes its sockets on a thread of its own.
pub(crate) async fn released(sockets: &[SocketAddr]) {
    while sockets.iter().any(|socket| probe(*socket).is_err()) {
        sleep(Duration::from_millis(1)).await;
    }
}

/// The addresses that were asked for by name, each once.
fn named(listen: &[SocketAddr], port: Option<u16>) -> Result<Vec<SocketAddr>, BindError> {
    let mut chosen: Vec<SocketAddr> = Vec::with_capacity(listen.len());
    for address in listen {
        let mut address = *address;
        if address.port() == 0 {
            address.set_port(port.unwrap_or(0));
        }
        let address = probe(address)?;
        if !chosen.contains(&address) {
            chosen.push(address);
        }
    }
    // Other addresses of this machine serve as defaults better than loopback, from which only
    // loopback can be reached.
    chosen.sort_by_key(|address| address.ip().is_loopback());
    Ok(chosen)
}

/// This port on all addresses of this machine.
fn everywhere(port: u16) -> Result<Vec<SocketAddr>, BindError> {
    let v4 = probe((Ipv4Addr::UNSPECIFIED, port).into());
    let v6 = probe((Ipv6Addr::UNSPECIFIED, port).into());
    match (v4, v6) {
        (Ok(v4), Ok(v6)) => Ok(vec![v4, v6]),
        (Ok(v4), Err(error)) if error.is_without_family() => Ok(vec![v4]),
        (Err(error), Ok(v6)) if error.is_without_family() => Ok(vec![v6]),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// One free port on all addresses of this machine.
fn anywhere() -> Result<Vec<SocketAddr>, BindError> {
    for _ in 0..TRIES {
        let free = probe((Ipv4Addr::UNSPECIFIED, 0).into())
            .or_else(|_| probe((Ipv6Addr::UNSPECIFIED, 0).into()))?;
        match everywhere(free.port()) {
            Err(BindError::PortTaken { .. }) => {}
            result => return result,
        }
    }
    Err(BindError::NoPort)
}

/// Opens and closes a socket: iroh's own error does not say which address failed.
fn probe(address: SocketAddr) -> Result<SocketAddr, BindError> {
    match UdpSocket::bind(address).and_then(|socket| socket.local_addr()) {
        Ok(bound) => Ok(bound),
        Err(source) => Err(match source.kind() {
            io::ErrorKind::AddrInUse => BindError::PortTaken { address },
            io::ErrorKind::PermissionDenied => BindError::NoPermission { address },
            io::ErrorKind::AddrNotAvailable => BindError::NotHere { address },
            _ => BindError::Refused { address, source },
        }),
    }
}

impl BindError {
    /// Whether the machine lacks a whole address family (switched off, or not in the kernel).
    fn is_without_family(&self) -> bool {
        matches!(
            self,
            Self::NotHere { address } | Self::Refused { address, .. } if address.ip().is_unspecified()
        )
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

    #[test]
    fn a_free_port_is_the_same_on_both_families() {
        let chosen = choose(&[], None).unwrap();
        assert!(!chosen.is_empty());
        assert!(
            chosen
                .iter()
                .all(|at| at.port() == chosen[0].port() && at.port() != 0)
        );
    }

    #[test]
    fn a_taken_port_is_named() {
        let taken = UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let _holder = UdpSocket::bind(taken).unwrap();
        let error = choose(&[taken], None).unwrap_err();
        assert!(matches!(error, BindError::PortTaken { address } if address == taken));
        assert!(error.to_string().contains(&taken.port().to_string()));
        let error = choose(&[], Some(taken.port())).unwrap_err();
        assert!(matches!(error, BindError::PortTaken { .. }));
    }

    #[test]
    fn an_address_of_another_machine_is_named() {
        let error = choose(&["192.0.2.1:0".parse().unwrap()], None).unwrap_err();
        assert!(matches!(error, BindError::NotHere { .. }));
    }

    #[test]
    fn a_named_address_takes_the_port_and_loopback_comes_last() {
        let free = choose(&[], None).unwrap()[0].port();
        let any = "0.0.0.0:0".parse().unwrap();
        let chosen = choose(&["[::1]:0".parse().unwrap(), any], Some(free)).unwrap();
        assert_eq!(
            chosen,
            ["0.0.0.0:0", "[::1]:0"].map(|at: &str| {
                let mut at: SocketAddr = at.parse().unwrap();
                at.set_port(free);
                at
            })
        );
    }
}
