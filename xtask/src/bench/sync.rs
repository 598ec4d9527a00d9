//! How soon a device that was away has 100,000 messages, against checking their signatures alone.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{figures, node::Folder};

/// See the module.
pub(super) fn run(release: &Path) -> Result<()> {
    let folder = Folder::new("sync")?;
    let mut command = Command::new(release.join("examples/sync"));
    let output = command.arg(folder.path()).output()?;
    ensure!(output.status.success(), "the example `sync` failed");
    let told: Value = serde_json::from_slice(&output.stdout).context("it printed no JSON")?;
    let figure = |name: &str| told.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
    println!(
        "  {} events; one takes the sender {:.1} µs, the receiver {:.1} µs, its signature alone, in a batch, {:.1} µs",
        figure("events"),
        figure("sender_us"),
        figure("receiver_us"),
        figure("check_us"),
    );
    let slower = figure("receiver_us").max(figure("sender_us"));
    let ratio = figure("check_us") / slower;
    figures::print("against checking signatures", ratio, "", 0.5, false);
    figures::print(
        "each on a machine of its own",
        figure("rate"),
        "/s",
        20_000.0,
        false,
    );
    println!("  one after the other: {:.0} /s", figure("rate_of_both"));
    let repeated = figure("repeated") * 100.0;
    figures::print(
        "repeated after a break in the middle",
        repeated,
        "%",
        1.0,
        true,
    );
    figures::print(
        "memory for it, both ends",
        figure("memory_mb"),
        "MB",
        64.0,
        true,
    );
    let quiet = figure("quiet_sync_bytes");
    figures::print(
        "a session in a meeting with nothing new",
        quiet,
        "bytes",
        200.0,
        true,
    );
    let name = format!("the same with {} authors", figure("authors"));
    figures::print(&name, figure("crowd_bytes"), "bytes", 200.0, true);
    println!("  such a meeting in all: {} bytes", figure("quiet_bytes"));
    Ok(())
}
