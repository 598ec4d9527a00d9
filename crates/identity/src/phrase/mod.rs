//! Phrases: twelve to twenty-four words that a person can keep on paper (BIP-39).
//!
//! ```text
//! entropy ── words ── seed(passphrase), 64 bytes ── identity_key(index) ── IdentityKey
//! ```
//!
//! The phrase alone restores the identity; so whoever reads it is the identity.

mod language;
mod parse;

pub use language::{Language, UnknownLanguage};

use std::fmt;

use bip39::Mnemonic;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    domain::{IDENTITY_KEY, derive},
    keys::IdentityKey,
};

/// A phrase whose words and checksum are right.
#[derive(Clone, PartialEq, Eq)]
pub struct Phrase {
    mnemonic: Mnemonic,
    language: Language,
}

/// How many words a phrase has (PHR-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Length {
    /// 12 words, 128 bits: as hard to guess as the identity key that it makes.
    #[default]
    Twelve,
    /// 15 words, 160 bits.
    Fifteen,
    /// 18 words, 192 bits.
    Eighteen,
    /// 21 words, 224 bits.
    TwentyOne,
    /// 24 words, 256 bits.
    TwentyFour,
}

/// Why a text is no phrase (PHR-4).
///
/// The wrong word and its likeliest correction are in it, for the person who typed them: show it,
/// do not log it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not 12, 15, 18, 21 or 24 words.
    #[error("a phrase has 12, 15, 18, 21 or 24 words, not {got}")]
    Count {
        /// How many words there are.
        got: usize,
    },
    /// A word is not in the list of the language that the others are of.
    #[error(
        "word {position}, \"{word}\", is not in the {language} word list{}",
        hint(suggestion)
    )]
    Word {
        /// Which word, from 1.
        position: usize,
        /// The word as it was understood.
        word: String,
        /// The language that most of the words belong to.
        language: Language,
        /// The list's nearest word, where one is at most two letters off.
        suggestion: Option<&'static str>,
    },
    /// Every word exists, but together they are no phrase: one is wrong, or two are swapped.
    #[error("the words exist but do not belong together: one is wrong, or the order is")]
    Checksum,
    /// Entropy of another length than a phrase can say.
    #[error("entropy of {got} bytes; a phrase holds 16, 20, 24, 28 or 32")]
    Entropy {
        /// The bytes given.
        got: usize,
    },
}

impl Phrase {
    /// A new phrase from `rng`.
    ///
    /// # Errors
    /// [`Error::Entropy`], which no [`Length`] of today leads to.
    pub fn generate<R: CryptoRng + ?Sized>(
        rng: &mut R,
        language: Language,
        length: Length,
    ) -> Result<Self, Error> {
        let mut entropy = Zeroizing::new(vec![0; length.entropy_bytes()]);
        rng.fill_bytes(&mut entropy);
        Self::from_entropy(language, &entropy)
    }

    /// The phrase that says `entropy`: 16, 20, 24, 28 or 32 bytes.
    ///
    /// # Errors
    /// [`Error::Entropy`].
    pub fn from_entropy(language: Language, entropy: &[u8]) -> Result<Self, Error> {
        let mnemonic = Mnemonic::from_entropy_in(language.list(), entropy)
            .map_err(|_| Error::Entropy { got: entropy.len() })?;
        Ok(Self { mnemonic, language })
    }

    /// Reads a phrase in whichever of the ten languages it is, in any case and spacing.
    ///
    /// # Errors
    /// [`Error`], which says the word that is wrong.
    pub fn parse(text: &str) -> Result<Self, Error> {
        parse::parse(text)
    }

    /// The language of its words.
    ///
    /// Chinese words of both scripts are read as simplified; the seed is the same.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The words with single spaces between, in the Unicode form of the lists (NFKD).
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT_BYTES));
        for word in self.mnemonic.words() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    }

    /// The entropy that the words say.
    pub fn entropy(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.mnemonic.to_entropy())
    }

    /// The 64-byte seed of the phrase and a passphrase, which is empty where there is none.
    ///
    /// PBKDF2-HMAC-SHA512, 2048 rounds, both in NFKD (BIP-39, "From mnemonic to seed"). Every
    /// passphrase gives a seed: a mistyped one is another identity, not an error.
    pub fn seed(&self, passphrase: &str) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(self.mnemonic.to_seed(passphrase))
    }
}

/// The identity key with this index of a seed; the first has 0 (PHR-3).
///
/// BLAKE3 `derive_key` with context `tenet v1 identity` over the 64-byte BIP-39 seed followed by
/// the index as four big-endian bytes; the result is an Ed25519 seed.
pub fn identity_key(seed: &[u8; 64], index: u32) -> IdentityKey {
    let secret = Zeroizing::new(derive(IDENTITY_KEY, &[seed, &index.to_be_bytes()]));
    IdentityKey::from_seed(*secret)
}

impl Length {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Twelve,
        Self::Fifteen,
        Self::Eighteen,
        Self::TwentyOne,
        Self::TwentyFour,
    ];

    /// The number of words.
    pub const fn words(self) -> usize {
        match self {
            Self::Twelve => 12,
            Self::Fifteen => 15,
            Self::Eighteen => 18,
            Self::TwentyOne => 21,
            Self::TwentyFour => 24,
        }
    }

    /// Three words say four bytes (and a checksum).
    const fn entropy_bytes(self) -> usize {
        self.words() / 3 * 4
    }
}

impl TryFrom<usize> for Length {
    type Error = Error;

    fn try_from(words: usize) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|length| length.words() == words)
            .ok_or(Error::Count { got: words })
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Phrase({} words, {})",
            self.mnemonic.word_count(),
            self.language
        )
    }
}

/// More than the longest phrase: 24 Korean words of at most 27 bytes; growing would leave copies.
const MAX_TEXT_BYTES: usize = 1024;

fn hint(suggestion: &Option<&'static str>) -> String {
    suggestion.map_or_else(String::new, |word| format!("; did you mean \"{word}\"?"))
}

#[cfg(test)]
mod tests;
