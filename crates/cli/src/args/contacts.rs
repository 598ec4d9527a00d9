//! Becoming contacts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `tenet invite`
#[derive(Debug, Args)]
pub struct Invite {
    /// What to call the person who takes it.
    #[arg(long, value_name = "NICK")]
    pub name: Option<String>,
    /// Good for one person: the default.
    #[arg(long, conflicts_with = "reusable")]
    pub once: bool,
    /// Good for everybody who has it; you are asked about each.
    #[arg(long)]
    pub reusable: bool,
    /// What whoever takes it must answer before you are asked.
    #[arg(long, value_name = "TEXT", requires = "reusable")]
    pub question: Option<String>,
    /// For how long it is good [default: 7 days].
    #[arg(long, value_name = "SECONDS")]
    pub expires: Option<u64>,
    /// Show it as a QR code too.
    #[arg(long)]
    pub qr: bool,
    /// What to do with a link that was made already.
    #[command(subcommand)]
    pub command: Option<InviteCommand>,
}

/// `tenet invite …`
#[derive(Debug, Subcommand)]
pub enum InviteCommand {
    /// Make a link useless.
    Revoke {
        /// The link's id, or a beginning of it that no other has.
        id: String,
    },
}

/// `tenet invites`
#[derive(Debug, Args)]
pub struct Invites {
    /// Also those that are used up, expired or revoked.
    #[arg(long)]
    pub all: bool,
}

/// `tenet accept`
#[derive(Debug, Args)]
pub struct Accept {
    /// The link; `-` to read it from stdin.
    pub link: String,
    /// What to call the giver.
    #[arg(long, value_name = "NICK")]
    pub name: Option<String>,
    /// What to say to the giver, if they are asked about you.
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
}

/// `tenet requests`
#[derive(Debug, Args)]
pub struct Requests {
    /// Also those that were accepted or rejected.
    #[arg(long, conflicts_with = "sent")]
    pub all: bool,
    /// Instead, the links that were taken here, and how far each is.
    #[arg(long)]
    pub sent: bool,
}

/// `tenet request …`
#[derive(Debug, Subcommand)]
pub enum RequestCommand {
    /// Become a contact of somebody who asks.
    Accept {
        /// The request's id, or a beginning of it; or the DID of who asks.
        id: String,
    },
    /// Say no to somebody who asks.
    Reject {
        /// The request's id, or a beginning of it; or the DID of who asks.
        id: String,
        /// What they are told.
        #[arg(long, value_name = "TEXT")]
        remark: Option<String>,
    },
}

/// `tenet contact …`
#[derive(Debug, Subcommand)]
pub enum ContactCommand {
    /// Show what to compare with a contact over another way, by voice for instance.
    Verify(Who),
    /// List a contact's devices: which are new, and which they revoked.
    Devices(Who),
    /// Note that it was compared and was equal.
    Confirm(Who),
    /// Call a contact something else.
    Rename(WhoName),
    /// Ask somebody to become a contact, without a link: by DID and address, or by a file.
    Add(Add),
    /// Write a file by which others can add you.
    Card(Card),
    /// End the contact with somebody, who is told; what was said stays.
    Remove(Who),
    /// Hear nothing of somebody any more, and say nothing to them; they are not told.
    Block(Who),
    /// Hear somebody again.
    Unblock(Who),
}

/// `tenet contact add`
#[derive(Debug, Args)]
pub struct Add {
    /// Whom; their door must be open.
    #[arg(required_unless_present = "file", requires = "at")]
    pub did: Option<String>,
    /// Where, as their `tenet door` prints it.
    #[arg(long, value_name = "ADDRESS", requires = "did")]
    pub at: Option<String>,
    /// Instead, by the file that their `tenet contact card` wrote; `-` to read it from stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "did")]
    pub file: Option<PathBuf>,
    /// Take the password of a sealed file from the first line of this file [default: asked for].
    #[arg(long, value_name = "FILE", requires = "file")]
    pub password_file: Option<PathBuf>,
    /// What to call them.
    #[arg(long, value_name = "NICK")]
    pub name: Option<String>,
    /// What to say to them, or the answer to what they ask first.
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
}

/// `tenet contact card`
#[derive(Debug, Args)]
pub struct Card {
    /// The file to write, which must not be there yet; `-` for stdout.
    pub file: PathBuf,
    /// Seal a fresh link under a password: the first line of this file, or of stdin for `-`. Whoever
    /// has both needs no open door.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The sealed link is good for several; you are asked about each.
    #[arg(long, requires = "password_file")]
    pub reusable: bool,
    /// For how long the sealed link is good [default: 7 days].
    #[arg(long, value_name = "SECONDS", requires = "password_file")]
    pub expires: Option<u64>,
}

/// `tenet door`
#[derive(Debug, Args)]
pub struct Door {
    /// What to do with it; shown if nothing is said.
    #[command(subcommand)]
    pub command: Option<DoorCommand>,
}

/// `tenet door …`
#[derive(Debug, Subcommand)]
pub enum DoorCommand {
    /// Let anybody ask to become a contact who knows your DID.
    Open {
        /// What they must answer before you are asked.
        #[arg(long, value_name = "TEXT")]
        question: Option<String>,
    },
    /// Let nobody new ask; who asked before waits for your answer.
    Close,
}

/// A contact.
#[derive(Debug, Args)]
pub struct Who {
    /// Name, DID or session id.
    pub who: String,
}

/// A contact and a name.
#[derive(Debug, Args)]
pub struct WhoName {
    /// Name, DID or session id.
    pub who: String,
    /// The new name.
    pub name: String,
}

/// `tenet profile`
#[derive(Debug, Args)]
pub struct Profile {
    /// What to be called.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A line about how you are; empty for none.
    #[arg(long, value_name = "TEXT")]
    pub status: Option<String>,
    /// A picture to be seen by: a JPEG, PNG, GIF or WebP; it is made small.
    #[arg(long, value_name = "FILE")]
    pub avatar: Option<PathBuf>,
    /// No picture any more.
    #[arg(long, conflicts_with = "avatar")]
    pub no_avatar: bool,
}

impl Profile {
    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.status.is_none() && self.avatar.is_none() && !self.no_avatar
    }
}
