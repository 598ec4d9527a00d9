//! Bulk over bare endpoints: congestion control, connections, streams and pieces compared.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use super::way::{ADDRESSES, Way};

/// How long each is tried, in seconds.
const SECONDS: &str = "12";

/// One way of asking.
struct Remedy {
    what: &'static str,
    congestion: &'static str,
    connections: u32,
    streams: u32,
    /// Bytes that are asked for at once.
    piece: u64,
}

const ALL: u64 = 1 << 30;

const REMEDIES: &[Remedy] = &[
    remedy("cubic, one connection, one stream", "cubic", 1, 1, ALL),
    remedy("cubic, eight streams", "cubic", 1, 8, ALL),
    remedy("cubic, eight connections", "cubic", 8, 1, ALL),
    remedy("cubic, pieces of 64 KiB", "cubic", 1, 1, 64 << 10),
    remedy("NewReno", "reno", 1, 1, ALL),
    remedy("BBRv3", "bbr3", 1, 1, ALL),
    remedy("BBRv3, eight connections", "bbr3", 8, 1, ALL),
    remedy("ours, one connection, one stream", "ours", 1, 1, ALL),
    remedy("ours, pieces of 1 MiB", "ours", 1, 1, 1 << 20),
    remedy("ours, eight streams", "ours", 1, 8, ALL),
];

const fn remedy(
    what: &'static str,
    congestion: &'static str,
    connections: u32,
    streams: u32,
    piece: u64,
) -> Remedy {
    Remedy {
        what,
        congestion,
        connections,
        streams,
        piece,
    }
}

/// Tries each and prints what came of it.
pub(super) fn compare(release: &Path, way: &Way) -> Result<()> {
    let program = release.join("examples/raw_take");
    for remedy in REMEDIES {
        let mut giver = Giver::start(&program, way, remedy.congestion)?;
        let rate = take(&program, way, remedy, &giver.id)?;
        let end = giver.end()?;
        let number = |key| end.get(key).and_then(Value::as_f64).unwrap_or_default();
        println!(
            "  {:<40} {rate:>7.2} MB/s, window {:>7.1} KiB, round trip {:>4.0} ms, lost {:.1} %",
            remedy.what,
            number("cwnd") / 1024.0,
            number("rtt_ms"),
            number("lost") / number("sent") * 100.0,
        );
    }
    Ok(())
}

fn take(program: &Path, way: &Way, remedy: &Remedy, id: &str) -> Result<f64> {
    let [at, from] = ADDRESSES;
    let numbers = [
        remedy.connections.to_string(),
        remedy.streams.to_string(),
        remedy.piece.to_string(),
    ];
    let mut command = Command::new(program);
    command
        .args(["take", from, id, at])
        .args(numbers)
        .arg(SECONDS);
    let [_, bob] = &way.ends;
    let output = bob.inside(|| Ok(command.output()?))?;
    let figures: Value =
        serde_json::from_slice(&output.stdout).context("raw_take printed no JSON")?;
    let rate = figures.get("mb_per_s").and_then(Value::as_f64);
    rate.context("no rate")
}

/// The end that gives.
struct Giver {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    id: String,
}

impl Giver {
    fn start(program: &Path, way: &Way, congestion: &str) -> Result<Self> {
        let [at, _] = ADDRESSES;
        let mut command = Command::new(program);
        command
            .args(["give", at, congestion])
            .stdout(Stdio::piped());
        let [alice, _] = &way.ends;
        let mut child = alice.inside(|| Ok(command.spawn()?))?;
        let stdout = child.stdout.take().context("no output")?;
        let mut giver = Self {
            child,
            lines: BufReader::new(stdout).lines(),
            id: String::new(),
        };
        let first = giver.end()?;
        giver.id = first
            .get("id")
            .and_then(Value::as_str)
            .context("no id")?
            .to_owned();
        Ok(giver)
    }

    /// What it says next.
    fn end(&mut self) -> Result<Value> {
        let line = self.lines.next().context("it said nothing")??;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Giver {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
