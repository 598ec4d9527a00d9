//! Who speaks, and the PIN.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `tenet id …`
#[derive(Debug, Subcommand)]
pub enum IdCommand {
    /// Make an identity, or a further one, and show its phrase.
    New(New),
    /// Make an identity again from its phrase, which is read from stdin.
    ///
    /// On a home that has identities of the phrase already, this opens them anew where the PIN or the
    /// machine secret is lost.
    Restore(Restore),
    /// Show the identity.
    Show,
    /// List the identities of this home; one with a PIN that is not given is shown as locked.
    List,
    /// Make an identity the one that is meant where --id names none.
    Use(Use),
    /// Show the phrase again; asks for the PIN.
    Phrase,
}

/// `tenet id new`
#[derive(Debug, Args)]
pub struct New {
    /// What you call yourself; others see it.
    #[arg(long)]
    pub name: Option<String>,
    /// How many words the phrase has.
    #[arg(long, default_value_t = 12, value_parser = words)]
    pub words: usize,
    /// The language of the words: en, ja, ko, es, zh-Hans, zh-Hant, fr, it, cs or pt.
    #[arg(long, default_value = "en", value_name = "LANGUAGE")]
    pub lang: String,
    /// Take a passphrase, needed besides the words, from this file's first line (`-` for stdin).
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Which identity of the phrase [default: 0, or the next that is not here].
    #[arg(long)]
    pub index: Option<u32>,
    /// Take the words of the identity that --id names, or of the usual one, instead of new ones; asks for its PIN.
    #[arg(long, conflicts_with_all = ["words", "lang"])]
    pub same_phrase: bool,
}

/// `tenet id use`
#[derive(Debug, Args)]
pub struct Use {
    /// Its DID, a beginning of it, or its name.
    #[arg(value_name = "DID")]
    pub who: String,
}

/// `tenet id restore`
#[derive(Debug, Args)]
pub struct Restore {
    /// What you call yourself; others see it.
    #[arg(long)]
    pub name: Option<String>,
    /// Take the passphrase that belongs to the words from this file's first line (`-` for stdin).
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Which identity of the phrase [default: all that are here, else 0].
    #[arg(long)]
    pub index: Option<u32>,
    /// Take the phrase from this key file, which `tenet backup file` wrote, instead of stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "index")]
    pub file: Option<PathBuf>,
    /// Take the password of the key file from this file's first line (`-` for stdin) [default: asked for].
    #[arg(long, value_name = "FILE", requires = "file")]
    pub password_file: Option<PathBuf>,
}

/// `tenet backup …`
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Write what the identity is made from into a file under a password; asks for the PIN.
    File(BackupFile),
}

/// `tenet backup file`
#[derive(Debug, Args)]
pub struct BackupFile {
    /// The file to make.
    pub file: PathBuf,
    /// Take its password from this file's first line (`-` for stdin) [default: asked for].
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// `tenet home …`
#[derive(Debug, Subcommand)]
pub enum HomeCommand {
    /// Move the home into one encrypted file; after that it opens nowhere but where the file is imported.
    Export(HomeExport),
    /// Take in what a home was exported into, under this machine's secret; the file of a move is used up by it.
    Import(HomeFile),
}

/// `tenet home export`
#[derive(Debug, Args)]
pub struct HomeExport {
    /// Copy it: this home goes on, and where the file is imported is another device.
    #[arg(long)]
    pub copy: bool,
    /// The file and its password.
    #[command(flatten)]
    pub into: HomeFile,
}

/// What a home is exported into and imported from.
#[derive(Debug, Args)]
pub struct HomeFile {
    /// The file.
    pub file: PathBuf,
    /// Take its password from this file's first line (`-` for stdin) [default: asked for].
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// `tenet pin …`: PINs are asked for on a terminal, else read from stdin, one a line.
#[derive(Debug, Subcommand)]
pub enum PinCommand {
    /// Set a PIN where there is none.
    Set,
    /// Put another PIN in the place of the present one, which is asked for first.
    Change,
    /// Remove the PIN.
    Remove,
}

fn words(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(words @ (12 | 15 | 18 | 21 | 24)) => Ok(words),
        _ => Err("a phrase has 12, 15, 18, 21 or 24 words".into()),
    }
}
