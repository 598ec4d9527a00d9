//! The `tenet` program: the shell in which engine, network and store meet a person.
//!
//! ```text
//! argv, stdin ─ args, input ─▶ commands ─▶ Caller ─┬─ socket ─▶ the node that runs on this home
//!       stdout ◀─ output ◀────────┘                └─ Gate ─▶ host: this process opens the home
//! ```
//!
//! Every command is written once, against a [`caller::Caller`]: where a node runs on the home it is
//! that node's client, where none does it opens the home itself (`CLI-3`). The node is the same
//! [`gate::Gate`] on the home's socket. `spec/cli.md` is what scripts rely on, `spec/home.md` what
//! lies where.
//!
//! In reading order: [`args`], [`config`], [`commands`], [`caller`], [`choice`], [`gate`], [`home`], [`host`], [`moving`], and the
//! small things around them.

pub mod args;
pub mod caller;
pub mod choice;
pub mod commands;
pub mod config;
pub mod failure;
pub mod gate;
pub mod home;
pub mod host;
pub mod input;
mod log;
pub mod moving;
pub mod output;
mod qr;
mod random;
mod signals;
pub mod time;

use std::process::ExitCode;

use rustix::fs::Mode;

/// Runs the program with the arguments of this process; answers how it ends (`CLI-2`).
pub fn run() -> ExitCode {
    let cli = match args::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    // Whatever is made from now on, the database included, is its owner's alone (`HOME-2`).
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    failure::end(commands::run(cli))
}
