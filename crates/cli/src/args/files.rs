//! Files and their contents on the way.

use clap::{Args, Subcommand};
use tenet_rpc::api::FileKind;

/// `tenet files`
#[derive(Debug, Subcommand)]
pub enum FilesCommand {
    /// List the files of a conversation, in the order in which they came.
    List(FilesList),
    /// Remove the copy of files that is kept here; it can be had again from whoever has one.
    Remove(Contents),
}

/// `tenet files list`
#[derive(Debug, Args)]
pub struct FilesList {
    /// Name, DID or session id.
    pub who: String,
    /// Only files of this kind, as their names say: image, video, audio, document or other.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub kind: Option<FileKind>,
    /// How many files at most.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: u32,
    /// Only files that came before those of this message: its id, or a beginning of it.
    #[arg(long, value_name = "ID")]
    pub before: Option<String>,
}

/// `tenet transfer`
#[derive(Debug, Subcommand)]
pub enum TransferCommand {
    /// Fetch files that wait for a yes, or go on with those that were paused.
    Resume(Contents),
    /// Fetch no more of files for now; what came stays.
    Pause(Contents),
    /// Fetch no more of files, and remove what came.
    Cancel(Contents),
}

/// Contents of files.
#[derive(Debug, Args)]
pub struct Contents {
    /// The id of a message, for all its files, or the hash of one; a beginning will do.
    pub id: String,
}

fn kind(text: &str) -> Result<FileKind, String> {
    let wrong = |_| "image, video, audio, document or other".to_owned();
    text.parse().map_err(wrong)
}
