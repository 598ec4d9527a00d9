//! Sessions of many, as real processes.

use serde_json::{Value, json};

use crate::harness::{PATIENCE, Person, World};

/// Waits until a command's objects are as they should be.
fn until(person: &Person, args: &[&str], holds: impl Fn(&[Value]) -> bool) {
    let begun = std::time::Instant::now();
    loop {
        let rows = person.lists(args);
        if holds(&rows) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{args:?}: {rows:?}");
    }
}

fn texts(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row["text"].as_str()).collect()
}

/// NODE-502, NODE-106: founded, talked in, somebody's role changed, somebody taken out who hears of it.
#[test]
fn three_talk_in_a_group_until_one_is_taken_out() {
    let world = World::new();
    let [alice, bob, carol] = ["Alice", "Bob", "Carol"].map(|name| world.person(name));
    let _nodes = [alice.up(), bob.up(), carol.up()];
    alice.befriend(&bob);
    alice.befriend(&carol);
    let group = alice.does(&["group", "new", "Walkers", "Bob"]);
    assert_eq!(
        (&group["name"], &group["role"]),
        (&json!("Walkers"), &json!("owner"))
    );
    until(&bob, &["group", "list"], |rows| {
        rows.len() == 1 && rows[0]["name"] == "Walkers" && rows[0]["role"] == "member"
    });
    alice.does(&["group", "add", "Walkers", "Carol", "--role", "observer"]);
    until(&carol, &["group", "list"], |rows| rows.len() == 1);
    bob.does(&["send", "Walkers", "on Sunday?"]);
    for person in [&alice, &carol] {
        until(person, &["history", "Walkers"], |rows| {
            texts(rows) == ["on Sunday?"]
        });
    }
    // An observer reads. Its role is changed, and it writes.
    alice.does(&["group", "role", "Walkers", "Carol", "member"]);
    until(&carol, &["group", "list"], |rows| {
        rows[0]["role"] == "member"
    });
    carol.does(&["send", "Walkers", "on Sunday."]);
    for person in [&alice, &bob] {
        until(person, &["history", "Walkers"], |rows| rows.len() == 2);
    }
    let members = alice.lists(&["group", "members", "Walkers"]);
    let roles: Vec<_> = members
        .iter()
        .map(|one| (&one["name"], &one["role"]))
        .collect();
    assert_eq!(roles[0], (&json!("Alice"), &json!("owner")));
    assert!(roles.contains(&(&json!("Carol"), &json!("member"))));
    assert_eq!(members.len(), 3);

    bob.says(&["group", "remove", "Walkers", "Alice"])
        .fails(5, &["your role"]);
    alice.does(&["group", "remove", "Walkers", "Carol"]);
    until(&carol, &["group", "list"], |rows| {
        rows[0]["role"] == Value::Null
    });
    carol
        .says(&["send", "Walkers", "and now?"])
        .fails(5, &["not in"]);
    alice.does(&["send", "Walkers", "among us"]);
    until(&bob, &["history", "Walkers"], |rows| rows.len() == 3);
    assert_eq!(carol.lists(&["history", "Walkers"]).len(), 2);
    until(&bob, &["conversations"], |rows| {
        rows.iter()
            .any(|row| row["name"] == "Walkers" && row["last"]["text"] == "among us")
    });
    bob.says(&["group", "members", "Runners"])
        .fails(4, &["tenet group list"]);
}
