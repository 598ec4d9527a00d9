//! `tenet id …`: who speaks.

mod make;
mod new;
mod phrase;
mod restore;
mod show;

pub(super) use make::{check_name, choose_pin, device_name};

use super::Shell;
use crate::args::IdCommand;
use crate::failure::Outcome;

pub(super) async fn run(shell: &Shell, command: IdCommand) -> Outcome {
    match command {
        IdCommand::New(args) => new::run(shell, args).await,
        IdCommand::Restore(args) => restore::run(shell, args).await,
        IdCommand::Show => show::show(shell).await,
        IdCommand::List => show::list(shell).await,
        IdCommand::Use(args) => show::choose(shell, args).await,
        IdCommand::Phrase => phrase::run(shell).await,
    }
}
