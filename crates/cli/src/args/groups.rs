//! Sessions of many.

use clap::{Args, Subcommand, ValueEnum};

use super::living::seconds;

/// `tenet group …`
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// Found a group, of which you are the owner.
    New(GroupNew),
    /// List the groups that you are in, or were.
    List,
    /// Show who is in a group, and as what.
    Members(GroupNamed),
    /// Bring a contact in.
    Add(GroupAdd),
    /// Take somebody out.
    Remove(GroupRemove),
    /// Give somebody another role.
    Role(GroupRole),
    /// Take somebody's word: they read and write nothing that counts.
    Mute(GroupMute),
    /// Give somebody the word back.
    Unmute(GroupMember),
    /// Call a group something else.
    Rename(GroupRename),
    /// Leave a group.
    Leave(GroupNamed),
    /// End a group for everybody.
    Dissolve(GroupNamed),
}

/// `tenet group new`
#[derive(Debug, Args)]
pub struct GroupNew {
    /// What it is called.
    pub name: String,
    /// Contacts who are in it from the start.
    pub who: Vec<String>,
}

/// A group.
#[derive(Debug, Args)]
pub struct GroupNamed {
    /// Its name, its id, or a beginning of it.
    pub group: String,
}

/// Somebody in a group.
#[derive(Debug, Args)]
pub struct GroupMember {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// A contact, or somebody's DID.
    pub who: String,
}

/// `tenet group add`
#[derive(Debug, Args)]
pub struct GroupAdd {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// A contact.
    pub who: String,
    /// As what.
    #[arg(long, value_enum, default_value = "member")]
    pub role: Role,
}

/// `tenet group remove`
#[derive(Debug, Args)]
pub struct GroupRemove {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// A contact, or somebody's DID.
    pub who: String,
    /// Let no link let them in again.
    #[arg(long)]
    pub block: bool,
}

/// `tenet group role`
#[derive(Debug, Args)]
pub struct GroupRole {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// A contact, or somebody's DID.
    pub who: String,
    /// Which role.
    #[arg(value_enum)]
    pub role: Role,
}

/// `tenet group mute`
#[derive(Debug, Args)]
pub struct GroupMute {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// A contact, or somebody's DID.
    pub who: String,
    /// For how long: 30s, 5m, 8h, 1d, 4w; until it is taken back if not given.
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    pub lasts: Option<u64>,
}

/// `tenet group rename`
#[derive(Debug, Args)]
pub struct GroupRename {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// The new name.
    pub name: String,
}

/// What somebody may do in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Everything.
    Owner,
    /// Lets in, removes and mutes those below.
    Moderator,
    /// Reads and writes.
    Member,
    /// Reads.
    Observer,
}
