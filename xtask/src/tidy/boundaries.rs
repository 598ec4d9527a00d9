//! Who may depend on whom: the crates of this workspace, and the few libraries with one user.

use std::collections::BTreeSet;

use super::{Finding, Subject};
use crate::metadata::{Metadata, Package};

/// Which of our crates a crate may name, for any purpose, tests included.
struct Rule {
    name: &'static str,
    may: May,
}

enum May {
    /// These.
    Only(&'static [&'static str]),
    /// All but these.
    AllBut(&'static [&'static str]),
}

use May::{AllBut, Only};

/// Every crate that is there or is to come; a crate that is not here has no place yet.
const RULES: &[Rule] = &[
    Rule {
        name: "tenet-identity",
        may: Only(&[]),
    },
    Rule {
        name: "tenet-log",
        may: Only(&["tenet-identity"]),
    },
    Rule {
        name: "tenet-overlay",
        may: Only(&["tenet-identity"]),
    },
    Rule {
        name: "tenet-services",
        may: Only(&["tenet-identity"]),
    },
    Rule {
        name: "tenet-channel",
        may: Only(&["tenet-identity", "tenet-log"]),
    },
    Rule {
        name: "tenet-delivery",
        may: Only(&["tenet-identity", "tenet-log"]),
    },
    Rule {
        name: "tenet-apps",
        may: Only(&["tenet-identity", "tenet-log"]),
    },
    Rule {
        name: "tenet-store",
        may: Only(&[
            "tenet-identity",
            "tenet-log",
            "tenet-delivery",
            "tenet-apps",
        ]),
    },
    Rule {
        name: "tenet-blob",
        may: Only(&[]),
    },
    Rule {
        name: "tenet-media",
        may: Only(&[]),
    },
    // The engine links no network and no database: it is driven the same way in a simulation.
    Rule {
        name: "tenet-node",
        may: Only(&[
            "tenet-identity",
            "tenet-log",
            "tenet-delivery",
            "tenet-apps",
        ]),
    },
    Rule {
        name: "tenet-net",
        may: Only(&["tenet-identity"]),
    },
    Rule {
        name: "tenet-rpc",
        may: Only(&[]),
    },
    // A supernode links nothing that could read content.
    Rule {
        name: "tenet-supernode",
        may: Only(&[
            "tenet-identity",
            "tenet-overlay",
            "tenet-services",
            "tenet-net",
        ]),
    },
    Rule {
        name: "tenet-sim",
        may: AllBut(&[
            "tenet-net",
            "tenet-rpc",
            "tenet-supernode",
            "tenet-cli",
            "tenet-tests",
            "xtask",
        ]),
    },
    Rule {
        name: "tenet-cli",
        may: AllBut(&["tenet-fuzz", "tenet-tests", "xtask"]),
    },
    Rule {
        name: "tenet-tests",
        may: AllBut(&["tenet-fuzz", "xtask"]),
    },
    Rule {
        name: "tenet-fuzz",
        may: AllBut(&["xtask"]),
    },
    Rule {
        name: "xtask",
        may: Only(&[]),
    },
];

/// The crates in which the sealing of content and the network may meet.
const MEETING: &[&str] = &["tenet-cli", "tenet-tests"];

/// A library that only some of ours may name.
struct Guarded {
    /// The library, and with a `-` after it the family.
    library: &'static str,
    users: &'static [&'static str],
}

const GUARDED: &[Guarded] = &[
    // Its protocol core alone, which opens no socket; before the family that it is named after.
    Guarded {
        library: "iroh-gossip",
        users: &["tenet-sim"],
    },
    Guarded {
        library: "iroh",
        users: &["tenet-net", "tenet-tests", "xtask"],
    },
    Guarded {
        library: "noq",
        users: &["tenet-net", "tenet-tests", "xtask"],
    },
    Guarded {
        library: "image",
        users: &["tenet-media"],
    },
    Guarded {
        library: "rusqlite",
        users: &["tenet-store"],
    },
    Guarded {
        library: "libsqlite3-sys",
        users: &["tenet-store"],
    },
];

/// Our crates name only those of ours that the table allows.
pub(crate) fn ours(subject: &Subject) -> Vec<Finding> {
    let metadata = &subject.metadata;
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let Some(rule) = RULES.iter().find(|rule| rule.name == package.name) else {
            let says = "has no row in xtask/src/tidy/boundaries.rs: give it its place";
            findings.push(Finding::new(&package.name, 0, says));
            continue;
        };
        for name in own_dependencies(metadata, package) {
            if !rule.may.allows(name) {
                findings.push(Finding::new(
                    &package.name,
                    0,
                    format!("must not depend on {name}"),
                ));
            }
        }
    }
    findings
}

/// No crate but the shell reaches both `tenet-channel` and `tenet-net`, by whatever way.
pub(crate) fn meeting(subject: &Subject) -> Vec<Finding> {
    let metadata = &subject.metadata;
    let packages = metadata.packages.iter();
    packages
        .filter(|package| !MEETING.contains(&package.name.as_str()))
        .filter(|package| {
            let reached = reached(metadata, package);
            reached.contains("tenet-channel") && reached.contains("tenet-net")
        })
        .map(|package| Finding::new(&package.name, 0, "joins tenet-channel with tenet-net"))
        .collect()
}

/// The libraries that are one crate's business are named by that crate alone.
pub(crate) fn foreign(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &subject.metadata.packages {
        for dependency in &package.dependencies {
            let guarded = GUARDED
                .iter()
                .find(|guarded| guarded.covers(&dependency.name));
            let Some(guarded) = guarded else {
                continue;
            };
            if !guarded.users.contains(&package.name.as_str()) {
                let says = format!(
                    "{} is for {} only",
                    dependency.name,
                    guarded.users.join(", ")
                );
                findings.push(Finding::new(&package.name, 0, says));
            }
        }
    }
    findings
}

impl May {
    fn allows(&self, name: &str) -> bool {
        match self {
            Only(names) => names.contains(&name),
            AllBut(names) => !names.contains(&name),
        }
    }
}

impl Guarded {
    fn covers(&self, name: &str) -> bool {
        let rest = name.strip_prefix(self.library);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

/// The names of ours that a package names, itself left out: a crate may test itself.
fn own_dependencies<'a>(metadata: &Metadata, package: &'a Package) -> BTreeSet<&'a str> {
    let is_ours = |name: &str| metadata.packages.iter().any(|package| package.name == name);
    let names = package
        .dependencies
        .iter()
        .map(|dependency| dependency.name.as_str());
    names
        .filter(|name| is_ours(name) && *name != package.name)
        .collect()
}

/// All of ours that a package links, itself included; what only tests see is not linked.
fn reached<'a>(metadata: &'a Metadata, package: &'a Package) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![package];
    while let Some(package) = open.pop() {
        if !reached.insert(package.name.as_str()) {
            continue;
        }
        let linked = package
            .dependencies
            .iter()
            .filter(|dependency| !dependency.dev);
        open.extend(linked.filter_map(|dependency| {
            metadata
                .packages
                .iter()
                .find(|package| package.name == dependency.name)
        }));
    }
    reached
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
    use crate::metadata::Dependency;

    /// Packages by name, each with what it names; a `+` before a name makes it for tests only.
    fn subject(packages: &[(&str, &[&str])]) -> Subject {
        let mut subject = Subject::planted(&[]);
        for (name, dependencies) in packages {
            let dependencies = dependencies.iter().map(|name| Dependency {
                name: name.trim_start_matches('+').to_owned(),
                dev: name.starts_with('+'),
            });
            let dependencies = dependencies.collect();
            subject.metadata.packages.push(Package {
                name: (*name).to_owned(),
                dependencies,
            });
        }
        subject
    }

    #[test]
    fn a_dependency_that_the_table_does_not_name_is_found() {
        let subject = subject(&[
            ("tenet-identity", &["blake3"]),
            ("tenet-log", &["tenet-identity"]),
            ("tenet-store", &["tenet-log"]),
            ("tenet-node", &["tenet-log", "tenet-store"]),
        ]);
        let findings = ours(&subject);
        assert_eq!(
            findings,
            [Finding::new(
                "tenet-node",
                0,
                "must not depend on tenet-store"
            )]
        );
    }

    #[test]
    fn tests_are_held_to_the_table_too() {
        let subject = subject(&[
            ("tenet-net", &[]),
            ("tenet-apps", &["+tenet-net", "+tenet-apps"]),
        ]);
        assert_eq!(ours(&subject).len(), 1);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        let findings = ours(&subject(&[("tenet-news", &[])]));
        assert!(findings[0].says.contains("has no row"));
    }

    #[test]
    fn channel_and_net_are_found_together_by_any_way() {
        let subject = subject(&[
            ("tenet-channel", &[]),
            ("tenet-net", &[]),
            ("tenet-node", &["tenet-channel"]),
            ("tenet-rpc", &["tenet-node", "tenet-net"]),
            ("tenet-cli", &["tenet-node", "tenet-net"]),
        ]);
        let says = "joins tenet-channel with tenet-net";
        assert_eq!(meeting(&subject), [Finding::new("tenet-rpc", 0, says)]);
    }

    #[test]
    fn a_guarded_library_has_one_user() {
        let subject = subject(&[
            (
                "tenet-net",
                &["iroh", "iroh-mdns-address-lookup", "noq-proto"],
            ),
            ("tenet-node", &["iroh-base"]),
            ("tenet-rpc", &["+rusqlite"]),
            ("tenet-log", &["irohs"]),
        ]);
        let found: Vec<_> = foreign(&subject)
            .into_iter()
            .map(|finding| finding.place)
            .collect();
        assert_eq!(found, ["tenet-node", "tenet-rpc"]);
    }

    #[test]
    fn the_table_allows_only_names_that_it_knows() {
        for rule in RULES {
            let (Only(names) | AllBut(names)) = &rule.may;
            for name in *names {
                assert!(RULES.iter().any(|rule| rule.name == *name), "{name}");
            }
        }
    }
}
