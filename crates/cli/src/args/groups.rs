//! Sessions of many.

use std::path::PathBuf;

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
    /// Show a group: what it is about, what you are in it, who may do what.
    Show(GroupNamed),
    /// Say what a group is about, or show it.
    Describe(GroupDescribe),
    /// Give a group a picture.
    Avatar(GroupAvatar),
    /// Show or change who may do what.
    Policy(GroupPolicy),
    /// Show or change what newcomers get of what was said.
    History(GroupHistory),
    /// Make somebody the owner in your place; you stay, as a moderator.
    Transfer(GroupMember),
    /// Take somebody out and let no link let them in again.
    Block(GroupMember),
    /// Let links let somebody in again whom you blocked.
    Unblock(GroupMember),
    /// List whom no link lets in.
    Blocked(GroupNamed),
    /// Make a link: whoever has it comes in, or asks to.
    Invite(GroupInvite),
    /// List the links that are open.
    Invites(GroupNamed),
    /// Close a link: nobody more comes in by it.
    Uninvite(GroupUninvite),
    /// Show what group a link leads into, without coming in.
    Preview(GroupLink),
    /// Take an invitation that came as a message.
    Join(GroupJoin),
    /// List who asks to come in.
    Requests(GroupNamed),
    /// Let somebody in who asks.
    Accept(GroupAsker),
    /// Let somebody not in who asks.
    Reject(GroupReject),
    /// Withdraw somebody's message, and say why.
    Withdraw(GroupWithdraw),
    /// Pin a message, so that everybody finds it.
    Pin(GroupMessage),
    /// Pin a message no more.
    Unpin(GroupMessage),
    /// Show the messages that are pinned.
    Pins(GroupNamed),
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
    /// What they are called in the group, or their DID.
    pub who: String,
}

/// `tenet group invite`
#[derive(Debug, Args)]
pub struct GroupInvite {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// As what it lets in.
    #[arg(long, value_enum, default_value = "member")]
    pub role: Role,
    /// Whoever comes by it only asks, and is let in by somebody who may add.
    #[arg(long)]
    pub consent: bool,
    /// Ask this first of whoever asks to come in.
    #[arg(long, value_name = "TEXT", requires = "consent")]
    pub question: Option<String>,
    /// For how long it is good; a week if not given.
    #[arg(long, value_name = "SECONDS")]
    pub expires: Option<u64>,
    /// Send it to this contact, as an invitation.
    #[arg(long, value_name = "WHO")]
    pub to: Option<String>,
    /// With these words.
    #[arg(long, value_name = "TEXT", requires = "to")]
    pub text: Option<String>,
    /// Show a QR code too; on a terminal it is always shown.
    #[arg(long)]
    pub qr: bool,
}

/// `tenet group uninvite`
#[derive(Debug, Args)]
pub struct GroupUninvite {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// The link's id, or a beginning of it of at least 4 digits.
    pub id: String,
}

/// A link into a group.
#[derive(Debug, Args)]
pub struct GroupLink {
    /// The link; - reads it from stdin.
    pub link: String,
}

/// `tenet group join`
#[derive(Debug, Args)]
pub struct GroupJoin {
    /// The message's id, or a beginning of it; or a link.
    pub id: String,
    /// What to say where somebody there decides, or to answer what they ask.
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
}

/// Somebody who asks to come into a group.
#[derive(Debug, Args)]
pub struct GroupAsker {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// What they call themselves, or their DID.
    pub who: String,
}

/// `tenet group reject`
#[derive(Debug, Args)]
pub struct GroupReject {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// What they call themselves, or their DID.
    pub who: String,
    /// What they are told.
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
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
    /// What they are called in the group, or their DID.
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
    /// What they are called in the group, or their DID.
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
    /// What they are called in the group, or their DID.
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

/// `tenet group describe`
#[derive(Debug, Args)]
pub struct GroupDescribe {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// What it is about; - reads it from stdin. Without it, what it says is shown.
    pub text: Option<String>,
    /// Say nothing any more.
    #[arg(long, conflicts_with = "text")]
    pub clear: bool,
}

/// A message of a group.
#[derive(Debug, Args)]
pub struct GroupMessage {
    /// The message's id, or a beginning of it of at least 6 digits that no other has.
    pub id: String,
}

/// `tenet group withdraw`
#[derive(Debug, Args)]
pub struct GroupWithdraw {
    /// The message's id, or a beginning of it of at least 6 digits that no other has.
    pub id: String,
    /// Why, which everybody is told.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub reason: String,
}

/// `tenet group avatar`
#[derive(Debug, Args)]
pub struct GroupAvatar {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// A picture; a small one is made of it.
    #[arg(required_unless_present = "clear")]
    pub file: Option<PathBuf>,
    /// Show none any more.
    #[arg(long, conflicts_with = "file")]
    pub clear: bool,
}

/// `tenet group policy`
#[derive(Debug, Args)]
pub struct GroupPolicy {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// What to change; without it, how all stands is shown.
    #[arg(value_enum, requires = "role")]
    pub what: Option<Right>,
    /// The lowest role that may.
    #[arg(value_enum)]
    pub role: Option<Role>,
}

/// `tenet group history`
#[derive(Debug, Args)]
pub struct GroupHistory {
    /// Its name, its id, or a beginning of it.
    pub group: String,
    /// What newcomers get: none, all, or so many of the last messages; without it, how it stands.
    #[arg(value_name = "none|all|NUMBER", value_parser = newcomers)]
    pub what: Option<Newcomers>,
}

/// What newcomers get of what was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newcomers {
    /// Nothing.
    None,
    /// So many of the last messages.
    Last(u64),
    /// All of it.
    All,
}

fn newcomers(word: &str) -> Result<Newcomers, String> {
    match word {
        "none" => Ok(Newcomers::None),
        "all" => Ok(Newcomers::All),
        number => match number.parse() {
            Ok(0) => Ok(Newcomers::None),
            Ok(count) => Ok(Newcomers::Last(count)),
            Err(_) => Err("none, all, or how many of the last messages".into()),
        },
    }
}

/// Something that a policy lets some do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Right {
    /// Let others in.
    Add,
    /// Open and close links.
    Links,
    /// Take out, take the role, take the word.
    Remove,
    /// Name, describe and picture the group.
    Settings,
    /// Write.
    Write,
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
