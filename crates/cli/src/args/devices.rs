//! The devices of this identity.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `tenet device …`
#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// Make a link and QR code by which another device of yours is let in.
    ///
    /// The link carries no phrase, is for one device and good for ten minutes. At a terminal this waits for
    /// the device and asks whether both screens show the same.
    Link(DeviceLink),
    /// Make this home a further device of the identity whose device made the link.
    Join(DeviceJoin),
    /// Say whether the device that asks shows the same as the one where the link was made.
    Confirm(DeviceConfirm),
    /// List your devices.
    List,
    /// Call a device something else.
    Rename(DeviceRename),
    /// Give this device another key and endpoint, and revoke the ones that it had; no node may run.
    Renew,
    /// Have your other devices not speak with one, until you resume it: a lost one, while you look for it.
    ///
    /// Needs no phrase. The people you know do not see it, and go on speaking with that device.
    Suspend(DeviceNamed),
    /// Have your other devices speak again with one that was suspended.
    Resume(DeviceNamed),
    /// Take a device's right to speak for you, for good: a lost one, a stolen one.
    Revoke(DeviceRevoke),
}

/// `tenet device link`
#[derive(Debug, Args)]
pub struct DeviceLink {
    /// Let the device in only after `tenet device confirm`, also where nobody is at a terminal.
    #[arg(long)]
    pub ask: bool,
    /// For how long it is good [default: 600].
    #[arg(long, value_name = "SECONDS")]
    pub expires: Option<u64>,
    /// Show the QR code also where stdout is no terminal.
    #[arg(long)]
    pub qr: bool,
    /// What gives the identity's key, where it is not kept here.
    #[command(flatten)]
    pub words: Words,
}

/// `tenet device join`
#[derive(Debug, Args)]
pub struct DeviceJoin {
    /// The link, or `-` to read it from stdin.
    pub link: String,
    /// What to call this device [default: what sort of machine it is].
    #[arg(long)]
    pub name: Option<String>,
}

/// `tenet device confirm`
#[derive(Debug, Args)]
pub struct DeviceConfirm {
    /// It shows something else: it is not let in.
    #[arg(long)]
    pub no: bool,
}

/// `tenet device rename`
#[derive(Debug, Args)]
pub struct DeviceRename {
    /// The device's name, its id, or a beginning of it.
    pub id: String,
    /// The new name; the people you know do not see it.
    pub name: String,
}

/// `tenet device suspend`, `tenet device resume`
#[derive(Debug, Args)]
pub struct DeviceNamed {
    /// The device's name, its id, or a beginning of it.
    pub id: String,
}

/// `tenet device revoke`
#[derive(Debug, Args)]
pub struct DeviceRevoke {
    /// The device's name, its id, or a beginning of it.
    pub id: String,
    /// What gives the identity's key, where it is not kept here.
    #[command(flatten)]
    pub words: Words,
}

/// The phrase, typed to sign and not kept.
#[derive(Debug, Args)]
pub struct Words {
    /// Take the identity's phrase from stdin: for a device that does not keep it.
    #[arg(long)]
    pub phrase: bool,
    /// Take the passphrase that belongs to the words from this file's first line (`-` for stdin).
    #[arg(long, value_name = "FILE", requires = "phrase")]
    pub passphrase_file: Option<PathBuf>,
}
