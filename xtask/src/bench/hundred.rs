//! A hundred real nodes in a group, over real sockets on this machine.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{figures, node::Folder};

/// What the same takes an unencrypted XMPP room and a Matrix room, on such a machine, in milliseconds.
const OTHERS: [(&str, f64); 2] = [("an XMPP room", 35.0), ("a Matrix room", 319.0)];

/// See the module.
pub(super) fn run(release: &Path) -> Result<()> {
    let folder = Folder::new("hundred")?;
    let mut command = Command::new(release.join("examples/hundred"));
    let output = command.arg(folder.path()).output()?;
    ensure!(output.status.success(), "the example `hundred` failed");
    let told: Value = serde_json::from_slice(&output.stdout).context("it printed no JSON")?;
    let figure = |name: &str| told.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
    println!(
        "  {} nodes in one process, {:.0} MB; connected in {:.0} s, with {} to {} others each",
        figure("nodes"),
        figure("mb"),
        figure("meeting_s"),
        figure("least_connected"),
        figure("most_connected"),
    );
    figures::print(
        "one message until all have it, median",
        figure("p50_ms"),
        "ms",
        100.0,
        true,
    );
    println!(
        "  the worst of them: {:.1} ms; the first of a speaker, for which connections are made: {:.1} ms",
        figure("max_ms"),
        figure("first_ms"),
    );
    for (name, theirs) in OTHERS {
        println!(
            "  {name}: {theirs:.0} ms, {:.2} of ours",
            theirs / figure("p50_ms")
        );
    }
    println!(
        "  the machine's own network carries {:.0} kB for one message alone, {:.0} kB for one of many",
        figure("kb_alone"),
        figure("kb_together"),
    );
    figures::print(
        "of 1,000 from ten missing",
        figure("missing"),
        "",
        0.0,
        true,
    );
    println!(
        "  messages a second until all have them: {:.1}",
        figure("rate")
    );
    Ok(())
}
