//! One person's devices, as real processes: let in, told everything, renamed, revoked.

use std::{fs, path::Path, process::Command};

use crate::files::{file, folder, saved};
use crate::harness::{Node, Person, World};

/// Waits until a command's objects are as they should be.
fn until(person: &Person, args: &[&str], holds: impl Fn(&[serde_json::Value]) -> bool) {
    let begun = std::time::Instant::now();
    while !holds(&person.lists(args)) {
        assert!(
            begun.elapsed() < crate::harness::PATIENCE,
            "{args:?}: {:?}",
            person.lists(args)
        );
    }
}

fn texts(rows: &[serde_json::Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row["text"].as_str()).collect()
}

/// Alice and Bob, who have talked, and a home of Alice's that is empty yet.
fn begin(world: &World) -> (Person, Person, Person, [Node; 2]) {
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let nodes = [alice.up(), bob.up()];
    alice.befriend(&bob);
    alice.does(&["send", "Bob", "from the phone", "--wait", "delivered"]);
    let mut tablet = world.stranger("Tablet");
    tablet.did.clone_from(&alice.did);
    (alice, bob, tablet, nodes)
}

/// DLINK-1 to DLINK-8 and NODE-32 to NODE-37.
#[test]
fn a_second_device_is_let_in_hears_all_and_is_revoked() {
    let world = World::new();
    let (alice, bob, tablet, _nodes) = begin(&world);
    let made = alice.does(&["device", "link"]);
    let link = made["link"].as_str().unwrap();
    bob.says(&["accept", link])
        .fails(2, &["another device", "tenet device join"]);
    let joined = tablet.does(&["device", "join", link, "--name", "Tablet"]);
    assert_eq!(joined["did"], alice.did.as_str());
    assert_eq!(joined["name"], "Alice");
    assert_eq!(joined["emoji"].as_array().unwrap().len(), 7);
    let late = world.stranger("Carol");
    late.says(&["device", "join", link])
        .fails(5, &["not good any more"]);
    // There is no phrase in it, and nothing was left of the home that was refused.
    tablet.says(&["id", "phrase"]).fails(4, &["not kept"]);
    late.says(&["id", "show"]).code(4);

    let _there = tablet.up();
    until(&tablet, &["history", "Bob"], |rows| {
        texts(rows) == ["from the phone"]
    });
    tablet.does(&["send", "Bob", "from the tablet", "--wait", "delivered"]);
    for (person, with) in [(&alice, "Bob"), (&bob, "Alice")] {
        until(person, &["history", with], |rows| {
            texts(rows) == ["from the phone", "from the tablet"]
        });
    }
    alice.does(&["contact", "rename", "Bob", "Bobby"]);
    until(&tablet, &["contacts"], |rows| rows[0]["name"] == "Bobby");

    let id = joined["device"].as_str().unwrap();
    alice.does(&["device", "rename", &id[..8], "Kitchen"]);
    until(&tablet, &["device", "list"], |rows| {
        rows.len() == 2 && rows.iter().any(|row| row["name"] == "Kitchen")
    });
    let own = alice.does(&["id", "show"])["device"].to_string();
    let own = own.trim_matches('"');
    tablet
        .says(&["device", "revoke", &own[..8]])
        .fails(5, &["not kept on this device", "--phrase"]);
    let known = bob.lists(&["contact", "devices", "Alice"]);
    assert_eq!(known.len(), 2);
    assert_eq!(
        (&known[1]["device"], &known[1]["name"]),
        (&id.into(), &"Tablet".into())
    );
    assert!(
        known
            .iter()
            .all(|row| row["ended"].is_null() && row["revoked"] == false)
    );
    let revoked = alice.does(&["device", "revoke", id]);
    assert_eq!(revoked["revoked"], true);
    until(&bob, &["contact", "devices", "Alice"], |rows| {
        rows[0]["revoked"] == false && rows[1]["revoked"] == true && rows[1]["ended"].is_u64()
    });
    tablet.does(&["send", "Bobby", "I am still Alice"]);
    alice.does(&["send", "Bobby", "alone again", "--wait", "delivered"]);
    let seen = bob.lists(&["history", "Alice"]);
    assert_eq!(texts(&seen).last(), Some(&"alone again"));
    assert!(!texts(&seen).contains(&"I am still Alice"));
}

/// DLINK-5: a person compares first, and says no or yes.
#[test]
fn a_device_waits_until_both_screens_were_compared() {
    let world = World::new();
    let (alice, _bob, tablet, nodes) = begin(&world);
    let mut api = nodes[0].api();
    api.call("subscribe", serde_json::json!({}));
    for same in [false, true] {
        let made = alice.does(&["device", "link", "--ask"]);
        let link = made["link"].as_str().unwrap().to_owned();
        let said = std::thread::scope(|scope| {
            let joining = scope.spawn(|| tablet.says(&["device", "join", &link]));
            let asks = api.event_of("device");
            assert_eq!(
                (&asks["change"], &asks["waits"]),
                (&"asks".into(), &true.into())
            );
            assert_eq!(asks["emoji"].as_array().unwrap().len(), 7);
            let confirm: &[&str] = match same {
                true => &["device", "confirm"],
                false => &["device", "confirm", "--no"],
            };
            alice.does(confirm);
            joining.join().unwrap()
        });
        match same {
            true => assert_eq!(said.ok().row()["did"], alice.did.as_str()),
            false => drop(said.fails(5, &["refused at the other device"])),
        }
    }
    alice
        .says(&["device", "confirm"])
        .fails(4, &["no device waits"]);
}

/// NODE-701: under another key and endpoint, with all that was there, and the former one is nobody.
#[test]
fn a_device_gets_another_key() {
    let world = World::new();
    let (alice, bob, _tablet, [node, _there]) = begin(&world);
    let former = alice.does(&["id", "show"])["device"].clone();
    alice.says(&["device", "renew"]).code(5);
    node.stop();
    let renewed = alice.does(&["device", "renew"]);
    assert_ne!(renewed["device"], former);
    let listed = alice.lists(&["device", "list"]);
    let of = |revoked: bool| listed.iter().filter(move |row| row["revoked"] == revoked);
    assert_eq!(of(true).next().unwrap()["device"], former);
    assert_eq!(of(false).count(), 1);
    let _again = alice.up();
    alice.does(&["send", "Bob", "under another key", "--wait", "delivered"]);
    until(&bob, &["history", "Alice"], |rows| {
        texts(rows) == ["from the phone", "under another key"]
    });
}

/// A folder with all that is in it, with its rights.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.unwrap().success());
}

/// BACK-1 to BACK-4: an old copy of the home is put back.
#[test]
fn a_home_that_was_set_back_goes_on_under_another_key() {
    let world = World::new();
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let there = bob.up();
    let node = alice.up();
    alice.befriend(&bob);
    alice.does(&["send", "Bob", "one", "--wait", "delivered"]);
    let before = alice.does(&["id", "show"])["device"].clone();
    node.stop();
    let kept = world.path().join("kept");
    copy(&alice.home(), &kept);
    let node = alice.up();
    alice.does(&["send", "Bob", "two", "--wait", "delivered"]);
    node.stop();
    std::fs::remove_dir_all(alice.home()).unwrap();
    copy(&kept, &alice.home());

    let _node = alice.up();
    until(&alice, &["device", "list"], |rows| {
        rows.iter()
            .any(|row| row["this"] == true && row["device"] != before)
    });
    until(&alice, &["history", "Bob"], |rows| {
        texts(rows) == ["one", "two"]
    });
    alice.does(&["send", "Bob", "three", "--wait", "delivered"]);
    until(&bob, &["history", "Alice"], |rows| {
        texts(rows) == ["one", "two", "three"]
    });
    drop(there);
}

/// OWN-901 to OWN-906: how it is, and that the others do not speak with it for a while.
#[test]
fn a_device_says_how_it_is_and_is_suspended_for_a_while() {
    let world = World::new();
    let (alice, bob, tablet, _nodes) = begin(&world);
    let made = alice.does(&["device", "link"]);
    let link = made["link"].as_str().unwrap();
    tablet.does(&["device", "join", link, "--name", "Tablet"]);
    let _there = tablet.up();
    let of = |rows: &[serde_json::Value], this: bool| {
        rows.iter()
            .find(|row| row["this"] == this)
            .cloned()
            .unwrap()
    };
    for person in [&alice, &tablet] {
        until(person, &["device", "list"], |rows| {
            rows.iter()
                .all(|row| row["status"]["version"] == env!("CARGO_PKG_VERSION"))
        });
        let other = of(&person.lists(&["device", "list"]), false);
        assert!(other["status"]["disk"].as_u64() > Some(0), "{other}");
        assert!(other["status"]["at"].as_u64() <= other["last_seen"].as_u64());
    }

    tablet
        .says(&["device", "suspend", "no such device"])
        .code(4);
    let suspended = alice.does(&["device", "suspend", "Tablet"]);
    assert_eq!(
        (&suspended["suspended"], &suspended["name"]),
        (&true.into(), &"Tablet".into())
    );
    until(&tablet, &["device", "list"], |rows| {
        of(rows, true)["suspended"] == true
    });
    until(&alice, &["device", "list"], |rows| {
        of(rows, false)["online"] == false
    });
    tablet.says(&["device", "resume", "Tablet"]).code(5);
    tablet.does(&["send", "me", "noted meanwhile"]);
    tablet.does(&["send", "Bob", "to Bob all the same", "--wait", "delivered"]);
    until(&bob, &["history", "Alice"], |rows| {
        texts(rows).contains(&"to Bob all the same")
    });
    assert!(texts(&alice.lists(&["history", "me"])).is_empty());
    assert!(!texts(&bob.lists(&["history", "Alice"])).contains(&"noted meanwhile"));

    let resumed = alice.does(&["device", "resume", "Tablet"]);
    assert_eq!(resumed["suspended"], false);
    until(&alice, &["history", "me"], |rows| {
        texts(rows) == ["noted meanwhile"]
    });
}

/// NODE-903: a file comes from both of Alice's devices, and what is spoilt on one comes from the other.
#[test]
fn a_file_comes_from_all_who_have_it_also_where_one_is_damaged() {
    let world = World::new();
    let (alice, bob, tablet, [_node, there]) = begin(&world);
    let made = alice.does(&["device", "link"]);
    tablet.does(&["device", "join", made["link"].as_str().unwrap()]);
    let _tablet = tablet.up();
    until(&tablet, &["history", "Bob"], |rows| texts(rows).len() == 1);
    there.stop();

    let (path, bytes) = file(&world, "film.mp4", 8 << 20);
    let sent = alice.does(&["send", "Bob", "--file", &path]);
    until(&tablet, &["files", "list", "Bob"], |rows| {
        rows.iter().any(|row| row["state"] == "here")
    });
    let kept = fs::read_dir(tablet.identity().join("files")).unwrap();
    let mut kept = kept.map(|entry| entry.unwrap().path());
    let spoilt = kept.find(|path| path.extension().is_none()).unwrap();
    let mut sealed = fs::read(&spoilt).unwrap();
    for at in [1, 5] {
        sealed[at << 20] ^= 1;
    }
    fs::write(&spoilt, sealed).unwrap();

    let _again = bob.up();
    until(&bob, &["history", "Alice"], |rows| rows.len() == 2);
    let to = folder(&world, "saved");
    let paths = saved(&bob, &sent["id"], &to);
    assert_eq!(fs::read(&paths[0]).unwrap(), bytes);
}
