//! What a person types into a search, and which messages are looked at.

use std::ops::Range;

use tenet_identity::keys::IdentityId;
use tenet_log::ids::SessionId;

use super::words::{Word, words};

/// The most words in one search: each costs a walk through the messages that have it.
pub const MAX_WORDS: usize = 32;

/// The fewest letters of a beginning: with fewer, half of all words would begin so.
const MIN_BEGINNING: usize = 3;

/// What is looked for: all of it must be there (`CHAT-202`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    phrases: Vec<Vec<String>>,
    prefix: bool,
}

/// Among which messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In these sessions; in all where there is none.
    pub sessions: Vec<SessionId>,
    /// Written by this identity.
    pub identity: Option<IdentityId>,
    /// Only those with files.
    pub files: bool,
    /// Not written before, in Unix milliseconds.
    pub since: Option<u64>,
    /// Written before, in Unix milliseconds.
    pub until: Option<u64>,
}

/// Why nothing can be looked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// Neither words nor a filter.
    #[error("there is nothing to look for: give a word, or say where, from whom or when")]
    Nothing,
    /// Over the limit.
    #[error("{count} words are more than the {MAX_WORDS} of one search")]
    TooLong {
        /// How many.
        count: usize,
    },
}

impl Query {
    /// Reads what was typed: words, `"phrases"`; the last word may go on.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn new(typed: &str, filter: &Filter) -> Result<Self, QueryError> {
        let mut query = Self::default();
        for (number, part) in typed.split('"').enumerate() {
            if number % 2 == 1 {
                query.add(part, false);
            } else {
                part.split_whitespace()
                    .for_each(|word| query.add(word, true));
            }
        }
        let count = query.phrases.iter().map(Vec::len).sum();
        if count > MAX_WORDS {
            return Err(QueryError::TooLong { count });
        }
        if query.phrases.is_empty() && *filter == Filter::default() {
            return Err(QueryError::Nothing);
        }
        Ok(query)
    }

    fn add(&mut self, typed: &str, may_go_on: bool) {
        let phrase: Vec<String> = words(typed).into_iter().map(|word| word.folded).collect();
        if let Some(last) = phrase.last() {
            self.prefix = may_go_on && last.chars().count() >= MIN_BEGINNING;
            self.phrases.push(phrase);
        }
    }

    /// Sequences of words, each of which must be there.
    pub fn phrases(&self) -> &[Vec<String>] {
        &self.phrases
    }

    /// Whether the last word of the last phrase may be the beginning of one.
    pub fn is_prefix(&self) -> bool {
        self.prefix
    }

    /// Where in a text what is looked for stands, in bytes; ascending, none within another.
    pub fn hits(&self, text: &str) -> Vec<Range<usize>> {
        let words = words(text);
        let mut found: Vec<Range<usize>> = Vec::new();
        for (number, phrase) in self.phrases.iter().enumerate() {
            let prefix = self.prefix && number + 1 == self.phrases.len();
            let at = words.windows(phrase.len());
            let at = at.filter(|window| is_phrase(window, phrase, prefix));
            found.extend(at.filter_map(|window| {
                let (first, last) = (window.first()?, window.last()?);
                Some(first.at.start..last.at.end)
            }));
        }
        found.sort_by_key(|range| (range.start, range.end));
        let mut merged: Vec<Range<usize>> = Vec::new();
        for range in found {
            match merged.last_mut().filter(|last| range.start < last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => merged.push(range),
            }
        }
        merged
    }

    /// Whether all that is looked for stands in these words.
    pub fn matches(&self, words: &[Word]) -> bool {
        self.phrases.iter().enumerate().all(|(number, phrase)| {
            let prefix = self.prefix && number + 1 == self.phrases.len();
            let mut windows = words.windows(phrase.len());
            windows.any(|window| is_phrase(window, phrase, prefix))
        })
    }
}

impl Filter {
    /// Whether a message written then is meant.
    pub fn covers(&self, millis: u64) -> bool {
        self.since.is_none_or(|since| since <= millis)
            && self.until.is_none_or(|until| millis < until)
    }
}

fn is_phrase(window: &[Word], phrase: &[String], prefix: bool) -> bool {
    window
        .iter()
        .zip(phrase)
        .enumerate()
        .all(|(at, (word, wanted))| {
            let may_go_on = prefix && at + 1 == phrase.len();
            word.folded == *wanted || (may_go_on && word.folded.starts_with(wanted.as_str()))
        })
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
    use proptest::prelude::*;

    fn query(typed: &str) -> Query {
        Query::new(typed, &Filter::default()).unwrap()
    }

    fn marked(typed: &str, text: &str) -> Vec<String> {
        let hits = query(typed).hits(text);
        hits.into_iter().map(|at| text[at].to_owned()).collect()
    }

    /// CHAT-202.
    #[test]
    fn words_phrases_and_a_beginning() {
        let found = |typed: &str, text: &str| query(typed).matches(&words(text));
        assert!(found("meet five", "Shall we MEET at fivé?"));
        assert!(!found("meet six", "Shall we meet at five?"));
        assert!(found("shall mee", "Shall we meet?"), "the last may go on");
        assert!(!found("sha meet", "Shall we meet?"), "others may not");
        assert!(!found("me", "Shall we meet?"), "two letters begin too much");
        assert!(found("\"at five\"", "at five"));
        assert!(!found("\"at five\"", "five at"));
        assert!(!found("\"at fiv\"", "at five"), "a phrase is whole");
        assert!(found("京へ", "東京へ行く") && !found("東へ", "東京へ行く"));
        assert!(found("e-mail", "my e mail") && !found("e-mail", "mail, e"));
    }

    /// CHAT-202: nothing that is typed has a meaning of its own but the quotation mark.
    #[test]
    fn operators_are_words() {
        let typed = query("NEAR(a OR b) -c text:d* ^e");
        let words: Vec<_> = typed.phrases().concat();
        assert_eq!(words, ["near", "a", "or", "b", "c", "text", "d", "e"]);
    }

    #[test]
    fn too_little_and_too_much_is_refused() {
        let none = Filter::default();
        assert_eq!(Query::new(" ,\"\" !", &none), Err(QueryError::Nothing));
        let files = Filter {
            files: true,
            ..Filter::default()
        };
        assert!(Query::new("", &files).unwrap().phrases().is_empty());
        let many = "a ".repeat(33);
        assert_eq!(
            Query::new(&many, &none),
            Err(QueryError::TooLong { count: 33 })
        );
    }

    #[test]
    fn hits_are_where_they_stand() {
        assert_eq!(
            marked("mee", "We met; we Meet, meeting."),
            ["Meet", "meeting"]
        );
        assert_eq!(marked("\"a b\" \"b a\" x", "a b a y x"), ["a b a", "x"]);
        assert_eq!(marked("cafe", "le cafe\u{301}!"), ["cafe\u{301}"]);
    }

    proptest! {
        /// Where something is found it can be shown, and the reverse.
        #[test]
        fn hits_are_there_where_it_matches(text in "[ab ]{0,12}", typed in "[ab\" ]{1,6}") {
            if let Ok(query) = Query::new(&typed, &Filter::default())
                && query.matches(&words(&text))
            {
                prop_assert!(!query.hits(&text).is_empty());
            }
        }

        #[test]
        fn never_panics(text in "\\PC{0,40}", typed in "\\PC{0,20}") {
            if let Ok(query) = Query::new(&typed, &Filter::default()) {
                for hit in query.hits(&text) {
                    prop_assert!(text.get(hit).is_some());
                }
            }
        }
    }
}
