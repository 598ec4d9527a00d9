//! A full disk: said, nothing lost, and it goes on once there is room (STORE-9).

use std::{fs, path::Path, process::Command};

use tenet_log::store::{StoreError, Transactions};

use super::{Talk, is_whole, open, texts};

/// A small file system of its own, until dropped.
struct Small(tempfile::TempDir);

impl Small {
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", size, "tenet-test"])
            .arg(folder.path());
        match command.output() {
            Ok(output) if output.status.success() => Some(Self(folder)),
            other => {
                eprintln!("SKIPPED: a small file system needs root and mount: {other:?}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all room that is left.
    fn fill(&self) {
        let mut size = 1 << 20;
        while size > 0 {
            let count = fs::read_dir(self.path()).unwrap().count();
            let path = self.path().join(format!("filler-{count}"));
            if fs::write(&path, vec![0; size]).is_err() {
                fs::remove_file(&path).unwrap();
                size /= 2;
            }
        }
    }

    fn make_room(&self) {
        for entry in fs::read_dir(self.path()).unwrap() {
            let path = entry.unwrap().path();
            if path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("filler-"))
            {
                fs::remove_file(path).unwrap();
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let Some(disk) = Small::mount("size=4m") else {
        return;
    };
    let mut store = open(disk.path());
    let mut talk = Talk::found(&mut store);
    let mut said = Vec::new();
    for round in 0..3 {
        disk.fill();
        let refused = loop {
            let text = format!("message {} of round {round}", said.len());
            match talk.commit(&mut store, &text) {
                Ok(_) => said.push(text),
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, StoreError::Full), "{refused:?}");
        assert_eq!(texts(&store, talk.id()), said);
        disk.make_room();
        let text = format!("room again {round}");
        talk.commit(&mut store, &text).unwrap();
        said.push(text);
    }
    drop(store);
    let store = open(disk.path());
    assert_eq!(texts(&store, talk.id()), said);
    assert!(is_whole(&store));
}

#[test]
fn a_batch_too_large_for_the_disk_is_undone_alone() {
    let Some(disk) = Small::mount("size=8m") else {
        return;
    };
    let mut store = open(disk.path());
    let mut talk = Talk::found(&mut store);
    talk.commit(&mut store, "before").unwrap();
    store.begin().unwrap();
    let refused = loop {
        store.savepoint().unwrap();
        match talk.try_say(&mut store, &"much ".repeat(10_000)) {
            Ok(_) => store.keep().unwrap(),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::Full), "{refused:?}");
    // Either the input alone is gone, or SQLite gave up the batch and undo says so.
    let undone = store.undo();
    assert!(
        matches!(undone, Ok(()) | Err(StoreError::Full)),
        "{undone:?}"
    );
    store.abandon().unwrap();
    talk.reload(&store);
    assert_eq!(texts(&store, talk.id()), ["before"]);
    talk.commit(&mut store, "after").unwrap();
    assert_eq!(texts(&store, talk.id()), ["before", "after"]);
    assert!(is_whole(&store));
}

#[test]
fn a_checkpoint_on_a_full_disk_loses_nothing() {
    let Some(disk) = Small::mount("size=4m") else {
        return;
    };
    let mut store = open(disk.path());
    let mut talk = Talk::found(&mut store);
    let said: Vec<String> = (0..20)
        .map(|n| format!("{n} {}", "x".repeat(20_000)))
        .collect();
    for text in &said {
        talk.commit(&mut store, text).unwrap();
    }
    disk.fill();
    let refused = store.checkpoint();
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    assert_eq!(texts(&store, talk.id()), said);
    disk.make_room();
    store.checkpoint().unwrap();
    assert_eq!(texts(&store, talk.id()), said);
    assert!(is_whole(&store));
}
