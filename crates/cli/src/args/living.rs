//! Living with conversations: finding what was said.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::time;

/// `tenet search`
#[derive(Debug, Args)]
pub struct Search {
    /// Words that must all be there; a "phrase" in quotation marks; the last may be a beginning.
    pub words: Vec<String>,
    /// Only in the conversation with this name, DID or session id; `self` for notes to yourself.
    #[arg(long = "in", value_name = "WHO")]
    pub who: Option<String>,
    /// Only what this person wrote; `self` for yourself.
    #[arg(long, value_name = "WHO")]
    pub from: Option<String>,
    /// Only since then: 2026-11-20, 2026-11-20T14:00, or so long ago: 90m, 12h, 3d, 2w.
    #[arg(long, value_name = "WHEN", value_parser = time::since)]
    pub since: Option<u64>,
    /// Only until then, a day included.
    #[arg(long, value_name = "WHEN", value_parser = time::until)]
    pub until: Option<u64>,
    /// Only messages with files.
    #[arg(long)]
    pub files: bool,
    /// How many messages at most.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u32,
    /// Only what came before this message: its id, or a beginning of it of at least 6 digits.
    #[arg(long, value_name = "ID")]
    pub before: Option<String>,
    /// Show so many messages around each.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub context: u32,
    /// Show the messages' ids too, which react, edit, unsend and reply take.
    #[arg(long)]
    pub ids: bool,
}

/// `tenet conversations`
#[derive(Debug, Args)]
pub struct Conversations {
    /// Those that are put away too.
    #[arg(long)]
    pub all: bool,
}

/// `tenet conversation …`
#[derive(Debug, Subcommand)]
pub enum ConversationCommand {
    /// Do not announce its messages.
    Mute(super::Who),
    /// Announce its messages again.
    Unmute(super::Who),
    /// Show it above the others.
    Pin(super::Who),
    /// Show it among the others.
    Unpin(super::Who),
    /// Put it away, until something is written in it; for good if it is muted.
    Archive(super::Who),
    /// Take it out again.
    Unarchive(super::Who),
}

/// `tenet draft`
#[derive(Debug, Args)]
pub struct Draft {
    /// Name, DID or session id; `self` for notes to yourself.
    pub who: String,
    /// What to keep; `-` to read it from stdin. Without it the draft is shown.
    pub text: Option<String>,
    /// Forget it.
    #[arg(long, conflicts_with = "text")]
    pub clear: bool,
}

/// `tenet timer`
#[derive(Debug, Args)]
pub struct Timer {
    /// Name, DID or session id; `self` for notes to yourself.
    pub who: String,
    /// After how long what is said from now on disappears, on every device: off, 30s, 5m, 8h, 1d, 4w.
    /// Without it the timer is shown.
    #[arg(value_name = "TIME", value_parser = seconds)]
    pub after: Option<u64>,
}

/// Reads `off` or a length of time; in seconds, 0 for `off`.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    if text == "off" {
        return Ok(0);
    }
    let length = time::length(text).map(|length| length / 1000);
    length.ok_or_else(|| "a time is off, 30s, 5m, 8h, 1d or 4w".into())
}

/// `tenet typing`
#[derive(Debug, Args)]
pub struct Typing {
    /// Name, DID or session id.
    pub who: String,
    /// Nothing is being written any more.
    #[arg(long)]
    pub stop: bool,
}

/// `tenet forward`
#[derive(Debug, Args)]
pub struct Forward {
    /// The message's id, or a beginning of it of at least 6 digits that no other has.
    pub id: String,
    /// Name, DID or session id; `self` for notes to yourself.
    pub who: String,
}

/// `tenet export`
#[derive(Debug, Args)]
pub struct Export {
    /// Name, DID or session id; `self` for notes to yourself.
    pub who: String,
    /// The file to make; it is not encrypted.
    pub file: PathBuf,
    /// What it looks like.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Save the files of the messages too, into a folder beside it, FILE.files.
    #[arg(long)]
    pub files: bool,
}

/// What an exported conversation looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines a person reads.
    Text,
    /// A message a line, as `history --json` prints it.
    Json,
    /// A page for a browser.
    Html,
}
