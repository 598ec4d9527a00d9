//! Other programs: started from the workspace's root, shown before they run, judged by their exit.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A command line that can be shown to a person and then run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

impl Line {
    /// A program by name, with its arguments.
    pub(crate) fn new(program: &str, arguments: &[&str]) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            environment: Vec::new(),
        }
    }

    /// Cargo, the one that runs us.
    pub(crate) fn cargo(arguments: &[&str]) -> Self {
        Self::new("cargo", arguments)
    }

    /// The same line with one more variable in its environment.
    pub(crate) fn env(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Runs it with our own input and output; an exit other than 0 is an error.
    pub(crate) fn run(&self) -> Result<()> {
        self.run_without(&[])
    }

    /// As [`Line::run`], with some variables of our environment taken away.
    pub(crate) fn run_without(&self, variables: &[&str]) -> Result<()> {
        let mut command = self.command();
        for variable in variables {
            command.env_remove(variable);
        }
        let status = command
            .status()
            .with_context(|| format!("cannot start `{self}`"))?;
        if !status.success() {
            bail!("`{self}`: {status}");
        }
        Ok(())
    }

    /// What it writes to its standard output; an exit other than 0 is an error.
    pub(crate) fn output(&self) -> Result<String> {
        let output = self
            .command()
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start `{self}`"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`{self}`: {}\n{}", output.status, said.trim_end());
        }
        String::from_utf8(output.stdout).with_context(|| format!("`{self}` wrote no UTF-8"))
    }

    fn command(&self) -> Command {
        // Cargo names itself to what it runs, so that a nested call meets the same toolchain.
        let program = match (self.program.as_str(), std::env::var_os("CARGO")) {
            ("cargo", Some(cargo)) => cargo,
            (program, _) => program.into(),
        };
        let mut command = Command::new(program);
        command.args(&self.arguments).current_dir(root());
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command
    }
}

impl fmt::Display for Line {
    /// As a person would type it, environment first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&self.program)?;
        for word in &self.arguments {
            write!(f, " {}", quoted(word))?;
        }
        Ok(())
    }
}

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    // At run time where cargo runs us, so that a moved tree is found; else where we were built.
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent()
        .map_or_else(|| PathBuf::from("."), PathBuf::from)
}

fn quoted(word: &str) -> String {
    if word.contains(char::is_whitespace) {
        format!("'{word}'")
    } else {
        word.to_owned()
    }
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

    #[test]
    fn a_line_shows_as_it_is_typed() {
        let line = Line::cargo(&["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(
            line.to_string(),
            "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps"
        );
    }

    #[test]
    fn a_failing_program_is_an_error_that_names_it() {
        let error = Line::new("false", &[]).run().unwrap_err().to_string();
        assert!(error.starts_with("`false`"), "{error}");
        assert!(Line::new("no-such-program-here", &[]).output().is_err());
    }

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(root().join("xtask/Cargo.toml").is_file());
    }
}
