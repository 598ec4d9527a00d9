//! `cargo xtask install`: the system packages that the tests need, on Debian by apt.

use std::path::Path;

use anyhow::{Result, bail};

use crate::process::Line;

/// A Debian package and what it is for.
struct Package {
    name: &'static str,
    why: &'static str,
}

const PACKAGES: &[Package] = &[
    Package {
        name: "libssl-dev",
        why: "OpenSSL for SQLCipher; without it the build compiles OpenSSL itself, minutes",
    },
    Package {
        name: "pkg-config",
        why: "finds libssl-dev",
    },
    Package {
        name: "strace",
        why: "the tests that nothing but the peer is contacted watch system calls",
    },
    Package {
        name: "iproute2",
        why: "the tests of the network make network namespaces",
    },
    Package {
        name: "nftables",
        why: "the tests of the network put NATs between them",
    },
];

/// Installs what is missing, or fails with what to install by hand.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    if ensure()? {
        return Ok(());
    }
    bail!("not everything could be installed")
}

/// Installs what is missing where that is possible, and says the rest; false if something is missing.
pub(crate) fn ensure() -> Result<bool> {
    if !Path::new("/etc/debian_version").exists() {
        println!("not Debian: install these under the names that they have here");
        explain(&PACKAGES.iter().collect::<Vec<_>>());
        return Ok(false);
    }
    let absent = absent();
    if absent.is_empty() {
        println!("every system package is there");
        return Ok(true);
    }
    explain(&absent);
    if !is_root() {
        println!("not root, so by hand: sudo {}", apt(&absent));
        return Ok(false);
    }
    // A failure is not the end: each test that needs a package says so itself.
    let update = Line::new("apt-get", &["update", "--quiet"]);
    for line in [update, apt(&absent)] {
        println!("{line}");
        if let Err(error) = line.env("DEBIAN_FRONTEND", "noninteractive").run() {
            println!("{error:#}");
        }
    }
    Ok(self::absent().is_empty())
}

/// Whether the system's OpenSSL can be linked.
pub(crate) fn system_openssl() -> bool {
    Line::new("pkg-config", &["--exists", "openssl"])
        .output()
        .is_ok()
}

fn apt(packages: &[&Package]) -> Line {
    let mut words = vec!["install", "--yes", "--no-install-recommends"];
    words.extend(packages.iter().map(|package| package.name));
    Line::new("apt-get", &words)
}

fn explain(packages: &[&Package]) {
    for package in packages {
        println!("  {:<12}{}", package.name, package.why);
    }
}

fn absent() -> Vec<&'static Package> {
    PACKAGES
        .iter()
        .filter(|package| !is_installed(package.name))
        .collect()
}

fn is_installed(name: &str) -> bool {
    Line::new(
        "dpkg-query",
        &["--show", "--showformat=${db:Status-Status}", name],
    )
    .output()
    .is_ok_and(|status| status == "installed")
}

fn is_root() -> bool {
    Line::new("id", &["-u"])
        .output()
        .is_ok_and(|id| id.trim() == "0")
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
    fn the_apt_line_names_what_is_missing() {
        let line = apt(&[&PACKAGES[0], &PACKAGES[1]]).to_string();
        assert_eq!(
            line,
            "apt-get install --yes --no-install-recommends libssl-dev pkg-config"
        );
    }

    #[test]
    fn a_package_that_does_not_exist_is_not_installed() {
        assert!(!is_installed("tenet-no-such-package"));
    }
}
