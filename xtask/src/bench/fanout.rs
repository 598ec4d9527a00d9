//! One event to 50, 2,500 and 10,000 devices, a fifth of them offline and a fifth of the others dying: our plans
//! against a perfect tree and an epidemic broadcast on the same network.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::figures;

/// Sessions of so many devices, and how many seeds of each.
const SIZES: [(u32, u32); 3] = [(50, 40), (2_500, 4), (10_000, 2)];

/// A way of doing it, by its name in the example, and what it is.
const WAYS: [(&str, &str); 7] = [
    ("perfect", "perfect tree, nobody dies"),
    ("calm", "plan, nobody dies, a new speaker"),
    ("epidemic_calm", "epidemic, nobody dies"),
    ("plan", "plan, no connection stood"),
    ("round", "plan and a round, no connection stood"),
    ("warm", "plan and a round, connections stood"),
    ("epidemic", "epidemic, connections stood"),
];

/// What the example told of each way.
type Told = BTreeMap<String, Value>;

/// See the module.
pub(super) fn run(release: &Path) -> Result<()> {
    for (devices, seeds) in SIZES {
        let mut command = Command::new(release.join("examples/fanout"));
        let output = command
            .args([devices.to_string(), seeds.to_string()])
            .output()?;
        ensure!(output.status.success(), "the example `fanout` failed");
        let text = String::from_utf8(output.stdout).context("it printed no text")?;
        let mut told = Told::new();
        for line in text.lines() {
            let way: Value = serde_json::from_str(line).context("it printed no JSON")?;
            let name = way.get("way").and_then(Value::as_str).unwrap_or_default();
            told.insert(name.to_owned(), way);
        }
        print(devices, &told);
    }
    Ok(())
}

fn print(devices: u32, told: &Told) {
    println!("\n  {devices} devices; bytes and round trips as multiples of the perfect tree's");
    println!(
        "  {:<40}{:>9}{:>8}{:>8}{:>8}{:>9}{:>9}{:>9}{:>7}",
        "", "reached", "half", "99 %", "bytes", "+connect", "copies", "twice", "most"
    );
    for (way, what) in WAYS {
        let against = |name: &str| figure(told, way, name) / figure(told, "perfect", name);
        println!(
            "  {what:<40}{:>8.2}%{:>8.1}{:>8.1}{:>8.2}{:>9.2}{:>9.0}{:>9.1}{:>7.0}",
            figure(told, way, "share") * 100.0,
            against("half_rtt"),
            against("most_rtt"),
            connected(told, way) / figure(told, "perfect", "bytes"),
            against("bytes"),
            figure(told, way, "copies"),
            figure(told, way, "duplicates"),
            figure(told, way, "most_copies"),
        );
    }
    println!(
        "  the author hears {:.0} messages, {:.0} bytes",
        figure(told, "warm", "author_messages"),
        figure(told, "warm", "author_bytes"),
    );
    judge(told);
}

/// What is asked of it, and whether it holds.
fn judge(told: &Told) {
    let percent = |way: &str| figure(told, way, "share") * 100.0;
    let closed = ["plan", "round", "warm"].map(|way| figure(told, way, "closed"));
    let closed = closed.into_iter().fold(1.0, f64::min) * 100.0;
    let most = ["plan", "round", "calm", "warm"].map(|way| figure(told, way, "most_copies"));
    let most = most.into_iter().fold(0.0, f64::max);
    let bytes = connected(told, "warm") / connected(told, "epidemic");
    let half = figure(told, "warm", "half_rtt") / figure(told, "epidemic", "half_rtt");
    for (name, figure, unit, limit, at_most) in [
        (
            "reached by the plan alone",
            percent("plan"),
            "%",
            99.0,
            false,
        ),
        ("and after one round", percent("round"), "%", 99.9, false),
        ("and after sync", closed, "%", 100.0, false),
        ("copies that one device sends", most, "", 60.0, true),
        (
            "bytes against the epidemic's, connected",
            bytes,
            "",
            1.0,
            true,
        ),
        (
            "round trips to half of all against its",
            half,
            "",
            1.0,
            true,
        ),
    ] {
        figures::print(name, figure, unit, limit, at_most);
    }
}

fn figure(told: &Told, way: &str, name: &str) -> f64 {
    let value = told.get(way).and_then(|way| way.get(name));
    value.and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// The bytes of one way but for new connections.
fn connected(told: &Told, way: &str) -> f64 {
    figure(told, way, "bytes") - figure(told, way, "connecting")
}
