//! Sealed links: a link under a password, to be kept in a file or handed on by others.

use rand_core::CryptoRng;

use super::link::{self, Link};
use crate::{
    domain::{SEALED_LINK_CHECK, SEALED_LINK_KEY},
    sealed::{self, Sort},
    vault::Cost,
};

/// What a sealed link begins with.
pub const SCHEME: &str = "tenet-sealed:";
/// The longest text that is read as a sealed link, in characters.
pub const MAX_CHARACTERS: usize = 8192;

const SEALED_LINK: Sort = Sort {
    scheme: SCHEME,
    key: SEALED_LINK_KEY,
    check: SEALED_LINK_CHECK,
    most: MAX_CHARACTERS,
};

/// Why a text is no sealed link that can be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not open.
    #[error("the sealed link does not open: {0}")]
    Sealed(#[from] sealed::Error),
    /// What was sealed is no link.
    #[error("what was sealed is no link")]
    Link(#[from] link::Error),
}

/// Seals a link under a password of 1 to 256 bytes.
///
/// # Errors
/// [`sealed::Error::Password`].
pub fn seal<R: CryptoRng + ?Sized>(
    rng: &mut R,
    link: &Link,
    password: &str,
    cost: Cost,
) -> Result<String, Error> {
    Ok(SEALED_LINK.seal(rng, link.text().as_bytes(), password, cost)?)
}

/// Opens a sealed link; this takes as long as its [`Cost`] says. White space is ignored.
///
/// # Errors
/// [`Error`].
pub fn open(text: &str, password: &str) -> Result<Link, Error> {
    let opened = SEALED_LINK.open(text, password)?;
    let link = std::str::from_utf8(&opened).map_err(|_| sealed::Error::Damaged)?;
    Ok(Link::parse(link)?)
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
    use crate::{
        keys::{EndpointId, IdentityKey},
        meeting::door::{self, Place},
    };
    use data_encoding::BASE64URL_NOPAD;
    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    fn link() -> Link {
        let place = Place {
            endpoint: EndpointId::from([3; 32]),
            addresses: vec![],
        };
        door::link(IdentityKey::from_seed([1; 32]).public(), place).unwrap()
    }

    fn sealed(password: &str) -> Result<String, Error> {
        let cost = Cost::new(8, 1, 1).unwrap();
        seal(
            &mut ChaCha20Rng::from_seed([7; 32]),
            &link(),
            password,
            cost,
        )
    }

    fn is_damage(opened: &Result<Link, Error>) -> bool {
        matches!(
            opened,
            Err(Error::Sealed(
                sealed::Error::Damaged | sealed::Error::Encoding(_)
            ))
        )
    }

    /// SEAL-101.
    #[test]
    fn sealed_link_snapshot() {
        let text = sealed("correct horse").unwrap();
        assert!(text.starts_with("tenet-sealed:glkBGKcAAQFQ9ACSeFeq9kEU9WG6rLN5cAIIAwEEAQVMjHmh3BR2q1cyFqQCBljs81LX-TsKEEBS2RbS_7QGaLP4"), "{text}");
        assert_eq!(open(&text, "correct horse").unwrap(), link());
        let broken = text.replace('A', "A\r\n");
        assert_eq!(open(&broken, "correct horse").unwrap(), link());
    }

    /// SEAL-102.
    #[test]
    fn a_wrong_password_and_damage_are_told_apart() {
        let text = sealed("right").unwrap();
        assert!(matches!(
            open(&text, "wrong"),
            Err(Error::Sealed(sealed::Error::WrongPassword))
        ));
        let bytes = BASE64URL_NOPAD
            .decode(&text.as_bytes()[SCHEME.len()..])
            .unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let changed = format!("{SCHEME}{}", BASE64URL_NOPAD.encode(&changed));
            let opened = open(&changed, "right");
            assert!(is_damage(&opened), "byte {at}: {opened:?}");
        }
        assert!(is_damage(&open(&text[..80], "right")));
        assert!(matches!(
            open("tenet:abc", "right"),
            Err(Error::Sealed(sealed::Error::Scheme))
        ));
        for password in ["", &"x".repeat(257)] {
            assert!(matches!(
                sealed(password),
                Err(Error::Sealed(sealed::Error::Password(_)))
            ));
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[a-zA-Z0-9_-]{0,90}", at in any::<prop::sample::Index>()) {
            let _ = open(&format!("{SCHEME}{text}"), "x");
            let mut known = sealed("x").unwrap();
            known.truncate(SCHEME.len() + at.index(known.len() - SCHEME.len()));
            let _ = open(&(known + &text), "x");
        }
    }
}
