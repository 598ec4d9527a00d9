//! Secrets under a password, as a text that is kept in a file (SEAL-101, SEAL-102).
//!
//! ```text
//! password ─ Argon2id ─ derive_key ─ AES-256-GCM ─ secret
//! text = scheme ‖ base64url([ body (byte string), check (8 bytes) ])
//! ```

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    armour,
    checked::{Checked, Version},
    domain::derive,
    encoding,
    vault::{self, Cost},
};

/// The shortest password of a file, in characters: anybody may find it, and try without end.
pub const MIN_PASSWORD: usize = 8;
/// The version of the form that this crate writes and reads.
const VERSION: u16 = 1;

/// What is sealed, and how it is told from anything else.
pub(crate) struct Sort {
    /// What the text begins with.
    pub(crate) scheme: &'static str,
    /// The domain of the key, which is the associated data too.
    pub(crate) key: &'static str,
    /// The domain of the check.
    pub(crate) check: &'static str,
    /// The longest text behind the scheme, in characters.
    pub(crate) most: usize,
}

/// Why a text cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not begin as texts of its sort do.
    #[error("not of that sort: it begins with another word")]
    Scheme,
    /// A character was changed, added or lost.
    #[error("damaged: a part was changed or lost; take another copy")]
    Damaged,
    /// Damaged: not even of the expected form.
    #[error("damaged: a part was changed or lost; take another copy")]
    Encoding(#[from] encoding::Error),
    /// Made by a newer program.
    #[error("of version {version}, made by a newer program: update this one")]
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
}

impl Sort {
    /// Seals a secret under a password of 1 to 256 bytes.
    ///
    /// # Errors
    /// [`Error::Password`].
    pub(crate) fn seal<R: CryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        secret: &[u8],
        password: &str,
        cost: Cost,
    ) -> Result<String, Error> {
        let (mut salt, mut nonce) = ([0; 16], [0; 12]);
        rng.fill_bytes(&mut salt);
        rng.fill_bytes(&mut nonce);
        let payload = Payload {
            msg: secret,
            aad: self.key.as_bytes(),
        };
        let cipher = self.cipher(password, &salt, cost)?;
        let sealed = cipher.encrypt((&nonce).into(), payload);
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
        let checked = Checked::new(self.check, body).to_bytes();
        Ok(armour::write(self.scheme, &checked))
    }

    /// Opens a text; this takes as long as its [`Cost`] says. White space is ignored.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) fn open(&self, text: &str, password: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let bytes = armour::read(text, self.scheme, self.most)?;
        let checked: Checked = encoding::decode(&bytes)?;
        // SEAL-102: before the password is tried, so that damage is never taken for a wrong one.
        let body = checked.body(self.check).ok_or(Error::Damaged)?;
        let Version { version } = encoding::decode(body)?;
        if version != VERSION {
            return Err(Error::Newer { version });
        }
        let body: Body = encoding::decode(body)?;
        let cost = Cost::new(body.memory_kib, body.passes, body.lanes)?;
        let payload = Payload {
            msg: &body.ciphertext,
            aad: self.key.as_bytes(),
        };
        let cipher = self.cipher(password, &body.salt, cost)?;
        let opened = cipher.decrypt((&body.nonce).into(), payload);
        opened.map(Zeroizing::new).map_err(|_| Error::WrongPassword)
    }

    /// SEAL-101.
    fn cipher(&self, password: &str, salt: &[u8; 16], cost: Cost) -> Result<Aes256Gcm, Error> {
        let stretched = vault::stretch(password, salt, cost)?;
        let key = Zeroizing::new(derive(self.key, &[stretched.as_slice()]));
        let key: &[u8; 32] = &key;
        Ok(Aes256Gcm::new(key.into()))
    }
}

impl From<armour::Error> for Error {
    fn from(error: armour::Error) -> Self {
        match error {
            armour::Error::Scheme => Self::Scheme,
            armour::Error::Damaged => Self::Damaged,
        }
    }
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
