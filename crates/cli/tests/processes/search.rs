//! Finding what was said.

use serde_json::Value;

use crate::harness::{Person, World};

/// What a search finds.
fn finds(person: &Person, args: &[&str]) -> Vec<Value> {
    person.lists(&[&["search"], args].concat())
}

fn texts(found: &[Value]) -> Vec<&str> {
    found
        .iter()
        .map(|found| found["text"].as_str().unwrap())
        .collect()
}

/// CHAT-202, CHAT-203, API-201
#[test]
fn what_was_said_is_found_with_what_stands_around_it() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    let plan = world.path().join("Gartenplan.pdf");
    std::fs::write(&plan, "a garden").unwrap();
    for text in [
        "Shall we meet at five?",
        "or at six",
        "at the Café, 東京 👍",
    ] {
        alice.does(&["send", "Bob", text, "--wait", "delivered"]);
    }
    let wrong = alice.does(&["send", "Bob", "five o'clock"]);
    let wrong = wrong["id"].as_str().unwrap();
    alice.does(&["send", "Bob", "the plan", "--file", plan.to_str().unwrap()]);
    let last = bob.does(&["send", "Alice", "five it is", "--wait", "delivered"]);
    alice.does(&["send", "self", "five candles"]);
    alice.does(&["unsend", wrong]);

    let five = finds(&alice, &["five"]);
    assert_eq!(
        texts(&five),
        ["Shall we meet at five?", "five it is", "five candles"]
    );
    assert_eq!(five[0]["hits"], serde_json::json!([[17, 21]]));
    let of = |found: &Value| found["conversation"].as_str().unwrap().to_owned();
    assert_eq!(
        five.iter().map(of).collect::<Vec<_>>(),
        ["Bob", "Bob", "self"]
    );
    for (args, expected) in [
        (
            &["five", "--in", "Bob", "--from", "Bob"] as &[&str],
            "five it is",
        ),
        (&["\"at five\""], "Shall we meet at five?"),
        (&["CAFE"], "at the Café, 東京 👍"),
        (&["京"], "at the Café, 東京 👍"),
        (&["👍"], "at the Café, 東京 👍"),
        (&["gartenpl"], "the plan"),
        (&["--files"], "the plan"),
        (&["five", "--in", "self"], "five candles"),
        (&["five", "--since", "1h", "--limit", "1"], "five candles"),
    ] {
        assert_eq!(texts(&finds(&alice, args)), [expected], "{args:?}");
    }
    assert!(finds(&alice, &["five", "--until", "1h"]).is_empty());
    assert!(finds(&alice, &["o'clock"]).is_empty(), "it was taken back");

    let id = last["id"].as_str().unwrap();
    let before = finds(&alice, &["five", "--before", id]);
    assert_eq!(texts(&before), ["Shall we meet at five?"]);
    let around = finds(&alice, &["six", "--context", "1"]);
    assert_eq!(around[0]["before"][0]["text"], "Shall we meet at five?");
    assert_eq!(around[0]["after"][0]["text"], "at the Café, 東京 👍");

    alice.says(&["search"]).fails(2, &["nothing to look for"]);
    alice
        .says(&["search", "x", "--in", "Nobody"])
        .fails(4, &["Nobody"]);
    alice
        .says(&["search", "x", "--since", "soon"])
        .fails(2, &["a day like"]);
}

/// NODE-201: a home that no node runs on is searched too.
#[test]
fn words_are_found_after_a_restart() {
    let world = World::new();
    let alice = world.person("Alice");
    let node = alice.up();
    alice.does(&["send", "self", "remember the milk"]);
    node.kill();
    assert_eq!(finds(&alice, &["milk"]).len(), 1);
    let node = alice.up();
    assert_eq!(texts(&finds(&alice, &["remember"])), ["remember the milk"]);
    node.stop();
}
