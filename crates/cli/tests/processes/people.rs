//! Who becomes a contact, and who does not.

use serde_json::{Value, json};

use crate::harness::{Node, Person, World};

/// Waits until somebody is a contact at a node.
fn knows(node: &Node, other: &Person) {
    node.api().until(|api| {
        let contacts = api.call("contacts", json!({}));
        contacts["contacts"]
            .as_array()
            .unwrap()
            .iter()
            .any(|contact| contact["did"] == *other.did)
            .then_some(())
    });
}

#[test]
fn a_link_for_several_leads_to_requests() {
    let world = World::new();
    let [alice, bob, carol] = ["Alice", "Bob", "Carol"].map(|name| world.person(name));
    let node_a = alice.up();
    let (node_b, node_c) = (bob.up(), carol.up());
    let link = alice.invites(&["--reusable"]);
    let mut hears = node_a.api();
    hears.call("subscribe", json!({}));

    let asked = bob.does(&["accept", &link, "--remark", "from the choir"]);
    assert_eq!(asked["state"], "requested");
    assert_eq!(asked["session"], Value::Null);
    assert_eq!(carol.does(&["accept", &link])["state"], "requested");
    let heard = hears.event_of("request");
    assert_eq!(
        (&heard["name"], &heard["state"]),
        (&json!("Bob"), &json!("waiting"))
    );
    let requests = alice.lists(&["requests"]);
    assert_eq!(requests.len(), 2);
    let of = |name: &str| {
        requests
            .iter()
            .find(|request| request["name"] == name)
            .unwrap()
    };
    assert_eq!(of("Bob")["did"], *bob.did);
    assert_eq!(of("Bob")["remark"], "from the choir");
    assert_eq!(of("Carol")["remark"], Value::Null);
    assert_eq!(alice.lists(&["contacts"]).len(), 0);
    assert_eq!(bob.lists(&["requests", "--sent"])[0]["state"], "requested");

    let id = of("Bob")["id"].as_str().unwrap();
    let accepted = alice.does(&["request", "accept", &id[..6]]);
    assert_eq!(accepted["state"], "accepted");
    knows(&node_a, &bob);
    knows(&node_b, &alice);
    assert_eq!(bob.does(&["accept", &link])["state"], "connected");

    let mut at_carol = node_c.api();
    at_carol.call("subscribe", json!({}));
    let reject = ["request", "reject", &carol.did, "--remark", "who are you?"];
    assert_eq!(alice.does(&reject)["state"], "rejected");
    // Carol's node goes on asking until it hears so; her person asks sooner.
    carol
        .says(&["accept", &link])
        .fails(5, &["said no", "who are you?"]);
    assert_eq!(at_carol.event_of("accept")["state"], "rejected");
    assert_eq!(carol.lists(&["contacts"]).len(), 0);
    assert_eq!(alice.lists(&["requests"]).len(), 0);
    assert_eq!(alice.lists(&["requests", "--all"])[0]["state"], "rejected");
    alice
        .says(&["request", "accept", "123456"])
        .fails(4, &["tenet requests"]);
}

#[test]
fn without_a_running_node_requests_are_made_and_decided_too() {
    let world = World::new();
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let link = {
        let _node = alice.up();
        let link = alice.invites(&["--reusable", "--question", "Which street?"]);
        bob.says(&["accept", &link])
            .fails(5, &["ask something first", "Which street?"]);
        assert_eq!(alice.lists(&["requests"]).len(), 0);
        let accept = ["accept", &link, "--remark", "Elm Street"];
        assert_eq!(bob.does(&accept)["state"], "requested");
        link
    };
    let node_b = bob.up();
    let request = &alice.lists(&["requests"])[0];
    assert_eq!(request["remark"], "Elm Street");
    alice.does(&["request", "accept", request["id"].as_str().unwrap()]);
    knows(&node_b, &alice);
    assert_eq!(alice.lists(&["contacts"])[0]["did"], *bob.did);
    assert_eq!(alice.lists(&["requests", "--all"]).len(), 0);
    assert_eq!(bob.does(&["accept", &link])["state"], "connected");
}

#[test]
fn who_is_blocked_is_heard_again_only_after_it() {
    let world = World::new();
    let [(alice, node_a), (bob, node_b)] = world.friends();
    bob.does(&["send", "Alice", "one", "--wait", "delivered"]);
    assert_eq!(alice.does(&["contact", "block", "Bob"])["blocked"], true);
    // Bob is told nothing, and what he writes waits.
    bob.says(&[
        "send",
        "Alice",
        "two",
        "--wait",
        "delivered",
        "--timeout",
        "2",
    ])
    .code(1);
    assert_eq!(alice.texts("Bob"), ["one"]);
    alice
        .says(&["send", "Bob", "no"])
        .fails(5, &["blocked", "unblock"]);
    // It outlasts the process.
    node_a.stop();
    let node_a = alice.up();
    let contact = &alice.lists(&["contacts"])[0];
    assert_eq!(
        (&contact["blocked"], &contact["presence"]),
        (&json!(true), &json!("unknown"))
    );
    let link = alice.invites(&[]);
    bob.says(&["accept", &link]).fails(5, &["no such link"]);

    let mut hears = node_a.api();
    hears.call("subscribe", json!({}));
    assert_eq!(alice.does(&["contact", "unblock", "Bob"])["blocked"], false);
    assert_eq!(hears.event_of("message")["text"], "two");
    assert_eq!(alice.texts("Bob"), ["one", "two"]);
    drop(node_b);
}

#[test]
fn who_is_removed_hears_so_and_may_be_met_again() {
    let world = World::new();
    let [(alice, node_a), (bob, node_b)] = world.friends();
    alice.does(&["send", "Bob", "one", "--wait", "delivered"]);
    let mut hears = node_b.api();
    hears.call("subscribe", json!({}));
    assert_eq!(alice.does(&["contact", "remove", "Bob"])["did"], *bob.did);
    while hears.event_of("contact")["change"] != "left" {}
    assert_eq!(alice.lists(&["contacts"]).len(), 0);
    alice.says(&["history", "Bob"]).code(4);
    let left = &bob.lists(&["contacts"])[0];
    assert!(left["warning"].as_str().unwrap().contains("ended"));
    assert_eq!(bob.texts("Alice"), ["one"]);
    bob.says(&["send", "Alice", "two"])
        .fails(5, &["ended", "new link"]);

    // Also after a restart, and by a link of the other one.
    node_a.stop();
    let _node_a = alice.up();
    let link = bob.invites(&[]);
    assert_eq!(alice.does(&["accept", &link])["name"], "Bob");
    alice.does(&["send", "Bob", "three", "--wait", "delivered"]);
    for (one, other) in [(&alice, "Bob"), (&bob, "Alice")] {
        assert_eq!(one.texts(other), ["one", "three"]);
        assert_eq!(one.lists(&["contacts"])[0]["warning"], Value::Null);
    }
}

#[test]
fn an_open_door_is_enough_to_ask() {
    let world = World::new();
    let [alice, bob, carol] = ["Alice", "Bob", "Carol"].map(|name| world.person(name));
    let (node_a, node_b) = (alice.up(), bob.up());
    let door = alice.does(&["door"]);
    assert_eq!(
        (&door["open"], &door["did"]),
        (&json!(false), &json!(alice.did))
    );
    let at = door["address"].as_str().unwrap();
    let add = ["contact", "add", &alice.did, "--at", at];
    bob.says(&add).fails(5, &["no such link"]);

    let open = alice.does(&["door", "open", "--question", "Which team?"]);
    assert_eq!(
        (&open["open"], &open["question"]),
        (&json!(true), &json!("Which team?"))
    );
    bob.says(&add)
        .fails(5, &["ask something first", "Which team?"]);
    let asked = bob.does(&[&add[..], &["--remark", "red", "--name", "Al"]].concat());
    assert_eq!(
        (&asked["state"], &asked["name"]),
        (&json!("requested"), &json!("Al"))
    );
    assert_eq!(alice.does(&["door", "close"])["open"], false);
    let carols = ["contact", "add", &alice.did, "--at", at, "--remark", "red"];
    carol.says(&carols).fails(5, &["no such link"]);
    assert_eq!(alice.lists(&["requests"])[0]["remark"], "red");
    assert_eq!(
        alice.lists(&["invites", "--all"]).len(),
        0,
        "a door is no link"
    );
    alice.does(&["request", "accept", &bob.did]);
    knows(&node_b, &alice);
    knows(&node_a, &bob);
    assert_eq!(bob.lists(&["contacts"])[0]["name"], "Al");
    for bad in [
        &["contact", "add", &alice.did][..],
        &["contact", "add", &alice.did, "--at", "x@y"],
    ] {
        carol.says(bad).code(2);
    }
}

#[test]
fn a_file_is_enough_to_ask_and_a_sealed_one_to_come_in() {
    let world = World::new();
    let [alice, bob, carol] = ["Alice", "Bob", "Carol"].map(|name| world.person(name));
    let _nodes = (alice.up(), bob.up());
    let (card, sealed) = (world.path().join("card"), world.path().join("sealed"));
    let (card, sealed) = (card.to_str().unwrap(), sealed.to_str().unwrap());

    alice.does(&["contact", "card", card]);
    alice.says(&["contact", "card", card]).code(1);
    bob.says(&["contact", "add", "--file", card])
        .fails(5, &["no such link"]);
    alice.does(&["door", "open"]);
    let asked = bob.does(&["contact", "add", "--file", card]);
    assert_eq!(
        (&asked["did"], &asked["state"]),
        (&json!(alice.did), &json!("requested"))
    );
    alice.does(&["door", "close"]);

    let password = alice.writes("password", "correct horse\n");
    let made = alice.does(&["contact", "card", sealed, "--password-file", &password]);
    assert_eq!(made["kind"], "link");
    let wrong = carol.writes("wrong", "battery staple\n");
    let add = ["contact", "add", "--file", sealed, "--password-file"];
    carol
        .says(&[&add[..], &[&wrong]].concat())
        .fails(5, &["wrong password"]);
    let text = std::fs::read_to_string(sealed).unwrap();
    let damaged = carol.writes("damaged", &text.replace('A', "B"));
    let add_damaged = [
        "contact",
        "add",
        "--file",
        &damaged,
        "--password-file",
        &password,
    ];
    carol.says(&add_damaged).fails(2, &["damaged"]);
    carol
        .says(&["contact", "add", "--file", &wrong])
        .fails(2, &["tenet contact card"]);
    carol
        .says(&["contact", "add", "--file", "/nowhere"])
        .code(4);
    let added = carol.does(&[&add[..], &[&password]].concat());
    assert_eq!(added["state"], "connected");
    bob.says(&[&add[..], &[&password]].concat())
        .fails(5, &["used"]);
}
