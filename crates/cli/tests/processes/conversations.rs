//! Living with conversations: what is unread, muted, pinned, put away, begun to be written.

use serde_json::{Value, json};

use crate::harness::{Person, World};

fn with(person: &Person, name: &str) -> Value {
    let all = person.lists(&["conversations", "--all"]);
    let found = all
        .into_iter()
        .find(|conversation| conversation["name"] == name);
    found.unwrap_or_else(|| panic!("no conversation with {name}"))
}

fn names(person: &Person) -> Vec<String> {
    let all = person.lists(&["conversations"]);
    let name = |conversation: &Value| conversation["name"].as_str().unwrap().to_owned();
    all.iter().map(name).collect()
}

/// CHAT-204, also where nobody is told how far one has read.
#[test]
fn what_is_unread_is_counted_whether_or_not_others_are_told() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    for text in ["one", "two", "three"] {
        alice.does(&["send", "Bob", text, "--wait", "delivered"]);
    }
    bob.does(&["send", "Alice", "mine", "--wait", "delivered"]);
    assert_eq!(with(&bob, "Alice")["unread"], 3);
    assert_eq!(with(&bob, "Alice")["last"]["text"], "mine");
    assert_eq!(with(&alice, "Bob")["unread"], 1);
    bob.does(&["read", "Alice"]);
    assert_eq!(with(&bob, "Alice")["unread"], 0);

    bob.does(&["settings", "read_positions", "off"]);
    alice.does(&["send", "Bob", "four", "--wait", "delivered"]);
    assert_eq!(with(&bob, "Alice")["unread"], 1);
    bob.does(&["read", "Alice"]);
    assert_eq!(with(&bob, "Alice")["unread"], 0);
    assert_eq!(bob.history("Alice").pop().unwrap()["state"], "read");
    // Whatever Bob's node says after the reading, it says in order: the answer comes last.
    bob.does(&["send", "Alice", "No.", "--wait", "delivered"]);
    let states: Vec<_> = alice
        .history("Bob")
        .into_iter()
        .map(|m| m["state"].clone())
        .collect();
    assert_eq!(states[4], "delivered", "nobody was told");
}

/// CONV-1, CONV-3
#[test]
fn conversations_are_pinned_muted_and_put_away() {
    let world = World::new();
    let [(alice, node_a), (bob, _node_b)] = world.friends();
    alice.does(&["send", "self", "a note"]);
    alice.does(&["send", "Bob", "hello", "--wait", "delivered"]);
    assert_eq!(names(&alice), ["Bob", "self"]);
    assert_eq!(alice.does(&["conversation", "pin", "self"])["pinned"], true);
    assert_eq!(names(&alice), ["self", "Bob"]);
    alice.does(&["conversation", "unpin", "self"]);
    assert_eq!(names(&alice), ["Bob", "self"]);

    // Put away, and back with the next message.
    assert_eq!(
        alice.does(&["conversation", "archive", "Bob"])["archived"],
        true
    );
    assert_eq!(names(&alice), ["self"]);
    bob.does(&["send", "Alice", "are you there?", "--wait", "delivered"]);
    assert_eq!(names(&alice), ["Bob", "self"]);

    // Muted it stays away, and its messages are not announced.
    alice.does(&["conversation", "mute", "Bob"]);
    alice.does(&["conversation", "archive", "Bob"]);
    bob.does(&["send", "Alice", "hey!", "--wait", "delivered"]);
    assert_eq!(names(&alice), ["self"]);
    assert_eq!(with(&alice, "Bob")["muted"], true);
    node_a.stop();
    let _node = alice.up();
    assert_eq!(names(&alice), ["self"]);
    let shown = alice.does(&["conversation", "unarchive", "Bob"]);
    assert_eq!(
        (&shown["archived"], &shown["unread"]),
        (&json!(false), &json!(2))
    );
    alice
        .says(&["conversation", "mute", "Nobody"])
        .fails(4, &["Nobody"]);
}

/// API-202
#[test]
fn a_new_message_says_whether_it_is_to_be_announced() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    let listening = alice.follows(&["listen", "--kinds", "message,conversation"]);
    // What is listened to is there once something is heard.
    let mut pinned = json!(null);
    while pinned != true {
        alice.does(&["conversation", "unpin", "Bob"]);
        alice.does(&["conversation", "pin", "Bob"]);
        while let Some(event) = listening.next_now() {
            assert_eq!(event["event"], "conversation");
            pinned = event["pinned"].clone();
        }
    }
    let heard = |text: &str| loop {
        let event = listening.next();
        if event["event"] == "message" && event["text"] == text {
            return event["notify"].clone();
        }
    };
    bob.does(&["send", "Alice", "one"]);
    assert_eq!(heard("one"), true);
    alice.does(&["send", "Bob", "two"]);
    assert_eq!(heard("two"), false);
    alice.does(&["conversation", "mute", "Bob"]);
    bob.does(&["send", "Alice", "three"]);
    assert_eq!(heard("three"), false);
    // CHAT-206: whoever is named is told all the same.
    bob.does(&["send", "Alice", "see you, @alice!"]);
    assert_eq!(heard("see you, @alice!"), true);
    let last = alice.history("Bob").pop().unwrap();
    assert_eq!(last["mentions"], json!([alice.did]));
}

/// CONV-4
#[test]
fn a_draft_is_kept_until_it_is_cleared() {
    let world = World::new();
    let alice = world.person("Alice");
    assert!(alice.does(&["draft", "self"])["draft"].is_null());
    alice.does(&["draft", "self", "buy mi"]);
    assert_eq!(alice.does(&["draft", "self"])["draft"], "buy mi");
    let said = alice
        .says_with(&["draft", "self", "-"], "buy milk\n")
        .ok()
        .row();
    assert_eq!(said["draft"], "buy milk");
    let too_long = "x".repeat(65_537);
    alice
        .says_with(&["draft", "self", "-"], &too_long)
        .fails(2, &["65537 bytes"]);
    assert_eq!(alice.does(&["draft", "self"])["draft"], "buy milk");
    assert!(alice.does(&["draft", "self", "--clear"])["draft"].is_null());
    assert!(alice.does(&["draft", "self"])["draft"].is_null());
}

/// CHAT-19, CHAT-21, NODE-30: with real clocks, and across a restart.
#[test]
fn what_is_said_under_a_timer_disappears_on_both_sides() {
    let world = World::new();
    let [(alice, node_a), (bob, _node_b)] = world.friends();
    alice.does(&["send", "Bob", "for good", "--wait", "delivered"]);
    assert!(alice.does(&["timer", "Bob"])["seconds"].is_null());
    alice.says(&["timer", "Bob", "soon"]).fails(2, &["5m"]);
    alice.says(&["timer", "Bob", "53w"]).fails(2, &["366 days"]);
    assert_eq!(alice.does(&["timer", "Bob", "1h"])["seconds"], 3600);
    assert_eq!(alice.does(&["timer", "Bob", "10s"])["did"], alice.did);
    let listening = bob.follows(&["listen", "--kinds", "message,gone"]);
    alice.does(&["send", "Bob", "for a moment", "--wait", "delivered"]);
    assert_eq!(bob.does(&["timer", "Alice"])["seconds"], 10);
    node_a.stop();
    let gone = loop {
        let event = listening.next();
        if event["event"] == "gone" {
            break event["id"].clone();
        }
    };
    let left = ["text", "timer", "timer"];
    let kinds = |person: &Person, who: &str| -> Vec<String> {
        let history = person.history(who).into_iter();
        history
            .map(|m| m["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(kinds(&bob, "Alice"), left);
    // Here nothing ran when its time came.
    assert_eq!(kinds(&alice, "Bob"), left);
    alice
        .says(&["react", gone.as_str().unwrap(), "👍"])
        .fails(4, &["no message"]);
    assert!(alice.lists(&["search", "moment"]).is_empty());
    let timer = alice.history("Bob")[1]["id"].as_str().unwrap().to_owned();
    alice.says(&["unsend", &timer]).fails(5, &["tenet timer"]);
    alice
        .says(&["forward", &timer, "self"])
        .fails(5, &["change of the timer"]);
    let said = alice.plain(&["history", "Bob"]).ok().out;
    assert!(
        said.contains("messages disappear after 10 seconds"),
        "{said}"
    );
}

/// NODE-401, NODE-402
#[test]
fn who_types_is_seen_while_they_do() {
    let world = World::new();
    let [(alice, node_a), (bob, _node_b)] = world.friends();
    let mut at_alice = node_a.api();
    at_alice.call("subscribe", json!({}));
    let said = bob.does(&["typing", "Alice"]);
    assert_eq!(said["told"], true);
    let seen = at_alice.event_of("typing");
    assert_eq!(
        (&seen["typing"], &seen["did"]),
        (&json!(true), &json!(bob.did))
    );
    assert_eq!(
        (&seen["name"], &seen["session"]),
        (&json!("Bob"), &said["session"])
    );
    assert_eq!(with(&alice, "Bob")["typing"], true);
    bob.does(&["send", "Alice", "hello"]);
    assert_eq!(at_alice.event_of("typing")["typing"], false);
    assert_eq!(at_alice.event_of("message")["text"], "hello");
    assert_eq!(with(&alice, "Bob")["typing"], false);

    alice.does(&["settings", "typing", "off"]);
    assert_eq!(alice.does(&["typing", "Bob"])["told"], false);
    alice.says(&["typing", "Nobody"]).fails(4, &["Nobody"]);
    node_a.stop();
    alice.says(&["typing", "Bob"]).code(3);
}
