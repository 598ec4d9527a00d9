//! Several identities in one home: each a person of its own, and nothing that ties them together.

use std::fs;

use serde_json::Value;

use crate::harness::{Person, World};

/// HOME-702, HOME-703, HOME-704
#[test]
fn one_home_is_several_people() {
    let world = World::new();
    let alice = world.person("Alice");
    let made = alice.does(&["id", "new", "--name", "Work"]);
    let work = text(&made["did"]);
    assert_ne!(work, alice.did);
    assert_ne!(text(&made["phrase"]), alice.phrase);

    // Who was there first stays the usual one.
    assert_eq!(alice.does(&["id", "show"])["did"], *alice.did);
    assert_eq!(names(&alice.lists(&["id", "list"])), ["Alice *", "Work"]);
    for id in [
        work.as_str(),
        &work[..20],
        &work["did:key:".len()..],
        "Work",
    ] {
        assert_eq!(
            alice.does(&["id", "show", "--id", id])["did"],
            *work,
            "{id}"
        );
    }
    alice.says(&["id", "show", "--id", "did:key:z6Mk"]).code(4);
    alice
        .says(&["contacts", "--id", "Nobody"])
        .fails(4, &["Nobody", "tenet id list"]);
    let third = alice.does(&["id", "new", "--name", "Work"]);
    alice
        .says(&["id", "show", "--id", "Work"])
        .fails(2, &["several", "more of the DID"]);

    assert_eq!(alice.does(&["id", "use", &work])["name"], "Work");
    assert_eq!(alice.does(&["id", "show"])["did"], *work);
    assert_eq!(
        names(&alice.lists(&["id", "list"])),
        ["Alice", "Work", "Work *"]
    );
    alice.does(&["id", "use", "Alice"]);
    alice.does(&["send", "self", "of Alice", "--wait", "queued"]);
    assert_eq!(alice.texts("self"), ["of Alice"]);
    assert!(alice.lists(&["history", "self", "--id", &work]).is_empty());
    let third = text(&third["did"]);
    assert!(alice.lists(&["history", "self", "--id", &third]).is_empty());
    alice.says(&["doctor", "--id", &third]).ok();

    // A name is the one that a person calls themselves now.
    alice.does(&["profile", "--name", "Office", "--id", &third]);
    assert_eq!(alice.does(&["id", "use", "Office"])["did"], *third);
}

/// HOME-5, HOME-702: each identity's node is a process of its own.
#[test]
fn the_nodes_of_one_home_talk_to_others_and_to_each_other() {
    let world = World::new();
    let (mut alice, bob) = (world.person("Alice"), world.person("Bob"));
    alice.flags = vec!["--no-lan".into(), "--listen=127.0.0.1:0".into()];
    let work = text(&alice.does(&["id", "new", "--name", "Work"])["did"]);
    let (node_b, node_a) = (bob.up(), alice.up());
    let node_w = alice.up_with(&["--id", "Work"]);
    assert_eq!(
        (&node_a.ready["did"], &node_w.ready["did"]),
        (&alice.did.clone().into(), &work.clone().into())
    );
    assert_ne!(node_a.ready["addrs"], node_w.ready["addrs"]);
    alice
        .says(&["up", "--id", &work])
        .fails(5, &["in use", &format!("process {}", node_w.pid())]);

    let link = alice.invites(&["--name", "Bob", "--id", "Work"]);
    assert_eq!(
        bob.does(&["accept", &link, "--name", "Worker"])["state"],
        "connected"
    );
    let link = alice.invites(&["--name", "Worker"]);
    let accepted = alice.does(&["accept", &link, "--name", "Alice", "--id", "Work"]);
    assert_eq!(accepted["state"], "connected");
    bob.does(&["send", "Worker", "hello, worker", "--wait", "delivered"]);
    alice.does(&["send", "Worker", "hello, me", "--wait", "delivered"]);
    assert_eq!(texts(&alice, "Bob", "Work"), ["hello, worker"]);
    assert_eq!(texts(&alice, "Alice", "Work"), ["hello, me"]);
    assert_eq!(names(&alice.lists(&["contacts"])), ["Worker"]);
    assert_eq!(names(&bob.lists(&["contacts"])), ["Worker"]);

    let socket = |id: &str| text(&alice.does(&["status", "--id", id])["socket"]);
    assert_ne!(socket("Work"), socket("Alice"));
    node_w.kill();
    assert_eq!(alice.does(&["status", "--id", "Work"])["running"], false);
    assert_eq!(alice.does(&["status"])["running"], true);
    node_a.stop();
    node_b.stop();
}

/// HOME-704, HOME-705
#[test]
fn a_pin_guards_its_identity_and_finds_it() {
    let world = World::new();
    let alice = world.person("Alice");
    let second = alice.says_with(
        &["id", "new", "--name", "Second", "--pin-file", "-"],
        "second pin\n",
    );
    let second = text(&second.ok().row()["did"]);
    let third = alice.says_with(
        &["id", "new", "--name", "Third", "--pin-file", "-"],
        "third pin\n",
    );
    let third = text(&third.ok().row()["did"]);

    let rows = alice.lists(&["id", "list"]);
    assert_eq!(rows[0]["did"], *alice.did);
    for row in &rows[1..] {
        assert_eq!((&row["did"], &row["locked"]), (&Value::Null, &true.into()));
        assert!(row["reason"].as_str().unwrap().contains("PIN"), "{row}");
    }
    let with = |pin: &str, args: &[&str]| {
        let args = [args, &["--pin-file", "-"]].concat();
        alice.says_with(&args, &format!("{pin}\n"))
    };
    assert_eq!(
        names(&with("second pin", &["id", "list"]).ok().rows()),
        ["?", "Alice *", "Second"]
    );
    // Who is open is found without a PIN, who is not with theirs; and that counts against nobody.
    for _ in 0..6 {
        assert_eq!(
            alice.does(&["id", "show", "--id", "Alice"])["did"],
            *alice.did
        );
        assert_eq!(
            with("second pin", &["id", "show", "--id", "Second"])
                .ok()
                .row()["did"],
            *second
        );
        assert_eq!(
            with("third pin", &["id", "show", "--id", &third])
                .ok()
                .row()["did"],
            *third
        );
    }
    alice
        .says(&["id", "show", "--id", &third])
        .fails(5, &["PIN"]);
    with("second pin", &["id", "show", "--id", &third]).fails(4, &["as far as they can be opened"]);
    // But a PIN that opens nobody is a guess.
    let mut guess = with("a guess", &["id", "show", "--id", &third]);
    for _ in 0..3 {
        assert_eq!(guess.code, Some(4), "{}", guess.err);
        guess = with("a guess", &["id", "show", "--id", &third]);
    }
    let early = with("third pin", &["id", "show", "--id", &third]);
    assert_eq!(
        early.code,
        Some(4),
        "not looked at before its time: {}",
        early.out
    );
}

/// HOME-706
#[test]
fn identities_of_one_phrase_are_found_again_by_it() {
    let world = World::new();
    let (alice, other) = (world.person("Alice"), world.person("Other"));
    let next = |args: &[&str]| alice.does(&[&["id", "new", "--same-phrase"], args].concat());
    let one = next(&["--name", "One"]);
    assert_eq!(
        (&one["index"], &one["phrase"]),
        (&1.into(), &alice.phrase.clone().into())
    );
    assert_eq!(next(&["--name", "Two", "--id", "One"])["index"], 2);
    alice
        .says(&["id", "new", "--same-phrase", "--index", "1"])
        .fails(5, &["in this home already"]);
    let far = next(&["--name", "Far", "--index", "9"]);
    assert_eq!(alice.does(&["id", "phrase", "--id", "Far"])["index"], 9);

    // PIN and machine secret are lost: the words open all of them, and no other.
    let strange = alice.does(&["id", "new", "--name", "Strange"]);
    fs::remove_file(alice.machine()).unwrap();
    alice
        .says_with(&["id", "restore"], &other.phrase)
        .fails(5, &["wrong phrase"]);
    let opened = alice
        .says_with(&["id", "restore", "--index", "9"], &alice.phrase)
        .ok();
    assert_eq!(
        (&opened.row()["did"], &opened.row()["index"]),
        (&far["did"], &9.into())
    );
    let rows = alice
        .says_with(&["id", "restore"], &alice.phrase)
        .ok()
        .rows();
    let mut indices: Vec<_> = rows
        .iter()
        .map(|row| row["index"].as_u64().unwrap())
        .collect();
    indices.sort_unstable();
    assert_eq!(indices, [0, 1, 2, 9]);
    let rows = alice.lists(&["id", "list"]);
    let locked = rows.iter().filter(|row| row["locked"] == true);
    assert_eq!(locked.count(), 1);
    let phrase = text(&strange["phrase"]);
    assert_eq!(
        alice.says_with(&["id", "restore"], &phrase).ok().row()["did"],
        strange["did"]
    );

    // On another machine each is made again by its number, beside whoever is there.
    let again = other
        .says_with(&["id", "restore", "--index", "1"], &alice.phrase)
        .ok();
    assert_eq!(again.row()["did"], one["did"]);
    assert!(again.err.contains("further one"), "{}", again.err);
    assert_eq!(other.lists(&["id", "list"]).len(), 2);
}

/// HOME-706: what belongs to the words besides is needed for each of them.
#[test]
fn a_passphrase_is_asked_for_again() {
    let world = World::new();
    let alice = world.stranger("Alice");
    alice
        .says_with(&["id", "new", "--passphrase-file", "-"], "sesame\n")
        .ok();
    let next = |secret: &str| alice.says_with(&["id", "new", "--same-phrase"], secret);
    next("open\n").fails(5, &["passphrase"]);
    assert_eq!(next("sesame\n").ok().row()["index"], 1);
}

/// HOME-701
#[test]
fn a_home_of_an_earlier_release_goes_on() {
    let world = World::new();
    let alice = world.person("Alice");
    alice.does(&["send", "self", "of before", "--wait", "queued"]);
    fs::remove_file(alice.identity().join("lock")).unwrap();
    fs::write(alice.home().join("lock"), "1\n").unwrap();
    fs::write(alice.home().join("tenet.sock"), "").unwrap();
    assert_eq!(alice.texts("self"), ["of before"]);
    assert!(!alice.home().join("tenet.sock").exists());

    // That release has the home open, and the whole of it.
    let lock = fs::File::open(alice.home().join("lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    for command in [&["up"][..], &["contacts"], &["id", "list"], &["id", "new"]] {
        let command = [command, &["--timeout", "0"]].concat();
        alice.says(&command).fails(5, &["in use by process 1"]);
    }
    drop(lock);
    alice.up().stop();
}

/// HOME-707
#[test]
fn two_identities_cannot_have_one_fixed_port() {
    let world = World::new();
    let alice = world.person("Alice");
    alice.does(&["id", "new", "--name", "Work"]);
    let node = alice.up();
    alice.says(&["up", "--id", "Work"]).fails(
        1,
        &["taken", "each identity needs a port of its own", "--listen"],
    );
    node.stop();
}

fn texts(person: &Person, who: &str, id: &str) -> Vec<String> {
    let messages = person.lists(&["history", who, "--id", id]);
    messages
        .iter()
        .map(|message| text(&message["text"]))
        .collect()
}

/// The names in a list; the usual identity's with a star.
fn names(rows: &[Value]) -> Vec<String> {
    let name = |row: &Value| {
        let star = if row["current"] == true { " *" } else { "" };
        format!("{}{star}", row["name"].as_str().unwrap_or("?"))
    };
    let mut names: Vec<_> = rows.iter().map(name).collect();
    names.sort();
    names
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
