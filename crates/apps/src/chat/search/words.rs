//! Words: how a text is cut and folded, so that what is meant alike is found alike (`CHAT-201`).

use std::ops::Range;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The most bytes of a word that tell it from others: nobody types more, and a picture that was
/// pasted as text makes no words of thousands of bytes.
const MAX_BYTES: usize = 64;

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word in its folded form: lower case, without accents.
    pub folded: String,
    /// Its bytes in the text.
    pub at: Range<usize>,
}

/// The words of a text, in their order.
///
/// Letters and digits that stand together make a word. Where people write without spaces (Han,
/// kana, Thai and their neighbours) each sign is a word, and so is each emoji: what is asked in
/// several of them is found as a phrase.
pub fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    // Whether the last word may go on.
    let mut open = false;
    for (start, sign) in text.char_indices() {
        let end = start + sign.len_utf8();
        if is_combining_mark(sign) || is_skin(sign) {
            if let Some(word) = words.last_mut().filter(|word| word.at.end == start) {
                word.at.end = end;
            }
            continue;
        }
        let signs = fold(sign);
        if signs.is_empty() {
            open = false;
        }
        for folded in signs {
            let alone = is_alone(folded);
            match words.last_mut().filter(|_| open && !alone) {
                Some(word) => {
                    word.at.end = end;
                    if word.folded.len() + folded.len_utf8() <= MAX_BYTES {
                        word.folded.push(folded);
                    }
                }
                None => words.push(Word {
                    folded: folded.into(),
                    at: start..end,
                }),
            }
            open = !alone;
        }
    }
    words
}

/// What a sign is searched by; nothing for what stands between words.
fn fold(sign: char) -> Vec<char> {
    // Syllables of Hangul would fall apart into letters: three times the bytes and nothing gained.
    if ('\u{ac00}'..='\u{d7a3}').contains(&sign) {
        return vec![sign];
    }
    let plain = std::iter::once(sign).nfkd();
    let plain = plain.filter(|sign| !is_combining_mark(*sign));
    let lower = plain.flat_map(char::to_lowercase);
    lower
        .filter(|sign| sign.is_alphanumeric() || is_emoji(*sign))
        .collect()
}

/// Whether a sign is a word by itself.
fn is_alone(sign: char) -> bool {
    let range = |from: u32, to: u32| (from..=to).contains(&u32::from(sign));
    is_emoji(sign)
        || range(0x0e00, 0x0eff)
        || range(0x1000, 0x109f)
        || range(0x1780, 0x17ff)
        || range(0x3005, 0x3007)
        || range(0x3041, 0x30ff)
        || range(0x31f0, 0x31ff)
        || range(0x3400, 0x4dbf)
        || range(0x4e00, 0x9fff)
        || range(0xf900, 0xfaff)
        || range(0xff66, 0xff9f)
        || range(0x20000, 0x3ffff)
}

/// Pictures and symbols; whether Unicode calls one an emoji depends on its version.
fn is_emoji(sign: char) -> bool {
    matches!(u32::from(sign), 0x2190..=0x2bff | 0x1f000..=0x1faff) && !sign.is_alphanumeric()
}

/// The colour of a skin belongs to the emoji before it and makes no other word of it.
fn is_skin(sign: char) -> bool {
    matches!(u32::from(sign), 0x1f3fb..=0x1f3ff)
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

    fn folded(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.folded).collect()
    }

    /// CHAT-201.
    #[test]
    fn case_accents_and_widths_are_folded() {
        let cases: [(&str, &[&str]); 8] = [
            ("Ångström, naïve CAFÉ", &["angstrom", "naive", "cafe"]),
            ("cafe\u{301}s", &["cafes"]),
            ("ＡＢＣ１２ ﬁne", &["abc12", "fine"]),
            (
                "don't e-mail: a_b@c.de",
                &["don", "t", "e", "mail", "a", "b", "c", "de"],
            ),
            ("東京へ行く", &["東", "京", "へ", "行", "く"]),
            ("한국어 ΑΘΉΝΑ Ёлка", &["한국어", "αθηνα", "елка"]),
            ("well👍🏽done❤️", &["well", "👍", "done", "❤"]),
            (" .,;\u{301}-  ", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(folded(text), expected, "{text}");
        }
    }

    #[test]
    fn a_word_says_where_it_stands() {
        let text = "Où est le cafe\u{301} 👍🏽?";
        let cut: Vec<&str> = words(text).into_iter().map(|w| &text[w.at]).collect();
        assert_eq!(cut, ["Où", "est", "le", "cafe\u{301}", "👍🏽"]);
    }

    #[test]
    fn a_word_of_a_thousand_letters_is_cut() {
        let long = words(&"x".repeat(1000));
        assert_eq!(
            (long[0].folded.len(), long[0].at.clone()),
            (MAX_BYTES, 0..1000)
        );
    }

    proptest! {
        /// What is folded stays as it is when it is folded again: the index and what is asked meet.
        #[test]
        fn folding_is_done_once(text in "\\PC{0,40}") {
            let once = folded(&text);
            let again = folded(&once.join(" "));
            prop_assert_eq!(again, once);
        }

        #[test]
        fn words_stand_in_order(text in "\\PC{0,60}") {
            let mut before = 0..0;
            for Word { at, .. } in words(&text) {
                // What stands for several signs may make several words, the last with what follows it.
                prop_assert!(at.start == before.start || at.start >= before.end);
                prop_assert!(at.end >= before.end);
                prop_assert!(text.get(at.clone()).is_some_and(|word| !word.is_empty()));
                before = at;
            }
        }
    }
}
