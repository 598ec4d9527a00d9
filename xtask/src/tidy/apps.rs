//! The modules of `apps` never import each other: each app stands on events alone.

use std::collections::BTreeSet;

use super::rust::{is_word, line_of, words_at};
use super::{Finding, Subject};

const SOURCES: &str = "crates/apps/src/";

/// Modules of `apps` that are no app: what every app may use.
const SHARED: &[&str] = &[];

/// No app names another.
pub(crate) fn check(subject: &Subject) -> Vec<Finding> {
    let sources: Vec<_> = subject.tree.rust(SOURCES).collect();
    let apps: BTreeSet<&str> = sources
        .iter()
        .filter_map(|(path, _)| app_of(path))
        .filter(|app| !SHARED.contains(app))
        .collect();
    let mut findings = Vec::new();
    for (path, source) in &sources {
        let Some(app) = app_of(path) else {
            continue;
        };
        for (line, name) in from_root(&source.code, depth(path)) {
            if name != app && apps.contains(name) {
                let says = format!(
                    "the app `{app}` names the app `{name}`; what both need is a shared module, \
                     named in xtask/src/tidy/apps.rs"
                );
                findings.push(Finding::new(path, line, says));
            }
        }
    }
    findings
}

/// The module right under the crate's root that a file belongs to; `None` for the root.
fn app_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix(SOURCES)?;
    let first = inside.split('/').next()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (name != "lib").then_some(name)
}

/// How many `super` lead from a file to the crate's root.
fn depth(path: &str) -> usize {
    let inside = path.strip_prefix(SOURCES).unwrap_or(path);
    inside
        .split('/')
        .filter(|part| !["mod.rs", "lib.rs"].contains(part))
        .count()
}

/// The names right under the crate's root that code names, with their lines.
fn from_root(code: &str, depth: usize) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for at in words_at(code, "crate") {
        if let Some(rest) = code.get(at + "crate".len()..) {
            push_names(code, rest.trim_start(), &mut found);
        }
    }
    for at in words_at(code, "super") {
        let before = code.get(..at).unwrap_or_default().trim_end();
        if before.ends_with("super::") {
            continue;
        }
        let mut rest = code.get(at..).unwrap_or_default();
        let mut count = 0;
        while let Some(after) = rest.strip_prefix("super") {
            count += 1;
            let inner = after.trim_start().strip_prefix("::").map(str::trim_start);
            match inner.filter(|inner| inner.starts_with("super")) {
                Some(inner) => rest = inner,
                None => rest = after.trim_start(),
            }
        }
        // More are needed inside a module in the file, and then the name is still the root's.
        if count >= depth {
            push_names(code, rest, &mut found);
        }
    }
    found
}

/// Adds the names that follow `::`: one, or those at the top of a group.
fn push_names<'a>(code: &'a str, rest: &'a str, found: &mut Vec<(usize, &'a str)>) {
    let Some(rest) = rest.strip_prefix("::").map(str::trim_start) else {
        return;
    };
    let mut push = |rest: &'a str| {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if let Some(name) = rest.get(..length).filter(|name| !name.is_empty()) {
            // What is left of the code begins where the name does.
            found.push((line_of(code, code.len().saturating_sub(rest.len())), name));
        }
    };
    let Some(group) = rest.strip_prefix('{') else {
        push(rest);
        return;
    };
    let mut open = 1_usize;
    push(group.trim_start());
    for (at, c) in group.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 1 => return,
            '}' => open -= 1,
            ',' if open == 1 => push(group.get(at + 1..).unwrap_or_default().trim_start()),
            _ => {}
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

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        let subject = Subject::planted(&[
            (
                "crates/apps/src/lib.rs",
                "pub mod chat;\npub mod contacts;\nuse crate::chat::Body;\n",
            ),
            ("crates/apps/src/chat.rs", ""),
            ("crates/apps/src/notes/view.rs", ""),
            (path, text),
        ]);
        check(&subject)
            .into_iter()
            .map(|finding| (finding.line, finding.says))
            .collect()
    }

    #[test]
    fn an_import_of_another_app_is_found() {
        let found = found(
            "crates/apps/src/contacts/fold.rs",
            "use std::a;\nuse crate::chat::Body;\n",
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, 2);
        assert!(
            found[0]
                .1
                .starts_with("the app `contacts` names the app `chat`")
        );
    }

    #[test]
    fn groups_paths_and_supers_are_found() {
        for text in [
            "use crate::{\n    contacts::X,\n    chat::{Body, View},\n};\n",
            "use crate::{contacts::{A, B}, notes};\n",
            "fn f() { crate::chat::fold() }\n",
            "use super::super::chat;\n",
            "use super::super::{contacts, notes::view};\n",
            "mod tests { use super::super::super::chat; }\n",
        ] {
            assert_eq!(
                found("crates/apps/src/contacts/fold.rs", text).len(),
                1,
                "{text}"
            );
        }
        assert_eq!(
            found("crates/apps/src/contacts.rs", "use super::chat;\n").len(),
            1
        );
        assert_eq!(
            found("crates/apps/src/contacts/mod.rs", "use super::chat;\n").len(),
            1
        );
    }

    #[test]
    fn an_app_may_name_itself_and_what_is_no_app() {
        for text in [
            "use crate::contacts::{chat, Body};\n",
            "use super::chat;\n",
            "use crate::Error;\n",
            "// use crate::chat;\n",
            "use tenet_log::chat;\n",
        ] {
            assert_eq!(
                found("crates/apps/src/contacts/fold.rs", text),
                [],
                "{text}"
            );
        }
    }
}
