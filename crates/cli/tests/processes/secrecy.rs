//! Nothing that a person wrote, received or named lies in plain on the disk.

use std::fs;

use serde_json::json;

use crate::harness::{Person, World};

/// Texts and names that cannot stand anywhere by chance.
const TEXTS: &[&str] = &[
    "Wensleydale-and-quince",
    "Stracciatella-at-noon",
    "Halloumi-instead-of-it",
    "Taleggio-for-nobody",
    "Manchego-while-away",
    "Roquefort-to-myself",
];
const NAMES: &[&str] = &[
    "Aloysia-Quarksieve",
    "Bartholin-Quillfeather",
    "Nicknamed-Zwieback",
];
const PINS: &[&str] = &["pin-Gorgonzola-93"];

#[test]
fn nothing_that_was_written_or_named_lies_in_plain() {
    let world = World::new();
    let (alice, bob) = (world.person(NAMES[0]), world.person(NAMES[1]));
    let nodes = [&alice, &bob].map(|person| person.up_with(&["-vvv", "--log-format", "json"]));
    let link = alice.invites(&["--name", NAMES[2]]);
    bob.does(&["accept", &link]);
    let (to_bob, to_alice) = (NAMES[2], NAMES[0]);
    let first = says(&alice, to_bob, TEXTS[0]);
    let second = says(&bob, to_alice, TEXTS[1]);
    alice.does(&["edit", &first, TEXTS[2]]);
    let gone = says(&bob, to_alice, TEXTS[3]);
    bob.does(&["unsend", &gone]);
    alice.does(&["react", &second, "🧀"]);
    alice.does(&["send", "self", TEXTS[5]]);

    let [node_a, node_b] = nodes;
    node_b.kill();
    alice.does(&["send", to_bob, TEXTS[4]]);
    let node_b = bob.up_with(&["-v"]);
    node_b.api().until(|api| {
        let messages = api.history(&alice.did, 10);
        messages
            .iter()
            .any(|message| message["text"] == TEXTS[4])
            .then_some(())
    });
    // While it runs, after a kill, and after an end in good order.
    let stayed = search(&world, &[&alice, &bob], &link);
    assert!(stayed > 10, "only {stayed} files were looked at");
    node_a.kill();
    search(&world, &[&alice, &bob], &link);
    node_b.stop();
    let said = format!("{}\n", PINS[0]);
    bob.says_with(&["pin", "set"], &said).ok();
    let opened = ["-vvv", "history", to_alice, "--pin-file", "-"];
    assert_eq!(bob.says_with(&opened, &said).ok().rows().len(), 4);
    search(&world, &[&alice, &bob], &link);
}

fn says(from: &Person, to: &str, text: &str) -> String {
    let sent = from.does(&["send", to, text, "--wait", "delivered"]);
    assert_eq!(sent["state"], json!("delivered"));
    sent["id"].as_str().unwrap().to_owned()
}

/// Looks into every file, also of the temporary folders and the logs; how many there are.
fn search(world: &World, people: &[&Person], link: &str) -> usize {
    let mut needles: Vec<Vec<u8>> = Vec::new();
    for text in TEXTS.iter().chain(NAMES).chain(PINS) {
        needles.push(text.as_bytes().to_vec());
        needles.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    }
    needles.push(link.as_bytes()[link.len() - 40..].to_vec());
    needles.push("🧀".as_bytes().to_vec());
    for person in people {
        needles.push(person.phrase.as_bytes().to_vec());
        needles.push(person.did.as_bytes()["did:key:".len()..].to_vec());
    }
    let files = world.files();
    for path in &files {
        let content = fs::read(path).unwrap();
        let name = path.to_str().unwrap().as_bytes();
        for needle in &needles {
            let found = |bytes: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
            let word = String::from_utf8_lossy(needle);
            assert!(
                !found(&content) && !found(name),
                "{} holds {word}",
                path.display()
            );
        }
    }
    files.len()
}
