//! The project's own commands. `cargo xtask` without arguments lists them.

// This program talks to the person who runs it.
#![allow(clippy::print_stdout)]

mod bench;
mod deny;
mod fuzz;
mod gate;
mod install;
mod metadata;
mod process;
mod room;
mod sim;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// One word after `cargo xtask`.
struct Command {
    name: &'static str,
    takes: &'static str,
    what: &'static str,
    run: fn(&[String]) -> Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        takes: "",
        what: "the whole gate: formatting, lints, tidy, docs, licences, all tests",
        run: gate::run,
    },
    Command {
        name: "tidy",
        takes: "",
        what: "the rules of this tree that no compiler knows",
        run: tidy::run,
    },
    Command {
        name: "deny",
        takes: "",
        what: "the licences, sources and bans of deny.toml",
        run: deny::run,
    },
    Command {
        name: "bench",
        takes: "NAME|all|list",
        what: "measure the release build",
        run: bench::run,
    },
    Command {
        name: "fuzz",
        takes: "[TARGET]",
        what: "feed random bytes to whatever reads a stranger's; --seconds N, --keep",
        run: fuzz::run,
    },
    Command {
        name: "sim",
        takes: "[--seeds N]",
        what: "worlds of many: --from SEED, --step K, --jobs N; --ladder; --planted",
        run: sim::run,
    },
    Command {
        name: "install",
        takes: "",
        what: "install the system packages that the tests need",
        run: install::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let Some((name, rest)) = arguments.split_first() else {
        print!("{}", usage());
        return Ok(());
    };
    if matches!(name.as_str(), "help" | "-h" | "--help") {
        print!("{}", usage());
        return Ok(());
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        bail!("no command `{name}`\n\n{}", usage());
    };
    if command.takes.is_empty() && !rest.is_empty() {
        bail!("`cargo xtask {name}` takes no arguments");
    }
    (command.run)(rest)
}

fn usage() -> String {
    let mut text = String::from("cargo xtask COMMAND\n\n");
    for command in COMMANDS {
        let call = format!("{} {}", command.name, command.takes);
        text.push_str(&format!("  {call:<21}{}\n", command.what));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn no_argument_lists_every_command() {
        assert!(dispatch(&[]).is_ok());
        for command in COMMANDS {
            assert!(usage().contains(command.what));
        }
    }

    #[test]
    fn an_unknown_command_is_refused_with_the_list() {
        let error = dispatch(&words("tset")).unwrap_err().to_string();
        assert!(error.contains("no command `tset`"));
        assert!(error.contains("bench NAME|all|list"));
    }

    #[test]
    fn a_word_too_many_is_refused() {
        assert!(dispatch(&words("tidy crates/log")).is_err());
    }
}
