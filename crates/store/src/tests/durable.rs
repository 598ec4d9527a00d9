//! What survives a power cut: which files are synced, and when (STORE-7).

use std::{path::Path, process::Command};

use tenet_log::store::{Durability, Transactions};

use super::{CHILD, Talk, open};

const COMMITS: usize = 20;

/// What the traced process does; without the variable there is nothing to do.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(CHILD) else {
        return;
    };
    let mut store = open(Path::new(&folder));
    let mut talk = Talk::found(&mut store);
    let durability = match std::env::var("TENET_STORE_DURABILITY").as_deref() {
        Ok("power") => Durability::Power,
        _ => Durability::Process,
    };
    for _ in 0..COMMITS {
        store.begin().unwrap();
        talk.say(&mut store, "hi");
        store.commit(durability).unwrap();
    }
    if std::env::var_os("TENET_STORE_CHECKPOINT").is_some() {
        store.checkpoint().unwrap();
    }
    // Neither closes the database, which would sync as well.
    std::process::exit(0);
}

#[test]
fn each_durable_commit_is_synced_and_no_other() {
    let Some(power) = trace("power", false) else {
        return;
    };
    let process = trace("process", false).unwrap();
    let log = |lines: &[String]| {
        lines
            .iter()
            .filter(|line| line.contains("store.db-wal"))
            .count()
    };
    // Founding, making the tables and the log's header cost both the same.
    assert_eq!(log(&power) - log(&process), COMMITS, "{power:#?}");
    let folder_at = power
        .iter()
        .position(|line| line.contains("fsync") && !line.contains("store.db"));
    let first_log = power.iter().position(|line| line.contains("store.db-wal"));
    assert!(
        folder_at.is_some() && first_log.is_some(),
        "the log's name is durable: {power:#?}"
    );
}

#[test]
fn a_checkpoint_syncs_log_and_database() {
    let Some(without) = trace("process", false) else {
        return;
    };
    let with = trace("process", true).unwrap();
    let added = &with[without.len()..];
    assert!(
        added
            .first()
            .is_some_and(|line| line.contains("store.db-wal")),
        "{with:#?}"
    );
    assert!(
        added.last().is_some_and(|line| line.contains("store.db>")),
        "{with:#?}"
    );
}

#[test]
fn a_replaced_log_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let mut talk = Talk::found(&mut store);
    talk.commit(&mut store, "one").unwrap();
    let inode =
        |file: &std::fs::File| std::os::unix::fs::MetadataExt::ino(&file.metadata().unwrap());
    let held = inode(store.wal_file.as_ref().unwrap());
    // Truncated: the same file, and still the one that is synced.
    store
        .db
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    talk.commit(&mut store, "two").unwrap();
    assert_eq!(inode(store.wal_file.as_ref().unwrap()), held);
    // Replaced by another under its name: that one is synced from now on.
    let path = store.wal.clone().unwrap();
    let copy = folder.path().join("copy");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    store.begin().unwrap();
    store.commit(Durability::Power).unwrap();
    assert_ne!(inode(store.wal_file.as_ref().unwrap()), held);
    // Gone: said, not passed over.
    std::fs::remove_file(&path).unwrap();
    store.begin().unwrap();
    assert!(store.commit(Durability::Power).is_err());
}

/// The syncs of a child process, in order, with the names of the files.
fn trace(durability: &str, checkpoint: bool) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("trace");
    let mut command = Command::new("strace");
    command
        .args(["-f", "-y", "-e", "trace=fsync,fdatasync", "-o"])
        .arg(&log);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", "tests::durable::child"]);
    command
        .env(CHILD, folder.path())
        .env("TENET_STORE_DURABILITY", durability);
    if checkpoint {
        command.env("TENET_STORE_CHECKPOINT", "1");
    }
    match command.output() {
        Ok(output) if output.status.success() => {}
        other => {
            eprintln!("SKIPPED: syncs cannot be watched here, strace does not run: {other:?}");
            return None;
        }
    }
    let lines = std::fs::read_to_string(&log).unwrap();
    Some(
        lines
            .lines()
            .filter(|line| line.contains("sync("))
            .map(str::to_owned)
            .collect(),
    )
}
