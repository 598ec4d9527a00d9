//! A home goes to another machine in one file: whole, once, and never in two places.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use serde_json::Value;

use crate::harness::{Person, Said, World, skipped};

const PASSWORD: &str = "a long password\n";

/// MOVE-1, MOVE-7
#[test]
fn a_home_goes_on_elsewhere() {
    let world = World::new();
    let [(alice, node_a), (bob, node_b)] = world.friends();
    let letter = alice.writes("letter", &"a long letter. ".repeat(20_000));
    let said = ["send", "Bob", "with a letter", "--file", &letter];
    let sent = alice.does(&[&said[..], &["--wait", "delivered"]].concat());
    node_a.stop();
    bob.does(&["send", "Alice", "on its way", "--wait", "queued"]);
    let guarded = guard(&alice);
    let file = world.path().join("alice.home");
    export(&alice, &file, "1234\na long password\n").ok();

    let new = world.stranger("New");
    let secrets = "4711\na long password\n";
    assert_eq!(import(&new, &file, secrets).ok().rows().len(), 2);
    let own = |args: &[&str]| {
        let args = [args, &["--pin-file", "-"]].concat();
        new.says_with(&args, "4711\n").ok()
    };
    assert_eq!(own(&["id", "show"]).row()["did"], *alice.did);
    let other = own(&["id", "show", "--id", "Guarded"]);
    assert_eq!(other.row()["did"], guarded);
    let to = world.path().join("saved");
    fs::create_dir(&to).unwrap();
    let id = sent["id"].as_str().unwrap();
    own(&["save", id, "--to", to.to_str().unwrap()]);
    let saved = fs::read(to.join("letter")).unwrap();
    assert_eq!(saved, fs::read(&letter).unwrap());
    // The conversation goes on where it was, what waited included.
    own(&["send", "Bob", "from my new machine", "--wait", "delivered"]);
    own(&["sync"]);
    let rows = own(&["history", "Bob"]).rows();
    let texts: Vec<_> = rows.iter().map(|row| row["text"].clone()).collect();
    let expected = ["with a letter", "on its way", "from my new machine"];
    assert_eq!(texts, expected);
    assert_eq!(bob.texts("Alice"), expected);
    own(&["doctor"]);
    node_b.stop();
}

/// MOVE-1, MOVE-5, MOVE-6, MOVE-7
#[test]
fn a_home_that_was_moved_opens_no_more() {
    let world = World::new();
    let (alice, new) = (world.person("Alice"), world.stranger("New"));
    guard(&alice);
    let file = world.path().join("alice.home");
    let path = file.to_str().unwrap();
    let secrets = "1234\na long password\n";

    // Not beside a node, nor without all PINs, nor over another file.
    let node = alice.up();
    let pid = format!("process {}", node.pid());
    let beside = ["home", "export", path, "--timeout", "0"];
    alice.says(&beside).fails(5, &["in use", &pid]);
    node.stop();
    export(&alice, &file, PASSWORD).fails(5, &["PIN"]);
    export(&alice, &file, "4321\na long password\n").fails(5, &["PIN"]);
    export(&alice, &file, "1234\nshort\n").fails(2, &["8 characters", "nothing was written"]);
    fs::write(&file, "mine").unwrap();
    export(&alice, &file, secrets).code(1);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    fs::remove_file(&file).unwrap();

    let exported = export(&alice, &file, secrets).ok().row();
    assert_eq!(exported["identities"].as_array().unwrap().len(), 2);
    let mode = file.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!world.path().join(".alice.home.unfinished").exists());
    for command in [
        &["up"][..],
        &["contacts"],
        &["id", "list"],
        &["id", "new"],
        &["home", "export", "x"],
    ] {
        let said = alice.says(command);
        said.fails(5, &["was moved into", path, "home import"]);
    }
    // Whoever does not know better runs the command again.
    assert_eq!(alice.does(&["home", "export", path])["path"], *path);

    let kept = world.path().join("kept");
    fs::copy(&file, &kept).unwrap();
    import(&alice, &kept, PASSWORD).fails(5, &["was moved into"]);
    import(&new, &file, PASSWORD).ok();
    assert!(!file.exists(), "it has done its work");
    import(&new, &kept, PASSWORD).fails(5, &["in this home already"]);
}

/// MOVE-8, MOVE-9, NODE-701: the copy is another device, and both go on.
#[test]
fn a_copy_is_another_device_of_the_same_person() {
    let world = World::new();
    let [(alice, node_a), (bob, node_b)] = world.friends();
    alice.does(&["send", "Bob", "before", "--wait", "delivered"]);
    alice.does(&["invite", "--name", "Somebody"]);
    node_a.stop();
    let file = world.path().join("alice.copy");
    let args = ["home", "export", "--copy", file.to_str().unwrap()];
    let exported = alice.says_with(&args, PASSWORD).ok().row();
    assert_eq!(exported["copy"], true);
    let identities = alice.home().join("identities");
    assert_eq!(fs::read_dir(identities).unwrap().count(), 1);
    import(&alice, &file, PASSWORD).fails(5, &["in this home already"]);

    // Whoever imports it, and however often: each is a device that nobody has seen.
    let (one, two) = (world.stranger("One"), world.stranger("Two"));
    let devices = [&one, &two].map(|new| import(new, &file, PASSWORD).ok().row()["device"].clone());
    assert!(file.exists());
    let first = alice.does(&["id", "show"])["device"].clone();
    assert!(devices[0] != devices[1] && !devices.contains(&first));
    let before = one.history("Bob");
    let shown = (&before[0]["text"], &before[0]["state"]);
    assert_eq!(shown, (&"before".into(), &"delivered".into()));
    assert!(one.lists(&["invites"]).is_empty());

    let (node_a, node_1) = (alice.up(), one.up());
    one.does(&["send", "Bob", "from the copy", "--wait", "delivered"]);
    alice.does(&["send", "Bob", "from the first", "--wait", "delivered"]);
    bob.does(&["send", "Alice", "to both", "--wait", "delivered"]);
    let mut expected = ["before", "from the copy", "from the first", "to both"];
    expected.sort_unstable();
    for (node, who) in [(&node_a, "Bob"), (&node_1, "Bob"), (&node_b, "Alice")] {
        node.api().until(|api| {
            let all = api.history(who, 100);
            let mut texts: Vec<_> = all
                .iter()
                .map(|one| one["text"].as_str().unwrap())
                .collect();
            texts.sort_unstable();
            (texts == expected).then_some(())
        });
    }
    assert_eq!(bob.lists(&["contacts"]).len(), 1);
    one.does(&["doctor"]);
}

/// MOVE-2, MOVE-4, MOVE-7
#[test]
fn what_is_no_whole_home_is_refused_and_leaves_nothing() {
    let world = World::new();
    let (alice, new) = (world.person("Alice"), world.stranger("New"));
    let file = world.path().join("home");
    export(&alice, &file, PASSWORD).ok();
    let whole = fs::read(&file).unwrap();
    import(&new, &file, "another password\n").fails(5, &["wrong password"]);
    let put = |content: &[u8]| {
        let path = world.path().join("other");
        fs::write(&path, content).unwrap();
        import(&new, &path, PASSWORD)
    };
    let changed = |at: usize| {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        changed
    };
    put(b"").code(1);
    put(&[b'x'; 2000]).code(2);
    put(&changed(20)).code(2);
    put(&[&[0; 1024], &whole[1024..]].concat()).fails(2, &["cut short", "home export once more"]);
    for damaged in [
        changed(1024),
        changed(whole.len() - 1),
        whole[..whole.len() - 1].to_vec(),
    ] {
        put(&damaged).fails(1, &["damaged"]);
    }
    put(&whole[..1024]).fails(1, &["damaged"]);
    put(&[&whole[..], b"x"].concat()).fails(1, &["damaged"]);
    import(&new, Path::new("/nowhere"), PASSWORD).code(4);
    new.says(&["id", "list"]).code(4);

    // Who is here already, by the same words, is not doubled.
    let again = world.stranger("Again");
    again.says_with(&["id", "restore"], &alice.phrase).ok();
    import(&again, &file, PASSWORD).fails(5, &[&alice.did, "in this home already"]);
    assert_eq!(again.lists(&["id", "list"]).len(), 1);
    assert_eq!(import(&new, &file, PASSWORD).ok().row()["did"], *alice.did);
}

/// MOVE-5, MOVE-6: a kill at each change of the disk in turn.
#[test]
fn a_killed_export_leaves_one_of_the_two() {
    let world = World::new();
    let Some(killer) = Killer::new("a_killed_export_leaves_one_of_the_two") else {
        return;
    };
    let alice = two(&world);
    let original = world.path().join("original");
    copy(&alice.home(), &original);
    let mut ends = [0, 0];
    for number in 1.. {
        let (mut person, file) = (alice.alike(), world.path().join(format!("file {number}")));
        restore(&original, &person.home());
        person.wrapper = killer.at(number);
        let said = export(&person, &file, PASSWORD);
        person.wrapper.clear();
        let lives = person.says(&["id", "list"]).code == Some(0);
        let mut new = world.stranger("New");
        new.name = format!("New {number}");
        if lives {
            assert_ne!(said.code, Some(0));
            let hidden = world.path().join(format!(".file {number}.unfinished"));
            for path in [&file, &hidden] {
                assert_ne!(
                    import(&new, path, PASSWORD).code,
                    Some(0),
                    "both live: {number}"
                );
            }
            ends[0] += 1;
        } else {
            // Run once more, it comes to its end, and asks for nothing.
            person
                .says(&["home", "export", file.to_str().unwrap()])
                .ok();
            assert_eq!(import(&new, &file, PASSWORD).ok().rows().len(), 2);
            ends[1] += 1;
        }
        if said.code == Some(0) {
            assert!(ends[0] > 3 && ends[1] > 1, "{ends:?}");
            return;
        }
    }
}

/// MOVE-7
#[test]
fn a_killed_import_is_done_again() {
    let world = World::new();
    let Some(killer) = Killer::new("a_killed_import_is_done_again") else {
        return;
    };
    let alice = two(&world);
    let original = world.path().join("original");
    export(&alice, &original, PASSWORD).ok();
    for number in 1.. {
        let file = world.path().join(format!("file {number}"));
        fs::copy(&original, &file).unwrap();
        let mut new = world.stranger("New");
        new.wrapper = killer.at(number);
        let said = import(&new, &file, PASSWORD);
        new.wrapper.clear();
        let here = || new.says(&["id", "list"]).rows();
        let rows = here();
        let known = rows.iter().filter(|row| row["did"].is_string()).count();
        assert_eq!(known, rows.len(), "nobody is here by halves");
        if known < 2 {
            import(&new, &file, PASSWORD).ok();
            assert_eq!(here().len(), 2);
        }
        let drafts = fs::read_dir(new.home().join("identities")).unwrap().count();
        assert_eq!(drafts, 2);
        if said.code == Some(0) {
            assert!(number > 5, "{number}");
            return;
        }
    }
}

/// A further identity that has a PIN; who it is.
fn guard(alice: &Person) -> Value {
    let new = ["id", "new", "--name", "Guarded", "--pin-file", "-"];
    let made = alice.says_with(&new, "1234\n").ok();
    made.row()["did"].clone()
}

fn two(world: &World) -> Person {
    let alice = world.person("Alice");
    alice.does(&["send", "self", "a note", "--wait", "queued"]);
    alice.does(&["id", "new", "--name", "Work"]);
    alice
}

fn export(person: &Person, file: &Path, secrets: &str) -> Said {
    run(person, "export", file, secrets)
}

fn import(person: &Person, file: &Path, secrets: &str) -> Said {
    run(person, "import", file, secrets)
}

/// With the password on stdin, or the PIN and the password.
fn run(person: &Person, what: &str, file: &Path, secrets: &str) -> Said {
    let args = ["home", what, file.to_str().unwrap()];
    match secrets.lines().count() {
        1 => person.says_with(&args, secrets),
        _ => person.says_with(&[&args[..], &["--pin-file", "-"]].concat(), secrets),
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(status.unwrap().success());
}

fn restore(from: &Path, to: &Path) {
    fs::remove_dir_all(to).unwrap();
    copy(from, to);
}

/// Ends a program as a power cut would, where it changes the disk for the n-th time.
struct Killer;

impl Killer {
    fn new(story: &str) -> Option<Self> {
        let works = Command::new("strace")
            .args(["-o", "/dev/null", "true"])
            .output();
        if works.is_ok_and(|output| output.status.success()) {
            return Some(Self);
        }
        skipped(story, "there is no strace that works here");
        None
    }

    fn at(&self, number: u32) -> Vec<String> {
        // All that change what is there after a power cut; of writing, the head of a file alone.
        let calls =
            "fsync,syncfs,rename,renameat,renameat2,unlink,unlinkat,linkat,ftruncate,pwrite64";
        let inject = format!("inject={calls}:signal=KILL:when={number}");
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &inject]
            .map(str::to_owned)
            .to_vec()
    }
}
