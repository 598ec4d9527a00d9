//! Endpoints on the local network, by multicast DNS (RFC 6762, RFC 6763).
//!
//! ```text
//! <endpoint id, base32>._tenet._udp.local   SRV port, A and AAAA addresses
//! ```
//!
//! Anybody on the network can claim anything here: it costs a bounded table and a bounded rate of
//! events, and only a connection shows what is true.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use data_encoding::BASE32_NOPAD;
use swarm_discovery::{Discoverer, DropGuard, IpClass, Peer, SpawnError};
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    time::sleep,
};

use crate::{EndpointId, Event, Rate, address, admission::Bucket, net::Inner};

/// The DNS-SD service name (`NET-18`).
const SERVICE: &str = "tenet";

/// How soon a newcomer is found: after 2.4 s at the latest. All endpoints of a network together
/// send one question and about two answers in this time.
const CADENCE: Duration = Duration::from_secs(2);

/// How many answers a second are wanted from the whole network.
const ANSWERS: f32 = 1.0;

/// How many names are remembered; more of them are a flood, or a network too large for multicast.
const REMEMBERED: usize = 1024;

/// How long to keep still after a flood, or when multicast cannot be had.
const REST: Duration = Duration::from_secs(60);

/// How many discoveries the engine is told of.
const DISCOVERIES: Rate = Rate {
    burst: 64,
    per_second: 4.0,
};

enum Heard {
    /// A peer is there, at these addresses.
    Here(EndpointId, Vec<SocketAddr>),
    /// A peer has not been heard of for long.
    Gone(EndpointId),
    /// More names than can be remembered.
    Flood,
}

/// Why a search came to its end.
enum End {
    /// Our addresses changed.
    Moved,
    /// More names than can be remembered, or none can be heard.
    Tired,
}

/// Announces and searches until the task is aborted.
pub(crate) async fn run(inner: Arc<Inner>, mut addresses: watch::Receiver<Vec<SocketAddr>>) {
    let mut found = Found::new(Instant::now());
    let mut failed = false;
    loop {
        let ours = addresses.borrow_and_update().clone();
        let (tell, mut heard) = mpsc::channel(64);
        let end = match search(inner.id(), &ours, tell) {
            Ok(_guard) => listen(&inner, &mut found, &mut heard, &mut addresses).await,
            Err(error) => {
                // Said once: it is tried again every minute.
                if !std::mem::replace(&mut failed, true) {
                    tracing::warn!(%error, "the local network cannot be searched");
                }
                End::Tired
            }
        };
        match end {
            End::Moved => {}
            End::Tired => sleep(REST).await,
        }
    }
}

/// Takes in what is heard until the search must begin anew.
async fn listen(
    inner: &Inner,
    found: &mut Found,
    heard: &mut mpsc::Receiver<Heard>,
    addresses: &mut watch::Receiver<Vec<SocketAddr>>,
) -> End {
    loop {
        tokio::select! {
            _ = addresses.changed() => return End::Moved,
            heard = heard.recv() => match heard {
                Some(Heard::Here(peer, addresses)) => {
                    if found.is_news(peer, &addresses, Instant::now()) {
                        (inner.sink)(Event::Discovered { peer, addresses });
                    }
                }
                Some(Heard::Gone(peer)) => found.forget(peer),
                Some(Heard::Flood) => {
                    tracing::warn!("too many names on the local network");
                    return End::Tired;
                }
                None => return End::Tired,
            },
        }
    }
}

/// Opens the multicast sockets on the interfaces that our addresses belong to.
fn search(
    us: EndpointId,
    ours: &[SocketAddr],
    tell: mpsc::Sender<Heard>,
) -> Result<DropGuard, Box<SpawnError>> {
    let mut names = BTreeSet::new();
    let mut by_port: BTreeMap<u16, Vec<IpAddr>> = BTreeMap::new();
    for at in ours {
        by_port.entry(at.port()).or_default().push(at.ip());
    }
    let mut discoverer = Discoverer::new(SERVICE.to_owned(), label(us))
        .with_cadence(CADENCE)
        .with_response_rate(ANSWERS)
        .with_ip_class(class(ours))
        .with_multicast_interfaces_v4(interfaces(ours))
        .with_callback(move |name, peer| {
            let heard = hear(&mut names, name, peer);
            // What does not fit is said again within seconds.
            heard
                .filter(|heard| !heard.is_about(us))
                .map(|heard| tell.try_send(heard));
        });
    for (port, addresses) in by_port {
        discoverer = discoverer.with_addrs(port, addresses);
    }
    discoverer.spawn(&Handle::current()).map_err(Box::new)
}

/// The families to speak: one that we have no address of would only say our name to nobody.
fn class(ours: &[SocketAddr]) -> IpClass {
    let v4 = ours.iter().any(SocketAddr::is_ipv4);
    let v6 = ours.iter().any(|at| at.is_ipv6() && !at.ip().is_loopback());
    match (v4, v6) {
        (true, false) => IpClass::V4Only,
        (false, true) => IpClass::V6Only,
        (true, true) | (false, false) => IpClass::Auto,
    }
}

/// The interfaces to speak on, each by an IPv4 address of its own: the default route may lead into
/// a tunnel, where nobody of the local network is.
fn interfaces(ours: &[SocketAddr]) -> Vec<Ipv4Addr> {
    let of: BTreeSet<_> = ours
        .iter()
        .filter_map(|at| match at.ip() {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        })
        .collect();
    of.into_iter().collect()
}

pub(crate) fn label(endpoint: EndpointId) -> String {
    BASE32_NOPAD
        .encode(endpoint.as_bytes())
        .to_ascii_lowercase()
}

pub(crate) fn endpoint(label: &str) -> Option<EndpointId> {
    let bytes = BASE32_NOPAD
        .decode(label.to_ascii_uppercase().as_bytes())
        .ok()?;
    EndpointId::try_from(bytes.as_slice()).ok()
}

/// Reads one announcement; `names` counts what the library keeps.
fn hear(names: &mut BTreeSet<String>, name: &str, peer: &Peer) -> Option<Heard> {
    if peer.is_expiry() {
        names.remove(name);
        return endpoint(name).map(Heard::Gone);
    }
    if !names.contains(name) {
        if names.len() >= REMEMBERED {
            return Some(Heard::Flood);
        }
        names.insert(name.to_owned());
    }
    let at = peer
        .addrs()
        .iter()
        .map(|(ip, port)| SocketAddr::new(*ip, *port));
    let addresses = address::to_dial(at);
    endpoint(name)
        .filter(|_| !addresses.is_empty())
        .map(|id| Heard::Here(id, addresses))
}

impl Heard {
    fn is_about(&self, us: EndpointId) -> bool {
        matches!(self, Self::Here(peer, _) | Self::Gone(peer) if *peer == us)
    }
}

/// What the engine was told.
struct Found {
    told: BTreeMap<EndpointId, Vec<SocketAddr>>,
    bucket: Bucket,
}

impl Found {
    fn new(now: Instant) -> Self {
        Self {
            told: BTreeMap::new(),
            bucket: Bucket::new(DISCOVERIES, now),
        }
    }

    /// Whether to tell the engine, and if so notes that it was told.
    fn is_news(&mut self, peer: EndpointId, addresses: &[SocketAddr], now: Instant) -> bool {
        let known = self.told.get(&peer);
        if known.is_some_and(|known| known == addresses) {
            return false;
        }
        if (known.is_none() && self.told.len() >= REMEMBERED) || !self.bucket.take(now) {
            return false;
        }
        self.told.insert(peer, addresses.to_vec());
        true
    }

    /// So that the engine hears of it when the peer comes back.
    fn forget(&mut self, peer: EndpointId) {
        self.told.remove(&peer);
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

    use proptest::prelude::*;

    use super::*;

    fn list(of: &[&str]) -> Vec<SocketAddr> {
        of.iter().map(|at| at.parse().unwrap()).collect()
    }

    #[test]
    fn a_label_fits_dns_and_names_the_endpoint() {
        let id = EndpointId::from([0xab; 32]);
        assert_eq!(
            label(id),
            "vov2xk5lvov2xk5lvov2xk5lvov2xk5lvov2xk5lvov2xk5lvovq"
        );
        // RFC 1035 §2.3.4: 63 bytes, and `-65535` is added for the host.
        assert!(label(id).len() + 6 <= 63);
        assert_eq!(endpoint(&label(id)), Some(id));
        assert_eq!(endpoint("printer"), None);
    }

    #[test]
    fn the_engine_is_told_once_until_something_changes() {
        let now = Instant::now();
        let mut found = Found::new(now);
        let (peer, here, there) = (
            EndpointId::from([1; 32]),
            list(&["10.0.0.1:9"]),
            list(&["10.0.0.2:9"]),
        );
        assert!(found.is_news(peer, &here, now));
        assert!(!found.is_news(peer, &here, now));
        assert!(found.is_news(peer, &there, now));
        found.forget(peer);
        assert!(found.is_news(peer, &there, now));
    }

    #[test]
    fn a_flood_of_names_costs_little() {
        let now = Instant::now();
        let mut found = Found::new(now);
        let at = list(&["10.0.0.1:9"]);
        let id = |i: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&i.to_be_bytes());
            EndpointId::from(bytes)
        };
        let told = (0..1000)
            .filter(|i| found.is_news(id(*i), &at, now))
            .count();
        assert_eq!(told, 64);
        let day = Duration::from_secs(86400);
        for i in 1000..5000 {
            found.is_news(id(i), &at, now + day * i);
        }
        assert_eq!(found.told.len(), REMEMBERED);
    }

    #[test]
    fn only_loopback_is_spoken_to_where_only_loopback_is_bound() {
        let ours = list(&["127.0.0.1:9", "[::1]:9"]);
        assert_eq!(class(&ours), IpClass::V4Only);
        assert_eq!(interfaces(&ours), [Ipv4Addr::LOCALHOST]);
    }

    proptest! {
        #[test]
        fn any_label_is_read_without_panic(text in ".{0,70}") {
            let _ = endpoint(&text);
        }

        #[test]
        fn a_label_is_read_back(bytes in any::<[u8; 32]>()) {
            let id = EndpointId::from(bytes);
            prop_assert_eq!(endpoint(&label(id)), Some(id));
        }
    }
}
