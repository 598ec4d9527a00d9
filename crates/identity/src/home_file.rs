//! The head of an exported home: the key of what follows, under a password (`MOVE-2`).
//!
//! What follows is sealed under a key that is random and used once, so the password is stretched once and a
//! home of any size is written in one go.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    domain::{HOME_FILE_CHECK, HOME_FILE_KEY},
    sealed::{self, MIN_PASSWORD, Sort},
    vault::Cost,
};

/// What an exported home begins with.
pub const SCHEME: &str = "tenet-home:";
/// The longest head, in characters.
pub const MAX_CHARACTERS: usize = 512;

const HOME_FILE: Sort = Sort {
    scheme: SCHEME,
    key: HOME_FILE_KEY,
    check: HOME_FILE_CHECK,
    most: MAX_CHARACTERS,
};

/// Why there is no head, or it gives no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not open.
    #[error("the exported home does not open: {0}")]
    Sealed(#[from] sealed::Error),
    /// The password is too short.
    #[error("a password for a home has at least {MIN_PASSWORD} characters; nothing was written")]
    ShortPassword,
    /// It opens, and holds no key.
    #[error("the head of the exported home is damaged")]
    NoKey,
}

/// Seals the key of what follows under a password of at least [`MIN_PASSWORD`] characters.
///
/// # Errors
/// [`Error::ShortPassword`], [`sealed::Error::Password`].
pub fn seal<R: CryptoRng + ?Sized>(
    rng: &mut R,
    key: &[u8; 32],
    password: &str,
    cost: Cost,
) -> Result<String, Error> {
    if password.chars().count() < MIN_PASSWORD {
        return Err(Error::ShortPassword);
    }
    Ok(HOME_FILE.seal(rng, key, password, cost)?)
}

/// The key of what follows; this takes as long as the [`Cost`] says that is in the head.
///
/// # Errors
/// [`Error`].
pub fn open(head: &str, password: &str) -> Result<Zeroizing<[u8; 32]>, Error> {
    let opened = HOME_FILE.open(head, password)?;
    let key = <[u8; 32]>::try_from(opened.as_slice());
    key.map(Zeroizing::new).map_err(|_| Error::NoKey)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    const PASSWORD: &str = "a long password";

    fn head() -> String {
        let cheap = Cost::new(8, 1, 1).unwrap();
        seal(
            &mut ChaCha20Rng::from_seed([7; 32]),
            &[1; 32],
            PASSWORD,
            cheap,
        )
        .unwrap()
    }

    /// MOVE-2.
    #[test]
    fn home_file_head_snapshot() {
        assert_eq!(head(), SNAPSHOT);
        assert_eq!(*open(&head(), PASSWORD).unwrap(), [1; 32]);
    }

    const SNAPSHOT: &str = "tenet-home:glhcpwABAVD0AJJ4V6r2QRT1Ybqss3lwAggDAQQBBUyMeaHcFHarVzIWpAIGWDC4Jfj62ghMV8BKJZLIw-w9X_Xs1kIKH2ttOKp7GaQZC9EprEn28vFdAGdUTA3dWtpI2n8Lftb98Ts";

    #[test]
    fn a_wrong_password_is_told_from_damage() {
        let wrong = open(&head(), "another password").unwrap_err();
        assert!(matches!(wrong, Error::Sealed(sealed::Error::WrongPassword)));
        let damaged = head().replacen("tenet-home:g", "tenet-home:h", 1);
        let damaged = open(&damaged, PASSWORD).unwrap_err();
        assert!(
            !matches!(damaged, Error::Sealed(sealed::Error::WrongPassword)),
            "{damaged}"
        );
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let short = seal(&mut rng, &[1; 32], "seven l", Cost::DEFAULT);
        assert!(matches!(short, Err(Error::ShortPassword)));
    }

    proptest! {
        #[test]
        fn opening_never_panics(text in ".{0,60}") {
            prop_assert!(open(&text, PASSWORD).is_err());
            let tail = open(&format!("{SCHEME}{text}"), PASSWORD);
            prop_assert!(tail.is_err());
        }
    }
}
