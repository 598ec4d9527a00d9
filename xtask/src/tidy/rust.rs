//! Rust sources taken apart: code, comments, literals; and where the logic ends and tests begin.
//!
//! This is a reader of tokens, not a parser: enough to tell a word in code from one in a comment.

/// A source file, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    /// The text with comments and literals blanked, so that lines keep their numbers.
    pub(crate) code: String,
    /// What stands between the quotes of string literals, escapes as written.
    pub(crate) literals: Vec<Snippet>,
    /// Comments, their slashes included.
    pub(crate) comments: Vec<Snippet>,
    /// How many lines stand before the tests; 0 in a file of tests.
    pub(crate) logic_lines: usize,
}

/// A piece of a file and the line where it begins, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snippet {
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Source {
    /// Takes a file's text apart.
    pub(crate) fn read(text: &str) -> Self {
        let mut reader = Reader {
            rest: text,
            line: 1,
            previous: ' ',
            source: Self::default(),
        };
        while reader.step() {}
        let mut source = reader.source;
        let tests = test_modules(&source.code)
            .into_iter()
            .find(|module| module.inline);
        source.logic_lines = match tests {
            Some(module) => module.line - 1,
            None => text.lines().count(),
        };
        source
    }

    /// The code before the tests.
    pub(crate) fn logic(&self) -> &str {
        let end: usize = self
            .code
            .split_inclusive('\n')
            .take(self.logic_lines)
            .map(str::len)
            .sum();
        self.code.get(..end).unwrap_or_default()
    }
}

/// A module that only tests see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TestModule {
    pub(crate) name: String,
    /// The line of its `#[cfg(test)]`.
    pub(crate) line: usize,
    /// Whether its body follows, rather than standing in a file of its own.
    pub(crate) inline: bool,
}

/// The modules under `#[cfg(test)]`, in order.
pub(crate) fn test_modules(code: &str) -> Vec<TestModule> {
    const MARK: &str = "#[cfg(test)]";
    code.match_indices(MARK)
        .filter_map(|(at, _)| {
            let mut rest = code.get(at + MARK.len()..)?.trim_start();
            while let Some(attribute) = rest.strip_prefix("#[") {
                rest = attribute.split_once(']')?.1.trim_start();
            }
            if let Some(public) = rest.strip_prefix("pub") {
                rest = public.trim_start();
                if rest.starts_with('(') {
                    rest = rest.split_once(')')?.1.trim_start();
                }
            }
            let rest = rest.strip_prefix("mod ")?.trim_start();
            let name: String = rest.chars().take_while(|&c| is_word(c)).collect();
            let inline = rest.get(name.len()..)?.trim_start().starts_with('{');
            Some(TestModule {
                name,
                line: line_of(code, at),
                inline,
            })
        })
        .collect()
}

/// The lines, from 1, where `word` stands and is not part of a longer name.
pub(crate) fn lines_with(text: &str, word: &str) -> Vec<usize> {
    words_at(text, word).map(|at| line_of(text, at)).collect()
}

/// Where `word` stands and is not part of a longer name.
pub(crate) fn words_at<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text
                .get(at + word.len()..)
                .and_then(|text| text.chars().next());
            let joined = |near: Option<char>, edge: Option<char>| {
                near.is_some_and(is_word) && edge.is_some_and(is_word)
            };
            !joined(before, word.chars().next()) && !joined(after, word.chars().next_back())
        })
}

/// The line, from 1, of a place in a text.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}

/// Whether a character can be part of a name.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    previous: char,
    source: Source,
}

impl Reader<'_> {
    /// Reads one token, or one character of code; false at the end.
    fn step(&mut self) -> bool {
        let rest = self.rest;
        let Some(first) = rest.chars().next() else {
            return false;
        };
        if rest.starts_with("//") {
            self.comment(rest.find('\n').unwrap_or(rest.len()));
        } else if rest.starts_with("/*") {
            self.comment(block_comment(rest));
        } else if let Some((start, end)) = raw_string(rest).filter(|_| !is_word(self.previous)) {
            self.literal(start, end);
        } else if first == '"' {
            let end = string(rest);
            self.literal(1, end);
        } else if let Some(length) = character(rest) {
            self.blank(length);
        } else {
            self.source.code.push(first);
            self.advance(first.len_utf8());
        }
        true
    }

    fn comment(&mut self, length: usize) {
        let text = self.rest.get(..length).unwrap_or_default().to_owned();
        self.source.comments.push(Snippet {
            line: self.line,
            text,
        });
        self.blank(length);
    }

    /// A string whose content is `start..end`.
    fn literal(&mut self, start: usize, end: usize) {
        let text = self.rest.get(start..end).unwrap_or_default().to_owned();
        self.source.literals.push(Snippet {
            line: self.line,
            text,
        });
        // The closing quote and hashes are as long as what opens, without the letters before.
        let opening = self.rest.get(..start).unwrap_or_default();
        let closing = opening.trim_start_matches(is_word).len();
        self.blank((end + closing).min(self.rest.len()));
    }

    fn blank(&mut self, length: usize) {
        let gone = self.rest.get(..length).unwrap_or_default();
        let blanks = gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' });
        self.source.code.extend(blanks);
        self.advance(length);
    }

    fn advance(&mut self, length: usize) {
        let (gone, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.line += gone.matches('\n').count();
        self.previous = gone.chars().next_back().unwrap_or(' ');
        self.rest = rest;
    }
}

/// The length of the block comment that `text` begins with; they nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Where the content of the raw string that `text` begins with starts and ends.
fn raw_string(text: &str) -> Option<(usize, usize)> {
    let after = text.trim_start_matches(['b', 'c']).strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let content = after.get(hashes..)?.strip_prefix('"')?;
    let start = text.len() - content.len();
    let close = format!("\"{}", "#".repeat(hashes));
    Some((
        start,
        content
            .find(&close)
            .map_or(text.len(), |length| start + length),
    ))
}

/// Where the content of the string that `text` begins with ends.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    text.len()
}

/// The length of the character literal that `text` begins with; `None` for a lifetime.
fn character(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    if let Some(escape) = inner.strip_prefix('\\') {
        let close = escape.char_indices().skip(1).find(|(_, c)| *c == '\'')?.0;
        return Some(close + 3);
    }
    let length = inner.chars().next()?.len_utf8();
    inner.get(length..)?.starts_with('\'').then_some(length + 2)
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

    fn literals(text: &str) -> Vec<String> {
        Source::read(text)
            .literals
            .into_iter()
            .map(|snippet| snippet.text)
            .collect()
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        let text = "let a = \"std::fs\"; // std::fs\n/* std::fs /* nested */ */ fs::read();\n";
        let source = Source::read(text);
        assert_eq!(lines_with(&source.code, "fs"), [2]);
        assert_eq!(source.code.len(), text.len());
        assert_eq!(source.comments.len(), 2);
        assert_eq!(
            source.comments[0],
            Snippet {
                line: 1,
                text: "// std::fs".to_owned()
            }
        );
        assert_eq!(source.comments[1].line, 2);
    }

    #[test]
    fn strings_of_all_forms_are_read() {
        assert_eq!(literals(r#"f("a \" b", 'x')"#), [r#"a \" b"#]);
        assert_eq!(
            literals(r##"f(r#"a " b"#, br"c\", b"d", cr"e")"##),
            ["a \" b", "c\\", "d", "e"]
        );
        assert_eq!(literals("f(\"two\nlines\") // \"no\""), ["two\nlines"]);
        assert_eq!(literals(r#"for_r"x""#), ["x"]);
        assert_eq!(Source::read(r##"f(r#"a"#);"##).code, "f(      );");
        assert_eq!(Source::read(r##"f(br#"a"#, 1);"##).code, "f(       , 1);");
    }

    #[test]
    fn a_quote_may_be_a_character_or_a_lifetime() {
        let source = Source::read(r#"fn f<'a>(x: &'a str) { g('"', '\'', '\u{1F600}', "s") }"#);
        assert_eq!(source.literals.len(), 1);
        assert!(source.code.contains("<'a>"));
        assert!(!source.code.contains("1F600"));
    }

    #[test]
    fn an_unfinished_file_ends_the_reading() {
        for text in ["\"", "r#\"a", "/* a /* b */", "'", "'\\", "b", "é'é"] {
            Source::read(text);
        }
    }

    #[test]
    fn logic_ends_where_the_tests_begin() {
        let text = "//! a\nfn f() {}\n\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n    fn g() {}\n}\n";
        let source = Source::read(text);
        assert_eq!(source.logic_lines, 3);
        assert!(source.logic().contains("fn f"));
        assert!(!source.logic().contains("fn g"));
    }

    #[test]
    fn a_test_module_in_its_own_file_ends_nothing() {
        let text = "#[cfg(test)]\npub(crate) mod fake;\n#[cfg(test)]\nuse x;\nfn f() {}\n";
        let source = Source::read(text);
        assert_eq!(source.logic_lines, 5);
        let found = test_modules(&source.code);
        assert_eq!(
            found,
            [TestModule {
                name: "fake".to_owned(),
                line: 1,
                inline: false
            }]
        );
    }

    #[test]
    fn a_word_inside_a_longer_name_is_not_found() {
        let code = "my_thread::f();\nthread::f();\nthread::feed();";
        assert_eq!(lines_with(code, "thread::f"), [2]);
    }
}
