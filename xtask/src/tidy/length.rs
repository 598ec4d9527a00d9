//! A file of logic can be read in one sitting.

use super::{Finding, Subject};

/// Lines before the tests. Clippy keeps functions short (`too-many-lines-threshold`).
const LIMIT: usize = 500;

/// Files that are tables rather than logic, and may be long.
const TABLES: &[&str] = &[];

/// No file of logic is longer than the limit.
pub(crate) fn check(subject: &Subject) -> Vec<Finding> {
    let files = subject
        .tree
        .rust("")
        .filter(|(path, _)| !TABLES.contains(path));
    files
        .filter(|(_, source)| source.logic_lines > LIMIT)
        .map(|(path, source)| {
            let says = format!(
                "{} lines before its tests, {LIMIT} at most",
                source.logic_lines
            );
            Finding::new(path, 0, says)
        })
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
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let logic = "fn f() {}\n".repeat(LIMIT);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{logic}}}\n");
        let long = format!("{logic}fn g() {{}}\n");
        let subject = Subject::planted(&[
            ("crates/a/src/long.rs", &long),
            ("crates/a/src/fits.rs", &format!("{logic}{tests}")),
            ("crates/a/tests/it.rs", &long),
        ]);
        let findings = check(&subject);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].place, "crates/a/src/long.rs");
    }
}
