//! Naming people in groups, as real processes: who is no contact is named too.

use std::time::Instant;

use serde_json::Value;

use crate::harness::{PATIENCE, Person, World};

/// Waits until a group's members are as they should be.
fn until(person: &Person, holds: impl Fn(&[Value]) -> bool) {
    let begun = Instant::now();
    loop {
        let rows = person.lists(&["group", "members", "Walkers"]);
        if holds(&rows) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{rows:?}");
    }
}

fn are_called(rows: &[Value], wanted: &[&str]) -> bool {
    let mut names: Vec<_> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    names.sort_unstable();
    names == wanted
}

/// What somebody wrote who is no contact is found by what they call themselves, too.
fn is_found(by: &Person, carol: &Person) {
    until(carol, |rows| rows.iter().all(|row| row["muted"] == false));
    carol.does(&["send", "Walkers", "up the hill", "--wait", "delivered"]);
    for from in ["carol", &carol.did] {
        let found = by.lists(&["search", "hill", "--from", from]);
        assert_eq!(found.len(), 1, "{from}");
    }
    let elsewhere = by.says(&["search", "hill", "--from", "Carol", "--in", "self"]);
    elsewhere.fails(4, &["no contact \"Carol\""]);
}

/// NODE-1304, ROS-1402: members and who was one are named as they call themselves; of two of one name neither is meant.
#[test]
fn members_are_named_as_they_call_themselves() {
    let world = World::new();
    let [alice, bob, carol, other] =
        ["Alice", "Bob", "Carol", "Other"].map(|name| world.person(name));
    let _nodes = [alice.up(), bob.up(), carol.up(), other.up()];
    alice.befriend(&bob);
    alice.does(&["group", "new", "Walkers", "Bob"]);
    let open = alice.does(&["group", "invite", "Walkers"]);
    let link = open["link"].as_str().unwrap();
    carol.does(&["accept", link]);
    alice.does(&["group", "role", "Walkers", "Bob", "moderator"]);
    until(&bob, |rows| {
        let moderates = rows
            .iter()
            .any(|row| row["did"] == *bob.did && row["role"] == "moderator");
        moderates && are_called(rows, &["Alice", "Bob", "Carol"])
    });
    // Whatever its case, and until the time is over.
    bob.does(&["group", "mute", "Walkers", "carol", "--for", "1h"]);
    until(&carol, |rows| {
        rows.iter()
            .any(|row| row["did"] == *carol.did && row["muted"] == true)
    });
    carol
        .says(&["send", "Walkers", "hush?"])
        .fails(5, &["you are muted", "tenet group members"]);
    // A time that is over is not shown any more.
    bob.does(&["group", "mute", "Walkers", "Carol", "--for", "1s"]);
    until(&bob, |rows| rows.iter().all(|row| row["muted"] == false));
    bob.does(&["group", "unmute", "Walkers", "Carol"]);
    bob.says(&["group", "mute", "Walkers", "Alice"])
        .fails(5, &["your role", "tenet group policy"]);
    bob.says(&["group", "mute", "Walkers", "Zoe"])
        .fails(4, &["not in this group", "tenet group members"]);

    is_found(&bob, &carol);

    // A second Carol.
    other.does(&["profile", "--name", "Carol"]);
    other.does(&["accept", link]);
    until(&bob, |rows| {
        are_called(rows, &["Alice", "Bob", "Carol", "Carol"])
    });
    let both = ["could be several", &carol.did, &other.did, "give the DID"];
    bob.says(&["group", "block", "Walkers", "Carol"])
        .fails(2, &both);
    bob.says(&["search", "hill", "--from", "Carol"])
        .fails(2, &both);
    for one in [&carol, &other] {
        bob.does(&["group", "block", "Walkers", &one.did]);
    }
    bob.says(&["group", "unblock", "Walkers", "Carol"])
        .fails(2, &both);
    bob.says(&["group", "unblock", "Walkers", "Alice"])
        .fails(5, &["do not keep Alice out"]);
    bob.says(&["group", "unblock", "Walkers", "Zoe"])
        .fails(4, &["nobody called Zoe"]);
    bob.does(&["group", "unblock", "Walkers", &other.did]);
    // Of the two only one is kept out by now.
    bob.does(&["group", "unblock", "Walkers", "Carol"]);
    bob.says(&["group", "unblock", "Walkers", "Carol"])
        .fails(5, &["do not keep Carol out"]);
    until(&alice, |rows| are_called(rows, &["Alice", "Bob"]));
    carol.does(&["accept", link]);
    until(&alice, |rows| are_called(rows, &["Alice", "Bob", "Carol"]));
}

/// Of two groups of one name neither is meant, and one sees how to say which.
#[test]
fn groups_of_one_name_are_told_apart() {
    let world = World::new();
    let alice = world.person("Alice");
    let _node = alice.up();
    alice.does(&["group", "new", "Walkers"]);
    let second = alice.does(&["group", "new", "Walkers"]);
    let id = &second["session"].as_str().unwrap()[..8];
    let why = ["several groups", "name one by its id", id];
    for args in [["group", "show", "Walkers"], ["send", "Walkers", "which?"]] {
        alice.says(&args).fails(4, &why);
    }
    alice.says(&["history", "Walkers"]).fails(4, &why);
}
