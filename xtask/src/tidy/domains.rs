//! Domain strings such as `tenet v1 identity`: each keeps one use of a key apart from all others.

use std::collections::BTreeMap;

use super::{Finding, Subject};

/// Where the strings are used.
const SOURCES: &str = "crates/";

/// Every domain string stands in `spec/`, between quotes or backticks, and is defined once.
pub(crate) fn check(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut defined: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for (path, source) in subject.tree.rust(SOURCES) {
        let logic = source
            .literals
            .iter()
            .filter(|literal| literal.line <= source.logic_lines);
        for literal in logic.filter(|literal| is_domain(&literal.text)) {
            let domain = literal.text.as_str();
            if let Some((path, first)) = defined.get(domain) {
                let says = format!("`{domain}` is defined at {path}:{first}: name that constant");
                findings.push(Finding::new(path, literal.line, says));
                continue;
            }
            defined.insert(domain, (path, literal.line));
        }
    }
    for (domain, (path, line)) in defined {
        if !subject
            .tree
            .markdown("spec/")
            .any(|file| quotes(&file.text, domain))
        {
            findings.push(Finding::new(
                path,
                line,
                format!("`{domain}` does not stand in spec/"),
            ));
        }
    }
    findings
}

fn is_domain(literal: &str) -> bool {
    let version = literal
        .strip_prefix("tenet v")
        .and_then(|rest| rest.split_once(' '));
    version.is_some_and(|(version, use_)| {
        !use_.is_empty() && !version.is_empty() && version.chars().all(|c| c.is_ascii_digit())
    })
}

/// Whether a text holds exactly this between quotes or backticks.
fn quotes(text: &str, domain: &str) -> bool {
    ['`', '"']
        .iter()
        .any(|quote| text.contains(&format!("{quote}{domain}{quote}")))
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

    const SPEC: (&str, &str) = ("spec/id.md", "- `tenet v1 identity`\n- \"tenet v1 card\"\n");

    fn says(files: &[(&str, &str)]) -> Vec<String> {
        check(&Subject::planted(files))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_string_that_the_spec_lacks_is_found() {
        let text =
            "const A: &str = \"tenet v1 identity\";\nconst B: &[u8] = b\"tenet v1 ident\";\n";
        let found = says(&[SPEC, ("crates/a/src/a.rs", text)]);
        assert_eq!(
            found,
            ["crates/a/src/a.rs:2: `tenet v1 ident` does not stand in spec/"]
        );
    }

    #[test]
    fn a_string_defined_twice_is_found() {
        let text = "const A: &str = \"tenet v1 card\";\n";
        let found = says(&[
            SPEC,
            ("crates/a/src/a.rs", text),
            ("crates/b/src/b.rs", text),
        ]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("is defined at crates/a/src/a.rs:1"),
            "{found:?}"
        );
    }

    #[test]
    fn tests_may_repeat_a_string() {
        let text = "const A: &str = \"tenet v1 card\";\n#[cfg(test)]\nmod tests { const A: &str = \"tenet v1 card\"; }\n";
        assert_eq!(says(&[SPEC, ("crates/a/src/a.rs", text)]), [""; 0]);
    }

    #[test]
    fn other_texts_are_no_domains() {
        for text in [
            "tenet version 1",
            "tenet v ",
            "tenet v1",
            "the tenet v1 card",
            "tenet vx card",
        ] {
            assert!(!is_domain(text), "{text}");
        }
        assert!(is_domain("tenet v12 card"));
    }
}
