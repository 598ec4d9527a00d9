//! Which addresses are worth telling, and which are safe to dial.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

/// How many addresses of one peer are tried at most (`NET-17`): a peer that names more may not
/// make us spray packets.
pub(crate) const MOST: usize = 16;

/// The addresses of ours that are worth telling to others: the widest reach first.
///
/// Addresses without meaning elsewhere (unspecified, multicast, IPv6 link-local, which needs a
/// zone) are left out. Loopback stays: it is among `ours` only when there is nothing else or when
/// it was asked for.
pub(crate) fn to_tell(ours: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut told: Vec<_> = ours.into_iter().filter(|at| is_dialable(*at)).collect();
    told.sort_by_key(|at| (reach(at.ip()), *at));
    told.dedup();
    told
}

/// The addresses of a peer that are worth dialling: each once, at most [`MOST`].
pub(crate) fn to_dial(theirs: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut seen = BTreeSet::new();
    theirs
        .into_iter()
        .map(|at| SocketAddr::new(at.ip().to_canonical(), at.port()))
        .filter(|at| is_dialable(*at) && seen.insert(*at))
        .take(MOST)
        .collect()
}

fn is_dialable(at: SocketAddr) -> bool {
    let ip = at.ip();
    let odd = match ip {
        IpAddr::V4(ip) => ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    at.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !odd
}

/// 0: the whole network, 1: a private one, 2: this link, 3: this machine.
fn reach(ip: IpAddr) -> u8 {
    match ip {
        ip if ip.is_loopback() => 3,
        IpAddr::V4(ip) if ip.is_link_local() => 2,
        IpAddr::V4(ip) if ip.is_private() => 1,
        IpAddr::V6(ip) if ip.is_unique_local() => 1,
        IpAddr::V4(_) | IpAddr::V6(_) => 0,
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

    fn list(of: &[&str]) -> Vec<SocketAddr> {
        of.iter().map(|at| at.parse().unwrap()).collect()
    }

    #[test]
    fn the_widest_reach_is_told_first() {
        let ours = list(&[
            "127.0.0.1:1",
            "169.254.1.1:1",
            "10.0.0.1:1",
            "0.0.0.0:1",
            "[fe80::1]:1",
            "[fd00::1]:1",
            "[2001:db8::1]:1",
            "192.0.2.1:1",
        ]);
        let told = list(&[
            "192.0.2.1:1",
            "[2001:db8::1]:1",
            "10.0.0.1:1",
            "[fd00::1]:1",
            "169.254.1.1:1",
            "127.0.0.1:1",
        ]);
        assert_eq!(to_tell(ours), told);
    }

    #[test]
    fn what_nobody_should_send_to_is_not_dialled() {
        let theirs = list(&[
            "0.0.0.0:1",
            "255.255.255.255:1",
            "224.0.0.251:5353",
            "[ff02::fb]:5353",
            "192.0.2.1:0",
            "[fe80::1]:1",
            "192.0.2.1:9",
            "[::ffff:192.0.2.1]:9",
        ]);
        assert_eq!(to_dial(theirs), list(&["192.0.2.1:9"]));
    }

    #[test]
    fn at_most_sixteen_are_dialled() {
        let many = (1..100u16).map(|port| SocketAddr::from(([192, 0, 2, 1], port)));
        assert_eq!(to_dial(many).len(), MOST);
    }
}
