//! Files of a message: what they are called, and what fetches and opens their sealed content.

use std::fmt;

use minicbor::{Decode, Encode, bytes::ByteArray};
use tenet_log::ids::BlobId;
use zeroize::Zeroize;

use super::ActionError;

/// The most files of one message (`CHAT-15`): with names of any length they fit beside a text.
pub const MAX_FILES: usize = 64;

/// The longest name, in bytes of UTF-8 (`CHAT-16`): the longest that file systems take.
pub const MAX_NAME_BYTES: usize = 255;

/// One file of a message.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct File {
    #[n(0)]
    name: String,
    #[n(1)]
    size: u64,
    #[n(2)]
    content: BlobId,
    #[n(3)]
    key: ByteArray<32>,
}

impl File {
    /// A file of `size` bytes, whose sealed form is `content` and is opened by `key`.
    ///
    /// # Errors
    /// [`ActionError::FileName`].
    pub fn new(
        name: String,
        size: u64,
        content: BlobId,
        key: [u8; 32],
    ) -> Result<Self, ActionError> {
        let file = Self {
            name,
            size,
            content,
            key: key.into(),
        };
        file.check().map(|()| file)
    }

    /// What it is called: a name without folders.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the file, as its sender says; the sealed form proves it.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its sealed form.
    pub fn content(&self) -> BlobId {
        self.content
    }

    /// What opens the sealed form.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// CHAT-16: a name that is written into no folder but the one that the person chose.
    fn check(&self) -> Result<(), ActionError> {
        let name = self.name.as_str();
        let harmless = |c: char| !c.is_control() && c != '/' && c != '\\';
        let fits = (1..=MAX_NAME_BYTES).contains(&name.len());
        if fits && name != "." && name != ".." && name.chars().all(harmless) {
            Ok(())
        } else {
            Err(ActionError::FileName)
        }
    }
}

/// CHAT-15, CHAT-16: what the files of one message may be.
pub(super) fn check(files: &[File]) -> Result<(), ActionError> {
    if files.len() > MAX_FILES {
        return Err(ActionError::TooManyFiles { count: files.len() });
    }
    files.iter().try_for_each(File::check)
}

impl Drop for File {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({:?}, {} bytes, redacted)", self.content, self.size)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn named(name: &str) -> Result<File, ActionError> {
        File::new(name.into(), 1, BlobId::from([1; 32]), [2; 32])
    }

    /// CHAT-16.
    #[test]
    fn a_name_stays_in_its_folder() {
        for good in [
            "a",
            "a photo.jpg",
            ".profile",
            "…",
            "a..b",
            &"x".repeat(255),
        ] {
            assert_eq!(named(good).unwrap().name(), good);
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "../a",
            "a\\b",
            "a\0",
            "a\nb",
            &"x".repeat(256),
        ] {
            assert!(matches!(named(bad), Err(ActionError::FileName)), "{bad:?}");
        }
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let shown = format!("{:?}", named("secret plan.txt").unwrap());
        assert!(
            !shown.contains("secret") && !shown.contains("0202"),
            "{shown}"
        );
    }
}
