//! What two identities of one home have in common, on the disk and on the wire: nothing (`HOME-702`).
//!
//! ```text
//! home ─┬─ Alice ── Bob        each file of the one ╳ each file of the other: 16 equal bytes anywhere
//!       └─ Work ─── Carol      each packet of the one ╳ each of the other, and who they are in either
//! ```

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde_json::Value;
use tenet_identity::{did, meeting::link::Link, vault::Wrapped};

use crate::{
    harness::{Node, Person, World},
    network::in_namespace,
};

/// No two random texts have so many bytes in common.
const LONG: usize = 16;

/// What says of somebody who they are, in the forms in which it could stand somewhere.
type Traits = BTreeMap<String, Vec<u8>>;

#[test]
fn nothing_on_the_disk_ties_two_identities_together() {
    let world = World::new();
    let (alice, nodes) = four(&world, &["--no-lan"]);
    let folders = nodes.each_ref().map(|(node, _)| folder_of(&alice, node));
    let traits = nodes.each_ref().map(|(node, id)| traits(&alice, node, id));
    let compare = || {
        let files = folders.each_ref().map(|folder| files(folder));
        assert!(files.iter().all(|files| files.len() > 3), "{files:?}");
        for (files, others) in [(&files[0], &traits[1]), (&files[1], &traits[0])] {
            for (path, content) in files {
                assert_without(content, others, &path.display().to_string());
                assert_without(path.to_str().unwrap().as_bytes(), others, "a name");
            }
        }
        assert_apart(&files);
        // What lies beside them names neither.
        for entry in fs::read_dir(alice.home()).unwrap() {
            let path = entry.unwrap().path();
            let content = fs::read(&path).unwrap_or_default();
            for traits in &traits {
                assert_without(&content, traits, &path.display().to_string());
            }
        }
    };
    compare();
    let [(node_a, _), (node_w, _)] = nodes;
    node_a.kill();
    node_w.stop();
    compare();
}

#[test]
fn nothing_on_the_wire_ties_two_identities_together() {
    in_namespace(
        "apart",
        "nothing_on_the_wire_ties_two_identities_together",
        false,
    );
}

/// Two identities of one phrase in one home, both with a PIN, each with a contact, all at work; the
/// nodes of the two and by which id each is meant.
fn four(world: &World, flags: &[&str]) -> (Person, [(Node, String); 2]) {
    let mut alice = world.stranger("Alice");
    let pin = alice.writes("pin", "one and the same\n");
    alice.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
    alice.flags.push(format!("--pin-file={pin}"));
    alice.begin();
    let work = alice.does(&["id", "new", "--same-phrase", "--name", "Alice"]);
    let work = work["did"].as_str().unwrap().to_owned();
    let ids = [alice.did.clone(), work];
    let nodes = ids.map(|id| (alice.up_with(&["--id", &id]), id));
    for (name, (_, id)) in ["Bob", "Carol"].into_iter().zip(&nodes) {
        let mut friend = world.person(name);
        friend.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let _node = friend.up();
        let link = alice.invites(&["--name", name, "--id", id]);
        let accepted = friend.does(&["accept", &link, "--name", "Alice"]);
        assert_eq!(accepted["state"], "connected");
        let file = friend.writes("letter", &"the same letter to both. ".repeat(4_000));
        let sent = [
            "send",
            "Alice",
            "the same words",
            "--file",
            &file,
            "--wait",
            "delivered",
        ];
        friend.does(&sent);
        let answer = [
            "send",
            name,
            "the same answer",
            "--wait",
            "delivered",
            "--id",
            id,
        ];
        alice.does(&answer);
        let id_of = &alice.lists(&["history", name, "--id", id])[0]["id"];
        let to = world.path().join(format!("saved for {name}"));
        fs::create_dir(&to).unwrap();
        let save = [
            "save",
            id_of.as_str().unwrap(),
            "--to",
            to.to_str().unwrap(),
            "--id",
            id,
        ];
        alice.does(&save);
    }
    (alice, nodes)
}

fn folder_of(alice: &Person, node: &Node) -> PathBuf {
    let status = alice.does(&["status", "--id", node.ready["did"].as_str().unwrap()]);
    let socket = PathBuf::from(status["socket"].as_str().unwrap());
    socket.parent().unwrap().to_owned()
}

fn traits(alice: &Person, node: &Node, id: &str) -> Traits {
    let identity = did::parse(id).unwrap();
    let device = node.ready["device"].as_str().unwrap();
    let link = Link::parse(&alice.invites(&["--id", id])).unwrap();
    let vault = fs::read(folder_of(alice, node).join("vault")).unwrap();
    let vault = Wrapped::from_bytes(&vault).unwrap().vault();
    let keys = [
        ("identity", identity.as_bytes().to_vec()),
        ("device", HEXLOWER.decode(device.as_bytes()).unwrap()),
        ("endpoint", link.ext().endpoint.as_bytes().to_vec()),
        ("vault", vault.as_bytes().to_vec()),
    ];
    let mut traits = Traits::new();
    for (name, key) in keys {
        let base32 = BASE32_NOPAD.encode(&key);
        traits.insert(format!("{name} in hex"), HEXLOWER.encode(&key).into());
        traits.insert(format!("{name} in base32"), base32.to_lowercase().into());
        traits.insert(format!("{name} in BASE32"), base32.into());
        traits.insert(name.to_owned(), key);
    }
    traits.insert("DID".into(), id.as_bytes()["did:key:".len()..].to_vec());
    traits
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

#[track_caller]
fn assert_without(bytes: &[u8], traits: &Traits, what: &str) {
    for (name, needle) in traits {
        let found = bytes.windows(needle.len()).any(|part| part == needle);
        assert!(!found, "{what} holds the other's {name}");
    }
}

/// No text of 16 bytes stands in a file of both, but for what stands in such a file of everybody.
fn assert_apart(both: &[BTreeMap<PathBuf, Vec<u8>>; 2]) {
    let parts = |files: &BTreeMap<PathBuf, Vec<u8>>| -> HashSet<[u8; LONG]> {
        let parts = files
            .iter()
            .flat_map(|(path, content)| telling(path, content));
        parts.collect()
    };
    let [ours, theirs] = both.each_ref().map(parts);
    assert!(ours.len() > 50_000, "only {} were looked at", ours.len());
    if let Some(part) = ours.intersection(&theirs).next() {
        let holds = |(path, content): (&PathBuf, &Vec<u8>)| {
            content
                .windows(LONG)
                .any(|other| other == part)
                .then(|| path.clone())
        };
        let where_ = both.iter().flat_map(|files| files.iter().filter_map(holds));
        panic!("{part:02x?} stands in {:?}", where_.collect::<Vec<_>>());
    }
}

/// The parts of a file that could tell whose it is.
fn telling<'a>(path: &Path, content: &'a [u8]) -> impl Iterator<Item = [u8; LONG]> + use<'a> {
    let begin = match path.file_name().unwrap().to_str().unwrap() {
        // The index of the log, in which SQLite counts frames and pages from 1 (walformat.html §2): the
        // same in every database; what else is in it stands in the log's own header.
        "store.db-shm" => content.len(),
        // The head of the log: its kind, version, page size and how often it was folded (§1.1).
        "store.db-wal" => 16,
        _ => 0,
    };
    let parts = content.get(begin..).unwrap_or_default().windows(LONG);
    parts.map(|part| part.try_into().unwrap())
}

mod inside {
    use std::{
        sync::{Arc, Mutex},
        thread,
    };

    use rustix::net::{AddressFamily, SocketType, eth, socket};

    use super::*;

    /// With discovery on the local network, as it is usual.
    #[test]
    #[ignore = "runs in a namespace"]
    fn nothing_on_the_wire_ties_two_identities_together() {
        let packets = Arc::new(Mutex::new(Vec::new()));
        watch(Arc::clone(&packets));
        let world = World::new();
        let (alice, nodes) = four(&world, &[]);
        let traits = nodes.each_ref().map(|(node, id)| traits(&alice, node, id));
        let ports = nodes.each_ref().map(|(node, _)| port(node));
        for (node, _) in nodes {
            node.stop();
        }
        let packets = packets.lock().unwrap();
        let of = |port: u16| {
            let parts = packets.iter().filter_map(|packet| datagram(packet));
            let own = parts.filter(move |(ports, _)| ports.contains(&port));
            own.map(|(_, payload)| payload).collect::<Vec<_>>()
        };
        let both = ports.map(of);
        assert!(both.iter().all(|own| own.len() > 20), "too few packets");
        for (own, others) in [(&both[0], &traits[1]), (&both[1], &traits[0])] {
            for payload in own {
                assert_without(payload, others, "a packet");
            }
        }
        let parts = both.each_ref().map(|own| {
            let parts = own.iter().flat_map(|payload| payload.windows(LONG));
            parts.collect::<HashSet<_>>()
        });
        let common: Vec<_> = parts[0].intersection(&parts[1]).take(3).collect();
        assert!(common.is_empty(), "both say {common:02x?}");

        // Others are asked for on the local network one by one: no packet names two of us.
        for packet in packets.iter() {
            let named = traits.iter().filter(|traits| {
                let holds =
                    |needle: &Vec<u8>| packet.windows(needle.len()).any(|part| part == needle);
                traits.values().any(holds)
            });
            assert!(named.count() < 2, "a packet names both");
        }
        let announced = |name: &str| {
            let needle = &traits[0][name];
            packets
                .iter()
                .any(|packet| packet.windows(needle.len()).any(|part| part == needle))
        };
        assert!(
            ["endpoint", "endpoint in hex", "endpoint in base32"]
                .into_iter()
                .any(announced),
            "nobody was asked for on the local network"
        );
    }

    /// Keeps every packet that goes over any interface of this namespace.
    fn watch(packets: Arc<Mutex<Vec<Vec<u8>>>>) {
        let all = socket(AddressFamily::PACKET, SocketType::RAW, Some(eth::ALL)).unwrap();
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(length) = rustix::io::read(&all, &mut buffer[..]) {
                packets.lock().unwrap().push(buffer[..length].to_vec());
            }
        });
    }

    /// The UDP ports and the payload of a packet behind an Ethernet header, over IPv4 or IPv6 without options.
    fn datagram(packet: &[u8]) -> Option<([u16; 2], &[u8])> {
        let (kind, ip) = (packet.get(12..14)?, packet.get(14..)?);
        let (protocol, udp) = match kind {
            [0x08, 0x00] => (ip.get(9)?, ip.get(20..)?),
            [0x86, 0xdd] => (ip.get(6)?, ip.get(40..)?),
            _ => return None,
        };
        let number = |at: usize| Some(u16::from_be_bytes(udp.get(at..at + 2)?.try_into().ok()?));
        (*protocol == 17).then_some(([number(0)?, number(2)?], udp.get(8..)?))
    }

    fn port(node: &Node) -> u16 {
        let address = node.ready["addrs"].as_array().and_then(|all| all.first());
        let address = address.and_then(Value::as_str).unwrap();
        address.rsplit(':').next().unwrap().parse().unwrap()
    }
}
