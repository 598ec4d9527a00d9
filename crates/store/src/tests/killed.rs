//! Killed in the middle of a batch: what was committed is there, nothing else is (STORE-5, STORE-7).

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Command, Stdio},
};

use tenet_log::store::{LogStore, Transactions};

use super::{CHILD, Talk, is_whole, open, texts};

/// More than the cache holds, so that pages of the open batch are in the log file already.
const UNCOMMITTED: usize = 200;

#[test]
fn child() {
    let Some(folder) = std::env::var_os(CHILD) else {
        return;
    };
    let mut store = open(Path::new(&folder));
    let mut talk = Talk::found(&mut store);
    for n in 0..5 {
        talk.commit(&mut store, &format!("committed {n}")).unwrap();
    }
    store.begin().unwrap();
    for _ in 0..UNCOMMITTED {
        talk.say(&mut store, &"uncommitted ".repeat(4000));
    }
    let mut out = std::io::stdout();
    out.write_all(b"\nin mid-batch\n").unwrap();
    out.flush().unwrap();
    // Until it is killed.
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn committed_batches_are_there_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::killed::child", "--nocapture"])
        .env(CHILD, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines
            .map_while(Result::ok)
            .any(|line| line == "in mid-batch")
    );
    let log = folder.path().join("store.db-wal").metadata().unwrap().len();
    assert!(
        log > 4 << 20,
        "pages of the open batch are in the log: {log}"
    );
    child.kill().unwrap();
    child.wait().unwrap();

    let mut store = open(folder.path());
    let session = store.sessions().unwrap()[0];
    let expected: Vec<String> = (0..5).map(|n| format!("committed {n}")).collect();
    assert_eq!(texts(&store, session), expected);
    assert!(is_whole(&store));
    store.begin().unwrap();
    store.abandon().unwrap();
}
