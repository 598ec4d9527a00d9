//! Files travel with messages: whole, resumed, saved where a person wants them, never in plain.

use std::{fs, path::Path};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::Value;

use crate::harness::{Person, World};

/// How many transfers are interrupted by the end of a process; `TENET_CUTS=50` for a longer story.
fn cuts() -> usize {
    std::env::var("TENET_CUTS").map_or(12, |cuts| cuts.parse().unwrap())
}

pub(super) fn file(world: &World, name: &str, size: usize) -> (String, Vec<u8>) {
    let mut bytes = vec![0; size];
    ChaCha20Rng::from_seed([size as u8; 32]).fill_bytes(&mut bytes);
    let path = world.path().join(name);
    fs::write(&path, &bytes).unwrap();
    (path.display().to_string(), bytes)
}

pub(super) fn folder(world: &World, name: &str) -> String {
    let folder = world.path().join(name);
    fs::create_dir_all(&folder).unwrap();
    folder.display().to_string()
}

pub(super) fn saved(person: &Person, id: &Value, to: &str) -> Vec<String> {
    let saved = person.does(&["--timeout", "60", "save", id.as_str().unwrap(), "--to", to]);
    let paths = saved["paths"].as_array().unwrap().clone();
    paths
        .iter()
        .map(|path| path.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn files_arrive_as_they_were_and_replace_nothing() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    let (empty, _) = file(&world, "empty.txt", 0);
    let (large, bytes) = file(&world, "a photo.jpg", 300_001);
    let send = [
        "send",
        "Bob",
        "Look!",
        "--file",
        &empty,
        "--file",
        &large,
        "--wait",
        "delivered",
    ];
    let sent = alice.does(&send);
    let to = folder(&world, "saved");
    let first = saved(&bob, &sent["id"], &to);
    assert_eq!(
        first,
        [format!("{to}/empty.txt"), format!("{to}/a photo.jpg")]
    );
    assert_eq!(fs::read(&first[0]).unwrap(), b"");
    assert_eq!(fs::read(&first[1]).unwrap(), bytes);

    let again = saved(&bob, &sent["id"], &to);
    assert_eq!(again[1], format!("{to}/a photo (2).jpg"));
    assert_eq!(fs::read(&again[1]).unwrap(), bytes);

    let message = bob.history("Alice").pop().unwrap();
    assert_eq!(message["text"], "Look!");
    let of = |key: &str| [&message["files"][0][key], &message["files"][1][key]];
    assert_eq!(of("name"), ["empty.txt", "a photo.jpg"]);
    assert_eq!(of("size"), [0, 300_001]);
    assert_eq!(of("state"), ["here", "here"]);

    // The sender has them too, and a file needs no text.
    assert_eq!(
        fs::read(&saved(&alice, &sent["id"], &to)[1]).unwrap(),
        bytes
    );
    let alone = bob.does(&["send", "Alice", "--file", &large]);
    assert_eq!(
        fs::read(&saved(&alice, &alone["id"], &to)[0]).unwrap(),
        bytes
    );
}

/// What a disk spoilt of a file is found, and comes again from whoever has it.
#[test]
fn a_damaged_file_is_found_and_fetched_again() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    let (path, bytes) = file(&world, "photo.jpg", 200_000);
    let sent = alice.does(&["send", "Bob", "--file", &path, "--wait", "delivered"]);
    let to = folder(&world, "saved");
    saved(&bob, &sent["id"], &to);
    let check = |found: &[Value], name: &str| {
        let mut checks = found[0]["checks"].as_array().unwrap().iter();
        checks.find(|check| check["name"] == name).unwrap().clone()
    };
    let well = bob.says(&["doctor"]).code(0).rows();
    assert_eq!(check(&well, "files")["detail"], "1 files are whole");
    assert_eq!(check(&well, "log")["ok"], true);
    assert_eq!(check(&well, "quarantine")["ok"], true);

    let kept = bob.identity().join("files");
    let spoilt = fs::read_dir(&kept)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let spoilt = spoilt
        .filter(|path| path.extension().is_none())
        .last()
        .unwrap();
    let mut sealed = fs::read(&spoilt).unwrap();
    sealed[150_000] ^= 1;
    fs::write(&spoilt, sealed).unwrap();
    let ill = bob.says(&["doctor"]).code(1).rows();
    assert_eq!(check(&ill, "files")["detail"], "1 of 1 files are damaged");
    bob.says(&["save", sent["id"].as_str().unwrap(), "--to", &to])
        .code(1);

    let mended = bob.says(&["doctor", "--repair"]).code(0).rows();
    assert_eq!(check(&mended, "files")["detail"], "1 files are whole");
    let again = saved(&bob, &sent["id"], &to);
    assert_eq!(fs::read(&again[0]).unwrap(), bytes);
}

#[test]
fn what_cannot_be_sent_or_saved_is_said_and_nothing_is_kept() {
    let world = World::new();
    let [(alice, _node_a), (_bob, _node_b)] = world.friends();
    let (path, _) = file(&world, "one.bin", 10);
    let nowhere = world.path().join("nowhere").display().to_string();
    let here = world.path().display().to_string();
    alice
        .says(&["send", "Bob", "two", "--file", &path, "--file", &nowhere])
        .fails(4, &["cannot read", "nowhere"]);
    alice
        .says(&["send", "Bob", "--file", &here])
        .fails(2, &["is a folder"]);
    alice
        .says(&["send", "Nobody", "--file", &path])
        .fails(4, &["Nobody"]);
    assert_eq!(alice.history("Bob").len(), 0);
    let text = alice.does(&["send", "Bob", "no file"]);
    let id = text["id"].as_str().unwrap();
    alice.says(&["save", id]).fails(4, &["has no files"]);
    let sent = alice.does(&["send", "Bob", "--file", &path]);
    let id = sent["id"].as_str().unwrap();
    alice
        .says(&["save", id, "--to", &nowhere])
        .fails(4, &["no folder"]);
}

#[test]
fn what_comes_is_listed_paused_cancelled_and_removed() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    bob.does(&["settings", "fetch_unasked", "1kB"]);
    let (small, _) = file(&world, "note.txt", 100);
    let (large, bytes) = file(&world, "song.mp3", 200_000);
    let send = [
        "send",
        "Bob",
        "--file",
        &small,
        "--file",
        &large,
        "--wait",
        "delivered",
    ];
    let sent = alice.does(&send);
    let id = sent["id"].as_str().unwrap();
    let waits = bob.lists(&["transfers"]);
    let song = waits
        .iter()
        .find(|file| file["name"] == "song.mp3")
        .unwrap();
    assert_eq!(
        (&song["state"], &song["done"]),
        (&"offered".into(), &0.into())
    );
    assert_eq!(
        (&song["size"], &song["message"]),
        (&200_000.into(), &id.into())
    );

    let hash = song["id"].as_str().unwrap();
    bob.does(&["transfer", "resume", &hash[..12]]);
    let to = folder(&world, "saved");
    assert_eq!(fs::read(&saved(&bob, &sent["id"], &to)[1]).unwrap(), bytes);
    assert_eq!(bob.lists(&["transfers"]).len(), 0);

    let audio = bob.lists(&["files", "list", "Alice", "--kind", "audio"]);
    assert_eq!((audio.len(), &audio[0]["state"]), (1, &"here".into()));
    let all = bob.lists(&["files", "list", "Alice"]);
    assert_eq!([&all[0]["name"], &all[1]["name"]], ["note.txt", "song.mp3"]);
    bob.does(&["files", "remove", &id[..10]]);
    let states = bob.lists(&["files", "list", "Alice"]);
    assert_eq!(
        [&states[0]["state"], &states[1]["state"]],
        ["offered", "offered"]
    );

    bob.does(&["settings", "quota", "50kB"]);
    let refused = bob.says(&["transfer", "resume", hash]);
    refused.fails(5, &["quota"]);
    bob.says(&["transfer", "cancel", "abcdef"])
        .fails(4, &["abcdef"]);

    // Of what is taken back nothing stays, on either side.
    alice.does(&["unsend", id]);
    bob.does(&["sync"]);
    assert_eq!(bob.lists(&["files", "list", "Alice"]).len(), 0);
    assert_eq!(alice.lists(&["files", "list", "Bob"]).len(), 0);
}

/// A process may end between saying that a copy is removed and removing it.
#[test]
fn a_copy_whose_removal_was_cut_short_goes_at_the_next_start() {
    let world = World::new();
    let [(alice, _node_a), (bob, node_b)] = world.friends();
    let (path, _) = file(&world, "note.txt", 100);
    let sent = alice.does(&["send", "Bob", "--file", &path, "--wait", "delivered"]);
    saved(&bob, &sent["id"], &folder(&world, "saved"));
    let hash = bob.lists(&["files", "list", "Alice"])[0]["hash"].clone();
    let copy = bob.identity().join("files").join(hash.as_str().unwrap());
    let bytes = fs::read(&copy).unwrap();
    bob.does(&["files", "remove", sent["id"].as_str().unwrap()]);
    node_b.stop();
    fs::write(&copy, bytes).unwrap();
    let _node_b = bob.up();
    assert!(!copy.exists());
}

#[test]
fn more_files_than_one_message_takes_go_in_several() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    let files: Vec<String> = (0..70)
        .map(|number| file(&world, &format!("{number}.bin"), number).0)
        .collect();
    let mut send = vec!["send", "Bob", "all of it", "--wait", "delivered"];
    files.iter().for_each(|file| send.extend(["--file", file]));
    let sent = alice.lists(&send);
    assert_eq!(sent.len(), 2);
    let history = bob.history("Alice");
    assert_eq!(
        [&history[0]["text"], &history[1]["text"]],
        ["all of it", ""]
    );
    assert_eq!(
        bob.lists(&["files", "list", "Alice", "--limit", "100"])
            .len(),
        70
    );
}

/// A grey picture, 16 × 8, in hexadecimal.
const GREY: &[&str] = &[
    "ffd8ffe000104a46494600010100000100010000ffdb00430050373c463c32504641465a55505f78c882786e6e",
    "78f5afb991c8ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "c0000b080008001001011100ffc40014000100000000000000000000000000000000ffc4001410010000000000",
    "0000000000000000000000ffda0008010100003f000fffd9",
];

/// A JPEG whose EXIF describes a place.
fn picture(place: &str) -> Vec<u8> {
    let grey: String = GREY.concat();
    let digit = |at| u8::from_str_radix(&grey[at..at + 2], 16).unwrap();
    let plain: Vec<u8> = (0..grey.len()).step_by(2).map(digit).collect();
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x0e\x01\x02\0".to_vec();
    exif.extend((place.len() as u32).to_le_bytes());
    exif.extend([26, 0, 0, 0, 0, 0, 0, 0]);
    exif.extend(place.as_bytes());
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&plain[..2], &[0xff, 0xe1], &length, &exif, &plain[2..]].concat()
}

/// API-20.
#[test]
fn pictures_show_themselves_and_tell_no_place() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    let path = world.path().join("beach.jpg");
    let bytes = picture("52.5N 13.4E at home");
    fs::write(&path, &bytes).unwrap();
    let path = path.display().to_string();
    let to = folder(&world, "saved");
    let send = |flag: &str| {
        let flags: Vec<&str> = flag.split(' ').filter(|flag| !flag.is_empty()).collect();
        let send = ["send", "Bob", "--wait", "delivered", "--file", &path];
        let sent = alice.does(&[&send[..], &flags].concat());
        fs::read(&saved(&bob, &sent["id"], &to)[0]).unwrap()
    };
    let clean = send("");
    assert!(!clean.windows(5).any(|window| window == b"52.5N"));
    assert!(clean.starts_with(&bytes[..2]) && clean.len() < bytes.len());
    assert!(send("--keep-metadata") == bytes);
    let file = &bob.history("Alice")[0]["files"][0];
    assert_eq!((&file["width"], &file["height"]), (&16.into(), &8.into()));
    assert!(file["preview"].as_str().unwrap().starts_with("/9j/"));
    let words = bob.plain(&["history", "Alice"]).ok().out;
    assert!(words.contains("16×8"), "{words}");

    let broken = world.path().join("broken.jpg");
    fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    let broken = broken.display().to_string();
    let refused = alice.says(&["send", "Bob", "--file", &broken]);
    refused.fails(2, &["broken.jpg", "--keep-metadata"]);
}

#[test]
fn recordings_are_sent_as_voice_notes_and_contacts_are_told_of() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    let path = world.path().join("hello.wav");
    fs::write(&path, recording(8000, 20_000)).unwrap();
    let path = path.display().to_string();
    alice.does(&["send", "Bob", "--voice", &path, "--wait", "delivered"]);
    let note = bob.history("Alice").pop().unwrap();
    assert_eq!(
        (&note["kind"], &note["text"]),
        (&"voice".into(), &"".into())
    );
    assert_eq!(note["files"][0]["duration_ms"], 2500);
    let (noise, _) = file(&world, "noise.bin", 1000);
    let refused = alice.says(&["send", "Bob", "--voice", &noise]);
    refused.fails(2, &["no recording"]);

    // Of oneself one tells by a link, and of somebody who is no contact not at all.
    alice.does(&[
        "send",
        "Bob",
        "you know him",
        "--contact",
        "Bob",
        "--wait",
        "delivered",
    ]);
    let told = bob.history("Alice").pop().unwrap();
    assert_eq!(
        (&told["kind"], &told["text"]),
        (&"contact".into(), &"you know him".into())
    );
    assert_eq!(told["contact"]["did"], bob.did.as_str());
    assert_eq!(told["contact"]["name"], "Bob");
    alice
        .says(&["send", "Bob", "--contact", "Carol"])
        .fails(4, &["Carol"]);
}

/// A second holds `rate` samples of one byte: a WAV file (RIFF, PCM).
fn recording(rate: u32, samples: u32) -> Vec<u8> {
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + samples).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(rate.to_le_bytes());
    wav.extend(rate.to_le_bytes());
    wav.extend(b"\x01\0\x08\0data");
    wav.extend(samples.to_le_bytes());
    wav.resize(44 + samples as usize, 128);
    wav
}

#[test]
fn nothing_of_a_file_rests_in_plain() {
    let world = World::new();
    let [(alice, node_a), (bob, node_b)] = world.friends();
    let line = b"the quick brown fox keeps a secret; ";
    let path = world.path().join("zebra-crossing.txt");
    fs::write(&path, line.repeat(10_000)).unwrap();
    let path = path.display().to_string();
    let sent = alice.does(&["send", "Bob", "--file", &path, "--wait", "delivered"]);
    let to = folder(&world, "saved");
    saved(&bob, &sent["id"], &to);
    node_a.stop();
    node_b.stop();
    for person in [&alice, &bob] {
        for place in [person.home(), person.machine()] {
            assert_sealed(&place, &[&line[4..19], b"zebra-crossing"]);
        }
    }
}

fn assert_sealed(place: &Path, words: &[&[u8]]) {
    if place.is_dir() {
        for entry in fs::read_dir(place).unwrap() {
            assert_sealed(&entry.unwrap().path(), words);
        }
        return;
    }
    let Ok(bytes) = fs::read(place) else { return };
    for word in words {
        let found = bytes.windows(word.len()).any(|window| window == *word);
        assert!(!found, "{} holds what was sent", place.display());
        let named = place.as_os_str().as_encoded_bytes();
        assert!(!named.windows(word.len()).any(|window| window == *word));
    }
}

#[test]
fn a_process_may_end_at_any_time_and_every_file_comes_whole() {
    let world = World::new();
    let [(alice, node_a), (bob, node_b)] = world.friends();
    let mut nodes = [Some(node_a), Some(node_b)];
    let (path, bytes) = file(&world, "film.bin", 6 << 20);
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let mut sent = Vec::new();
    for _ in 0..cuts() {
        sent.push(alice.does(&["send", "Bob", "--file", &path, "--wait", "delivered"]));
        let who = rng.next_u64() as usize % 2;
        nodes[who].take().unwrap().kill();
        nodes[who] = Some([&alice, &bob][who].up());
    }
    let to = folder(&world, "saved");
    for message in &sent {
        let saved = saved(&bob, &message["id"], &to);
        assert!(
            fs::read(&saved[0]).unwrap() == bytes,
            "{saved:?} is not what was sent"
        );
    }
}
