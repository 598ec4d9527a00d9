//! `cargo xtask tidy`: the rules of this tree that no compiler knows.
//!
//! ```text
//! files ──── Tree ─────┐
//!                      ├── Subject ── every check ── findings
//! cargo ──── Metadata ─┘
//! ```
//!
//! A check is a pure function, so each is shown to fail on a planted example.

mod apps;
mod banned;
mod boundaries;
mod cores;
mod domains;
mod length;
mod manifests;
mod markdown;
mod papers;
mod planted;
mod rules;
mod rust;
mod tree;

use std::fmt;

use anyhow::{Result, bail};

use crate::metadata::Metadata;
use crate::process;
use tree::Tree;

/// Everything that a check may look at.
struct Subject {
    tree: Tree,
    metadata: Metadata,
}

/// One place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// A path from the root, or a package's name.
    place: String,
    /// From 1; 0 where the whole place is meant.
    line: usize,
    says: String,
}

struct Check {
    name: &'static str,
    run: fn(&Subject) -> Vec<Finding>,
}

const CHECKS: &[Check] = &[
    Check {
        name: "crates depend only on whom they may",
        run: boundaries::ours,
    },
    Check {
        name: "channel and net meet only in cli and tests",
        run: boundaries::meeting,
    },
    Check {
        name: "iroh and SQLite have one user each",
        run: boundaries::foreign,
    },
    Check {
        name: "every crate inherits the lints",
        run: manifests::lints,
    },
    Check {
        name: "what the workspace lists is taken",
        run: manifests::unused,
    },
    Check {
        name: "the cores share one clippy.toml",
        run: manifests::clippy,
    },
    Check {
        name: "the cores do no IO",
        run: cores::check,
    },
    Check {
        name: "apps do not import each other",
        run: apps::check,
    },
    Check {
        name: "files of logic stay short",
        run: length::check,
    },
    Check {
        name: "nothing unfinished, nobody's public servers",
        run: banned::check,
    },
    Check {
        name: "every rule of spec/ is defined once and cited",
        run: rules::check,
    },
    Check {
        name: "every domain string is in spec/ and defined once",
        run: domains::check,
    },
    Check {
        name: "mistakes can be planted",
        run: planted::check,
    },
    Check {
        name: "links between files resolve",
        run: papers::links,
    },
    Check {
        name: "the tree stands alone",
        run: papers::alone,
    },
];

/// Checks the whole tree and prints what it finds.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let subject = Subject {
        tree: Tree::load(&process::root())?,
        metadata: Metadata::load()?,
    };
    let mut count = 0;
    for check in CHECKS {
        let mut findings = (check.run)(&subject);
        findings.sort();
        count += findings.len();
        if !findings.is_empty() {
            println!("{}:", check.name);
        }
        for finding in findings {
            println!("  {finding}");
        }
    }
    if count > 0 {
        bail!("tidy: {count} to mend");
    }
    println!(
        "tidy: {} rules hold in {} files",
        CHECKS.len(),
        subject.tree.files.len()
    );
    Ok(())
}

impl Finding {
    fn new(place: &str, line: usize, says: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            line,
            says: says.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.place, self.says),
            line => write!(f, "{}:{line}: {}", self.place, self.says),
        }
    }
}

#[cfg(test)]
impl Subject {
    /// A tree of planted files, without packages.
    fn planted(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Self {
            tree: Tree::new(files.collect()),
            metadata: Metadata::default(),
        }
    }
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

    #[test]
    fn a_finding_shows_its_place() {
        assert_eq!(
            Finding::new("a.rs", 3, "wrong").to_string(),
            "a.rs:3: wrong"
        );
        assert_eq!(
            Finding::new("tenet-log", 0, "wrong").to_string(),
            "tenet-log: wrong"
        );
    }

    #[test]
    fn an_empty_tree_breaks_nothing() {
        let subject = Subject::planted(&[]);
        for check in CHECKS {
            assert_eq!((check.run)(&subject), [], "{}", check.name);
        }
    }
}
