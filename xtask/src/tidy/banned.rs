//! Words that must not be left in a source: what is unfinished, and other people's public servers.

use super::rust::{Snippet, lines_with};
use super::{Finding, Subject};

/// Banned in code, tests included.
const IN_CODE: &[(&str, &str)] = &[
    ("todo!", "unfinished: build it or leave it out"),
    ("unimplemented!", "unfinished: build it or leave it out"),
    ("dbg!", "left from debugging"),
    ("presets::N0", PUBLIC),
    ("N0DisableRelay", PUBLIC),
    ("n0_dns", PUBLIC),
    ("RelayMode::Default", PUBLIC),
    ("RelayMode::Staging", PUBLIC),
];

/// Banned in comments.
const IN_COMMENTS: &[(&str, &str)] = &[
    ("FIXME", "mend it or open an issue"),
    ("XXX", "mend it or open an issue"),
];

const PUBLIC: &str = "iroh's public servers: nothing is contacted that the user did not name";

/// No source holds a banned word.
pub(crate) fn check(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in subject.tree.rust("") {
        for (word, why) in IN_CODE {
            let lines = lines_with(&source.code, word).into_iter();
            findings.extend(lines.map(|line| Finding::new(path, line, format!("`{word}`: {why}"))));
        }
        for (word, why) in IN_COMMENTS {
            let lines = source
                .comments
                .iter()
                .flat_map(|comment| places(comment, word));
            findings.extend(lines.map(|line| Finding::new(path, line, format!("`{word}`: {why}"))));
        }
    }
    findings
}

fn places(comment: &Snippet, word: &str) -> Vec<usize> {
    let first = comment.line - 1;
    lines_with(&comment.text, word)
        .into_iter()
        .map(|line| first + line)
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

    #[test]
    fn every_banned_word_is_found() {
        for (word, _) in IN_CODE {
            let text = format!("fn f() {{\n    {word}();\n}}\n");
            let findings = check(&Subject::planted(&[("crates/a/src/a.rs", &text)]));
            assert_eq!(findings.len(), 1, "{word}");
            assert_eq!(findings[0].line, 2);
        }
        for (word, _) in IN_COMMENTS {
            let text = format!("/* a\n   {word}: later */\n");
            let findings = check(&Subject::planted(&[("crates/a/src/a.rs", &text)]));
            assert_eq!(findings.len(), 1, "{word}");
            assert_eq!(findings[0].line, 2);
        }
    }

    #[test]
    fn longer_names_and_literals_are_let_be() {
        let text = "fn f() { not_todo!(\"FIXME\", \"dbg!\") } // mktemp XXXXXX\n";
        assert_eq!(check(&Subject::planted(&[("crates/a/src/a.rs", text)])), []);
    }
}
