//! The documents: links that lead somewhere, and nothing that leads out of the tree.

use super::markdown;
use super::tree::Tree;
use super::{Finding, Subject};

/// A folder that stands beside some checkouts; written so that this file does not name it.
const BESIDE: &str = concat!("../", "shared");

/// Every link between files of the tree leads to a file, a folder or a heading.
pub(crate) fn links(subject: &Subject) -> Vec<Finding> {
    let tree = &subject.tree;
    let mut findings = Vec::new();
    for file in tree.markdown("") {
        for line in markdown::prose(&file.text) {
            let broken = markdown::links(line.text)
                .into_iter()
                .filter(|target| !is_foreign(target) && !leads_somewhere(tree, &file.path, target));
            let says = |target| format!("the link to `{target}` leads nowhere");
            findings
                .extend(broken.map(|target| Finding::new(&file.path, line.number, says(target))));
        }
    }
    findings
}

/// No file leans on the folder beside the tree.
pub(crate) fn alone(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &subject.tree.files {
        let lines = file
            .text
            .lines()
            .zip(1..)
            .filter(|(line, _)| line.contains(BESIDE));
        let says = format!("names `{BESIDE}`, which is no part of the project");
        findings.extend(lines.map(|(_, number)| Finding::new(&file.path, number, says.as_str())));
    }
    findings
}

/// Whether a target has a scheme, such as `https:`.
fn is_foreign(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        !scheme.is_empty()
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

fn leads_somewhere(tree: &Tree, from: &str, target: &str) -> bool {
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (target, None),
    };
    let Some(path) = (if path.is_empty() {
        Some(from.to_owned())
    } else {
        resolve(from, path)
    }) else {
        return false;
    };
    match (tree.text(&path), anchor) {
        (Some(text), Some(anchor)) if path.ends_with(".md") => markdown::anchors(text)
            .iter()
            .any(|heading| heading == anchor),
        (Some(_), _) => true,
        (None, _) => {
            let folder = format!("{path}/");
            path.is_empty() || tree.files.iter().any(|file| file.path.starts_with(&folder))
        }
    }
}

/// A target's path from the root; `None` if it leads out of the tree.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => from.split('/').collect(),
    };
    // The last part is the file that the link stands in.
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
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

    fn broken(text: &str) -> usize {
        let subject = Subject::planted(&[
            ("README.md", ""),
            ("spec/log.md", "# The log\n"),
            ("spec/rules/a.md", text),
        ]);
        links(&subject).len()
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        for text in [
            "[a](b.md)",
            "[a](../../../README.md)",
            "[a](../log.md#order)",
            "[a](#here)",
            "[a]: gone.md",
            "[a](../lo)",
        ] {
            assert_eq!(broken(text), 1, "{text}");
        }
    }

    #[test]
    fn links_that_lead_somewhere_are_let_be() {
        for text in [
            "[a](../../README.md)",
            "[a](../log.md#the-log)",
            "[a](/spec/log.md)",
            "[a](..) [b](../) [c](/)",
            "# Here\n[a](#here)",
            "[a](https://example.org/x.md) [b](mailto:a@example.org)",
            "`[a](b.md)`",
        ] {
            assert_eq!(broken(text), 0, "{text}");
        }
    }

    #[test]
    fn the_folder_beside_the_tree_is_found() {
        let text = format!("a\nsee {BESIDE}/x.md\n");
        let findings = alone(&Subject::planted(&[("xtask/a.rs", &text)]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 2);
    }
}
