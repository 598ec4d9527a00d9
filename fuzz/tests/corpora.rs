//! Every kept input runs through its target again; and every target still takes what our own encoders
//! write.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// What the repository may carry of one target, in bytes: some hundred KiB in all.
const MOST: usize = 64 << 10;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn kept(name: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(corpora().join(name));
    let entries = entries.unwrap_or_else(|_| panic!("the target `{name}` has no corpus"));
    let mut kept: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.display().to_string(), fs::read(&path).unwrap())
        })
        .collect();
    kept.sort();
    kept
}

#[test]
fn what_is_kept_runs_without_a_finding() {
    for target in tenet_fuzz::targets() {
        for (path, bytes) in kept(target.name) {
            let ran = catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes)));
            assert!(ran.is_ok(), "a finding: {path}");
        }
    }
}

#[test]
fn what_we_write_ourselves_runs_without_a_finding() {
    for target in tenet_fuzz::targets() {
        for seed in (target.seeds)() {
            assert!(seed.len() <= target.max_len, "{}", target.name);
            (target.run)(&seed);
        }
    }
}

#[test]
fn corpora_are_small_and_each_has_a_target() {
    let mut names: BTreeSet<String> = fs::read_dir(corpora())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for target in tenet_fuzz::targets() {
        let bytes: usize = kept(target.name).iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(bytes <= MOST, "{}: {bytes} bytes", target.name);
        assert!(names.remove(target.name), "`{}` twice", target.name);
    }
    assert!(names.is_empty(), "no target reads {names:?}");
}
