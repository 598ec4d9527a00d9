//! The grammar of the command line (`spec/cli.md`).

mod chat;
mod contacts;
mod devices;
mod files;
mod groups;
mod identity;
mod living;
mod node;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use chat::{Edit, History, Kind, Listen, React, Read, Save, Send, Unsend};
pub use contacts::{
    Accept, Add, Card, ContactCommand, Door, DoorCommand, Invite, InviteCommand, Invites, Profile,
    RequestCommand, Requests, Who, WhoName,
};
pub use devices::{
    DeviceCommand, DeviceConfirm, DeviceJoin, DeviceLink, DeviceNamed, DeviceRename, DeviceRevoke,
    Words,
};
pub use files::{Contents, FilesCommand, FilesList, TransferCommand};
pub use groups::{
    GroupAdd, GroupAsker, GroupAvatar, GroupCommand, GroupDescribe, GroupHistory, GroupInvite,
    GroupJoin, GroupLink, GroupMember, GroupMessage, GroupMute, GroupNamed, GroupNew, GroupPolicy,
    GroupReject, GroupRemove, GroupRename, GroupRole, GroupUninvite, GroupWithdraw, Newcomers,
    Right, Role,
};
pub use identity::{
    BackupCommand, BackupFile, HomeCommand, HomeExport, HomeFile, IdCommand, New, PinCommand,
    Restore, Use,
};
pub use living::{
    ConversationCommand, Conversations, Draft, Export, Format, Forward, Search, Timer, Typing,
};
pub use node::{Completions, Demo, Doctor, Man, Settings, Up};

/// What stands below all flags.
const AFTER: &str = "What neither a flag nor the environment says is taken from config.toml in the home: listen, lan, \
    timeout, log_level, log_file, log_format, unread_messages, unread_files. A person's own choices: tenet settings.";

/// Talk to people directly: encrypted, device to device, with no server between.
#[derive(Debug, Parser)]
#[command(
    name = "tenet",
    version,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = AFTER
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do; `up` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The home to use [default: the platform's data folder].
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "TENET_HOME",
        hide_env_values = true
    )]
    pub home: Option<PathBuf>,
    /// Which identity of the home: its DID, a beginning of it, or its name [default: the usual one].
    #[arg(
        // Not by the name of its field: commands have an argument ID of their own.
        id = "identity",
        long = "id",
        global = true,
        value_name = "DID",
        env = "TENET_ID",
        hide_env_values = true
    )]
    pub id: Option<String>,
    /// Print JSON: one object, or one object a line for lists and streams.
    #[arg(long, global = true)]
    pub json: bool,
    /// Take the PIN from the first line of this file, or of stdin for `-`.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "TENET_PIN_FILE",
        hide_env_values = true
    )]
    pub pin_file: Option<PathBuf>,
    /// How long to wait for others at most [default: 30].
    #[arg(long, global = true, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Where to listen for others, instead of the home's own port on every address.
    #[arg(
        long,
        global = true,
        value_name = "ADDR",
        env = "TENET_LISTEN",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub listen: Vec<SocketAddr>,
    /// Do not look for others on the local network.
    #[arg(
        long,
        global = true,
        env = "TENET_NO_LAN",
        hide_env_values = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "BOOL",
        value_parser = FalseyValueParser::new()
    )]
    pub no_lan: Option<bool>,
    /// Say more on stderr; twice or thrice for still more.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Write the log into this file instead of stderr; what is full is set aside, four times 4 MiB.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "TENET_LOG_FILE",
        hide_env_values = true
    )]
    pub log_file: Option<PathBuf>,
    /// How the log looks [default: text].
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        value_enum,
        env = "TENET_LOG_FORMAT",
        hide_env_values = true
    )]
    pub log_format: Option<LogFormat>,
}

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line a person reads.
    Text,
    /// A JSON object a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the node until it is stopped.
    Up(Up),
    /// Show it: two people become contacts and talk, as real processes in a temporary folder.
    Demo(Demo),
    /// Make, restore, show or choose the identity.
    #[command(subcommand)]
    Id(IdCommand),
    /// Keep what the identity is made from in another place.
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Let in, list, rename or revoke your devices.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Found groups, and say who is in them.
    #[command(subcommand)]
    Group(GroupCommand),
    /// Move everything to another place, in one encrypted file.
    #[command(subcommand)]
    Home(HomeCommand),
    /// Make a link to give to one other person.
    Invite(Invite),
    /// List the links that are open.
    Invites(Invites),
    /// Take a link that another person gave.
    Accept(Accept),
    /// List who asks to become a contact.
    Requests(Requests),
    /// Say yes or no to somebody who asks to become a contact.
    #[command(subcommand)]
    Request(RequestCommand),
    /// Show, open or close the door: whether anybody may ask who knows your DID.
    Door(Door),
    /// List everybody who was accepted.
    Contacts,
    /// Add, verify, rename, remove or block a contact.
    #[command(subcommand)]
    Contact(ContactCommand),
    /// Write a message.
    Send(Send),
    /// Show the messages with somebody, oldest first.
    History(History),
    /// List the conversations: what is unread, pinned, muted, begun to be written.
    Conversations(Conversations),
    /// Mute, pin or put away a conversation, or the reverse.
    #[command(subcommand)]
    Conversation(ConversationCommand),
    /// Keep or show what was begun to be written.
    Draft(Draft),
    /// Let messages of a conversation disappear after a while, or show whether they do.
    Timer(Timer),
    /// Let somebody see for some seconds that something is being written to them.
    Typing(Typing),
    /// Write a whole conversation into a file, in plain.
    Export(Export),
    /// Find messages by their words.
    Search(Search),
    /// Print every new thing as it comes.
    Listen(Listen),
    /// Save the files of a message.
    Save(Save),
    /// List the files of a conversation, or remove copies that are kept here.
    #[command(subcommand)]
    Files(FilesCommand),
    /// List files that come, wait or go at this moment.
    Transfers,
    /// Resume, pause or cancel the fetching of files.
    #[command(subcommand)]
    Transfer(TransferCommand),
    /// Show or change what you say of yourself: name, status line, picture.
    Profile(Profile),
    /// Join stdin here to stdout of the other's `tenet pipe`, and back, live.
    Pipe(Who),
    /// Put an emoji on a message.
    React(React),
    /// Say in another conversation what a message says.
    Forward(Forward),
    /// Give an own message another text.
    Edit(Edit),
    /// Take an own message back.
    Unsend(Unsend),
    /// Mark everything of somebody as read.
    Read(Read),
    /// Set, change or remove the PIN that guards the home.
    #[command(subcommand)]
    Pin(PinCommand),
    /// Make the running node forget its keys until the PIN is given.
    Lock,
    /// Give the running node the PIN.
    Unlock,
    /// Connect, send and receive all that is possible, then return.
    Sync,
    /// Show what this node is and does.
    Status,
    /// Show the devices of contacts and how each is reached.
    Net,
    /// Show or change settings.
    Settings(Settings),
    /// Check the home, the store, the clock and the port, and say what to do.
    Doctor(Doctor),
    /// Print what makes a shell complete these commands.
    Completions(Completions),
    /// Print the manual, or write its pages into a folder.
    Man(Man),
}

/// Reads the arguments; help, version and mistakes are printed here.
///
/// # Errors
/// How the program ends: 0 after help and version, 2 after a mistake.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, ExitCode> {
    Cli::try_parse_from(args).map_err(|error| {
        let _ = error.print();
        if error.use_stderr() {
            ExitCode::from(2)
        } else {
            ExitCode::SUCCESS
        }
    })
}

#[cfg(test)]
mod tests;
