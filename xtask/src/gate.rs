//! `cargo xtask test`: the whole gate, in order, up to the first failure.
//!
//! ```text
//! room ─ install ─ fmt ─ clippy ─ tidy ─ doc ─ deny ─ test ─ sim
//! ```
//!
//! The quick steps come first. Every step can be run alone; a failing one says how.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::process::Line;
use crate::{deny, install, room, sim, tidy};

/// What a step does.
enum Act {
    /// A command line.
    Run(Line),
    /// Something of ours, and how to call it alone.
    Call {
        run: fn() -> Result<()>,
        alone: &'static str,
    },
}

struct Step {
    name: &'static str,
    act: Act,
}

/// Runs the gate.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let mut times = Vec::new();
    for step in prepare() {
        pass(&step, &mut times)?;
    }
    // Asked after the step that may have installed it.
    for step in steps(install::system_openssl()) {
        pass(&step, &mut times)?;
    }
    print!("{}", summary(&times));
    Ok(())
}

fn prepare() -> [Step; 2] {
    // What is missing afterwards is said there; the steps that need it fail by themselves.
    let install = || install::ensure().map(|_complete| ());
    [
        Step::call("room", "df .", room::ensure),
        Step::call("install", "cargo xtask install", install),
    ]
}

fn steps(system_openssl: bool) -> Vec<Step> {
    // Constant for all cargo calls of the gate: when it changes, OpenSSL and all above is built again.
    let cargo = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        let line = Line::cargo(&words);
        if system_openssl {
            line.env("OPENSSL_NO_VENDOR", "1")
        } else {
            line
        }
    };
    let clippy = cargo("clippy --workspace --all-targets -- -D warnings");
    let doc = cargo("doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings");
    vec![
        Step::run("fmt", cargo("fmt --all --check")),
        Step::run("clippy", clippy),
        Step::call("tidy", "cargo xtask tidy", || tidy::run(&[])),
        Step::run("doc", doc),
        Step::call("deny", "cargo xtask deny", || deny::run(&[])),
        Step::run("test", cargo("test --workspace")),
        Step::call("sim", "cargo xtask sim", sim::gate),
    ]
}

fn pass(step: &Step, times: &mut Vec<(&'static str, Duration)>) -> Result<()> {
    println!("\n== {}: {}", step.name, step.alone());
    let start = Instant::now();
    let outcome = match &step.act {
        Act::Run(line) => line.run(),
        Act::Call { run, .. } => run(),
    };
    let took = start.elapsed();
    times.push((step.name, took));
    outcome.map_err(|error| {
        let (name, alone) = (step.name, step.alone());
        let took = took.as_secs_f64();
        anyhow!("the step `{name}` failed after {took:.1} s: {error:#}\nrun it alone: {alone}")
    })
}

impl Step {
    fn run(name: &'static str, line: Line) -> Self {
        let act = Act::Run(line);
        Self { name, act }
    }

    fn call(name: &'static str, alone: &'static str, run: fn() -> Result<()>) -> Self {
        let act = Act::Call { run, alone };
        Self { name, act }
    }

    fn alone(&self) -> String {
        match &self.act {
            Act::Run(line) => line.to_string(),
            Act::Call { alone, .. } => (*alone).to_owned(),
        }
    }
}

fn summary(times: &[(&'static str, Duration)]) -> String {
    let mut text = String::from("\n== the gate is passed\n");
    for (name, took) in times {
        text.push_str(&format!("  {name:<8}{:>8.1} s\n", took.as_secs_f64()));
    }
    let all: Duration = times.iter().map(|(_, took)| *took).sum();
    text.push_str(&format!("  {:<8}{:>8.1} s\n", "all", all.as_secs_f64()));
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

    #[test]
    fn the_steps_are_in_order_and_can_be_typed() {
        let steps = steps(false);
        let names: Vec<_> = steps.iter().map(|step| step.name).collect();
        assert_eq!(
            names,
            ["fmt", "clippy", "tidy", "doc", "deny", "test", "sim"]
        );
        assert_eq!(steps[0].alone(), "cargo fmt --all --check");
        assert_eq!(steps[2].alone(), "cargo xtask tidy");
        assert_eq!(steps[5].alone(), "cargo test --workspace");
    }

    #[test]
    fn the_system_openssl_is_the_same_for_every_cargo_call() {
        for step in steps(true) {
            if let Act::Run(line) = step.act {
                assert!(line.to_string().starts_with("OPENSSL_NO_VENDOR=1 "));
            }
        }
    }

    #[test]
    fn a_failing_step_names_itself_and_how_to_run_it() {
        let step = Step::run("fmt", Line::new("false", &[]));
        let mut times = Vec::new();
        let error = pass(&step, &mut times).unwrap_err().to_string();
        assert!(error.contains("the step `fmt` failed after"), "{error}");
        assert!(error.contains("run it alone: false"), "{error}");
        assert_eq!(times.len(), 1);
    }

    #[test]
    fn the_summary_adds_up() {
        let times = [
            ("fmt", Duration::from_secs(1)),
            ("test", Duration::from_millis(2500)),
        ];
        assert!(summary(&times).ends_with("  all          3.5 s\n"));
    }
}
