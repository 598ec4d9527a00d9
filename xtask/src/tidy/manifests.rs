//! What every crate's folder must carry so that the lints hold in it.

use super::cores::CORES;
use super::{Finding, Subject};

/// Every crate takes the workspace's lints, `missing_docs` among them.
pub(crate) fn lints(subject: &Subject) -> Vec<Finding> {
    let files = subject.tree.files.iter();
    files
        .filter(|file| file.path.ends_with("/Cargo.toml") && !inherits(&file.text))
        .map(|file| Finding::new(&file.path, 0, "lacks `[lints]` with `workspace = true`"))
        .collect()
}

/// Every core has the same `clippy.toml`: clippy reads the nearest one alone and joins none.
pub(crate) fn clippy(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut first: Option<(String, &str)> = None;
    for core in CORES {
        let folder = format!("crates/{core}/");
        if !subject
            .tree
            .files
            .iter()
            .any(|file| file.path.starts_with(&folder))
        {
            continue;
        }
        let path = format!("{folder}clippy.toml");
        match (subject.tree.text(&path), &first) {
            (None, _) => {
                findings.push(Finding::new(
                    &path,
                    0,
                    "is missing: copy that of another core",
                ));
            }
            (Some(text), None) => first = Some((path, text)),
            (Some(text), Some((model, same))) if text != *same => {
                findings.push(Finding::new(&path, 0, format!("differs from {model}")));
            }
            (Some(_), Some(_)) => {}
        }
    }
    findings
}

fn inherits(manifest: &str) -> bool {
    let lines = manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[lints]")
        .skip(1);
    let mut section = lines.take_while(|line| !line.starts_with('['));
    section.any(|line| line.replace(' ', "") == "workspace=true")
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
    fn a_crate_without_the_lints_is_found() {
        let subject = Subject::planted(&[
            ("Cargo.toml", "[workspace]\n"),
            (
                "crates/a/Cargo.toml",
                "[package]\n[lints]\nworkspace = true\n",
            ),
            (
                "crates/b/Cargo.toml",
                "[lints]\n[dependencies]\nworkspace = true\n",
            ),
        ]);
        let findings = lints(&subject);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].place, "crates/b/Cargo.toml");
    }

    #[test]
    fn a_core_with_other_rules_is_found() {
        let subject = Subject::planted(&[
            ("crates/identity/clippy.toml", "a"),
            ("crates/log/clippy.toml", "b"),
            ("crates/apps/src/lib.rs", ""),
            ("crates/net/src/lib.rs", ""),
        ]);
        let found: Vec<_> = clippy(&subject)
            .into_iter()
            .map(|finding| finding.place)
            .collect();
        assert_eq!(found, ["crates/log/clippy.toml", "crates/apps/clippy.toml"]);
    }
}
