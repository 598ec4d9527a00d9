//! Two people write to each other: with nodes, without, and while one is away.

use serde_json::{Value, json};

use crate::harness::{Node, Person, World};

#[test]
fn what_is_said_and_changed_stands_the_same_on_both_sides() {
    let world = World::new();
    let [(alice, node_a), (bob, node_b)] = world.friends();
    let first = said(&alice, "Bob", "Shall we meet?");
    let answer = [
        "send",
        "Alice",
        "Where?",
        "--reply",
        &first,
        "--wait",
        "delivered",
    ];
    let answer = id(&bob.does(&answer));
    let regret = said(&bob, "Alice", "Never mind.");

    alice.does(&["edit", &first, "Shall we meet at five?"]);
    bob.does(&["edit", &answer, "Where then?"]);
    alice.does(&["react", &answer, "👍"]);
    bob.does(&["react", &first, "❤"]);
    bob.does(&["react", &first, "🎉"]);
    bob.does(&["react", &first, "❤", "--remove"]);
    bob.does(&["unsend", &regret]);
    alice
        .says(&["edit", &answer, "mine"])
        .fails(5, &["only its author"]);
    alice
        .says(&["unsend", &regret])
        .fails(5, &["only its author"]);

    let whole = |messages: &[Value]| {
        messages.len() == 3
            && messages[0]["text"] == "Shall we meet at five?"
            && messages[0]["reactions"] == json!({"🎉": [bob.did]})
            && messages[1]["text"] == "Where then?"
            && messages[1]["reply"] == *first
            && messages[1]["reactions"] == json!({"👍": [alice.did]})
            && messages[2]["unsent"] == true
            && messages[2]["text"].is_null()
    };
    for (node, other) in [(&node_a, &bob), (&node_b, &alice)] {
        until_history(node, other, whole);
    }
}

/// CLI-10
#[test]
fn a_beginning_of_an_id_names_a_message() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    let first = said(&alice, "Bob", "one");
    let second = said(&alice, "Bob", "two");
    let short = |id: &str| id[..12].to_owned();
    assert_eq!(alice.does(&["edit", &short(&first), "uno"])["id"], *first);
    alice.does(&["react", &short(&first).to_uppercase(), "👍"]);
    alice.does(&["unsend", &short(&second)]);
    let answer = alice.does(&["send", "Bob", "three", "--reply", &short(&first)]);
    let before = ["history", "Bob", "--before", &short(&second)];
    let messages = alice.lists(&before);
    assert_eq!(ids(&messages), std::slice::from_ref(&first));
    assert_eq!(messages[0]["text"], "uno");
    assert_eq!(messages[0]["reactions"], json!({"👍": [alice.did]}));
    let messages = alice.history("Bob");
    assert_eq!(messages[1]["unsent"], true);
    assert_eq!(
        (&messages[2]["id"], &messages[2]["reply"]),
        (&answer["id"], &json!(first))
    );

    // Nothing begins so, but by a chance of one in 2^46.
    alice
        .says(&["react", "0123456789ab", "👍"])
        .fails(4, &["no message", "history WHO --ids"]);
    alice
        .says(&["react", &first[..5], "👍"])
        .fails(2, &["at least the first 6"]);
    alice
        .says(&["unsend", "first one"])
        .fails(2, &["names no message"]);
    drop(bob);
}

#[test]
fn read_positions_are_told_and_can_be_kept_to_oneself() {
    let world = World::new();
    let [(alice, node_a), (bob, _node_b)] = world.friends();
    let seen = said(&alice, "Bob", "Seen?");
    assert_eq!(bob.does(&["read", "Alice"])["id"], *seen);
    until_history(&node_a, &bob, |messages| messages[0]["state"] == "read");

    assert_eq!(bob.does(&["settings", "read_positions"])["value"], "on");
    let set = bob.does(&["settings", "read_positions", "off"]);
    assert_eq!(
        (&set["value"], &set["default"]),
        (&json!("off"), &json!("on"))
    );
    said(&alice, "Bob", "And now?");
    bob.does(&["read", "Alice"]);
    // Whatever Bob's node says after the reading, it says in order: the answer comes last.
    said(&bob, "Alice", "No.");
    let messages = alice.history("Bob");
    let states: Vec<_> = messages.iter().map(|message| &message["state"]).collect();
    assert_eq!(states[..2], ["read", "delivered"]);
}

/// CON-202: what people say of themselves reaches their contacts, old and new, and renames nobody.
#[test]
fn a_profile_is_seen_by_contacts_and_renames_nobody() {
    let world = World::new();
    let [(alice, node_a), (bob, _node_b)] = world.friends();
    let set = alice.does(&["profile", "--name", "Alicia", "--status", "by the sea"]);
    assert_eq!(
        (&set["name"], &set["status"]),
        (&"Alicia".into(), &"by the sea".into())
    );
    bob.does(&["sync"]);
    let seen = bob.lists(&["contacts"]).pop().unwrap();
    assert_eq!(
        (&seen["name"], &seen["nickname"]),
        (&"Alice".into(), &"Alicia".into())
    );
    assert_eq!(
        (&seen["status"], &seen["avatar"]),
        (&"by the sea".into(), &Value::Null)
    );

    // It outlives the node, and goes to whoever is met later.
    node_a.stop();
    let _node_a = alice.up();
    assert_eq!(alice.does(&["id", "show"])["name"], "Alicia");
    let carol = world.person("Carol");
    let _node_c = carol.up();
    let link = alice.invites(&[]);
    assert_eq!(carol.does(&["accept", &link])["name"], "Alicia");
    carol.does(&["sync"]);
    assert_eq!(carol.lists(&["contacts"])[0]["status"], "by the sea");

    let wrong = alice.says(&["profile", "--status", &"x".repeat(300)]);
    wrong.fails(2, &["at most"]);
    let folder = world.path().display().to_string();
    alice
        .says(&["profile", "--avatar", &folder])
        .fails(1, &["cannot read"]);
}

#[test]
fn settings_are_listed_and_wrong_ones_named() {
    let world = World::new();
    let alice = world.person("Alice");
    let all = alice.lists(&["settings"]);
    let names: Vec<_> = all
        .iter()
        .map(|setting| setting["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["fetch_unasked", "lan", "quota", "read_positions", "typing"]
    );
    alice.says(&["settings", "colour"]).fails(
        4,
        &[
            "colour",
            "there are: fetch_unasked, lan, quota, read_positions, typing",
        ],
    );
    alice
        .says(&["settings", "lan", "perhaps"])
        .fails(2, &["lan", "on", "off"]);
    assert_eq!(alice.does(&["settings", "lan"])["value"], "on");
}

#[test]
fn programs_follow_what_comes_line_by_line() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    let first = said(&alice, "Bob", "one");
    let mut follows = bob.follows(&["history", "Alice", "--follow"]);
    assert_eq!(follows.next()["id"], *first);
    let mut listens = bob.follows(&["listen"]);

    // It hears from when it has subscribed, which nothing tells; Alice writes until it hears.
    let status = |number: u32| said(&alice, "Bob", &format!("number {number}"));
    let second = status(2);
    assert_eq!(follows.next()["id"], *second);
    let (mut heard, mut number) = (None, 2);
    while heard.is_none() {
        number += 1;
        status(number);
        heard = listens.next_now();
    }
    let heard = heard.unwrap();
    assert_eq!(heard["event"], "message");
    assert_eq!(heard["author"], *alice.did);
    assert!(heard["seq"].is_u64());

    alice.does(&["react", &first, "👍"]);
    loop {
        let changed = follows.next();
        if changed["id"] == *first {
            assert_eq!(changed["reactions"], json!({"👍": [alice.did]}));
            break;
        }
    }
    assert_eq!(follows.stop().code(), Some(0));
    assert_eq!(listens.stop().code(), Some(0));
}

#[test]
fn a_message_to_somebody_who_is_away_waits() {
    let world = World::new();
    let [(alice, node_a), (bob, node_b)] = world.friends();
    node_b.stop();
    let late = alice.says(&[
        "send",
        "Bob",
        "later",
        "--wait",
        "delivered",
        "--timeout",
        "1",
    ]);
    let late = late.fails(1, &["kept"]).row();
    assert_eq!(late["state"], "queued");

    let node_b = bob.up();
    until_history(&node_b, &alice, |messages| ids(messages) == [id(&late)]);
    let delivered = |messages: &[Value]| messages[0]["state"] == "delivered";
    until_history(&node_a, &bob, delivered);
}

#[test]
fn without_nodes_commands_open_the_homes_themselves() {
    let world = World::new();
    let [(alice, node_a), (bob, node_b)] = world.friends();
    // What made them friends has arrived.
    assert_eq!(alice.does(&["sync"])["other"]["pending"], 0);
    node_a.stop();
    node_b.stop();

    let sent = alice
        .says(&["send", "Bob", "anybody there?", "--timeout", "1"])
        .ok();
    assert_eq!(sent.row()["state"], "queued");
    assert!(sent.err.contains("kept"), "{}", sent.err);
    let first = id(&sent.row());
    let edited = alice
        .says(&["edit", &first, "anybody at home?", "--timeout", "1"])
        .ok();
    assert!(edited.err.contains("kept"), "{}", edited.err);
    // A message, and its edit apart.
    let synced = alice.does(&["sync", "--timeout", "1"]);
    let waiting =
        json!({"sent": 0, "received": 0, "pending": 1, "other": {"sent": 0, "pending": 1}});
    assert_eq!(synced, waiting);
    assert_eq!(alice.does(&["status"])["running"], false);
    alice.says(&["lock"]).fails(3, &["no node"]);

    // Bob's node comes up: a plain command of Alice's brings all of it.
    let _node_b = bob.up();
    let synced = alice.does(&["sync"]);
    assert_eq!(
        (&synced["sent"], &synced["pending"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(synced["other"], json!({"sent": 1, "pending": 0}));
    assert_eq!(bob.texts("Alice"), ["anybody at home?"]);
    let second = alice.does(&["send", "Bob", "there you are"]);
    assert_eq!(second["state"], "delivered");
    let answer = bob.does(&["send", "Alice", "here I am"]);
    assert_eq!(answer["state"], "queued");
    let synced = alice.does(&["sync"]);
    assert_eq!(
        (&synced["sent"], &synced["received"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(bob.history("Alice").len(), 3);
}

#[test]
fn a_text_comes_from_stdin_and_keeps_its_lines() {
    let world = World::new();
    let [(alice, _node_a), (bob, node_b)] = world.friends();
    let text = "one\n  two\n\nfour\t\u{1b}[2J 🙂";
    alice.says_with(&["send", "Bob"], &format!("{text}\n")).ok();
    until_history(&node_b, &alice, |messages| {
        messages.len() == 1 && messages[0]["text"] == text
    });
    assert_eq!(bob.texts("Alice"), [text]);
}

#[test]
fn a_text_that_is_too_long_is_refused_whole_and_the_longest_arrives() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    let long = "é".repeat(32 * 1024);
    let said = alice.says_with(&["send", "Bob", "-"], &format!("{long}!"));
    said.fails(2, &["65537 bytes", "65536", "nothing was sent"]);
    assert_eq!(alice.history("Bob").len(), 0);
    let said = alice.says_with(&["send", "Bob", "-", "--wait", "delivered"], &long);
    said.ok();
    assert_eq!(bob.texts("Alice"), [long]);
    alice
        .says_with(&["send", "Bob", "-"], "")
        .fails(2, &["empty"]);
}

#[test]
fn whoever_is_not_known_is_named_with_those_who_are_near() {
    let world = World::new();
    let [(alice, _node_a), _bob] = world.friends();
    alice
        .says(&["send", "Bobb", "hello"])
        .fails(4, &["no contact \"Bobb\"", "perhaps Bob?"]);
    alice
        .says(&["history", "Zoe"])
        .fails(4, &["no contact \"Zoe\""]);
    let other = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
    alice
        .says(&["send", other, "hello"])
        .fails(4, &["no contact"]);
    alice
        .says(&["react", &"0".repeat(64), "👍"])
        .fails(4, &["no message"]);
    alice.says(&["--id", other, "status"]).fails(4, &[other]);
}

#[test]
fn a_node_keeps_its_port_when_it_starts_again() {
    let world = World::new();
    let mut alice = world.person("Alice");
    alice.flags = vec!["--no-lan".into()];
    let node = alice.up();
    let port = |node: &Node| node.addresses()[0].rsplit(':').next().unwrap().to_owned();
    let before = port(&node);
    node.kill();
    let node = alice.up();
    assert_eq!(port(&node), before);
    node.stop();
    assert_eq!(port(&alice.up()), before);
}

#[test]
fn two_talk_over_ipv6() {
    let world = World::new();
    let mut people = [world.person("Alice"), world.person("Bob")];
    for person in &mut people {
        person.flags = vec!["--no-lan".into(), "--listen=[::1]:0".into()];
    }
    let [alice, bob] = people;
    let (node_a, _node_b) = (alice.up(), bob.up());
    assert!(node_a.addresses()[0].starts_with("[::1]:"));
    alice.befriend(&bob);
    said(&alice, "Bob", "over six");
    let peers = bob.lists(&["net"]);
    assert_eq!(peers[0]["path"], "direct");
    assert!(peers[0]["addr"].as_str().unwrap().starts_with("[::1]:"));
}

#[test]
fn notes_to_oneself_stay_here() {
    let world = World::new();
    let alice = world.person("Alice");
    let note = alice.does(&["send", "self", "milk", "--wait", "queued"]);
    assert_eq!(alice.texts("self"), ["milk"]);
    assert_eq!(alice.history("self")[0]["id"], note["id"]);
}

/// Writes, and waits until it is delivered; the message's id.
fn said(from: &Person, to: &str, text: &str) -> String {
    let sent = from.does(&["send", to, text, "--wait", "delivered"]);
    assert_eq!(sent["state"], "delivered");
    id(&sent)
}

fn until_history(node: &Node, other: &Person, holds: impl Fn(&[Value]) -> bool) {
    node.api().until(|api| {
        let messages = api.history(&other.did, 50);
        (!messages.is_empty() && holds(&messages)).then_some(())
    });
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

fn ids(messages: &[Value]) -> Vec<String> {
    messages.iter().map(id).collect()
}
