//! The files of the tree, read once.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::rust::{self, Source};

/// Folders that hold nothing that a person wrote here.
const SKIPPED: &[&str] = &[".git", "target", "node_modules"];

/// Folders whose Rust files are proof or illustration, not logic.
const PROOF: &[&str] = &["tests", "benches", "examples"];

/// All text files, sorted by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

/// A text file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// From the root, with `/` between its parts.
    pub(crate) path: String,
    pub(crate) text: String,
    /// What is in it, if it is Rust.
    pub(crate) rust: Option<Source>,
}

impl Tree {
    /// Reads all text files under `root`.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        walk(root, "", &mut files)?;
        Ok(Self::new(files))
    }

    /// A tree of these paths and texts.
    pub(crate) fn new(files: Vec<(String, String)>) -> Self {
        let mut files: Vec<File> = files
            .into_iter()
            .map(|(path, text)| {
                let rust = path.ends_with(".rs").then(|| Source::read(&text));
                File { path, text, rust }
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let tests: BTreeSet<String> = files.iter().flat_map(File::test_modules).collect();
        for file in &mut files {
            let is_test = file.is_proof() || tests.iter().any(|module| file.is_in_module(module));
            if let Some(rust) = file.rust.as_mut().filter(|_| is_test) {
                rust.logic_lines = 0;
            }
        }
        Self { files }
    }

    /// The Rust files whose path begins so.
    pub(crate) fn rust<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Source)> {
        let files = self
            .files
            .iter()
            .filter(move |file| file.path.starts_with(prefix));
        files.filter_map(|file| Some((file.path.as_str(), file.rust.as_ref()?)))
    }

    /// The Markdown files whose path begins so.
    pub(crate) fn markdown<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a File> {
        let files = self
            .files
            .iter()
            .filter(move |file| file.path.starts_with(prefix));
        files.filter(|file| file.path.ends_with(".md"))
    }

    /// The text of the file at exactly this path.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files
            .iter()
            .find(|file| file.path == path)
            .map(|file| file.text.as_str())
    }
}

impl File {
    fn is_proof(&self) -> bool {
        self.path.split('/').any(|part| PROOF.contains(&part))
    }

    /// The modules of their own files, without `.rs`, that this file keeps for tests.
    fn test_modules(&self) -> Vec<String> {
        let Some(rust) = &self.rust else {
            return Vec::new();
        };
        let own = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        let (folder, name) = own.rsplit_once('/').unwrap_or(("", own));
        let base = if ["lib", "main", "mod"].contains(&name) {
            folder
        } else {
            own
        };
        let modules = rust::test_modules(&rust.code)
            .into_iter()
            .filter(|module| !module.inline);
        modules
            .map(|module| format!("{base}/{}", module.name))
            .collect()
    }

    fn is_in_module(&self, module: &str) -> bool {
        let rest = self.path.strip_prefix(module);
        rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) -> Result<()> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !SKIPPED.contains(name)) else {
            continue;
        };
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
            // What is no UTF-8 is no text, and no rule here is about it.
            files.extend(String::from_utf8(bytes).ok().map(|text| (path, text)));
        }
    }
    Ok(())
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
    use crate::process;

    fn logic_lines(files: &[(&str, &str)], path: &str) -> usize {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let tree = Tree::new(files.collect());
        tree.rust(path).next().unwrap().1.logic_lines
    }

    #[test]
    fn integration_tests_and_examples_are_no_logic() {
        assert_eq!(
            logic_lines(&[("crates/a/tests/it.rs", "fn f() {}\n")], "crates/a/tests"),
            0
        );
        assert_eq!(
            logic_lines(&[("crates/a/examples/x.rs", "fn f() {}\n")], "crates/a/"),
            0
        );
        assert_eq!(
            logic_lines(&[("crates/a/src/x.rs", "fn f() {}\n")], "crates/a/"),
            1
        );
    }

    #[test]
    fn a_file_declared_for_tests_is_no_logic() {
        let files = [
            ("crates/a/src/lib.rs", "#[cfg(test)]\nmod fake;\n"),
            ("crates/a/src/fake.rs", "fn f() {}\n"),
            ("crates/a/src/fake/deep.rs", "fn f() {}\n"),
            ("crates/a/src/fakes.rs", "fn f() {}\n"),
            ("crates/a/src/b.rs", "#[cfg(test)]\nmod story;\n"),
            ("crates/a/src/b/story.rs", "fn f() {}\n"),
        ];
        for (path, lines) in [
            ("crates/a/src/fake.rs", 0),
            ("crates/a/src/fake/deep.rs", 0),
            ("crates/a/src/fakes.rs", 1),
            ("crates/a/src/b/story.rs", 0),
        ] {
            assert_eq!(logic_lines(&files, path), lines, "{path}");
        }
    }

    #[test]
    fn the_real_tree_is_read_without_what_was_built() {
        let tree = Tree::load(&process::root()).unwrap();
        assert!(tree.text("xtask/src/tidy/tree.rs").is_some());
        assert!(
            tree.files
                .iter()
                .all(|file| !file.path.starts_with("target/"))
        );
    }
}
