//! `cargo xtask fuzz`: runs the targets of `fuzz/` under libFuzzer, on the stable compiler.
//!
//! ```text
//! fuzz/corpus/<target> ─┐
//! seeds of the target  ─┴▶ libFuzzer ─▶ <target folder>/fuzz/found/<target>  ─ --keep ─▶ fuzz/corpus/<target>
//!                                  └──▶ <target folder>/fuzz/findings: what crashed it
//! ```
//!
//! Coverage is seen through LLVM's own pass, which stable code generation options switch on; no
//! sanitizer runs, for there is no `unsafe` here that it would watch.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::metadata::Metadata;
use crate::process::{self, Line};

/// What LLVM writes into the code so that the fuzzer sees which of it ran, and what was compared.
const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// The platform that is built for, named so that build scripts are not instrumented.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// How long each target runs unless it is said, in seconds.
const SECONDS: u64 = 60;

/// What is kept of one target, in bytes; `fuzz/tests/corpora.rs` holds it to this.
const MOST_KEPT: u64 = 64 << 10;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    /// Every target where none is named.
    target: Option<String>,
    seconds: u64,
    keep: bool,
}

/// The runner, and where its things lie.
struct Runner {
    program: PathBuf,
    place: PathBuf,
    /// Each target and its longest input.
    targets: Vec<(String, String)>,
}

/// Builds the runner and runs one target or all.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let asked = Asked::parse(arguments)?;
    let runner = Runner::build()?;
    let chosen: Vec<_> = runner
        .targets
        .iter()
        .filter(|(name, _)| asked.target.as_ref().is_none_or(|asked| asked == name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = runner
            .targets
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        bail!("no such target; there are: {}", names.join(", "));
    }
    let mut found = Vec::new();
    for (name, longest) in chosen {
        let executions = runner.fuzz(name, longest, asked.seconds)?;
        match executions {
            Some(executions) => println!("{name:<12}{executions:>14} executions, no finding"),
            None => {
                println!("{name:<12} A FINDING");
                found.push(name.as_str());
                continue;
            }
        }
        if asked.keep {
            runner.keep(name, longest)?;
        }
    }
    if !found.is_empty() {
        let place = runner.place.join("findings");
        bail!("findings in {}: see {}", found.join(", "), place.display());
    }
    Ok(())
}

impl Asked {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut asked = Self {
            target: None,
            seconds: SECONDS,
            keep: false,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--keep" => asked.keep = true,
                "--seconds" => {
                    let seconds = words.next().and_then(|word| word.parse().ok());
                    asked.seconds = seconds.context("--seconds takes a number")?;
                }
                name if !name.starts_with('-') && asked.target.is_none() => {
                    asked.target = Some(name.to_owned());
                }
                _ => bail!("usage: cargo xtask fuzz [TARGET] [--seconds N] [--keep]"),
            }
        }
        Ok(asked)
    }
}

impl Runner {
    fn build() -> Result<Self> {
        let place = Metadata::load()?.target.join("fuzz");
        let folder = text(&place)?;
        let manifest = "fuzz/runner/Cargo.toml";
        let line = Line::cargo(&[
            "build",
            "--release",
            "--manifest-path",
            manifest,
            "--target",
            PLATFORM,
            "--target-dir",
            folder,
        ]);
        println!("{line}");
        line.env("RUSTFLAGS", INSTRUMENTED).run()?;
        let program = place.join(PLATFORM).join("release/tenet-fuzz-runner");
        let seeds = place.join("seeds");
        let listed = Command::new(&program)
            .env("TENET_SEEDS", &seeds)
            .stderr(Stdio::null())
            .output()
            .context("the fuzzer does not start")?;
        let listed = String::from_utf8(listed.stdout).context("the fuzzer lists its targets")?;
        let targets = listed.lines().filter_map(|line| line.split_once(' '));
        Ok(Self {
            program,
            targets: targets
                .map(|(name, longest)| (name.to_owned(), longest.to_owned()))
                .collect(),
            place,
        })
    }

    /// How often the target ran; `None` where something was found.
    fn fuzz(&self, name: &str, longest: &str, seconds: u64) -> Result<Option<String>> {
        let found = self.folder("found", name)?;
        let findings = self.folder("findings", "")?;
        let kept = kept(name)?;
        let output = self
            .command(name, longest)
            .arg(format!("-max_total_time={seconds}"))
            .arg("-timeout=10")
            .arg("-rss_limit_mb=1024")
            .arg("-print_final_stats=1")
            .arg(format!("-artifact_prefix={}/{name}-", findings.display()))
            .args([&found, &kept, &self.place.join("seeds").join(name)])
            .output()
            .context("the fuzzer does not start")?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            println!("{}", last_lines(&said));
            return Ok(None);
        }
        let executions = said
            .lines()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        Ok(Some(executions.unwrap_or("?").trim().to_owned()))
    }

    /// Puts what covers everything that was found, and no more, into the repository.
    fn keep(&self, name: &str, longest: &str) -> Result<()> {
        let least = self.folder("least", name)?;
        fs::remove_dir_all(&least)?;
        fs::create_dir_all(&least)?;
        let kept = kept(name)?;
        let found = self.folder("found", name)?;
        let output = self
            .command(name, longest)
            .arg("-set_cover_merge=1")
            .args([&least, &found, &kept, &self.place.join("seeds").join(name)])
            .output()
            .context("the fuzzer does not start")?;
        if !output.status.success() {
            bail!("{}", last_lines(&String::from_utf8_lossy(&output.stderr)));
        }
        let mut inputs = Vec::new();
        for entry in fs::read_dir(&least)? {
            let entry = entry?;
            inputs.push((entry.metadata()?.len(), entry.path()));
        }
        // The shortest say most for their size.
        inputs.sort();
        fs::remove_dir_all(&kept)?;
        fs::create_dir_all(&kept)?;
        let mut all = 0;
        for (bytes, path) in inputs {
            all += bytes;
            if all > MOST_KEPT {
                break;
            }
            fs::copy(&path, kept.join(path.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }

    fn command(&self, name: &str, longest: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("TENET_FUZZ", name)
            .arg(format!("-max_len={longest}"))
            .stdout(Stdio::null());
        command
    }

    fn folder(&self, of: &str, name: &str) -> Result<PathBuf> {
        let folder = self.place.join(of).join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

fn kept(name: &str) -> Result<PathBuf> {
    let kept = process::root().join("fuzz/corpus").join(name);
    fs::create_dir_all(&kept)?;
    Ok(kept)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .context("the target folder's path is no UTF-8")
}

fn last_lines(said: &str) -> String {
    const LINES: usize = 40;
    let lines: Vec<_> = said.lines().collect();
    let from = lines.len().saturating_sub(LINES);
    lines.get(from..).unwrap_or_default().join("\n")
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

    fn asked(line: &str) -> Result<Asked> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        Asked::parse(&words)
    }

    #[test]
    fn all_targets_run_a_minute_each_unless_it_is_said() {
        let all = asked("").unwrap();
        assert_eq!((all.target, all.seconds, all.keep), (None, 60, false));
        let one = asked("hello --seconds 5 --keep").unwrap();
        assert_eq!(one.target.as_deref(), Some("hello"));
        assert_eq!((one.seconds, one.keep), (5, true));
    }

    #[test]
    fn other_words_are_refused() {
        for line in ["hello card", "--second 5", "--seconds x", "--seconds"] {
            assert!(asked(line).is_err(), "{line}");
        }
    }

    #[test]
    fn only_the_last_lines_are_shown() {
        let said: Vec<_> = (0..60).map(|line| line.to_string()).collect();
        let last = last_lines(&said.join("\n"));
        assert!(last.starts_with("20\n") && last.ends_with("59"));
    }
}
