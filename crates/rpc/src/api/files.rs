//! Files: what a conversation has of them, and their contents on the way.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Error;

/// `files`: the files of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Whose: name, DID or session id.
    pub who: String,
    /// Only files of this kind, as their names say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FileKind>,
    /// How many at most, up to 1,000; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only files of messages that came before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// The answer to [`Files`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileList {
    /// In the order in which they came here.
    pub files: Vec<ListedFile>,
    /// Whether others came before the first of these.
    pub more: bool,
}

/// A file of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedFile {
    /// The message that has it.
    pub message: String,
    /// Its session.
    pub session: String,
    /// Who sent it, as a DID.
    pub author: String,
    /// When the message was written.
    pub time: u64,
    /// What kind of file its name says it is.
    pub kind: FileKind,
    /// The file.
    #[serde(flatten)]
    pub file: super::MessageFile,
}

/// What kind of file it is, as the end of its name says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Speech or music.
    Audio,
    /// A text, table or presentation.
    Document,
    /// Anything else.
    #[default]
    Other,
}

/// `file_remove`: remove what is here of the contents of files. They are offered again, to be had
/// from whoever has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRemove {
    /// A message or the hash of a content.
    pub id: String,
}

/// `transfers`: contents of files that come, wait or go at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfers {}

/// `transfer_resume`: fetch contents that wait, or go on with it (`API-18`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferResume {
    /// A message or the hash of a content.
    pub id: String,
}

/// `transfer_pause`: fetch no more of contents for now; what came stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferPause {
    /// A message or the hash of a content.
    pub id: String,
}

/// `transfer_cancel`: fetch no more of contents and remove what came. They are offered again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferCancel {
    /// A message or the hash of a content.
    pub id: String,
}

/// The answer to [`Transfers`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferList {
    /// Those that come or wait, by their content's hash, then those that go.
    pub transfers: Vec<Transfer>,
}

/// A content on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The hash of the content.
    pub id: String,
    /// The name of the file.
    pub name: String,
    /// The message that has it.
    pub message: String,
    /// Its session.
    pub session: String,
    /// How many bytes of it are where it goes.
    pub done: u64,
    /// How many bytes there are.
    pub size: u64,
    /// How many bytes came over the network since this fetch began: with what proves them, and with what
    /// had come before and was lost.
    pub came: u64,
    /// Bytes a second at this moment.
    pub rate: u64,
    /// `offered` (waits for a yes), `fetching`, `paused`; `giving` to another device.
    pub state: String,
}

impl FileKind {
    const ALL: [Self; 5] = [
        Self::Image,
        Self::Video,
        Self::Audio,
        Self::Document,
        Self::Other,
    ];

    /// The name by which it is known to scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Other => "other",
        }
    }

    /// What kind of file has this name.
    pub fn of(name: &str) -> Self {
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        match end.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" | "png" | "gif" | "webp" | "avif" | "heic" | "heif" | "bmp" | "tif"
            | "tiff" | "svg" | "jxl" => Self::Image,
            "mp4" | "m4v" | "mov" | "mkv" | "webm" | "avi" | "mpg" | "mpeg" | "3gp" | "ogv" => {
                Self::Video
            }
            "mp3" | "m4a" | "aac" | "ogg" | "oga" | "opus" | "flac" | "wav" | "wma" | "aiff" => {
                Self::Audio
            }
            "pdf" | "txt" | "md" | "rtf" | "doc" | "docx" | "odt" | "xls" | "xlsx" | "ods"
            | "csv" | "ppt" | "pptx" | "odp" | "epub" | "tex" | "html" => Self::Document,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FileKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| Error::usage(format!("no kind of file is called {name:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_name_says_the_kind() {
        let kinds =
            ["a.JPG", "b.tar.mp4", "opus", ".opus", "x.pdf", "y", "z.bin"].map(FileKind::of);
        use FileKind::{Audio, Document, Image, Other, Video};
        assert_eq!(kinds, [Image, Video, Other, Audio, Document, Other, Other]);
        for kind in FileKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("picture".parse::<FileKind>().is_err());
    }
}
