//! The grammar, as a picture that changes only on purpose.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use clap::CommandFactory;

use super::*;

/// Every command with its own arguments; what all take stands at the top.
fn picture() -> String {
    let mut root = Cli::command();
    root.build();
    let mut out = String::new();
    describe(&root, true, &mut out);
    out
}

fn describe(command: &clap::Command, global: bool, out: &mut String) {
    let usage = command.clone().render_usage().to_string();
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    *out += &format!("{}\n    {about}\n", usage.trim_start_matches("Usage: "));
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        if argument.is_global_set() != global || matches!(id, "help" | "version") {
            continue;
        }
        let help = argument
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        *out += &format!("    {argument}  {help}\n");
    }
    for sub in command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
    {
        describe(sub, false, out);
    }
}

fn parsed(line: &str) -> Cli {
    Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn refused(line: &str) {
    let error = Cli::try_parse_from(line.split(' ')).expect_err(line);
    assert_eq!(error.exit_code(), 2, "{line}");
}

#[test]
fn the_grammar_is_sound() {
    Cli::command().debug_assert();
}

/// `TENET_UPDATE=1 cargo test -p tenet-cli` writes it anew; read the difference before committing.
#[test]
fn the_grammar_is_the_one_of_the_picture() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/args/grammar.txt");
    let picture = picture();
    if std::env::var_os("TENET_UPDATE").is_some() {
        std::fs::write(path, &picture).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap();
    assert!(expected == picture, "the grammar changed:\n{picture}");
}

#[test]
fn nothing_said_means_up() {
    assert!(parsed("tenet").command.is_none());
    assert!(parsed("tenet --home /x --json").global.json);
}

#[test]
fn what_every_command_takes_may_stand_anywhere() {
    for line in [
        "tenet --home /x --json send bob hi",
        "tenet send bob hi --home /x --json",
    ] {
        let cli = parsed(line);
        assert_eq!(cli.global.home, Some("/x".into()));
        assert!(cli.global.json);
    }
    let cli = parsed("tenet up --listen 127.0.0.1:0,[::1]:7 --listen 10.0.0.1:1 --no-lan -vv");
    assert_eq!(cli.global.listen.len(), 3);
    assert_eq!(cli.global.no_lan, Some(true));
    assert_eq!(cli.global.verbose, 2);
}

#[test]
fn a_dash_is_stdin_and_no_flag() {
    let Some(Command::Send(send)) = parsed("tenet send bob -").command else {
        panic!()
    };
    assert_eq!(send.text.as_deref(), Some("-"));
    assert!(matches!(
        parsed("tenet accept -").command,
        Some(Command::Accept(_))
    ));
    assert_eq!(
        parsed("tenet lock --pin-file -").global.pin_file,
        Some("-".into())
    );
}

#[test]
fn mistakes_are_usage_errors() {
    for line in [
        "tenet dance",
        "tenet send",
        "tenet send bob hi --wait failed",
        "tenet send bob hi --wait soon",
        "tenet id new --words 13",
        "tenet invite --once --reusable",
        "tenet up --listen nowhere",
        "tenet settings --value",
        "tenet listen --kinds dreams",
        "tenet --timeout soon sync",
        "tenet pin",
    ] {
        refused(line);
    }
}
