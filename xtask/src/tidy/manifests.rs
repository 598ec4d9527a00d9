//! What manifests must carry: in every crate's folder, so that the lints hold in it, and in the
//! root's, so that nothing is listed there that nobody takes.

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

/// What the root lists for all crates is taken by one at least; a crate of our own may be there before
/// its first user.
pub(crate) fn unused(subject: &Subject) -> Vec<Finding> {
    let root = "Cargo.toml";
    let listed = section(
        subject.tree.text(root).unwrap_or_default(),
        "[workspace.dependencies]",
    );
    let listed = listed.filter(|(_, text)| !text.contains("path ="));
    let listed = listed.filter_map(|(line, text)| Some((line, key(text)?)));
    let files = subject.tree.files.iter();
    let manifests: Vec<_> = files
        .filter(|file| file.path.ends_with("/Cargo.toml"))
        .collect();
    let is_taken = |name: &str| {
        let mut lines = manifests.iter().flat_map(|file| file.text.lines());
        lines.any(|line| line.contains("workspace") && key(line) == Some(name))
    };
    listed
        .filter(|(_, name)| !is_taken(name))
        .map(|(line, name)| Finding::new(root, line, format!("no crate takes `{name}`")))
        .collect()
}

/// The lines of one section, each with its number from 1.
fn section<'a>(
    manifest: &'a str,
    heading: &'a str,
) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
    let lines = manifest.lines().map(str::trim).zip(1..);
    let lines = lines.map(|(text, line)| (line, text));
    lines
        .skip_while(move |(_, text)| *text != heading)
        .skip(1)
        .take_while(|(_, text)| !text.starts_with('['))
}

/// The name that a line gives something to: `name = …` or `name.key = …`.
fn key(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    let name = name.trim().split('.').next()?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (!name.is_empty() && name.bytes().all(is_name)).then_some(name)
}

fn inherits(manifest: &str) -> bool {
    section(manifest, "[lints]").any(|(_, text)| text.replace(' ', "") == "workspace=true")
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

    #[test]
    fn what_no_crate_takes_is_found() {
        let subject = Subject::planted(&[
            (
                "Cargo.toml",
                "[workspace]\nd = 1\n[workspace.dependencies]\na = \"1\"\n# b = 1\n\
                 b = { version = \"1\", default-features = false }\nc-d = \"1\"\ne = { path = \"e\" }\nc = \"1\"\n[profile.dev]\nx = 1\n",
            ),
            (
                "crates/a/Cargo.toml",
                "[dependencies]\nb.workspace = true\nc = { workspace = true, features = [] }\na = \"2\"\n",
            ),
        ]);
        let says =
            |line, name: &str| Finding::new("Cargo.toml", line, format!("no crate takes `{name}`"));
        assert_eq!(unused(&subject), [says(4, "a"), says(7, "c-d")]);
    }
}
