//! Homes that cannot be opened: each is left as it is, and the way out is said.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::harness::{Person, World, skipped};

#[test]
fn a_wrong_phrase_names_the_word() {
    let world = World::new();
    let (alice, mut other) = (world.person("Alice"), world.stranger("Alice"));
    let words: Vec<_> = alice.phrase.split(' ').collect();
    let restore = |phrase: &str| other.says_with(&["id", "restore"], phrase);

    let mut wrong = words.clone();
    wrong[4] = "zebrra";
    restore(&wrong.join(" ")).fails(2, &["word 5", "\"zebrra\"", "zebra"]);
    restore(&words[..11].join(" ")).fails(2, &["12", "not 11"]);
    let mut swapped = words.clone();
    swapped.swap(0, 1);
    if swapped != words && is_unsound(&swapped.join(" ")) {
        restore(&swapped.join(" ")).fails(2, &["do not belong together"]);
    }
    restore("").code(2);
    other
        .says(&["id", "show"])
        .fails(4, &["no identity", "tenet id new"]);

    // The right one, on several lines and in capitals.
    let lines = words.chunks(5).map(|words| words.join("  ").to_uppercase());
    let phrase = lines.collect::<Vec<_>>().join("\n");
    let restored = other
        .says_with(&["id", "restore", "--name", "Alice"], &phrase)
        .ok();
    assert_eq!(restored.row()["did"], *alice.did);
    other.did = alice.did.clone();
    assert_eq!(other.does(&["id", "show"])["did"], *alice.did);
}

/// KEYFILE-1 to KEYFILE-3
#[test]
fn an_identity_comes_back_from_a_key_file() {
    let world = World::new();
    let (alice, other) = (world.person("Alice"), world.stranger("Alice"));
    alice.says_with(&["pin", "set"], "1234\n").ok();
    let file = world.path().join("alice.key");
    let backup = |stdin: &str| {
        let args = ["backup", "file", file.to_str().unwrap(), "--pin-file", "-"];
        alice.says_with(&args, stdin)
    };
    backup("4321\na long password\n").fails(5, &["wrong PIN"]);
    backup("1234\nshort\n").fails(2, &["8 characters", "nothing was written"]);
    assert!(!file.exists());
    assert_eq!(
        backup("1234\na long password\n").ok().row()["did"],
        *alice.did
    );
    backup("1234\na long password\n").fails(1, &["cannot be written"]);
    let text = fs::read_to_string(&file).unwrap();
    for word in alice.phrase.split(' ').filter(|word| word.len() > 4) {
        assert!(!text.contains(word));
    }

    let restore = |file: &Path, password: &str| {
        let args = [
            "id",
            "restore",
            "--name",
            "Alice",
            "--file",
            file.to_str().unwrap(),
        ];
        other.says_with(&args, password)
    };
    restore(&file, "another password\n").fails(5, &["wrong password"]);
    let damaged = other.writes("damaged", &text.replacen("tenet-key:g", "tenet-key:h", 1));
    restore(Path::new(&damaged), "a long password\n").fails(2, &["damaged"]);
    restore(&world.path().join("none"), "a long password\n").code(4);
    let other_file = other.writes("letter", "dear Bob");
    restore(Path::new(&other_file), "").fails(2, &["no file that tenet backup file wrote"]);
    assert_eq!(
        restore(&file, "a long password\n").ok().row()["did"],
        *alice.did
    );
}

/// KEYFILE-3
#[test]
fn a_key_file_asks_for_the_passphrase_that_is_not_in_it() {
    let world = World::new();
    let (alice, other) = (world.stranger("Alice"), world.stranger("Other"));
    let made = alice.says_with(
        &["id", "new", "--passphrase-file", "-", "--index", "2"],
        "sesame\n",
    );
    let did = made.ok().row()["did"].clone();
    let file = world.path().join("alice.key");
    let file = file.to_str().unwrap();
    let written = alice.says_with(&["backup", "file", file], "a long password\n");
    assert_eq!(written.ok().row()["passphrase"], true);
    let restore = |secrets: &str| other.says_with(&["id", "restore", "--file", file], secrets);
    restore("a long password\nopen\n").fails(5, &["passphrase"]);
    assert_eq!(restore("a long password\nsesame\n").ok().row()["did"], did);
}

/// CLI-2
#[test]
fn a_damaged_store_is_refused_and_kept_byte_for_byte() {
    let world = World::new();
    let alice = world.person("Alice");
    alice.does(&["send", "self", "before the damage", "--wait", "queued"]);
    let store = alice.identity().join("store.db");
    let whole = fs::read(&store).unwrap();
    let mut beginning = whole.clone();
    beginning[100..200].fill(0x55);
    let mut middle = whole.clone();
    let at = whole.len() / 2;
    middle[at..].fill(0);
    let cut = whole[..whole.len() / 3].to_vec();
    for damaged in [beginning, cut, b"not a database".to_vec(), Vec::new()] {
        damage(&alice, &damaged);
        let before = contents(&alice.home());
        for command in [&["history", "self"][..], &["up"]] {
            let said = alice.says(command);
            assert_eq!(said.code, Some(1), "{}", said.err);
            assert!(said.err.starts_with("tenet: the store"), "{}", said.err);
            for word in ["damaged", "tenet doctor"] {
                assert!(said.err.contains(word), "no {word:?}: {}", said.err);
            }
        }
        let found = alice.says(&["doctor"]).code(1).rows();
        let checks = found[0]["checks"].as_array().unwrap();
        let store = checks
            .iter()
            .find(|check| check["name"] == "store")
            .unwrap();
        assert_eq!(store["ok"], false);
        assert!(
            store["advice"].as_str().unwrap().contains("id restore"),
            "{store}"
        );
        assert_kept(&before, &alice.home());
    }

    // Damage further in is found by the doctor at the latest.
    damage(&alice, &middle);
    let found = alice.says(&["doctor"]).code(1).rows();
    assert!(
        found[0]
            .to_string()
            .contains("\"name\":\"store\",\"ok\":false"),
        "{found:?}"
    );
    assert_eq!(fs::read(&store).unwrap(), middle);

    damage(&alice, &whole);
    assert_eq!(alice.texts("self"), ["before the damage"]);
}

#[test]
fn a_missing_store_and_a_damaged_vault_are_refused() {
    let world = World::new();
    let alice = world.person("Alice");
    let folder = alice.identity();
    for name in ["store.db", "vault"] {
        let (path, kept) = (folder.join(name), alice.home().join("../kept"));
        fs::rename(&path, &kept).unwrap();
        let said = alice.says(&["contacts"]);
        assert_eq!(said.code, Some(1), "{}", said.err);
        for word in [name, "doctor"] {
            assert!(said.err.contains(word), "no {word:?}: {}", said.err);
        }
        assert!(!path.exists(), "{name} was made anew");
        fs::rename(&kept, &path).unwrap();
    }
    let vault = folder.join("vault");
    let whole = fs::read(&vault).unwrap();
    fs::write(&vault, &whole[..whole.len() - 1]).unwrap();
    alice
        .says(&["contacts"])
        .fails(1, &["vault", "damaged", "doctor"]);
    assert_eq!(fs::read(&vault).unwrap(), whole[..whole.len() - 1]);
    fs::write(&vault, &whole).unwrap();
    alice.says(&["contacts"]).ok();
}

#[test]
fn a_home_of_a_newer_version_is_not_touched() {
    let world = World::new();
    let alice = world.person("Alice");
    fs::write(alice.home().join("format"), "tenet home 2\n").unwrap();
    let before = contents(&alice.home());
    for command in [
        &["contacts"][..],
        &["up"],
        &["id", "restore"],
        &["id", "new"],
    ] {
        alice
            .says(command)
            .fails(5, &["version 2", "newer", "update"]);
    }
    alice.says(&["doctor"]).code(1);
    assert_kept(&before, &alice.home());
}

#[test]
fn one_home_has_one_process() {
    let world = World::new();
    let alice = world.person("Alice");
    let node = alice.up();
    let pid = node.pid().to_string();
    alice
        .says(&["up"])
        .fails(5, &["in use", &format!("process {pid}")]);
    alice
        .says_with(&["id", "restore"], &alice.phrase)
        .fails(5, &["in use", &pid]);
    // Commands speak to the node instead.
    assert_eq!(alice.does(&["status"])["running"], true);
    node.kill();
    // What a killed node leaves behind is in nobody's way.
    assert!(alice.identity().join("tenet.sock").exists());
    assert_eq!(alice.does(&["status"])["running"], false);
    alice.up().stop();
}

#[test]
fn without_the_machine_secret_only_the_phrase_opens_the_home() {
    let world = World::new();
    let alice = world.person("Alice");
    alice.does(&["send", "self", "still here", "--wait", "queued"]);
    let (secret, path) = (fs::read(alice.machine()).unwrap(), alice.machine());
    let missing = path.to_str().unwrap();

    fs::remove_file(&path).unwrap();
    for command in ["up", "contacts"] {
        let said = alice.says(&[command]);
        said.fails(
            5,
            &["machine secret is missing", missing, "tenet id restore"],
        );
    }
    assert!(!path.exists(), "it is not made anew behind one's back");
    fs::write(&path, [7; 32]).unwrap();
    alice
        .says(&["contacts"])
        .fails(5, &["machine secret", "not the one", "id restore"]);
    fs::write(&path, &secret).unwrap();
    assert_eq!(alice.texts("self"), ["still here"]);

    fs::remove_file(&path).unwrap();
    let stranger = world.person("Carol");
    alice
        .says_with(&["id", "restore"], &stranger.phrase)
        .fails(5, &["wrong phrase"]);
    let opened = alice.says_with(&["id", "restore"], &alice.phrase).ok();
    assert_eq!(opened.row()["did"], *alice.did);
    assert_eq!(alice.texts("self"), ["still here"]);
}

#[test]
fn a_folder_of_something_else_is_not_made_a_home() {
    let world = World::new();
    let mut alice = world.stranger("Alice");
    let folder = world.path().join("photos");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("cat.jpg"), "meow").unwrap();
    alice.flags.push(format!("--home={}", folder.display()));
    alice
        .says(&["id", "new"])
        .fails(5, &["no home of Tenet", "photos"]);
    assert_eq!(
        contents(&folder),
        [(folder.join("cat.jpg"), b"meow".to_vec())]
    );
}

/// On a tmpfs of its own, which is filled to the brim: what cannot be stored is refused, what was
/// stored stays, and all goes on when there is room.
#[test]
fn a_full_disk_loses_nothing() {
    let world = World::new();
    let [(mut alice, node_a), (bob, node_b)] = world.friends();
    node_a.stop();
    let Some(disk) = SmallDisk::mount(&world.path().join("small"), 8) else {
        return skipped(
            "a_full_disk_loses_nothing",
            "this user may not mount a tmpfs",
        );
    };
    let home = disk.0.join("home");
    let copied = Command::new("cp")
        .args(["-a"])
        .args([&alice.home(), &home])
        .status();
    assert!(copied.unwrap().success());
    alice.flags.push(format!("--home={}", home.display()));
    let node = alice.up();
    let mut api = node.api_at(&home);

    // A file takes the rest of the room.
    let filler = disk.0.join("filler");
    while fs::write(&filler, vec![0; disk.free()]).is_err() || disk.free() > 0 {}
    let mut kept = Vec::new();
    let refused = loop {
        let text = format!("message {} {}", kept.len(), "x".repeat(10_000));
        let params = json!({"who": bob.did, "text": text, "wait": "queued"});
        match api.try_call("send", params) {
            Ok(sent) => kept.push(sent["id"].clone()),
            Err(error) => break error,
        }
        assert!(kept.len() < 10_000);
    };
    let words = refused["message"].as_str().unwrap().to_lowercase();
    assert!(words.contains("full"), "{refused}");
    let ids = |messages: Vec<serde_json::Value>| {
        messages
            .iter()
            .map(|message| message["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(api.history(&bob.did, 100)), kept);

    fs::remove_file(&filler).unwrap();
    let sent = api.call(
        "send",
        json!({"who": bob.did, "text": "room again", "wait": "delivered"}),
    );
    kept.push(sent["id"].clone());
    assert_eq!(ids(node_b.api().history(&alice.did, 100)), kept);
    node.stop();
    assert_eq!(
        ids(alice.lists(&["history", "Bob", "--limit", "10000"])),
        kept
    );
}

/// A small file system in memory, gone when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, mebibytes: u32) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let size = format!("size={mebibytes}m,mode=700");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(at)
            .status();
        mount
            .is_ok_and(|status| status.success())
            .then(|| Self(at.to_owned()))
    }

    fn free(&self) -> usize {
        let stat = rustix::fs::statvfs(&self.0).unwrap();
        usize::try_from(stat.f_bavail * stat.f_frsize).unwrap()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a node that a failed story leaves is killed after this.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// All files and what is in them, but for the lock, in which every process leaves its number, and
/// the index of the write-ahead log, which the database computes from the log whenever it needs it.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else if path.is_file() && !path.ends_with("lock") && !path.ends_with("store.db-shm") {
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

/// Puts this in the place of the store, without the log that could stand in for what is damaged;
/// all of it was folded into the file when the last command ended.
fn damage(person: &Person, content: &[u8]) {
    let folder = person.identity();
    for log in ["store.db-wal", "store.db-shm"] {
        let _ = fs::remove_file(folder.join(log));
    }
    fs::write(folder.join("store.db"), content).unwrap();
}

/// Nothing that was there is changed or removed.
#[track_caller]
fn assert_kept(before: &[(PathBuf, Vec<u8>)], home: &Path) {
    let after = contents(home);
    for (path, old) in before {
        let new = after.iter().find(|(other, _)| other == path);
        let same = new.is_some_and(|(_, new)| new == old);
        assert!(same, "{} was changed", path.display());
    }
}

/// Whether a phrase of good words has a wrong checksum: one in sixteen has a right one by chance.
fn is_unsound(phrase: &str) -> bool {
    tenet_identity::phrase::Phrase::parse(phrase).is_err()
}

/// HOME-401, HOME-402
#[test]
fn what_config_toml_says_holds_unless_something_else_is_given() {
    let world = World::new();
    let mut alice = world.person("Alice");
    alice.flags.clear();
    let config = alice.home().join("config.toml");
    fs::write(
        &config,
        "lan = false\nlisten = '127.0.0.1:0'\nlog_file = 'node.log'\n",
    )
    .unwrap();
    let check = |alice: &Person| {
        let checks = alice.says(&["doctor"]).row();
        let checks = checks["checks"].as_array().unwrap().clone();
        let mut checks = checks.into_iter();
        checks.find(|check| check["name"] == "config").unwrap()
    };
    {
        let node = alice.up();
        let addrs = node.ready["addrs"].as_array().unwrap().clone();
        assert!(
            addrs
                .iter()
                .all(|addr| addr.as_str().unwrap().starts_with("127.0.0.1:"))
        );
        assert!(alice.home().join("node.log").exists());
    }
    {
        let node = alice.up_with(&["--listen=[::1]:0"]);
        let addrs = node.ready["addrs"].as_array().unwrap().clone();
        assert!(
            addrs
                .iter()
                .all(|addr| addr.as_str().unwrap().starts_with("[::1]:"))
        );
    }
    let said = check(&alice);
    let detail = "config.toml says: lan (line 1), listen (line 2), log_file (line 3)";
    assert_eq!(
        (&said["ok"], &said["detail"]),
        (&json!(true), &json!(detail))
    );

    fs::write(&config, "lan = false\nlisten_on = '127.0.0.1:0'\n").unwrap();
    alice.says(&["contacts"]).fails(
        2,
        &["config.toml, line 2", "listen_on", "is \"listen\" meant?"],
    );
    assert_eq!(check(&alice)["ok"], false);
    alice.says(&["completions", "bash"]).ok();
}
