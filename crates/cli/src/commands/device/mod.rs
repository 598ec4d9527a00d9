//! `tenet device …`: the devices of this identity.

mod join;
mod link;
mod list;
mod renew;

use tenet_rpc::api::Secret;

use super::Shell;
use crate::args::{DeviceCommand, Words};
use crate::failure::Outcome;

pub(super) async fn run(shell: &Shell, command: DeviceCommand) -> Outcome {
    match command {
        DeviceCommand::Link(args) => link::run(shell, args).await,
        DeviceCommand::Join(args) => join::run(shell, args).await,
        DeviceCommand::Confirm(args) => link::confirm(shell, &args).await,
        DeviceCommand::List => list::list(shell).await,
        DeviceCommand::Rename(args) => list::rename(shell, args).await,
        DeviceCommand::Renew => renew::run(shell).await,
        DeviceCommand::Suspend(args) => list::suspend(shell, args).await,
        DeviceCommand::Resume(args) => list::resume(shell, args).await,
        DeviceCommand::Revoke(args) => list::revoke(shell, args).await,
    }
}

/// The phrase and its passphrase, where they are to be typed.
fn words(shell: &Shell, words: &Words) -> Outcome<(Option<Secret>, Option<Secret>)> {
    if !words.phrase {
        return Ok((None, None));
    }
    let passphrase = match &words.passphrase_file {
        Some(path) => Some(shell.input.secret_file(path, "passphrase: ")?),
        None => None,
    };
    Ok((Some(shell.input.phrase()?), passphrase))
}
