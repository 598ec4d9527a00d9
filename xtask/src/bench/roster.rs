//! The roster of a session of ten thousand: folded at once, and one operation more.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::figures;

/// See the module.
pub(super) fn run(release: &Path) -> Result<()> {
    let output = Command::new(release.join("examples/roster")).output()?;
    ensure!(output.status.success(), "the example `roster` failed");
    let told: Value = serde_json::from_slice(&output.stdout).context("it printed no JSON")?;
    let figure = |name: &str| told.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
    println!(
        "  {} operations, {} of them and the {} that follow count, {} members",
        figure("operations"),
        figure("counted"),
        2_000,
        figure("members"),
    );
    figures::print("from scratch", figure("scratch_ms"), "ms", 1_000.0, true);
    println!(
        "  of that on a processor: {:.0} ms",
        figure("scratch_cpu_ms")
    );
    println!("  one more: median {:.0} µs", figure("one_p50_us"));
    figures::print("one more, p99", figure("one_p99_us"), "µs", 1_000.0, true);
    figures::print(
        "one more, worst of 2,000",
        figure("one_max_us"),
        "µs",
        1_000.0,
        true,
    );
    Ok(())
}
