//! The local network, in a network namespace of its own where every packet is ours.
//!
//! A test here runs this very program again inside the namespace, with the ignored test of the
//! same name under `inside`. In it are loopback, an interface `lan` that leads nowhere, and a
//! default route over it: whatever is not meant for this machine is counted there.

use std::process::Command;

/// Makes the network and becomes the program that is given.
const NETWORK: &str = "set -e
ip link set lo up
ip link add lan type veth peer name far
ip link set lan addrgenmode none
ip address add 10.99.0.1/24 dev lan
ip link set lan up
ip link set far addrgenmode none up
ip route add default via 10.99.0.254
exec \"$@\"";

#[test]
fn endpoints_find_each_other_by_multicast() {
    in_namespace("lan::inside::endpoints_find_each_other_by_multicast");
}

#[test]
fn without_lan_nothing_leaves_this_machine() {
    in_namespace("lan::inside::without_lan_nothing_leaves_this_machine");
}

#[test]
fn with_lan_nothing_but_multicast_leaves_this_machine() {
    in_namespace("lan::inside::with_lan_nothing_but_multicast_leaves_this_machine");
}

#[test]
fn a_new_address_is_told() {
    in_namespace("lan::inside::a_new_address_is_told");
}

fn in_namespace(test: &str) {
    let Some(unshare) = [&["--net"][..], &["--map-root-user", "--net"]]
        .into_iter()
        .find(|options| {
            Command::new("unshare")
                .args(*options)
                .arg("true")
                .status()
                .is_ok_and(|s| s.success())
        })
    else {
        return eprintln!("SKIPPED {test}: this user may not make a network namespace");
    };
    let this = std::env::current_exe().unwrap();
    let status = Command::new("unshare")
        .args(unshare)
        .args(["sh", "-c", NETWORK, "sh"])
        .arg(this)
        .args([
            "--exact",
            test,
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .status()
        .unwrap();
    assert!(status.success(), "{test}: {status}");
}

mod inside {
    use std::{fs, process::Command};

    use tenet_net::{CloseReason, Ended, Event, Limits};

    use crate::harness::Node;

    #[tokio::test]
    #[ignore = "runs in a namespace"]
    async fn endpoints_find_each_other_by_multicast() {
        let (mut a, mut b) = (everywhere(1, true).await, everywhere(2, true).await);
        assert_eq!(a.net.addresses(), [([10, 99, 0, 1], a.net.port()).into()]);
        assert_eq!(discovered(&mut a).await, (b.id(), b.net.addresses()));
        assert_eq!(discovered(&mut b).await, (a.id(), a.net.addresses()));
        a.dial(&b);
        let conn = a.connected().await.conn;
        a.net.send(conn, b"hello".to_vec());
        b.connected().await;
        // One who leaves and comes back at another port is told again.
        let (id, port) = (b.id(), b.net.port());
        b.net.shutdown().await;
        assert!(matches!(
            a.closed().await,
            Ended::ByPeer(CloseReason::Shutdown)
        ));
        let b = everywhere(2, true).await;
        assert_ne!(b.net.port(), port);
        assert_eq!(discovered(&mut a).await, (id, b.net.addresses()));
    }

    #[tokio::test]
    #[ignore = "runs in a namespace"]
    async fn without_lan_nothing_leaves_this_machine() {
        let before = sent();
        converse(false).await;
        assert_eq!(sent(), before);
        assert_eq!(multicasts(), 0);
    }

    #[tokio::test]
    #[ignore = "runs in a namespace"]
    async fn with_lan_nothing_but_multicast_leaves_this_machine() {
        let before = sent();
        converse(true).await;
        let sent = sent() - before;
        assert!(sent > 0);
        // Joining a group is a packet of the kernel's (IGMP), of which it counts none or all.
        assert!(
            sent <= multicasts() + 8,
            "{sent} sent, {} of them multicast",
            multicasts()
        );
    }

    #[tokio::test]
    #[ignore = "runs in a namespace"]
    async fn a_new_address_is_told() {
        let (mut a, b) = (everywhere(1, false).await, everywhere(2, false).await);
        // By the time two have met the endpoint watches the interfaces.
        a.dial(&b);
        a.connected().await;
        ip(&["address", "add", "10.99.1.1/24", "dev", "lan"]);
        let now = loop {
            match a.event().await {
                Event::AddressesChanged { addresses } if addresses.len() == 2 => break addresses,
                Event::AddressesChanged { .. } => {}
                event => panic!("{event:?}"),
            }
        };
        let port = a.net.port();
        assert_eq!(
            now,
            [([10, 99, 0, 1], port).into(), ([10, 99, 1, 1], port).into()]
        );
        assert_eq!(a.net.addresses(), now);
    }

    async fn everywhere(seed: u8, lan: bool) -> Node {
        Node::at(seed, Limits::default(), "", lan).await
    }

    async fn discovered(node: &mut Node) -> (tenet_net::EndpointId, Vec<std::net::SocketAddr>) {
        match node.event().await {
            Event::Discovered { peer, addresses } => (peer, addresses),
            event => panic!("{event:?} instead of a discovery"),
        }
    }

    /// Two endpoints meet, talk, part.
    async fn converse(lan: bool) {
        let (mut a, mut b) = (everywhere(1, lan).await, everywhere(2, lan).await);
        if lan {
            discovered(&mut a).await;
            discovered(&mut b).await;
        }
        a.dial(&b);
        let ab = a.connected().await.conn;
        a.net.authenticated(ab);
        a.net.send(ab, b"hello".to_vec());
        let ba = b.connected().await.conn;
        assert_eq!(b.frame().await.0, b"hello");
        b.net.authenticated(ba);
        for _ in 0..100 {
            a.net.send(ab, vec![7; 10_000]);
            b.frame().await;
        }
        tokio::join!(a.net.shutdown(), b.net.shutdown());
    }

    /// Packets that left over the interface `lan`.
    fn sent() -> u64 {
        let table = fs::read_to_string("/proc/net/dev").unwrap();
        let line = table
            .lines()
            .find_map(|line| line.trim().strip_prefix("lan:"))
            .unwrap();
        line.split_whitespace().nth(9).unwrap().parse().unwrap()
    }

    /// IPv4 multicast packets that were sent.
    fn multicasts() -> u64 {
        let table = fs::read_to_string("/proc/net/netstat").unwrap();
        let mut rows = table
            .lines()
            .filter_map(|line| line.strip_prefix("IpExt: "));
        let (names, values) = (rows.next().unwrap(), rows.next().unwrap());
        let mut pairs = names.split(' ').zip(values.split(' '));
        pairs
            .find(|(name, _)| *name == "OutMcastPkts")
            .unwrap()
            .1
            .parse()
            .unwrap()
    }

    fn ip(arguments: &[&str]) {
        assert!(
            Command::new("ip")
                .args(arguments)
                .status()
                .unwrap()
                .success()
        );
    }
}
