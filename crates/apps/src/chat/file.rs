//! Files of a message: what they are called, and what fetches and opens their sealed content.

use std::fmt;

use minicbor::{
    Decode, Encode,
    bytes::{ByteArray, ByteVec},
};
use tenet_log::{event::MAX_BODY_BYTES, ids::BlobId};
use zeroize::Zeroize;

use super::ActionError;

/// The most files of one message (`CHAT-15`): with names of any length they fit beside a text.
pub const MAX_FILES: usize = 64;

/// The longest name, in bytes of UTF-8 (`CHAT-16`): the longest that file systems take.
pub const MAX_NAME_BYTES: usize = 255;

/// The longest preview, in bytes (`CHAT-17`).
pub const MAX_PREVIEW_BYTES: usize = 1024;

/// What a file takes of an event at most, without a preview: name, numbers, keys and their frame.
const FILE_BYTES: usize = MAX_NAME_BYTES + 160;

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
    #[n(4)]
    shows: Option<Shows>,
}

/// What a file shows before it is opened, as its sender says (`CHAT-17`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Shows {
    /// Pixels from left to right of a picture.
    #[n(0)]
    pub width: Option<u32>,
    /// Pixels from top to bottom of a picture.
    #[n(1)]
    pub height: Option<u32>,
    /// A small JPEG of a picture; whoever shows it first makes sure that it is one.
    #[n(2)]
    pub preview: Option<ByteVec>,
    /// How long a recording is, in milliseconds.
    #[n(3)]
    pub duration_ms: Option<u64>,
    /// Whether it was spoken as a message: a voice note.
    #[n(4)]
    pub voice: Option<bool>,
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
            shows: None,
        };
        file.check().map(|()| file)
    }

    /// The same file, with what it shows. A preview that is too long is left away.
    #[must_use]
    pub fn showing(mut self, shows: Shows) -> Self {
        self.shows = (shows != Shows::default()).then_some(shows);
        self.bounded()
    }

    /// What it shows before it is opened.
    pub fn shows(&self) -> Shows {
        self.shows.clone().unwrap_or_default()
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

    /// CHAT-17: what is too long to be a preview is none.
    pub(super) fn bounded(mut self) -> Self {
        if let Some(shows) = &mut self.shows {
            let fits = |preview: &ByteVec| preview.len() <= MAX_PREVIEW_BYTES;
            shows.preview = shows.preview.take().filter(fits);
        }
        self
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

/// CHAT-17: previews as far as they fit into an event beside its text; the first ones are kept.
pub(super) fn fit(files: Vec<File>, text: usize) -> Vec<File> {
    let taken = text + files.len() * FILE_BYTES + FILE_BYTES;
    let mut room = MAX_BODY_BYTES.saturating_sub(taken);
    let fitted = files.into_iter().map(|mut file| {
        if let Some(shows) = &mut file.shows {
            let length = shows.preview.as_ref().map_or(0, |preview| preview.len());
            match room.checked_sub(length) {
                Some(left) => room = left,
                None => shows.preview = None,
            }
        }
        file
    });
    fitted.collect()
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

    impl File {
        /// As a stranger may write it.
        pub(in crate::chat) fn with_preview(mut self, preview: Option<ByteVec>) -> Self {
            self.shows.as_mut().unwrap().preview = preview;
            self
        }
    }

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
