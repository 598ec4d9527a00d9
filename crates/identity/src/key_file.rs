//! Key files: what an identity is made from, under a password (KEYFILE-1 to KEYFILE-3).
//!
//! Whoever has the file and its password is the identity, as whoever has its phrase.

use std::fmt;

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    checked::Version,
    domain::{KEY_FILE_CHECK, KEY_FILE_KEY},
    encoding,
    keys::IdentityId,
    phrase::{self, Language, Phrase, identity_key},
    sealed::{self, MIN_PASSWORD, Sort},
    secrets::Entropy,
    vault::Cost,
};

/// What a key file begins with.
pub const SCHEME: &str = "tenet-key:";
/// The longest text that is read as a key file, in characters.
pub const MAX_CHARACTERS: usize = 4096;
/// The version of what is sealed that this crate writes and reads.
const VERSION: u16 = 1;

const KEY_FILE: Sort = Sort {
    scheme: SCHEME,
    key: KEY_FILE_KEY,
    check: KEY_FILE_CHECK,
    most: MAX_CHARACTERS,
};

/// What a key file holds.
pub struct KeyFile {
    /// The words.
    pub phrase: Phrase,
    /// Which identity of the phrase, from 0.
    pub index: u32,
    /// The identity that words, passphrase and index make.
    pub identity: IdentityId,
    /// Whether a passphrase belongs to the words; it is not in the file.
    pub passphrase: bool,
}

/// Why a text is no key file that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not open.
    #[error("the key file does not open: {0}")]
    Sealed(#[from] sealed::Error),
    /// The password is too short.
    #[error(
        "a password for a key file has at least {MIN_PASSWORD} characters; nothing was written"
    )]
    ShortPassword,
    /// Made by a newer program.
    #[error("the key file is of version {version}, made by a newer program: update this one")]
    Newer {
        /// The version.
        version: u16,
    },
    /// It opens, and what is in it is of another form.
    #[error("what is in the key file is damaged")]
    Encoding(#[from] encoding::Error),
    /// The entropy is that of no phrase.
    #[error("the phrase in the key file is bad")]
    Phrase(#[from] phrase::Error),
    /// What it holds makes another identity than it says (KEYFILE-3).
    #[error(
        "these words and this passphrase make another identity than the key file is of; is the passphrase right?"
    )]
    Mismatch,
}

impl KeyFile {
    /// Seals what is in it under a password of at least [`MIN_PASSWORD`] characters.
    ///
    /// # Errors
    /// [`Error::ShortPassword`], [`sealed::Error::Password`].
    pub fn seal<R: CryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        password: &str,
        cost: Cost,
    ) -> Result<String, Error> {
        if password.chars().count() < MIN_PASSWORD {
            return Err(Error::ShortPassword);
        }
        let form = Form {
            version: VERSION,
            language: self.phrase.language(),
            entropy: Entropy(self.phrase.entropy()),
            index: self.index,
            identity: self.identity,
            passphrase: self.passphrase,
        };
        // Large enough never to grow: growing would leave copies behind.
        let mut secret = Zeroizing::new(Vec::with_capacity(MAX_CHARACTERS));
        let outcome = minicbor::encode(&form, &mut *secret);
        debug_assert!(outcome.is_ok(), "writing to memory cannot fail");
        Ok(KEY_FILE.seal(rng, &secret, password, cost)?)
    }

    /// Opens a key file; this takes as long as its [`Cost`] says. White space is ignored.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open(text: &str, password: &str) -> Result<Self, Error> {
        let opened = KEY_FILE.open(text, password)?;
        let Version { version } = encoding::decode(&opened)?;
        if version != VERSION {
            return Err(Error::Newer { version });
        }
        let form: Form = encoding::decode(&opened)?;
        Ok(Self {
            phrase: Phrase::from_entropy(form.language, &form.entropy.0)?,
            index: form.index,
            identity: form.identity,
            passphrase: form.passphrase,
        })
    }

    /// KEYFILE-3: the 64-byte seed of words and passphrase, if they make the identity that the file
    /// is of.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub fn seed(&self, passphrase: &str) -> Result<Zeroizing<[u8; 64]>, Error> {
        let seed = self.phrase.seed(passphrase);
        if identity_key(&seed, self.index).public() != self.identity {
            return Err(Error::Mismatch);
        }
        Ok(seed)
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFile(of {:?}, redacted)", self.identity)
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    version: u16,
    #[n(1)]
    language: Language,
    #[n(2)]
    entropy: Entropy,
    #[n(3)]
    index: u32,
    #[n(4)]
    identity: IdentityId,
    #[n(5)]
    passphrase: bool,
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
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    fn file(passphrase: &str) -> KeyFile {
        let phrase = Phrase::from_entropy(Language::English, &[7; 16]).unwrap();
        let identity = identity_key(&phrase.seed(passphrase), 3).public();
        KeyFile {
            phrase,
            index: 3,
            identity,
            passphrase: !passphrase.is_empty(),
        }
    }

    fn sealed(password: &str) -> Result<String, Error> {
        let cost = Cost::new(8, 1, 1).unwrap();
        file("").seal(&mut ChaCha20Rng::from_seed([7; 32]), password, cost)
    }

    /// KEYFILE-1.
    #[test]
    fn key_file_snapshot() {
        let text = sealed("correct horse").unwrap();
        assert_eq!(text, SNAPSHOT);
        let opened = KeyFile::open(&format!(" {text}\n"), "correct horse").unwrap();
        assert_eq!(*opened.phrase.text(), *file("").phrase.text());
        assert_eq!((opened.index, opened.passphrase), (3, false));
        assert!(opened.seed("").is_ok());
    }

    const SNAPSHOT: &str = "tenet-key:glh6pwABAVD0AJJ4V6r2QRT1Ybqss3lwAggDAQQBBUyMeaHcFHarVzIWpAIGWE4jIo7bd6\
        9S_g6hB8MeaQmljmYlRoauoTqQqBRAWw0DiS8pCzN2AxuZORVI3lFfwo1sJea76Pq5zPfts7LuuhyMZnw7PSqazK3OaauOfc9IXtxJ9WBn_j4";

    /// KEYFILE-2.
    #[test]
    fn a_wrong_password_and_damage_are_told_apart() {
        let text = sealed("a password").unwrap();
        let wrong = KeyFile::open(&text, "another one");
        assert!(matches!(
            wrong,
            Err(Error::Sealed(sealed::Error::WrongPassword))
        ));
        let damaged = KeyFile::open(&text.replacen("-key:glh6", "-key:glh7", 1), "a password");
        let damaged = damaged.unwrap_err();
        assert!(damaged.to_string().contains("damaged"), "{damaged}");
        assert!(matches!(sealed("short"), Err(Error::ShortPassword)));
        assert!(matches!(sealed(&"x".repeat(257)), Err(Error::Sealed(_))));
    }

    /// KEYFILE-3.
    #[test]
    fn the_passphrase_is_checked() {
        let file = file("sesame");
        assert!(file.seed("sesame").is_ok());
        assert!(matches!(file.seed(""), Err(Error::Mismatch)));
        assert!(!format!("{file:?}").contains(&*file.phrase.text()));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[a-zA-Z0-9_-]{0,90}", at in any::<prop::sample::Index>()) {
            let mut known = sealed("a password").unwrap();
            known.truncate(SCHEME.len() + at.index(known.len() - SCHEME.len()));
            let _ = KeyFile::open(&(known + &text), "a password");
        }
    }
}
