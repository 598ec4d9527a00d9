//! The node itself.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// `tenet up`
#[derive(Debug, Default, Args)]
pub struct Up {
    /// The port of the web page; this version has none yet.
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Without the web page.
    #[arg(long)]
    pub no_ui: bool,
}

/// `tenet demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// Keep the temporary folder, and say where it is.
    #[arg(long)]
    pub keep: bool,
}

/// `tenet settings`
#[derive(Debug, Args)]
pub struct Settings {
    /// Which setting; all if nothing is said.
    pub name: Option<String>,
    /// Its new value.
    #[arg(requires = "name")]
    pub value: Option<String>,
}

/// `tenet completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell.
    pub shell: Shell,
}

/// `tenet man`
#[derive(Debug, Args)]
pub struct Man {
    /// Write a page for every command into this folder.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

/// `tenet doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// Fetch what is damaged again, from whoever has it and is there.
    #[arg(long)]
    pub repair: bool,
}
