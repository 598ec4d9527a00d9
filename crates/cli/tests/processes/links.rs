//! Links that are no good, each said so, and nothing lost.

use serde_json::json;
use tenet_identity::meeting::link::{Ext, Link};

use crate::harness::{Person, World};

#[test]
fn what_is_no_whole_link_is_told_apart_and_changes_nothing() {
    let world = World::new();
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let _node = alice.up();
    let link = alice.invites(&[]);

    let truncated = &link[..link.len() - 20];
    bob.says(&["accept", truncated])
        .fails(2, &["incomplete", "copy it again"]);
    bob.says(&["accept", &altered(&link)])
        .fails(2, &["altered", "copy it again"]);
    for foreign in [
        "hello",
        "",
        "https://example.org/#abc",
        "tenet",
        "signal:abc",
    ] {
        let said = bob.says_with(&["accept", "-"], foreign);
        said.fails(2, &["not a Tenet link", "begins with \"tenet:\""]);
    }
    bob.says(&["accept", "tenet:hello"]).code(2);
    alice.says(&["accept", &link]).fails(2, &["your own link"]);
    assert_eq!(bob.lists(&["contacts"]).len(), 0);

    let accepted = bob.does(&["accept", &link]);
    assert_eq!(accepted["state"], "connected", "the link was not spoilt");
}

#[test]
fn an_expired_link_is_refused_by_whoever_sees_it_first() {
    let world = World::new();
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let node = alice.up();
    let link = alice.invites(&["--expires", "1"]);

    // Bob sees it himself, without calling anybody.
    let past = changed(&link, |ext| ext.expires_ms = 1);
    bob.says(&["accept", &past])
        .fails(5, &["expired", "ask for a new one"]);

    // And where somebody has prolonged it, Alice's own word counts.
    let later = changed(&link, |ext| ext.expires_ms += 1_000_000_000);
    let mut api = node.api();
    while api.call("invites", json!({}))["invites"][0]["open"] == true {}
    bob.says(&["accept", &later]).fails(5, &["expired"]);
    assert_eq!(bob.lists(&["contacts"]).len(), 0);
    assert_eq!(alice.lists(&["contacts"]).len(), 0);
    assert_eq!(alice.lists(&["invites"]).len(), 0);
    assert_eq!(alice.lists(&["invites", "--all"])[0]["open"], false);
}

#[test]
fn a_revoked_link_lets_nobody_in() {
    let world = World::new();
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let _node = alice.up();
    let made = alice.does(&["invite"]);
    let (id, link) = (made["id"].as_str().unwrap(), made["link"].as_str().unwrap());

    alice
        .says(&["invite", "revoke", "0123456789"])
        .fails(4, &["no link"]);
    let revoked = alice.does(&["invite", "revoke", &id[..8]]);
    assert_eq!(revoked["id"], id);
    assert_eq!(revoked["open"], false);
    bob.says(&["accept", link]).fails(5, &["withdrawn"]);
    assert_eq!(alice.lists(&["contacts"]).len(), 0);
}

#[test]
fn a_used_link_is_refused_and_both_sides_hear_of_the_second_try() {
    let world = World::new();
    let [(alice, node_a), (bob, _node_b)] = world.friends();
    let carol = world.person("Carol");
    let link = alice.invites(&["--name", "Dave"]);
    let dave = world.person("Dave");
    let _node_d = dave.up();
    dave.does(&["accept", &link]);
    let node_c = carol.up();
    let mut hears = [node_a.api(), node_c.api()];
    for api in &mut hears {
        api.call("subscribe", json!({}));
    }

    carol
        .says(&["accept", &link])
        .fails(5, &["used", "intercepted"]);
    let [at_alice, at_carol] = hears.each_mut().map(|api| api.event_of("link_reused"));
    assert_eq!(at_alice["did"], *dave.did);
    assert!(
        at_alice["message"]
            .as_str()
            .unwrap()
            .contains("intercepted")
    );
    assert_eq!(at_carol["did"], *alice.did);
    assert!(
        at_carol["message"]
            .as_str()
            .unwrap()
            .contains("intercepted")
    );
    assert!(warned(&alice, &dave));
    assert!(!warned(&alice, &bob), "Bob came by another link");
    let invites = alice.lists(&["invites", "--all"]);
    let tried = |attempts: u64| {
        let those = invites
            .iter()
            .filter(|invite| invite["reuse_attempts"] == attempts);
        those.count()
    };
    assert_eq!((tried(0), tried(1)), (1, 1));
    assert_eq!(carol.lists(&["contacts"]).len(), 0);
}

#[test]
fn a_link_of_somebody_who_is_away_is_kept_and_taken_later() {
    let world = World::new();
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let link = alice.invites(&[]);

    let node_b = bob.up();
    let accepted = bob.says(&["accept", &link, "--timeout", "0"]).ok();
    assert_eq!(accepted.row()["state"], "pending");
    assert!(accepted.err.contains("kept"), "{}", accepted.err);
    let _node_a = alice.up();
    node_b.api().until(|api| {
        let contacts = api.call("contacts", json!({}));
        (contacts["contacts"][0]["did"] == *alice.did).then_some(())
    });
}

#[test]
fn both_compare_the_same_string_and_can_do_so_offline() {
    let world = World::new();
    let [(alice, node_a), (bob, node_b)] = world.friends();
    node_a.stop();
    node_b.stop();
    let here = alice.does(&["contact", "verify", "Bob"]);
    let there = bob.does(&["contact", "verify", "Alice"]);
    for field in ["emoji", "words", "digits", "number"] {
        assert_eq!(here[field], there[field]);
    }
    assert_eq!(here["emoji"].as_array().unwrap().len(), 7);
    assert_eq!(here["verified"], false);
    assert_eq!(alice.does(&["contact", "confirm", "Bob"])["verified"], true);
    assert_eq!(alice.does(&["contact", "verify", "Bob"])["verified"], true);
    assert_eq!(bob.lists(&["contacts"])[0]["verified"], false);
}

/// Whether one is warned about the other.
fn warned(one: &Person, other: &Person) -> bool {
    let contacts = one.lists(&["contacts"]);
    let contact = contacts.iter().find(|contact| contact["did"] == *other.did);
    !contact.unwrap()["warning"].is_null()
}

/// With one letter other than it was.
fn altered(link: &str) -> String {
    let at = link.len() - 30;
    let other = if link[at..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    format!("{}{other}{}", &link[..at], &link[at + 1..])
}

/// A whole link, with other contents.
fn changed(link: &str, change: impl FnOnce(&mut Ext)) -> String {
    let link = Link::parse(link).unwrap();
    let mut ext = link.ext().clone();
    change(&mut ext);
    let changed = Link::new(*link.invite(), None, ext).unwrap();
    changed.text().to_string()
}
