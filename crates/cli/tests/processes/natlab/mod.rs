//! Real programs on networks of real kernels: bridges, NATs and hosts, each a namespace of its own.
//!
//! ```text
//!          pub 198.51.100.0/24, fd99::/64
//!        ┌─────┴──────┬──────────┬─────────┐
//!   nat-a .11     nat-b .12    host-a .1  host-b .2
//!        │            │
//!   a 10.1.0.2    b 10.2.0.2
//! ```
//!
//! A test runs this very program again with process, mount and network namespaces of its own, in which it
//! makes the others: so their names meet nobody else's, and all is gone when it ends, however that is.

mod lab;

pub(crate) use lab::befriend;

use crate::{
    harness::skipped,
    network::{run_inside, unshare},
};

/// What a lab needs: `--kill-child` ends every node with the test.
const OPTIONS: &[&str] = &["--net", "--mount", "--pid", "--fork", "--kill-child"];

/// A place for the names of namespaces that nobody else sees.
const PREPARE: &str = "mount -t tmpfs tmpfs /run && mkdir /run/netns && ip link set lo up";

/// Everything that a lab uses, once.
const PROBE: &str = "ip netns add probe
ip link add bridge type bridge
ip link add one type veth peer name eth0 netns probe
ip netns exec probe nft add table ip nat
ip netns exec probe nft 'add chain ip nat out { type nat hook postrouting priority srcnat; }'
ip netns exec probe nft 'add chain ip nat in { type nat hook prerouting priority dstnat; }'
ip netns exec probe nft add rule ip nat out masquerade
ip netns exec probe nft add rule ip nat in udp dport 7 dnat to 10.0.0.1:7
ip netns exec probe nft 'add chain ip nat through { type filter hook forward priority 0; }'
ip netns exec probe nft add rule ip nat through ct state established accept";

#[test]
fn two_hosts_find_each_other_on_a_bridge() {
    in_a_lab("two_hosts_find_each_other_on_a_bridge");
}

#[test]
fn two_behind_nats_meet_where_one_is_known() {
    in_a_lab("two_behind_nats_meet_where_one_is_known");
}

#[test]
fn a_conversation_outlives_a_change_of_network() {
    in_a_lab("a_conversation_outlives_a_change_of_network");
}

#[test]
fn two_talk_where_there_is_only_ipv6() {
    in_a_lab("two_talk_where_there_is_only_ipv6");
}

fn in_a_lab(test: &str) {
    let Some(user) = unshare(OPTIONS, &format!("{PREPARE}\n{PROBE}")) else {
        let why =
            "no namespaces, veth, bridge or NAT for this user here, or no iproute2 or nftables";
        return skipped(test, why);
    };
    let script = format!("{PREPARE} && exec \"$@\"");
    run_inside(user, OPTIONS, &script, "natlab", test);
}

mod inside {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::lab::{Lab, STALE, befriend};
    use crate::harness::World;

    /// By multicast DNS, since the link says nothing that helps.
    #[test]
    #[ignore = "runs in a lab"]
    fn two_hosts_find_each_other_on_a_bridge() {
        let (world, lab) = (World::new(), Lab::new());
        lab.host("host-a", &["198.51.100.1/24"]);
        lab.host("host-b", &["198.51.100.2/24"]);
        let alice = lab.person(&world, "Alice", "host-a", &[]);
        let bob = lab.person(&world, "Bob", "host-b", &[]);
        let (_node_a, _node_b) = (alice.up(), bob.up());
        befriend(&alice, &bob, STALE);
        bob.does(&["send", "Alice", "found you", "--wait", "delivered"]);
        alice.does(&["send", "Bob", "and I you", "--wait", "delivered"]);
    }

    /// Each NAT lets in only what answers to what went out, and rewrites ports; one forwards one port.
    #[test]
    #[ignore = "runs in a lab"]
    fn two_behind_nats_meet_where_one_is_known() {
        let (world, lab) = (World::new(), Lab::new());
        lab.nat("nat-a", "198.51.100.11/24", "a", "10.1.0");
        lab.nat("nat-b", "198.51.100.12/24", "b", "10.2.0");
        lab.forward("nat-a", 4000, "10.1.0.2:4000");
        let alice = lab.person(&world, "Alice", "a", &["--listen=0.0.0.0:4000"]);
        let bob = lab.person(&world, "Bob", "b", &[]);
        let (node_a, node_b) = (alice.up(), bob.up());
        befriend(&alice, &bob, "198.51.100.11:4000");
        bob.does(&["send", "Alice", "from behind", "--wait", "delivered"]);
        alice.does(&["send", "Bob", "from behind too", "--wait", "delivered"]);
        let addresses = bob.lists(&["net"]);
        assert_eq!(addresses[0]["addr"], "198.51.100.11:4000");

        // Either starts anew: the one finds the other where they met.
        node_b.stop();
        alice.does(&["send", "Bob", "while you were away", "--wait", "queued"]);
        let node_b = bob.up();
        node_b.api().until(|api| {
            let last = api.history("Alice", 10).pop().unwrap();
            (last["text"] == "while you were away").then_some(())
        });
        node_a.stop();
        bob.does(&[
            "send",
            "Alice",
            "while you were away too",
            "--wait",
            "queued",
        ]);
        let node_a = alice.up();
        node_a.api().until(|api| {
            let last = api.history("Bob", 10).pop().unwrap();
            (last["text"] == "while you were away too").then_some(())
        });
    }

    /// An address goes and another comes, while both are speaking.
    #[test]
    #[ignore = "runs in a lab"]
    fn a_conversation_outlives_a_change_of_network() {
        const MESSAGES: usize = 60;
        let (world, lab) = (World::new(), Lab::new());
        lab.host("host-a", &["198.51.100.1/24"]);
        lab.host("host-b", &["198.51.100.2/24"]);
        let alice = lab.person(&world, "Alice", "host-a", &["--no-lan"]);
        let bob = lab.person(&world, "Bob", "host-b", &["--no-lan"]);
        let (node_a, node_b) = (alice.up(), bob.up());
        alice.befriend(&bob);
        let (mut from_a, mut from_b) = (node_a.api(), node_b.api());
        for number in 0..MESSAGES {
            match number {
                20 => lab.change("host-b", Some("198.51.100.2/24"), None),
                40 => lab.change("host-b", None, Some("198.51.100.3/24")),
                _ => {}
            }
            let send = |who: &str| json!({"who": who, "text": format!("message {number}"), "wait": "queued"});
            from_a.call("send", send("Bob"));
            from_b.call("send", send("Alice"));
        }
        let last = json!({"who": "Bob", "text": "the last", "wait": "delivered"});
        from_a.call("send", last);
        let last = json!({"who": "Alice", "text": "the last", "wait": "delivered"});
        from_b.call("send", last);
        let ids = [(from_a, "Bob"), (from_b, "Alice")].map(|(mut api, who)| {
            let all = api.history(who, 100);
            let ids = all.iter().map(|message| message["id"].to_string());
            ids.collect::<Vec<_>>()
        });
        assert_eq!(ids[0], ids[1]);
        let once: BTreeSet<_> = ids[0].iter().collect();
        assert_eq!(
            (ids[0].len(), once.len()),
            (2 * (MESSAGES + 1), 2 * (MESSAGES + 1))
        );
        let path = bob.lists(&["net"]).remove(0);
        assert_eq!(path["path"], "direct");
    }

    #[test]
    #[ignore = "runs in a lab"]
    fn two_talk_where_there_is_only_ipv6() {
        let (world, lab) = (World::new(), Lab::new());
        lab.host("host-a", &["fd99::1/64"]);
        lab.host("host-b", &["fd99::2/64"]);
        let alice = lab.person(&world, "Alice", "host-a", &["--no-lan"]);
        let bob = lab.person(&world, "Bob", "host-b", &["--no-lan"]);
        let (_node_a, node_b) = (alice.up(), bob.up());
        alice.befriend(&bob);
        alice.does(&["send", "Bob", "six", "--wait", "delivered"]);
        let address = &bob.lists(&["net"])[0]["addr"];
        assert!(
            address.as_str().unwrap().starts_with("[fd99::1]:"),
            "{address}"
        );
        node_b.stop();
        // A command without a node, too.
        let sent = bob.does(&["send", "Alice", "seven", "--wait", "delivered"]);
        assert_eq!(sent["state"], "delivered");
    }
}
