//! Sessions of many, as real processes.

use serde_json::{Value, json};

use crate::harness::{PATIENCE, Person, World};

/// NODE-1301, NODE-1302, ROS-503, ROS-508: said what it is about and who may do what; handed over.
#[test]
fn a_group_says_what_it_is_about_and_who_may_do_what() {
    let world = World::new();
    let [alice, bob, carol] = ["Alice", "Bob", "Carol"].map(|name| world.person(name));
    let _nodes = [alice.up(), bob.up(), carol.up()];
    alice.befriend(&bob);
    alice.befriend(&carol);
    alice.does(&["group", "new", "Walkers", "Bob"]);
    until(&bob, &["group", "list"], |rows| rows.len() == 1);
    alice.does(&["group", "describe", "Walkers", "Every Sunday at nine"]);
    until(&bob, &["group", "show", "Walkers"], |rows| {
        rows[0]["description"] == "Every Sunday at nine"
    });
    // Only owners say who may do what, and what newcomers get.
    bob.says(&["group", "policy", "Walkers", "settings", "member"])
        .fails(5, &["your role"]);
    bob.says(&["group", "policy", "Walkers", "settings"])
        .fails(2, &["ROLE"]);
    bob.says(&["group", "history", "Walkers", "some"])
        .fails(2, &["none, all"]);
    alice.does(&["group", "policy", "Walkers", "settings", "member"]);
    alice.does(&["group", "history", "Walkers", "1"]);
    until(&bob, &["group", "policy", "Walkers"], |rows| {
        rows[0]["policy"]["settings"] == "member" && rows[0]["history"] == json!({"last": 1})
    });
    bob.does(&["group", "rename", "Walkers", "Ramblers"]);
    until(&alice, &["group", "list"], |rows| {
        rows[0]["name"] == "Ramblers"
    });
    // What is said disappears for all of them, and who comes later gets the last message.
    bob.does(&["timer", "Ramblers", "1d"]);
    until(&alice, &["timer", "Ramblers"], |rows| {
        rows[0]["seconds"] == 86_400 && rows[0]["name"] == "Bob"
    });
    for text in ["one", "two"] {
        bob.does(&["send", "Ramblers", text]);
        until(&alice, &["history", "Ramblers"], |rows| {
            rows.iter()
                .any(|row| row["text"] == text && row["expires"].is_u64())
        });
    }
    alice.does(&["group", "add", "Ramblers", "Carol"]);
    until(&carol, &["group", "list"], |rows| rows.len() == 1);
    until(&carol, &["history", "Ramblers"], |rows| {
        texts(rows) == ["two"]
    });
    alice
        .says(&["group", "add", "Ramblers", "Carol"])
        .fails(5, &["in this group already", "tenet group role"]);
    // An only owner does not just go.
    alice
        .says(&["group", "leave", "Ramblers"])
        .fails(5, &["only owner", "tenet group transfer"]);
    alice.does(&["group", "transfer", "Ramblers", "Bob"]);
    until(&bob, &["group", "list"], |rows| rows[0]["role"] == "owner");
    until(&alice, &["group", "list"], |rows| {
        rows[0]["role"] == "moderator"
    });
    alice.does(&["group", "leave", "Ramblers"]);
    until(&bob, &["group", "members", "Ramblers"], |rows| {
        rows.len() == 2
    });
}

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

/// What was done to a group, by whom and to whom, in the order of its messages.
fn deeds(rows: &[Value]) -> Vec<String> {
    let deed = |row: &Value| {
        let whom = row["change"]["whom"].as_array()?.iter();
        let whom: Vec<_> = whom.filter_map(|one| one["name"].as_str()).collect();
        let what = row["change"]["what"].as_str()?;
        let said = format!("{} {what} {}", row["name"].as_str()?, whom.join(", "));
        Some(said.trim_end().to_owned())
    };
    rows.iter().filter_map(deed).collect()
}

/// NODE-502, NODE-106, NODE-1303, CHAT-1301: founded, talked in, somebody's role changed, somebody taken out who hears of it.
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
        until(person, &["history", "Walkers"], |rows| {
            texts(rows).len() == 2
        });
    }
    let members = alice.lists(&["group", "members", "Walkers"]);
    let roles: Vec<_> = members
        .iter()
        .map(|one| (&one["name"], &one["role"]))
        .collect();
    assert_eq!(roles[0], (&json!("Alice"), &json!("owner")));
    let mine = members.iter().filter(|one| one["me"] == true);
    assert_eq!(mine.map(|one| &one["name"]).collect::<Vec<_>>(), ["Alice"]);
    assert!(roles.contains(&(&json!("Carol"), &json!("member"))));
    assert_eq!(members.len(), 3);

    withdraws_what_one_said(&alice, &bob, &carol);
    takes_one_out(&alice, &bob, &carol);
}

/// ROS-1301, CHAT-1303: what somebody said is withdrawn by who may, and everybody is told by whom and why.
fn withdraws_what_one_said(alice: &Person, bob: &Person, carol: &Person) {
    let rows = alice.lists(&["history", "Walkers"]);
    let said = rows.iter().find(|row| row["text"] == "on Sunday.").unwrap();
    let id = said["id"].as_str().unwrap();
    bob.says(&["group", "withdraw", id])
        .fails(5, &["your role"]);
    bob.says(&["unsend", id])
        .fails(5, &["only its author", "tenet group withdraw"]);
    alice.does(&["group", "withdraw", id, "--reason", "it is Saturday"]);
    alice
        .says(&["group", "withdraw", id, "--reason", "once more"])
        .fails(5, &["withdrawn already"]);
    for person in [alice, bob, carol] {
        until(person, &["history", "Walkers"], |rows| {
            let row = rows.iter().find(|row| row["id"] == id).unwrap();
            let withdrawn = &row["withdrawn"];
            let told = (&withdrawn["name"], &withdrawn["reason"]);
            row["text"].is_null() && told == (&json!("Alice"), &json!("it is Saturday"))
        });
    }
    assert!(bob.lists(&["search", "Sunday", "--in", "Walkers"]).len() == 1);
    carol.does(&["send", "Walkers", "on Sunday, then."]);
    // CHAT-1305
    let first = rows.iter().find(|row| row["text"] == "on Sunday?").unwrap();
    let id = first["id"].as_str().unwrap();
    carol.says(&["group", "pin", id]).fails(5, &["your role"]);
    alice.does(&["group", "pin", id]);
    until(carol, &["group", "pins", "Walkers"], |rows| {
        texts(rows) == ["on Sunday?"]
    });
    alice.does(&["group", "unpin", id]);
    until(carol, &["group", "pins", "Walkers"], <[_]>::is_empty);
    until(bob, &["history", "Walkers"], |rows| {
        texts(rows).contains(&"on Sunday, then.")
    });
}

/// Who is taken out is told by whom, and what is said later is for the others.
fn takes_one_out(alice: &Person, bob: &Person, carol: &Person) {
    bob.says(&["group", "remove", "Walkers", "Alice"])
        .fails(5, &["your role"]);
    alice.does(&["group", "remove", "Walkers", "Carol"]);
    until(carol, &["group", "list"], |rows| {
        rows[0]["role"] == Value::Null
    });
    carol
        .says(&["send", "Walkers", "and now?"])
        .fails(5, &["not in \"Walkers\" any more", "Alice removed you"]);
    alice.does(&["send", "Walkers", "among us"]);
    until(bob, &["history", "Walkers"], |rows| texts(rows).len() == 3);
    let here = deeds(&alice.lists(&["history", "Walkers"]));
    // Carol is no contact of Bob's: she is called there as she calls herself.
    until(bob, &["history", "Walkers"], |rows| deeds(rows) == here);
    let told = carol.lists(&["history", "Walkers"]);
    assert_eq!(texts(&told).len(), 2);
    let last = &deeds(&told)[deeds(&told).len() - 1];
    assert_eq!(last, "Alice removed Carol");
    let words = alice.plain(&["history", "Walkers"]).ok().out;
    assert!(words.contains("* Alice made Carol member"), "{words}");
    until(bob, &["conversations"], |rows| {
        rows.iter()
            .any(|row| row["name"] == "Walkers" && row["last"]["text"] == "among us")
    });
    bob.says(&["group", "members", "Runners"])
        .fails(4, &["tenet group list"]);
}

/// NODE-1404, NODE-1405, GKNOCK-2: looked at, asked by with an answer to the question, let in.
#[test]
fn strangers_come_into_a_group_by_links_and_ask() {
    let world = World::new();
    let [alice, bob, carol] = ["Alice", "Bob", "Carol"].map(|name| world.person(name));
    let _nodes = [alice.up(), bob.up(), carol.up()];
    alice.befriend(&bob);
    alice.does(&["group", "new", "Walkers"]);
    alice.does(&["group", "describe", "Walkers", "Every Sunday at nine"]);
    let asks = [
        "group",
        "invite",
        "Walkers",
        "--consent",
        "--question",
        "which street?",
    ];
    let made = alice.does(&asks);
    let link = made["link"].as_str().unwrap().to_owned();

    // Who only looks is not seen.
    let shown = carol.does(&["group", "preview", &link]);
    assert_eq!(
        (&shown["name"], &shown["description"], &shown["members"]),
        (&json!("Walkers"), &json!("Every Sunday at nine"), &json!(1))
    );
    assert_eq!(
        (&shown["consent"], &shown["question"]),
        (&json!(true), &json!("which street?"))
    );
    assert!(alice.lists(&["group", "requests", "Walkers"]).is_empty());
    carol.says(&["accept", &link]).fails(5, &["which street?"]);
    let asked = carol.does(&["accept", &link, "--remark", "Elm Street"]);
    assert_eq!(
        (&asked["state"], &asked["group"]),
        (&json!("requested"), &json!("Walkers"))
    );
    until(&alice, &["group", "requests", "Walkers"], |rows| {
        rows.len() == 1 && rows[0]["name"] == "Carol" && rows[0]["remark"] == "Elm Street"
    });
    let request = &alice.lists(&["group", "requests", "Walkers"])[0];
    assert_eq!(request["role"], "member");
    alice.does(&["group", "accept", "Walkers", "carol"]);
    until(&carol, &["group", "list"], |rows| {
        rows.len() == 1 && rows[0]["role"] == "member"
    });
    carol.does(&["send", "Walkers", "thank you"]);
    until(&alice, &["history", "Walkers"], |rows| {
        texts(rows) == ["thank you"]
    });
}

/// CHAT-1402, NODE-1401, ROS-1402: taken from a message, blocked, unblocked, closed; all of it stands in the history.
#[test]
fn strangers_come_in_invited_and_are_kept_out() {
    let world = World::new();
    let [alice, bob, carol] = ["Alice", "Bob", "Carol"].map(|name| world.person(name));
    let _nodes = [alice.up(), bob.up(), carol.up()];
    alice.befriend(&bob);
    alice.does(&["group", "new", "Walkers"]);
    let open = alice.does(&["group", "invite", "Walkers"]);
    let link = open["link"].as_str().unwrap().to_owned();
    assert_eq!(carol.does(&["accept", &link])["state"], "connected");

    // A contact is invited where the two talk, and takes it.
    let sent = alice.does(&[
        "group",
        "invite",
        "Walkers",
        "--to",
        "Bob",
        "--text",
        "come along",
    ]);
    let message = sent["message"].as_str().unwrap().to_owned();
    until(&bob, &["history", "Alice"], |rows| {
        rows.iter().any(|row| {
            row["id"] == *message
                && row["kind"] == "invitation"
                && row["invitation"]["group"] == "Walkers"
        })
    });
    assert_eq!(bob.does(&["accept", &message])["state"], "connected");
    until(&alice, &["group", "members", "Walkers"], |rows| {
        rows.len() == 3
    });

    // What is closed or blocked says so; who is unblocked comes in again.
    alice.does(&["group", "block", "Walkers", &carol.did]);
    until(&carol, &["group", "list"], |rows| rows[0]["role"].is_null());
    carol.says(&["accept", &link]).fails(5, &["they said no"]);
    let blocked = alice.lists(&["group", "blocked", "Walkers"]);
    assert_eq!(blocked.len(), 1);
    assert_eq!(blocked[0]["did"], *carol.did);
    assert_eq!(blocked[0]["name"], "Carol");
    alice.does(&["group", "unblock", "Walkers", &carol.did]);
    assert!(alice.lists(&["group", "blocked", "Walkers"]).is_empty());
    assert_eq!(carol.does(&["accept", &link])["state"], "connected");
    let id = open["id"].as_str().unwrap();
    alice
        .says(&["group", "uninvite", "Walkers", &id[..3]])
        .fails(4, &["at least the first 4 digits"]);
    alice.does(&["group", "uninvite", "Walkers", id]);
    let links = alice.lists(&["group", "invites", "Walkers"]);
    assert_eq!(links.len(), 1);
    assert!(links.iter().all(|row| row["id"] != *id));
    until(&bob, &["history", "Walkers", "--limit", "100"], |rows| {
        let deeds = deeds(rows);
        let said = [
            "Alice link_opened",
            "Alice unblocked Carol",
            "Alice link_closed",
        ];
        said.iter()
            .all(|said| deeds.iter().any(|deed| deed == said))
    });
}
