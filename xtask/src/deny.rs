//! `cargo xtask deny`: the licences, sources and bans of `deny.toml`, by a pinned cargo-deny.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::metadata::Metadata;
use crate::process::Line;

/// The release whose reading of `deny.toml` is agreed on.
const VERSION: &str = "0.20.2";

/// Checks `deny.toml`; installs cargo-deny into the target folder if it is nowhere.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let tools = Metadata::load()?.target.join("tools");
    let own = tools.join("bin").join("cargo-deny");
    let program = own
        .to_str()
        .context("the target folder's path is no UTF-8")?;
    if is_right("cargo-deny") {
        return check("cargo-deny");
    }
    if !is_right(program) {
        install(&tools)?;
    }
    if !is_right(program) {
        bail!("cargo-deny {VERSION} was installed, but {program} does not answer so");
    }
    check(program)
}

fn check(program: &str) -> Result<()> {
    // Advisories are left out: their database is on GitHub alone, and the gate runs without it.
    Line::new(program, &["check", "licenses", "bans", "sources"]).run()
}

fn install(tools: &Path) -> Result<()> {
    let tools = tools
        .to_str()
        .context("the target folder's path is no UTF-8")?;
    let version = format!("={VERSION}");
    // Unoptimised it builds in about a minute and runs for four seconds.
    let line = Line::cargo(&[
        "install",
        "cargo-deny",
        "--version",
        &version,
        "--locked",
        "--debug",
        "--root",
        tools,
    ]);
    println!("{line}");
    // Without our target folder cargo builds in a temporary one and leaves nothing behind.
    line.run_without(&["CARGO_TARGET_DIR"])
        .context("cargo-deny could not be installed")
}

fn is_right(program: &str) -> bool {
    Line::new(program, &["--version"])
        .output()
        .is_ok_and(|said| said.trim() == format!("cargo-deny {VERSION}"))
}
