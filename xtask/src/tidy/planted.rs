//! The mistakes that are planted to try the simulator: each can be put into the tree as it is.

use super::tree::Tree;
use super::{Finding, Subject};

/// Where the mistakes are.
const FOLDER: &str = "sim/planted/";

/// What every patch takes away, and the lines around it, stands in its file once.
pub(crate) fn check(subject: &Subject) -> Vec<Finding> {
    let files = &subject.tree.files;
    let patches = files.iter().filter(|file| file.path.starts_with(FOLDER));
    let mut findings = Vec::new();
    for patch in patches {
        for hunk in hunks(&patch.text) {
            let says = |what: &str| Finding::new(&patch.path, hunk.line, what);
            match times(&subject.tree, &hunk) {
                1 => {}
                0 => findings.push(says("does not fit what it is to change")),
                _ => findings.push(says("fits more than one place")),
            }
        }
    }
    findings
}

/// One place that a patch changes.
struct Hunk {
    path: String,
    /// Where in the patch it begins, from 1.
    line: usize,
    /// What stands there before.
    before: String,
}

fn hunks(patch: &str) -> Vec<Hunk> {
    let (mut hunks, mut path) = (Vec::<Hunk>::new(), String::new());
    for (text, line) in patch.lines().zip(1..) {
        if let Some(file) = text.strip_prefix("--- a/") {
            path = file.to_owned();
        } else if text.starts_with("@@ ") {
            let (path, before) = (path.clone(), String::new());
            hunks.push(Hunk { path, line, before });
        } else if let Some(hunk) = hunks.last_mut() {
            let kept = text.strip_prefix(' ').or_else(|| text.strip_prefix('-'));
            hunk.before
                .extend(kept.into_iter().flat_map(|kept| [kept, "\n"]));
        }
    }
    hunks
}

/// How often what a hunk is to change stands in its file.
fn times(tree: &Tree, hunk: &Hunk) -> usize {
    let file = tree.files.iter().find(|file| file.path == hunk.path);
    file.map_or(0, |file| file.text.matches(&hunk.before).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Metadata;

    const PATCH: &str = "--- a/one.txt\n+++ b/one.txt\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n";

    fn found(text: &str) -> Vec<Finding> {
        let files = [("one.txt", text), ("sim/planted/01.patch", PATCH)];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        check(&Subject {
            tree: Tree::new(files.into()),
            metadata: Metadata::default(),
        })
    }

    #[test]
    fn a_mistake_that_fits_no_more_is_found() {
        assert_eq!(found("0\na\nb\nc\n"), []);
        assert_eq!(found("a\nb\nd\n").len(), 1);
        assert_eq!(found("a\nb\nc\na\nb\nc\n").len(), 1);
    }
}
