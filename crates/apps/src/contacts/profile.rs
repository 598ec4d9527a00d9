//! What people say of themselves: the value of a register in every session of theirs (`CON-201`).

use std::fmt;

use minicbor::{Decode, Encode, bytes::ByteVec};
use tenet_identity::{encoding, name};
use tenet_log::register::Register;

/// The key of the register.
pub const KEY: &str = "profile";

/// The largest picture, in bytes: a small JPEG that fits into a register beside the rest.
pub const MAX_PICTURE_BYTES: usize = 1024;

/// What somebody says of themselves.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// What they call themselves; may be empty.
    pub name: String,
    /// A line about how they are; may be empty.
    pub status: String,
    /// A small JPEG; whoever shows it first makes sure that it is one.
    pub picture: Option<Vec<u8>>,
}

/// Of what the devices of one person say of them what they said last (CON-203).
pub fn latest<'a>(registers: impl IntoIterator<Item = &'a Register>) -> Option<&'a Register> {
    let said = registers.into_iter().filter(|one| one.key() == KEY);
    said.max_by_key(|one| one.version())
}

/// Why something cannot be a profile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Malformed bytes.
    #[error("a profile is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// No name, or no line, that a person can have.
    #[error(transparent)]
    Text(#[from] name::Error),
    /// Over the limit.
    #[error("the picture has {0} bytes, more than {MAX_PICTURE_BYTES}")]
    Picture(usize),
}

impl Profile {
    /// Makes sure that others will take it.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn check(&self) -> Result<(), ProfileError> {
        name::check(&self.name)?;
        name::check_line(&self.status)?;
        match self.picture.as_ref().map(Vec::len) {
            Some(length) if length > MAX_PICTURE_BYTES => Err(ProfileError::Picture(length)),
            _ => Ok(()),
        }
    }

    /// The register's value.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(&Form {
            name: self.name.clone(),
            status: self.status.clone(),
            picture: self.picture.clone().map(ByteVec::from),
        })
    }

    /// Reads a register's value.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn decode(value: &[u8]) -> Result<Self, ProfileError> {
        let form: Form = encoding::decode(value)?;
        let profile = Self {
            name: form.name,
            status: form.status,
            picture: form.picture.map(Into::into),
        };
        profile.check().map(|()| profile)
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Profile(redacted)")
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    name: String,
    #[n(1)]
    status: String,
    #[n(2)]
    picture: Option<ByteVec>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    use super::*;

    fn profile() -> Profile {
        Profile {
            name: "Ann".into(),
            status: "away".into(),
            picture: None,
        }
    }

    /// CON-201: the bytes that travel.
    #[test]
    fn has_these_bytes() {
        let hex = |profile: &Profile| HEXLOWER.encode(&profile.encode());
        assert_eq!(hex(&profile()), "a20063416e6e016461776179");
        let picture = Some(vec![0xff, 0xd8]);
        let seen = Profile {
            picture,
            ..profile()
        };
        assert_eq!(hex(&seen), "a30063416e6e0164617761790242ffd8");
    }

    /// CON-201.
    #[test]
    fn what_is_too_long_or_moves_a_terminal_is_no_profile() {
        let bad = [
            Profile {
                name: "x".repeat(65),
                ..profile()
            },
            Profile {
                status: "\u{1b}[2J".into(),
                ..profile()
            },
            Profile {
                picture: Some(vec![0; MAX_PICTURE_BYTES + 1]),
                ..profile()
            },
        ];
        for bad in bad {
            assert!(bad.check().is_err());
            assert!(Profile::decode(&bad.encode()).is_err());
        }
        assert!(!format!("{:?}", profile()).contains("Ann"));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(profile) = Profile::decode(&bytes) {
                prop_assert_eq!(Profile::decode(&profile.encode()).unwrap(), profile);
            }
        }
    }
}
