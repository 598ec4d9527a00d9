//! A member's node in a group of 10,000 members with 15,000 devices: opening, sending, memory.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{figures, node::Folder};

/// See the module.
pub(super) fn run(release: &Path) -> Result<()> {
    let folder = Folder::new("thousands")?;
    let part = |what: &str| -> Result<Told> {
        let mut command = Command::new(release.join("examples/thousands"));
        let output = command.arg(what).arg(folder.path()).output()?;
        ensure!(
            output.status.success(),
            "the example `thousands {what}` failed"
        );
        let told = serde_json::from_slice(&output.stdout).context("it printed no JSON")?;
        Ok(Told(told))
    };
    let made = part("make")?;
    println!(
        "  {} operations, on disk {:.1} MB",
        made.figure("operations"),
        made.figure("store_mb"),
    );
    read(&part("read")?);
    engine(&part("engine")?);
    send(&part("send")?);
    let node = part("node")?;
    println!(
        "  the whole node: open in {:.0} ms, its list of members by the API in {:.0} ms",
        node.figure("open_ms"),
        node.figure("members_ms"),
    );
    figures::print("memory of it", node.figure("mb"), "MB", 100.0, true);
    Ok(())
}

fn read(told: &Told) {
    for (name, key) in [
        ("from the store to the members, a new process", "cold_ms"),
        ("and of that on a processor", "cold_cpu_ms"),
        ("from the store to the members, again", "warm_ms"),
        ("and of that on a processor", "warm_cpu_ms"),
    ] {
        figures::print(name, told.figure(key), "ms", 50.0, true);
    }
}

fn engine(told: &Told) {
    println!(
        "  the engine: open in {:.0} ms ({:.0} ms on a processor, {:.0} MB), members in {:.0} ms",
        told.figure("open_ms"),
        told.figure("open_cpu_ms"),
        told.figure("open_mb"),
        told.figure("members_ms"),
    );
    println!(
        "  an operation: the first after the start {:.0} ms, which reads all; the next {:.1} ms; then {:.0} MB",
        told.figure("first_ms"),
        told.figure("second_ms"),
        told.figure("operated_mb"),
    );
}

fn send(told: &Told) {
    println!(
        "  sending, connected with {} devices: {:.1} copies a message",
        told.figure("neighbours"),
        told.figure("copies"),
    );
    for (name, key) in [
        ("processor of the sender, median", "p50_cpu_ms"),
        ("processor of the sender, worst", "max_cpu_ms"),
    ] {
        figures::print(name, told.figure(key), "ms", 20.0, true);
    }
    println!(
        "  an hour in which nothing is said: {:.0} kB in frames from and to {} neighbours, {} dials (an upper bound: they know nobody else to tell)",
        told.figure("idle_kb"),
        told.figure("idle_neighbours"),
        told.figure("idle_dials"),
    );
}

struct Told(Value);

impl Told {
    fn figure(&self, name: &str) -> f64 {
        self.0.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN)
    }
}
