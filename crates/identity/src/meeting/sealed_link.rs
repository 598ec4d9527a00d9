//! Sealed links: a link under a password, to be kept in a file or handed on by others.
//!
//! ```text
//! password ─ Argon2id ─ derive_key ─ AES-256-GCM ─ link
//! sealed = "tenet-sealed:" ‖ base64url([ body (byte string), check (8 bytes) ])
//! ```

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    armour::{self, Head},
    link::{self, Link},
};
use crate::{
    domain::{SEALED_LINK_CHECK, SEALED_LINK_KEY, derive},
    encoding,
    vault::{self, Cost},
};

/// What a sealed link begins with.
pub const SCHEME: &str = "tenet-sealed:";
/// The version that this crate writes and reads.
pub const VERSION: u16 = 1;
/// The longest text that is read as a sealed link, in characters.
pub const MAX_CHARACTERS: usize = 8192;

/// Why a text is no sealed link that can be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not begin with [`SCHEME`].
    #[error("not a sealed link: it begins with \"tenet-sealed:\"")]
    NotSealed,
    /// A character was changed, added or lost.
    #[error("the sealed link is damaged; ask for it again")]
    Damaged,
    /// Damaged: not even of the expected form.
    #[error("the sealed link is damaged; ask for it again")]
    Encoding(#[from] encoding::Error),
    /// Made by a newer program.
    #[error("the sealed link is of version {version}, made by a newer program: update this one")]
    Newer {
        /// The version.
        version: u16,
    },
    /// Whole, but the password is another.
    #[error("wrong password")]
    WrongPassword,
    /// The password or the cost is not allowed.
    #[error("the password cannot be used: {0}")]
    Password(#[from] vault::Error),
    /// What was sealed is no link.
    #[error("what was sealed is no link")]
    Link(#[from] link::Error),
}

/// Seals a link under a password of 1 to 256 bytes.
///
/// # Errors
/// [`Error::Password`].
pub fn seal<R: CryptoRng + ?Sized>(
    rng: &mut R,
    link: &Link,
    password: &str,
    cost: Cost,
) -> Result<String, Error> {
    let (mut salt, mut nonce) = ([0; 16], [0; 12]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut nonce);
    let text = link.text();
    let payload = Payload {
        msg: text.as_bytes(),
        aad: SEALED_LINK_KEY.as_bytes(),
    };
    let sealed = cipher(password, &salt, cost)?.encrypt((&nonce).into(), payload);
    let (memory_kib, passes, lanes) = cost.parts();
    let body = encoding::encode(&Body {
        version: VERSION,
        salt,
        memory_kib,
        passes,
        lanes,
        nonce,
        ciphertext: sealed.map_err(|_| Error::Damaged)?,
    });
    let check = check(&body);
    let whole = encoding::encode(&Whole { body, check });
    Ok(armour::write(SCHEME, &whole))
}

/// Opens a sealed link; this takes as long as its [`Cost`] says. White space is ignored.
///
/// # Errors
/// [`Error`].
pub fn open(text: &str, password: &str) -> Result<Link, Error> {
    let bytes = armour::read(text, SCHEME, MAX_CHARACTERS)?;
    let whole: Whole = encoding::decode(&bytes)?;
    // SEAL-102: before the password is tried, so that damage is never taken for a wrong one.
    if check(&whole.body) != whole.check {
        return Err(Error::Damaged);
    }
    let Head { version } = encoding::decode(&whole.body)?;
    if version != VERSION {
        return Err(Error::Newer { version });
    }
    let body: Body = encoding::decode(&whole.body)?;
    let cost = Cost::new(body.memory_kib, body.passes, body.lanes)?;
    let payload = Payload {
        msg: &body.ciphertext,
        aad: SEALED_LINK_KEY.as_bytes(),
    };
    let opened = cipher(password, &body.salt, cost)?.decrypt((&body.nonce).into(), payload);
    let opened = Zeroizing::new(opened.map_err(|_| Error::WrongPassword)?);
    let link = std::str::from_utf8(&opened).map_err(|_| Error::Damaged)?;
    Ok(Link::parse(link)?)
}

impl From<armour::Error> for Error {
    fn from(error: armour::Error) -> Self {
        match error {
            armour::Error::Scheme => Self::NotSealed,
            armour::Error::Damaged => Self::Damaged,
        }
    }
}

/// SEAL-101.
fn cipher(password: &str, salt: &[u8; 16], cost: Cost) -> Result<Aes256Gcm, Error> {
    let stretched = vault::stretch(password, salt, cost)?;
    let key = Zeroizing::new(derive(SEALED_LINK_KEY, &[stretched.as_slice()]));
    let key: &[u8; 32] = &key;
    Ok(Aes256Gcm::new(key.into()))
}

fn check(body: &[u8]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = derive(SEALED_LINK_CHECK, &[body]);
    [a, b, c, d, e, f, g, h]
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Whole {
    #[cbor(n(0), with = "minicbor::bytes")]
    body: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    check: [u8; 8],
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Body {
    #[n(0)]
    version: u16,
    #[cbor(n(1), with = "minicbor::bytes")]
    salt: [u8; 16],
    #[n(2)]
    memory_kib: u32,
    #[n(3)]
    passes: u32,
    #[n(4)]
    lanes: u32,
    #[cbor(n(5), with = "minicbor::bytes")]
    nonce: [u8; 12],
    #[cbor(n(6), with = "minicbor::bytes")]
    ciphertext: Vec<u8>,
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
        assert!(matches!(open(&text, "wrong"), Err(Error::WrongPassword)));
        let bytes = BASE64URL_NOPAD
            .decode(&text.as_bytes()[SCHEME.len()..])
            .unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let changed = format!("{SCHEME}{}", BASE64URL_NOPAD.encode(&changed));
            let opened = open(&changed, "right");
            let damage = matches!(opened, Err(Error::Damaged | Error::Encoding(_)));
            assert!(damage, "byte {at}: {opened:?}");
        }
        assert!(matches!(
            open(&text[..80], "right"),
            Err(Error::Damaged | Error::Encoding(_))
        ));
        assert!(matches!(open("tenet:abc", "right"), Err(Error::NotSealed)));
        for password in ["", &"x".repeat(257)] {
            assert!(matches!(sealed(password), Err(Error::Password(_))));
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
