//! Whom the program contacts, in a network namespace of its own where every packet is ours.
//!
//! A test here runs this very program again inside the namespace, with the ignored test of the
//! same name under `inside`. In it are loopback, an interface `lan` that leads nowhere, and a
//! default route over it. The nodes run under strace, which tells every address that they name.

use std::process::Command;

use crate::harness::skipped;

/// Makes the network and becomes the program that is given.
const NETWORK: &str = "set -e
ip link set lo up
ip link add lan type veth peer name far
ip link set lan addrgenmode none
ip address add 10.99.0.1/24 dev lan
ip address add fd99::1/64 dev lan nodad
ip link set lan up
ip link set far addrgenmode none up
ip route add default via 10.99.0.254
exec \"$@\"";

#[test]
fn without_lan_only_the_peer_is_contacted() {
    in_namespace("network", "without_lan_only_the_peer_is_contacted", true);
}

#[test]
fn with_lan_only_the_peer_and_the_groups_are_contacted() {
    in_namespace(
        "network",
        "with_lan_only_the_peer_and_the_groups_are_contacted",
        true,
    );
}

#[test]
fn a_link_with_stale_addresses_is_found_on_the_lan() {
    in_namespace(
        "network",
        "a_link_with_stale_addresses_is_found_on_the_lan",
        false,
    );
}

/// Runs the test of this name in the module's `inside`, in a network of its own.
pub(crate) fn in_namespace(module: &str, test: &str, traced: bool) {
    let Some(user) = unshare(&["--net"], "true") else {
        return skipped(test, "this user may not make a network namespace");
    };
    if traced && !works("strace", &["-o", "/dev/null", "true"]) {
        return skipped(test, "there is no strace that works here");
    }
    run_inside(user, &["--net"], NETWORK, module, test);
}

/// Which options let this user do what the script does in namespaces of its own, if any.
pub(crate) fn unshare(options: &[&str], script: &str) -> Option<&'static [&'static str]> {
    let users: [&'static [&'static str]; 2] = [&[], &["--map-root-user"]];
    users.into_iter().find(|user| {
        let script = ["sh", "-ec", script];
        works("unshare", &[user, options, &script].concat())
    })
}

/// Runs an ignored test of this program, behind a script that makes its network.
pub(crate) fn run_inside(user: &[&str], options: &[&str], script: &str, module: &str, test: &str) {
    let status = Command::new("unshare")
        .args(user)
        .args(options)
        .args(["sh", "-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::inside::{test}")])
        .args(["--ignored", "--nocapture", "--test-threads=1"])
        .status()
        .unwrap();
    assert!(status.success(), "{test}: {status}");
}

fn works(program: &str, args: &[&str]) -> bool {
    let output = Command::new(program).args(args).output();
    output.is_ok_and(|output| output.status.success())
}

mod inside {
    use std::{collections::BTreeSet, fs, net::SocketAddr, path::PathBuf};

    use crate::{
        harness::{Node, Person, World},
        natlab::befriend,
    };

    /// Where nobody is.
    const STALE: &str = "10.99.0.77:7777";

    /// Multicast DNS (RFC 6762 §3).
    const GROUPS: [&str; 2] = ["224.0.0.251:5353", "[ff02::fb]:5353"];

    #[test]
    #[ignore = "runs in a namespace"]
    fn without_lan_only_the_peer_is_contacted() {
        let (addresses, contacted) = converse(&["--no-lan"]);
        let strangers: Vec<_> = contacted.difference(&addresses).collect();
        assert!(
            strangers.is_empty(),
            "{strangers:?} are none of {addresses:?}"
        );
        assert!(!contacted.is_empty(), "the trace shows nothing");
    }

    #[test]
    #[ignore = "runs in a namespace"]
    fn with_lan_only_the_peer_and_the_groups_are_contacted() {
        let (mut addresses, contacted) = converse(&[]);
        addresses.insert(STALE.parse().unwrap());
        let groups: [SocketAddr; 2] = GROUPS.map(|group| group.parse().unwrap());
        let strangers = contacted.difference(&addresses);
        let strangers: Vec<_> = strangers
            .filter(|address| !groups.contains(address))
            .collect();
        assert!(
            strangers.is_empty(),
            "{strangers:?} are none of {addresses:?}"
        );
        assert!(
            contacted.contains(&groups[0]),
            "nobody asked on the LAN: {contacted:?}"
        );
    }

    #[test]
    #[ignore = "runs in a namespace"]
    fn a_link_with_stale_addresses_is_found_on_the_lan() {
        let world = World::new();
        let [alice, bob] = people(&world, &[]);
        let (_node_a, _node_b) = (alice.up(), bob.up());
        befriend(&alice, &bob, STALE);
        bob.does(&["send", "Alice", "found you", "--wait", "delivered"]);
    }

    /// All that two people do with each other, while every address is noted that their nodes and
    /// commands name: where the two are met, and those.
    fn converse(flags: &[&str]) -> (BTreeSet<SocketAddr>, BTreeSet<SocketAddr>) {
        let world = World::new();
        let [mut alice, mut bob] = people(&world, flags);
        let traces = [&mut alice, &mut bob].map(|person| {
            // Detached (-D), so that what is signalled is the program and not its tracer.
            let trace = world.path().join(format!("trace of {}", person.name));
            person.wrapper = [
                "strace",
                "-D",
                "-f",
                "-qq",
                "-yy",
                "-e",
                "trace=network,write,writev",
                "-A",
                "-o",
            ]
            .map(str::to_owned)
            .to_vec();
            person.wrapper.push(trace.to_str().unwrap().to_owned());
            trace
        });
        let (node_a, node_b) = (alice.up(), bob.up());
        let mut addresses: BTreeSet<SocketAddr> = BTreeSet::new();
        addresses.extend(listens(&node_a));
        addresses.extend(listens(&node_b));
        match flags {
            // Met by LAN discovery alone, so that it has taken place.
            [] => befriend(&alice, &bob, STALE),
            _ => alice.befriend(&bob),
        }
        alice.does(&["send", "Bob", "hello", "--wait", "delivered"]);
        // A restart dials from what is remembered, and a command without a node does.
        node_b.stop();
        alice.does(&["send", "Bob", "are you there?"]);
        let sent = bob.does(&["send", "Alice", "now", "--wait", "delivered"]);
        assert_eq!(sent["state"], "delivered");
        let node_b = bob.up();
        addresses.extend(listens(&node_b));
        bob.does(&["doctor"]);
        bob.does(&["sync"]);
        node_a.stop();
        node_b.stop();
        (addresses, contacted(&traces))
    }

    fn people(world: &World, flags: &[&str]) -> [Person; 2] {
        ["Alice", "Bob"].map(|name| {
            let mut person = world.person(name);
            person.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
            person
        })
    }

    /// Every address of this machine with the node's port.
    fn listens(node: &Node) -> Vec<SocketAddr> {
        let addresses = node.addresses();
        let port = addresses[0].rsplit(':').next().unwrap();
        let own = ["10.99.0.1", "[fd99::1]", "127.0.0.1", "[::1]"];
        own.map(|ip| format!("{ip}:{port}").parse().unwrap())
            .to_vec()
    }

    /// The addresses that traced processes sent to or tried to connect with.
    fn contacted(traces: &[PathBuf]) -> BTreeSet<SocketAddr> {
        let mut found = BTreeSet::new();
        for trace in traces {
            for line in fs::read_to_string(trace).unwrap().lines() {
                found.extend(addresses_in(line));
            }
        }
        found
    }

    /// The addresses in a line of strace to which something goes: not the sender of what comes, and
    /// not what a datagram socket is only connected to, which sends nothing (the system is asked so
    /// by which of its addresses it would reach another); what it then sends would show its peer.
    fn addresses_in(line: &str) -> Vec<SocketAddr> {
        let call = line.split_whitespace().nth(1).unwrap_or_default();
        let sends = ["send", "write"]
            .iter()
            .any(|begin| call.starts_with(begin));
        let connects = call.starts_with("connect(") && !call.contains("<UDP");
        if !(sends || connects) {
            return Vec::new();
        }
        let connected = line
            .split("->")
            .skip(1)
            .filter_map(|rest| rest.split_once("]>")?.0.parse().ok());
        named_in(line).into_iter().chain(connected).collect()
    }

    /// The addresses that a call names.
    fn named_in(line: &str) -> Vec<SocketAddr> {
        let four = line.split("sin_port=htons(").skip(1).map(|rest| {
            let port = rest.split(')').next().unwrap();
            let ip = between(rest, "inet_addr(\"");
            format!("{ip}:{port}")
        });
        let six = line.split("sin6_port=htons(").skip(1).map(|rest| {
            let port = rest.split(')').next().unwrap();
            let ip = between(rest, "inet_pton(AF_INET6, \"");
            match ip.strip_prefix("::ffff:") {
                Some(ip) => format!("{ip}:{port}"),
                None => format!("[{ip}]:{port}"),
            }
        });
        four.chain(six)
            .map(|address| address.parse().unwrap())
            .collect()
    }

    fn between<'a>(text: &'a str, begin: &str) -> &'a str {
        let rest = text.split_once(begin).unwrap_or_else(|| panic!("{text}")).1;
        rest.split('"').next().unwrap()
    }

    /// The trace is read rightly, or the stories above would hold of anything.
    #[test]
    fn lines_of_strace_are_read() {
        let read = |line: &str| {
            let addresses = addresses_in(line);
            addresses
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        let line = "77 sendmmsg(9<UDP:[0.0.0.0:5]>, [{msg_hdr={msg_name={sa_family=AF_INET, \
             sin_port=htons(5353), sin_addr=inet_addr(\"224.0.0.251\")}, msg_namelen=16}}, \
             {msg_hdr={msg_name={sa_family=AF_INET6, sin6_port=htons(7), \
             sin6_flowinfo=htonl(0), inet_pton(AF_INET6, \"ff02::fb\", &sin6_addr), \
             sin6_scope_id=2}}}], 2, 0) = 2";
        assert_eq!(read(line), ["224.0.0.251:5353", "[ff02::fb]:7"]);
        let line = "77 sendto(4<UDPv6:[[::1]:5->[::1]:99]>, \"x\", 1, 0, NULL, 0) = 1";
        assert_eq!(read(line), ["[::1]:99"]);
        let line = "77 write(4<TCP:[127.0.0.1:5->127.0.0.1:9]>, \"x\", 1) = 1";
        assert_eq!(read(line), ["127.0.0.1:9"]);
        let connect = |kind: &str| {
            read(&format!(
                "77 connect(4<{kind}:[448]>, {{sa_family=AF_INET, sin_port=htons(7), \
                 sin_addr=inet_addr(\"127.0.0.1\")}}, 16) = 0"
            ))
        };
        assert_eq!(connect("TCP"), ["127.0.0.1:7"]);
        assert_eq!(connect("UDP"), [""; 0]);
        assert_eq!(
            read("77 connect(3<UNIX-STREAM:[8]>, {sa_family=AF_UNIX}, 2) = 0"),
            [""; 0]
        );
        assert_eq!(
            read("77 sendto(3<UNIX-STREAM:[8->9]>, \"x\", 1, 0, NULL, 0) = 1"),
            [""; 0]
        );
    }
}
