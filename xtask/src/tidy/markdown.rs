//! Markdown, as far as the checks need it: lines of prose, code spans, links, headings.

/// A line outside fenced code, and its number from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) number: usize,
    pub(crate) text: &'a str,
}

/// The lines outside fenced code.
pub(crate) fn prose(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(index, text)| {
        let start = text.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, None) => {
                return Some(Line {
                    number: index + 1,
                    text,
                });
            }
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {}
        }
        None
    })
}

/// The targets of a line's links, `[text](target)` and `[name]: target`, titles left out.
pub(crate) fn links(line: &str) -> Vec<String> {
    let line = without_code(line);
    let mut targets: Vec<String> = line
        .match_indices("](")
        .filter_map(|(at, open)| target(line.get(at + open.len()..)?))
        .collect();
    if let Some((name, rest)) = line.trim_start().split_once("]:") {
        let is_definition = name.starts_with('[') && !name.starts_with("[^");
        targets.extend(
            rest.split_whitespace()
                .next()
                .filter(|_| is_definition)
                .map(str::to_owned),
        );
    }
    targets
}

/// The anchors of a page: its headings, spelled as GitHub spells them.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for line in prose(text) {
        let title = line.text.trim_start_matches('#');
        if title.len() == line.text.len() || !title.starts_with(' ') {
            continue;
        }
        let slug = slug(title.trim());
        let copy = (1..).map(|n| format!("{slug}-{n}"));
        let free = std::iter::once(slug.clone())
            .chain(copy)
            .find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    anchors
}

fn target(rest: &str) -> Option<String> {
    if let Some(rest) = rest.strip_prefix('<') {
        return Some(rest.split_once('>')?.0.to_owned());
    }
    let inside = rest.split_once(')')?.0;
    inside.split_whitespace().next().map(str::to_owned)
}

/// The line with what stands between backticks taken out.
fn without_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    // An even number of parts means a backtick without a partner: then it is only a backtick.
    if parts.len().is_multiple_of(2) {
        return line.to_owned();
    }
    parts.into_iter().step_by(2).collect()
}

fn slug(title: &str) -> String {
    let kept = title
        .chars()
        .filter(|&c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
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
    fn fenced_code_is_no_prose() {
        let text = "a\n```text\nb\n~~~\n```\nc\n";
        let numbers: Vec<_> = prose(text).map(|line| line.number).collect();
        assert_eq!(numbers, [1, 6]);
    }

    #[test]
    fn links_of_each_form_are_read() {
        assert_eq!(
            links("see [a](b.md) and [c](<d e.md#f> \"g\")"),
            ["b.md", "d e.md#f"]
        );
        assert_eq!(links("![picture](p.png \"title\")"), ["p.png"]);
        assert_eq!(links("[name]: spec/log.md \"title\""), ["spec/log.md"]);
        assert_eq!(links("`[a](b.md)` [^1]: note"), Vec::<String>::new());
        assert_eq!(links("[`code`](b.md)"), ["b.md"]);
    }

    #[test]
    fn headings_are_anchors() {
        let text = "# The `log`: order\n## Rules\n```\n# not\n```\n## Rules\n#tag\n";
        assert_eq!(anchors(text), ["the-log-order", "rules", "rules-1"]);
    }
}
