//! Messages.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tenet_rpc::api::State;

/// `tenet send`
#[derive(Debug, Args)]
pub struct Send {
    /// Name, DID or session id; `self` for notes to yourself.
    pub who: String,
    /// The text; `-` or nothing to read it from stdin.
    pub text: Option<String>,
    /// A file to send with it; any number of times. Without a text nothing is read from stdin then.
    #[arg(long = "file", value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// Send files as they are: else what pictures and films tell of place, time and device is left away.
    #[arg(long, requires = "files")]
    pub keep_metadata: bool,
    /// A recording to send as a voice note.
    #[arg(long, value_name = "PATH", conflicts_with = "files")]
    pub voice: Option<PathBuf>,
    /// A contact of whom to tell: name, DID or session id.
    #[arg(long, value_name = "WHO", conflicts_with_all = ["files", "voice"])]
    pub contact: Option<String>,
    /// The message that this one answers: its id, or a beginning of it of at least 6 digits.
    #[arg(long, value_name = "ID")]
    pub reply: Option<String>,
    /// Return when it is queued, stored, delivered or read; exit 1 if that is not reached in time.
    #[arg(long, value_name = "STATE", value_parser = state)]
    pub wait: Option<State>,
}

/// `tenet save`
#[derive(Debug, Args)]
pub struct Save {
    /// The message's id, or a beginning of it of at least 6 digits that no other has.
    pub id: String,
    /// The folder to save into.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub to: PathBuf,
}

/// `tenet history`
#[derive(Debug, Args)]
pub struct History {
    /// Name, DID or session id.
    pub who: String,
    /// How many messages at most.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: u64,
    /// Only messages before this one: its id, or a beginning of it of at least 6 digits.
    #[arg(long, value_name = "ID")]
    pub before: Option<String>,
    /// Go on with new messages as they come.
    #[arg(long)]
    pub follow: bool,
    /// Show the messages' ids too, which react, edit, unsend and reply take.
    #[arg(long)]
    pub ids: bool,
}

/// `tenet listen`
#[derive(Debug, Args)]
pub struct Listen {
    /// Which kinds of things.
    #[arg(
        long,
        value_name = "KIND",
        value_enum,
        value_delimiter = ',',
        default_values_t = [Kind::Message, Kind::Changed]
    )]
    pub kinds: Vec<Kind>,
    /// Show the messages' ids too, which react, edit, unsend and reply take.
    #[arg(long)]
    pub ids: bool,
}

/// A kind of thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Kind {
    /// A new message.
    Message,
    /// A message was edited, unsent or reacted to.
    Changed,
    /// A message has disappeared.
    Gone,
    /// An own message is farther than it was.
    State,
    /// An own message stands under another id.
    WrittenAgain,
    /// A conversation is muted, pinned, put away, read, or has another draft.
    Conversation,
    /// Somebody types, or no more.
    Typing,
    /// A file is here.
    File,
    /// A contact is new or stands differently.
    Contact,
    /// A link that was accepted is farther than it was.
    Accept,
    /// Somebody asks to become a contact.
    Request,
    /// An own link was taken.
    InviteUsed,
    /// A used link was tried again.
    LinkReused,
    /// A device is new or revoked, or asks to be let in.
    Device,
    /// A device is reached differently.
    Connection,
    /// Another clock differs from this one.
    TooEarly,
    /// Something that a person should know.
    Warning,
    /// All of them.
    All,
}

/// `tenet react`
#[derive(Debug, Args)]
pub struct React {
    /// The message's id, or a beginning of it of at least 6 digits that no other has.
    pub id: String,
    /// The emoji.
    pub emoji: String,
    /// Take it away.
    #[arg(long)]
    pub remove: bool,
}

/// `tenet edit`
#[derive(Debug, Args)]
pub struct Edit {
    /// The message's id, or a beginning of it of at least 6 digits that no other has.
    pub id: String,
    /// The new text; `-` to read it from stdin.
    pub text: String,
}

/// `tenet unsend`
#[derive(Debug, Args)]
pub struct Unsend {
    /// The message's id, or a beginning of it of at least 6 digits that no other has.
    pub id: String,
}

/// `tenet read`
#[derive(Debug, Args)]
pub struct Read {
    /// Name, DID or session id.
    pub who: String,
}

impl Send {
    /// Whether there is something to send beside a text.
    pub fn has_more(&self) -> bool {
        !self.files.is_empty() || self.voice.is_some() || self.contact.is_some()
    }
}

impl Kind {
    /// The name of such an event in the local API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::State => "state",
            Self::WrittenAgain => "written_again",
            Self::Conversation => "conversation",
            Self::Typing => "typing",
            Self::File => "file",
            Self::Contact => "contact",
            Self::Accept => "accept",
            Self::Request => "request",
            Self::InviteUsed => "invite_used",
            Self::LinkReused => "link_reused",
            Self::Device => "device",
            Self::Connection => "connection",
            Self::TooEarly => "too_early",
            Self::Warning => "warning",
            Self::All => "all",
        }
    }
}

fn state(text: &str) -> Result<State, String> {
    match text.parse() {
        Ok(State::Failed) | Err(_) => Err("queued, stored, delivered or read".into()),
        Ok(state) => Ok(state),
    }
}
