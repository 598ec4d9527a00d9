//! The rules of `spec/` have ids such as `LOG-7`: defined once, cited at the check or in its test.

use std::collections::{BTreeMap, BTreeSet};

use super::markdown;
use super::rust::{Snippet, is_word};
use super::{Finding, Subject};

/// Names of standards that look like ids of ours.
const STANDARDS: &[&str] = &[
    "AES", "BIP", "BLAKE", "CAIP", "COSE", "CRC", "EIP", "ERC", "FIPS", "HKDF", "HMAC", "IEEE",
    "IPV", "ISO", "KEM", "MD", "MLKEM", "NIST", "RFC", "RSA", "SHA", "SLIP", "SP", "TLS", "UTC",
    "UTF", "ZIP",
];

/// Where rules are carried out and tested.
const CITING: &[&str] = &["crates/", "tests/", "sim/"];

/// Every id is defined once, cited somewhere, and none is cited that is not defined.
pub(crate) fn check(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut defined: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for file in subject.tree.markdown("spec/") {
        for line in markdown::prose(&file.text) {
            let Some(id) = defines(line.text) else {
                continue;
            };
            if let Some((path, first)) = defined.insert(id, (&file.path, line.number)) {
                let says = format!("{id} is defined at {path}:{first} too");
                findings.push(Finding::new(&file.path, line.number, says));
            }
        }
    }
    let mut cited = BTreeSet::new();
    for (path, source) in CITING.iter().flat_map(|folder| subject.tree.rust(folder)) {
        for (line, id) in source
            .comments
            .iter()
            .chain(&source.literals)
            .flat_map(citations)
        {
            if !defined.contains_key(id) {
                findings.push(Finding::new(
                    path,
                    line,
                    format!("{id} is defined nowhere in spec/"),
                ));
            }
            cited.insert(id);
        }
    }
    for file in subject.tree.markdown("spec/") {
        for line in markdown::prose(&file.text) {
            let unknown = ids(line.text)
                .into_iter()
                .filter(|id| !defined.contains_key(id));
            findings.extend(unknown.map(|id| {
                let says =
                    format!("{id} is defined nowhere at the start of a list item or table row");
                Finding::new(&file.path, line.number, says)
            }));
        }
    }
    for (id, (path, line)) in defined.iter().filter(|(id, _)| !cited.contains(**id)) {
        let says = format!("{id} is cited by no source and no test");
        findings.push(Finding::new(path, *line, says));
    }
    findings
}

/// The id that a line of a document defines: at the start of a list item or of a table row.
fn defines(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let numbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let item = ["- ", "* ", "+ ", "|"]
        .iter()
        .find_map(|mark| line.strip_prefix(mark));
    let item = item.or_else(|| {
        let rest = numbered
            .strip_prefix(". ")
            .or_else(|| numbered.strip_prefix(") "));
        rest.filter(|_| numbered.len() < line.len())
    })?;
    let start = item.trim_start().trim_start_matches(['*', '_', '`', '[']);
    let first = ids(start).into_iter().next()?;
    start.starts_with(first).then_some(first)
}

fn citations(snippet: &Snippet) -> impl Iterator<Item = (usize, &str)> {
    let lines = snippet.text.lines().enumerate();
    lines.flat_map(move |(index, text)| {
        ids(text)
            .into_iter()
            .map(move |id| (snippet.line + index, id))
    })
}

/// The ids in a text: two or more capitals, a hyphen, digits, and nothing joined to either end.
fn ids(text: &str) -> Vec<&str> {
    let is_part = |c: char| is_word(c) || c == '-';
    let mut found = Vec::new();
    for word in text.split(|c| !is_part(c)) {
        let Some((family, number)) = word.split_once('-') else {
            continue;
        };
        let is_family = family.len() >= 2 && family.chars().all(|c| c.is_ascii_uppercase());
        let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
        if is_family && is_number && !STANDARDS.contains(&family) {
            found.push(word);
        }
    }
    found
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

    fn says(files: &[(&str, &str)]) -> Vec<String> {
        check(&Subject::planted(files))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn ids_are_told_from_standards_and_longer_names() {
        assert_eq!(ids("see LOG-7, (ID-12)."), ["LOG-7", "ID-12"]);
        assert_eq!(
            ids("SHA-256 AES-256-GCM ML-KEM-768 P-384 LOG-7-a xLOG-7 LOG-x A-1"),
            [""; 0]
        );
    }

    #[test]
    fn a_definition_starts_an_item_or_a_row() {
        for line in [
            "- LOG-7: x",
            "* **LOG-7** x",
            "| `LOG-7` | x |",
            "3. LOG-7 x",
            "  - [LOG-7] x",
        ] {
            assert_eq!(defines(line), Some("LOG-7"), "{line}");
        }
        for line in [
            "LOG-7: x",
            "- as LOG-7 says",
            "| x | LOG-7 |",
            "## LOG-7",
            "- SHA-256",
            "|---|",
        ] {
            assert_eq!(defines(line), None, "{line}");
        }
    }

    #[test]
    fn a_rule_that_nobody_cites_is_found() {
        let spec = ("spec/log.md", "- LOG-1: a\n- LOG-2: b\n");
        let source = ("crates/log/src/a.rs", "// LOG-1: why\n");
        assert_eq!(
            says(&[spec, source]),
            ["spec/log.md:2: LOG-2 is cited by no source and no test"]
        );
        let test = ("tests/src/lib.rs", "#[test]\nfn f() { g(\"LOG-2\") }\n");
        assert_eq!(says(&[spec, source, test]), [""; 0]);
    }

    #[test]
    fn a_citation_of_nothing_is_found() {
        let source = ("crates/log/src/a.rs", "fn f() {}\n/* a\n LOG-9 */\n");
        assert_eq!(
            says(&[source]),
            ["crates/log/src/a.rs:3: LOG-9 is defined nowhere in spec/"]
        );
        let spec = (
            "spec/log.md",
            "Text that leans on LOG-9.\n```\nLOG-8\n```\n",
        );
        assert_eq!(says(&[spec]).len(), 1);
    }

    #[test]
    fn a_rule_defined_twice_is_found() {
        let a = ("spec/a.md", "- LOG-1: a\n");
        let b = ("spec/b.md", "x\n\n- LOG-1: b\n");
        let source = ("crates/log/src/a.rs", "// LOG-1\n");
        assert_eq!(
            says(&[a, b, source]),
            ["spec/b.md:3: LOG-1 is defined at spec/a.md:1 too"]
        );
    }
}
