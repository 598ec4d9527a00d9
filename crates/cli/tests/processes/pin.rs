//! The PIN: set, changed, removed, mistyped, and what is open without it.

use std::fs;

use serde_json::json;

use crate::harness::{Person, World};

#[test]
fn a_pin_is_set_changed_and_removed() {
    let world = World::new();
    let alice = world.person("Alice");
    alice.does(&["send", "self", "mine", "--wait", "queued"]);
    let store = fs::read(alice.identity().join("store.db")).unwrap();
    let pin = |args: &[&str], stdin: &str| alice.says_with(&[&["pin"], args].concat(), stdin);

    pin(&["change"], "1\n2\n").fails(5, &["no PIN yet", "pin set"]);
    pin(&["remove"], "1\n").fails(5, &["no PIN yet"]);
    pin(&["set"], "").fails(2, &["stdin"]);
    assert_eq!(pin(&["set"], "1234\n").ok().row(), json!({"pin": true}));
    pin(&["set"], "5678\n").fails(5, &["a PIN already", "pin change"]);

    for command in [&["history", "self"][..], &["up"], &["contacts"]] {
        alice.says(command).fails(5, &["PIN", "--pin-file"]);
    }
    let status = alice.does(&["status"]);
    assert_eq!(
        (&status["mode"], &status["pin"]),
        (&json!("locked"), &json!(true))
    );
    assert_eq!(status["name"], json!(null));
    assert_eq!(read(&alice, "1234"), ["mine"]);

    pin(&["change"], "4321\n5678\n").fails(5, &["wrong PIN"]);
    pin(&["change"], "1234\n5678\n").ok();
    alice
        .says_with(&["history", "self", "--pin-file", "-"], "1234\n")
        .fails(5, &["wrong PIN"]);
    assert_eq!(read(&alice, "5678"), ["mine"]);
    assert_eq!(pin(&["remove"], "5678\n").ok().row(), json!({"pin": false}));
    assert_eq!(alice.texts("self"), ["mine"]);
    let after = fs::read(alice.identity().join("store.db")).unwrap();
    assert!(after == store, "only the wrapping of the key was changed");
}

#[test]
fn wrong_pins_slow_down_across_restarts() {
    let world = World::new();
    let alice = world.person("Alice");
    alice.says_with(&["pin", "set"], "1234\n").ok();
    let tries = |pin: &str| {
        let pin = format!("{pin}\n");
        alice.says_with(&["contacts", "--pin-file", "-"], &pin)
    };
    for _ in 0..2 {
        assert!(
            !tries("0000")
                .fails(5, &["wrong PIN"])
                .err
                .contains("can be tried in")
        );
    }
    // Each wait is the double of the last, and what is tried meanwhile is not looked at.
    let third = tries("0000").fails(5, &["wrong PIN", "can be tried in"]);
    assert!(third.err.contains("1 s"), "{}", third.err);
    let mut wrong = 3;
    while wrong < 5 {
        let said = tries("0000").code(5);
        match said.err.contains("too many wrong PINs") {
            true => assert!(said.err.contains("wait"), "{}", said.err),
            false => wrong += 1,
        }
    }
    // Four seconds now, for the right one too, and for a node.
    tries("1234").fails(5, &["too many wrong PINs: wait"]);
    let file = alice.writes("pin", "1234\n");
    alice
        .says(&["up", "--pin-file", &file])
        .fails(5, &["too many wrong PINs: wait"]);
    // The phrase opens it at once.
    let restored = format!("8888\n{}\n", alice.phrase);
    alice
        .says_with(&["id", "restore", "--pin-file", "-"], &restored)
        .ok();
    tries("8888").ok();
}

#[test]
fn a_running_node_is_locked_and_unlocked() {
    let world = World::new();
    let [(alice, node_a), (bob, _node_b)] = world.friends();
    alice.says(&["lock"]).fails(5, &["PIN"]);
    alice.says_with(&["pin", "set"], "1234\n").ok();
    let mut hears = node_a.api();
    hears.call("subscribe", json!({}));

    assert_eq!(alice.does(&["lock"]), json!({"locked": true}));
    assert_eq!(hears.closing(), "closed");
    let status = alice.does(&["status"]);
    assert_eq!(status["running"], true);
    assert_eq!(status["mode"], "locked");
    for command in [
        &["send", "Bob", "hello"][..],
        &["contacts"],
        &["history", "Bob"],
        &["invite"],
        &["id", "phrase"],
    ] {
        alice
            .says_with(command, "1234\n")
            .fails(5, &["locked", "tenet unlock"]);
    }
    let sent = bob.says(&[
        "send",
        "Alice",
        "are you there?",
        "--wait",
        "delivered",
        "--timeout",
        "1",
    ]);
    assert_eq!(sent.code(1).row()["state"], "queued");

    alice
        .says_with(&["unlock"], "9999\n")
        .fails(5, &["wrong PIN"]);
    assert_eq!(
        alice.says_with(&["unlock"], "1234\n").ok().row(),
        json!({"locked": false})
    );
    node_a.api().until(|api| {
        let messages = api.history(&bob.did, 10);
        (messages.len() == 1 && messages[0]["text"] == "are you there?").then_some(())
    });
    node_a.stop();
}

#[test]
fn the_phrase_is_shown_again_for_the_pin() {
    let world = World::new();
    let alice = world.person("Alice");
    let shown = json!({"phrase": alice.phrase, "passphrase": false, "index": 0});
    assert_eq!(alice.does(&["id", "phrase"]), shown);
    alice.says_with(&["pin", "set"], "1234\n").ok();
    let file = alice.writes("pin", "1234\n");
    let node = alice.up_with(&["--pin-file", &file]);
    // The home is open, and yet it asks.
    alice.says(&["id", "phrase"]).fails(2, &["stdin"]);
    alice
        .says_with(&["id", "phrase"], "9999\n")
        .fails(5, &["wrong PIN"]);
    assert_eq!(
        alice.says_with(&["id", "phrase"], "1234\n").ok().row(),
        shown
    );
    node.stop();
    assert_eq!(alice.says_with(&["id", "phrase"], "1234\n").code, Some(5));
    let with = ["id", "phrase", "--pin-file", &file];
    assert_eq!(alice.does(&with), shown);
}

fn read(person: &Person, pin: &str) -> Vec<String> {
    let said = person.says_with(&["history", "self", "--pin-file", "-"], &format!("{pin}\n"));
    let rows = said.ok().rows();
    rows.iter()
        .map(|row| row["text"].as_str().unwrap().to_owned())
        .collect()
}
