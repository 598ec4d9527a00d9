//! The roster of a session of ten thousand: loaded, folded at once, and one operation more.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{figures, node::Folder};

/// See the module.
pub(super) fn run(release: &Path) -> Result<()> {
    let folder = Folder::new("roster")?;
    let mut command = Command::new(release.join("examples/roster"));
    // The C library gathers what was freed piece by piece at some later request: milliseconds, once, after all was
    // loaded, which are not that operation's.
    command.env("GLIBC_TUNABLES", "glibc.malloc.mxfast=0");
    let output = command.arg(folder.path()).output()?;
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
    for (name, key, limit) in [
        ("opened from what the store keeps", "kept_ms", 250.0),
        ("loaded from all operations", "load_ms", 1_000.0),
    ] {
        figures::print(name, figure(key), "ms", limit, true);
    }
    println!("  memory of it: {:.0} MB", figure("load_mb"));
    figures::print(
        "folded from scratch",
        figure("scratch_ms"),
        "ms",
        1_000.0,
        true,
    );
    println!(
        "  of that on a processor: {:.0} ms",
        figure("scratch_cpu_ms")
    );
    println!("  one more: median {:.0} µs", figure("one_p50_us"));
    for (name, figure) in [
        ("one more, p99", figure("one_p99_us")),
        ("one more, worst of 2,000", figure("one_max_us")),
        (
            "one more, written into the store, p99",
            figure("kept_p99_us"),
        ),
    ] {
        figures::print(name, figure, "µs", 1_000.0, true);
    }
    println!(
        "  on disk: {:.1} MB, of that the operations themselves {:.1} MB",
        figure("store_mb"),
        figure("headers_mb"),
    );
    figures::print(
        "on disk, against their pasts kept whole",
        figure("store_mb") / figure("whole_pasts_mb"),
        "",
        0.01,
        true,
    );
    Ok(())
}
