//! A network that a test makes: a bridge, hosts and NATs on it.

use std::process::Command;

use tenet_identity::meeting::link::Link;

use crate::harness::{Person, World};

/// Where nobody is.
pub(super) const STALE: &str = "198.51.100.77:7777";

/// The bridge `pub` in this namespace; whatever else there is hangs on it.
pub(super) struct Lab;

impl Lab {
    pub(super) fn new() -> Self {
        run("ip link add pub type bridge");
        run("ip link set pub up");
        Self
    }

    /// A host on the bridge with these addresses.
    pub(super) fn host(&self, name: &str, addresses: &[&str]) {
        self.attach(name);
        for address in addresses {
            self.change(name, None, Some(address));
        }
    }

    /// A NAT on the bridge, and a host behind it: nobody is let in but who was spoken to, by address and
    /// port, and each flow goes out from a port of its own.
    pub(super) fn nat(&self, name: &str, address: &str, host: &str, network: &str) {
        self.host(name, &[address]);
        add(host);
        run(&format!(
            "ip link add inner netns {name} type veth peer name eth0 netns {host}"
        ));
        within(name, &format!("ip address add {network}.1/24 dev inner"));
        within(name, "ip link set inner up");
        within(host, &format!("ip address add {network}.2/24 dev eth0"));
        within(host, "ip link set eth0 up");
        within(host, &format!("ip route add default via {network}.1"));
        within(name, "sysctl -qw net.ipv4.ip_forward=1");
        for rule in [
            "add table ip lab",
            "add chain ip lab out { type nat hook postrouting priority srcnat; }",
            "add chain ip lab in { type nat hook prerouting priority dstnat; }",
            "add chain ip lab through { type filter hook forward priority 0; policy drop; }",
            "add rule ip lab out oifname eth0 masquerade fully-random",
            "add rule ip lab through iifname inner accept",
            "add rule ip lab through ct state established,related accept",
            "add rule ip lab through ct status dnat accept",
        ] {
            nft(name, rule);
        }
    }

    /// What comes to a NAT's port goes to a host behind it.
    pub(super) fn forward(&self, nat: &str, port: u16, to: &str) {
        nft(
            nat,
            &format!("add rule ip lab in iifname eth0 udp dport {port} dnat to {to}"),
        );
    }

    /// An address of a host goes, and another comes.
    pub(super) fn change(&self, name: &str, old: Option<&str>, new: Option<&str>) {
        if let Some(old) = old {
            within(name, &format!("ip address del {old} dev eth0"));
        }
        if let Some(new) = new {
            let nodad = if new.contains(':') { " nodad" } else { "" };
            within(name, &format!("ip address add {new} dev eth0{nodad}"));
            // Groups are reached by what has a route.
            let route = if new.contains(':') {
                "-6 route"
            } else {
                "route"
            };
            within(name, &format!("ip {route} replace default dev eth0"));
        }
    }

    /// Somebody at a host, whose program runs there.
    pub(super) fn person(&self, world: &World, name: &str, host: &str, flags: &[&str]) -> Person {
        let mut person = world.stranger(name);
        person.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        person.wrapper = ["ip", "netns", "exec", host].map(str::to_owned).to_vec();
        person.begin();
        person
    }

    fn attach(&self, name: &str) {
        add(name);
        run(&format!(
            "ip link add {name} type veth peer name eth0 netns {name}"
        ));
        run(&format!("ip link set {name} master pub up"));
        within(name, "ip link set eth0 up");
    }
}

/// Becomes a contact by a link that says this about where its maker is.
pub(crate) fn befriend(alice: &Person, bob: &Person, at: &str) {
    let link = Link::parse(&alice.invites(&["--name", &bob.name])).unwrap();
    let mut ext = link.ext().clone();
    ext.addresses = vec![at.parse().unwrap()];
    let link = Link::new(*link.invite(), None, ext).unwrap();
    let accepted = bob.does(&["accept", &link.text(), "--name", &alice.name]);
    assert_eq!(accepted["state"], "connected");
}

/// A namespace with nothing but loopback.
fn add(name: &str) {
    run(&format!("ip netns add {name}"));
    within(name, "ip link set lo up");
}

fn within(namespace: &str, line: &str) {
    run(&format!("ip netns exec {namespace} {line}"));
}

fn nft(namespace: &str, rule: &str) {
    let status = Command::new("ip")
        .args(["netns", "exec", namespace, "nft", rule])
        .status();
    assert!(status.unwrap().success(), "nft {rule}");
}

#[track_caller]
fn run(line: &str) {
    let mut words = line.split(' ');
    let status = Command::new(words.next().unwrap()).args(words).status();
    assert!(status.unwrap().success(), "{line}");
}
