//! Reading a phrase that a person typed: find the language, then say exactly what is wrong.

use std::borrow::Cow;

use bip39::Mnemonic;
use zeroize::{Zeroize, Zeroizing};

use super::{Error, Language, Length, Phrase};

pub(super) fn parse(text: &str) -> Result<Phrase, Error> {
    let normal = normalize(text);
    let words: Vec<&str> = normal.split_whitespace().collect();
    Length::try_from(words.len())?;
    let languages = likeliest(&words);
    let readable = languages
        .iter()
        .filter(|language| first_unknown(&words, **language).is_none());
    let mut any = false;
    for language in readable.copied() {
        any = true;
        if let Some(phrase) = read(&words, language) {
            return Ok(phrase);
        }
    }
    if any {
        return Err(Error::Checksum);
    }
    let language = languages.first().copied().unwrap_or_default();
    let (position, word) = first_unknown(&words, language).unwrap_or_default();
    Err(Error::Word {
        position: position + 1,
        word: word.to_owned(),
        language,
        suggestion: nearest(word, language),
    })
}

/// The form of the word lists: NFKD and lower case; the ideographic space becomes a plain one.
fn normalize(text: &str) -> Zeroizing<String> {
    let mut normal = Cow::Borrowed(text);
    Mnemonic::normalize_utf8_cow(&mut normal);
    let lower = Zeroizing::new(normal.to_lowercase());
    if let Cow::Owned(mut copy) = normal {
        copy.zeroize();
    }
    lower
}

/// The languages that most of the words belong to: several lists share words (PHR-2).
fn likeliest(words: &[&str]) -> Vec<Language> {
    let known = |language: &Language| {
        words
            .iter()
            .filter(|word| language.list().find_word(word).is_some())
            .count()
    };
    let most = Language::ALL.iter().map(known).max();
    Language::ALL
        .into_iter()
        .filter(|language| Some(known(language)) == most)
        .collect()
}

fn first_unknown<'w>(words: &[&'w str], language: Language) -> Option<(usize, &'w str)> {
    words
        .iter()
        .copied()
        .enumerate()
        .find(|(_, word)| language.list().find_word(word).is_none())
}

fn read(words: &[&str], language: Language) -> Option<Phrase> {
    let text = Zeroizing::new(words.join(" "));
    let mnemonic = Mnemonic::parse_in_normalized(language.list(), &text).ok()?;
    Some(Phrase { mnemonic, language })
}

/// The list's first word with the smallest edit distance, if that is at most two.
///
/// A word of one or two letters (most Chinese ones) is that near to anything, so the distance must
/// also be less than the word's length.
fn nearest(word: &str, language: Language) -> Option<&'static str> {
    let letters: Vec<char> = word.chars().collect();
    // The longest word of any list has 10 letters, in NFKD up to 15; a paste of a whole page is
    // not worth comparing.
    if letters.len() > 20 {
        return None;
    }
    let limit = 2.min(letters.len().saturating_sub(1));
    language
        .list()
        .word_list()
        .iter()
        .map(|candidate| (distance(&letters, candidate), *candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The Levenshtein distance in characters, one row of the table at a time.
fn distance(letters: &[char], other: &str) -> usize {
    let mut row: Vec<usize> = (0..=letters.len()).collect();
    for (line, theirs) in other.chars().enumerate() {
        let mut left = line + 1;
        let mut diagonal = line;
        for (cell, ours) in row.iter_mut().skip(1).zip(letters) {
            let replaced = diagonal + usize::from(*ours != theirs);
            diagonal = *cell;
            left = replaced.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        let cases = [
            ("", "", 0),
            ("", "zoo", 3),
            ("zoo", "", 3),
            ("kitten", "sitting", 3),
            ("abandn", "abandon", 1),
            ("about", "abuot", 2),
            ("same", "same", 0),
        ];
        for (one, other, edits) in cases {
            let letters: Vec<char> = one.chars().collect();
            assert_eq!(distance(&letters, other), edits, "{one} {other}");
        }
    }
}
