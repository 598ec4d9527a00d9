//! `cargo xtask bench`: measures the release build. One file under `bench/` for each bench.
//!
//! A bench prints its figure with its ratio against a limit or a peer measured in the same run:
//! a time alone says little on a machine that nobody knows.

mod api;
mod fanout;
mod figures;
mod files;
mod hundred;
mod lossy;
mod message;
mod node;
mod roster;
mod scp;
mod search;
mod start;
mod sustained;
mod sync;
mod thousands;

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::metadata::Metadata;
use crate::process::Line;

/// One thing that is measured.
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    /// What it measures and against what, in one line.
    pub(crate) what: &'static str,
    /// What `cargo build --release` is given for it, such as `--bin tenet`; each list is one build.
    pub(crate) needs: &'static [&'static [&'static str]],
    /// Measures with the programs in the given folder, `target/release`, and prints.
    pub(crate) run: fn(&Path) -> Result<()>,
}

/// All benches, in the order in which `all` runs them.
const BENCHES: &[Bench] = &[
    Bench {
        name: "message",
        what: "a message and its acknowledgement, against two commits and one raw round trip",
        needs: &[
            &["--bin", "tenet"],
            &["-p", "tenet-net", "--example", "raw_echo"],
            &["-p", "tenet-store", "--example", "commit"],
        ],
        run: message::run,
    },
    Bench {
        name: "sustained",
        what: "messages a second in one conversation, 64 in flight",
        needs: &[&["--bin", "tenet"]],
        run: sustained::run,
    },
    Bench {
        name: "files",
        what: "1 GiB and 1,024 files of 1 KiB, against a raw stream and scp",
        needs: &[
            &["--bin", "tenet"],
            &["-p", "tenet-net", "--example", "raw_echo"],
        ],
        run: files::run,
    },
    Bench {
        name: "lossy",
        what: "100 MiB through 10 % loss and 100 ms with three cuts, and what limits it",
        needs: &[
            &["--bin", "tenet"],
            &["-p", "tenet-net", "--example", "raw_take"],
        ],
        run: lossy::run,
    },
    Bench {
        name: "start",
        what: "a home with 100,000 messages: start, memory, idle time, the last page",
        needs: &[&["--bin", "tenet"]],
        run: start::run,
    },
    Bench {
        name: "search",
        what: "words among 100,000 messages, and how soon a message is found",
        needs: &[&["--bin", "tenet"]],
        run: search::run,
    },
    Bench {
        name: "roster",
        what: "the roster of 10,000 members from 100,000 operations, and one operation more",
        needs: &[&["-p", "tenet-store", "--example", "roster"]],
        run: roster::run,
    },
    Bench {
        name: "sync",
        what: "100,000 messages for a device that was away, against checking their signatures",
        needs: &[&["-p", "tenet-cli", "--example", "sync"]],
        run: sync::run,
    },
    Bench {
        name: "fanout",
        what: "one event to 10,000 of whom many are away or die, against a perfect tree and an epidemic",
        needs: &[&["-p", "tenet-sim", "--example", "fanout"]],
        run: fanout::run,
    },
    Bench {
        name: "thousands",
        what: "a member's node in a group of 10,000 with 15,000 devices: opening, sending, memory",
        needs: &[&["-p", "tenet-cli", "--example", "thousands"]],
        run: thousands::run,
    },
    Bench {
        name: "hundred",
        what: "100 nodes over real sockets: a message until all have it, 1,000 from ten speakers",
        needs: &[&["-p", "tenet-cli", "--example", "hundred"]],
        run: hundred::run,
    },
];

/// Runs the bench of that name, or `all`, or prints the `list`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let [name] = arguments else {
        bail!(
            "usage: cargo xtask bench NAME|all|list\n\n{}",
            list(BENCHES)
        );
    };
    if name == "list" {
        print!("{}", list(BENCHES));
        return Ok(());
    }
    let chosen = choose(BENCHES, name)?;
    // The environment stays the caller's: what is measured is the program that is released.
    for arguments in builds(&chosen) {
        let mut words = vec!["build", "--release"];
        words.extend(arguments);
        let line = Line::cargo(&words);
        println!("{line}");
        line.run()?;
    }
    let release = Metadata::load()?.target.join("release");
    for bench in chosen {
        println!("\n== {}: {}", bench.name, bench.what);
        (bench.run)(&release).with_context(|| format!("the bench `{}` failed", bench.name))?;
    }
    Ok(())
}

fn choose<'a>(benches: &'a [Bench], name: &str) -> Result<Vec<&'a Bench>> {
    if name == "all" {
        return Ok(benches.iter().collect());
    }
    match benches.iter().find(|bench| bench.name == name) {
        Some(bench) => Ok(vec![bench]),
        None => bail!("no bench `{name}`\n\n{}", list(benches)),
    }
}

/// The builds that the benches need, each once.
fn builds(benches: &[&Bench]) -> Vec<&'static [&'static str]> {
    let mut builds = Vec::new();
    for need in benches.iter().flat_map(|bench| bench.needs) {
        if !builds.contains(need) {
            builds.push(*need);
        }
    }
    builds
}

fn list(benches: &[Bench]) -> String {
    benches
        .iter()
        .map(|bench| format!("  {:<16}{}\n", bench.name, bench.what))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    const PLANTED: &[Bench] = &[
        Bench {
            name: "latency",
            what: "a message and its acknowledgement",
            needs: &[
                &["--bin", "tenet"],
                &["-p", "tenet-net", "--example", "raw_echo"],
            ],
            run: |_| Ok(()),
        },
        Bench {
            name: "start",
            what: "start to ready",
            needs: &[&["--bin", "tenet"]],
            run: |_| bail!("slow"),
        },
    ];

    #[test]
    fn a_bench_is_found_by_its_name() {
        let chosen = choose(PLANTED, "start").unwrap();
        assert_eq!(chosen.len(), 1);
        assert!((chosen[0].run)(Path::new("/")).is_err());
        assert_eq!(choose(PLANTED, "all").unwrap().len(), 2);
    }

    #[test]
    fn an_unknown_bench_is_refused_with_the_list() {
        let error = choose(PLANTED, "strat").err().unwrap().to_string();
        assert!(error.contains("no bench `strat`"));
        assert!(error.contains("start to ready"));
    }

    #[test]
    fn what_two_benches_need_is_built_once() {
        let all = choose(PLANTED, "all").unwrap();
        assert_eq!(builds(&all).len(), 2);
    }

    #[test]
    fn names_are_unique_and_not_those_of_the_command() {
        for (position, bench) in BENCHES.iter().enumerate() {
            assert!(!["all", "list"].contains(&bench.name));
            assert!(
                BENCHES
                    .iter()
                    .skip(position + 1)
                    .all(|other| other.name != bench.name)
            );
        }
    }

    #[test]
    fn a_bench_needs_exactly_one_name() {
        assert!(run(&[]).is_err());
        assert!(run(&["list".to_owned()]).is_ok());
    }
}
