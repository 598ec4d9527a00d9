//! What was said goes elsewhere: into another conversation, into a file.

use std::fs;

use serde_json::{Value, json};

use crate::harness::World;

/// CHAT-205
#[test]
fn a_message_is_forwarded_with_its_files() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    let carol = world.person("Carol");
    let node_c = carol.up();
    bob.befriend(&carol);
    let path = world.path().join("map.txt");
    fs::write(&path, "turn left").unwrap();
    let sent = alice.does(&[
        "send",
        "Bob",
        "the way",
        "--file",
        path.to_str().unwrap(),
        "--wait",
        "delivered",
    ]);
    let id = sent["id"].as_str().unwrap();
    alice.does(&["edit", id, "the way home"]);
    // Its file is here, so it can go along.
    bob.does(&["save", id, "--to", world.path().to_str().unwrap()]);
    let forwarded = bob.does(&["forward", &id[..12], "Carol"]);
    assert_ne!(forwarded["id"], *id);
    node_c
        .api()
        .until(|api| (!api.history(&bob.did, 5).is_empty()).then_some(()));
    let got = carol.history("Bob").pop().unwrap();
    assert_eq!(
        (&got["text"], &got["forwarded"]),
        (&json!("the way home"), &json!(true))
    );
    assert_eq!(
        got["author"], *bob.did,
        "by whom it was said first is not told"
    );
    let to = world.path().join("carol");
    fs::create_dir(&to).unwrap();
    let saved = carol.does(&[
        "save",
        got["id"].as_str().unwrap(),
        "--to",
        to.to_str().unwrap(),
    ]);
    let saved = saved["paths"][0].as_str().unwrap();
    assert_eq!(fs::read_to_string(saved).unwrap(), "turn left");
    assert_eq!(bob.history("Alice")[0]["forwarded"], false);

    let regret = alice.does(&["send", "self", "nonsense"]);
    let regret = regret["id"].as_str().unwrap();
    alice.does(&["unsend", regret]);
    alice
        .says(&["forward", regret, "Bob"])
        .fails(5, &["taken back"]);
    alice.says(&["forward", id, "Nobody"]).fails(4, &["Nobody"]);
}

/// CLI-201
#[test]
fn a_conversation_is_exported_whole_and_nothing_is_overwritten() {
    let world = World::new();
    let alice = world.person("Alice");
    let node = alice.up();
    let mut api = node.api();
    for number in 0..600 {
        api.call(
            "send",
            json!({"who": "self", "text": format!("note {number} <b>&")}),
        );
    }
    let path = world.path().join("map.txt");
    fs::write(&path, "turn left").unwrap();
    alice.does(&["send", "self", "the map", "--file", path.to_str().unwrap()]);
    let to = |name: &str| world.path().join(name).to_str().unwrap().to_owned();

    let done = alice.does(&["export", "self", &to("all.json"), "--format", "json"]);
    assert_eq!(done["messages"], 601);
    let text = fs::read_to_string(to("all.json")).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 601);
    for (number, line) in lines[..600].iter().enumerate() {
        assert_eq!(line["text"], format!("note {number} <b>&"));
    }

    alice.does(&[
        "export",
        "self",
        &to("all.html"),
        "--format",
        "html",
        "--files",
    ]);
    let page = fs::read_to_string(to("all.html")).unwrap();
    assert!(page.contains("note 599 &lt;b&gt;&amp;") && !page.contains("<b>&"));
    assert_eq!(
        fs::read_to_string(to("all.html.files/map.txt")).unwrap(),
        "turn left"
    );

    alice.does(&["export", "self", &to("all.txt")]);
    let text = fs::read_to_string(to("all.txt")).unwrap();
    assert_eq!(text.lines().count(), 602, "a line for the file too");
    let said = alice.says(&["export", "self", &to("all.txt")]);
    said.fails(1, &["all.txt", "nothing was exported"]);
    assert_eq!(fs::read_to_string(to("all.txt")).unwrap(), text);
    alice
        .says(&["export", "Nobody", &to("x")])
        .fails(4, &["Nobody"]);
    assert!(!world.path().join("x").exists());
}
