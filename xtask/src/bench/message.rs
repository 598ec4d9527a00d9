//! A message and its acknowledgement, against two commits of the store and one raw round trip.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::figures::{self, Times};
use super::node::{Folder, Pair};

const WARM_UP: usize = 300;
const MESSAGES: usize = 3000;

/// See the module.
pub(super) fn run(release: &Path) -> Result<()> {
    let folder = Folder::new("message")?;
    let commit = commit(release, folder.path())?;
    let round_trip = raw_round_trip(release)?;
    let pair = Pair::meet(release, folder.path())?;
    let mut api = pair.alice.api()?;
    let params = json!({"who": "Bob", "text": "a message of ordinary length, so to speak",
                        "wait": "delivered"});
    let mut times = Vec::with_capacity(MESSAGES);
    for round in 0..WARM_UP + MESSAGES {
        let begin = Instant::now();
        api.call("send", &params)?;
        if round >= WARM_UP {
            times.push(begin.elapsed());
        }
    }
    let times = Times::new(&times);
    let (median, p99) = (times.quantile(0.5), times.quantile(0.99));
    let floor = 2.0 * commit + round_trip;
    println!("  one store commit {commit:.0} µs, one raw iroh round trip {round_trip:.0} µs");
    println!("  message to acknowledgement: median {median:.0} µs, p99 {p99:.0} µs");
    figures::print(
        "median / (2 commits + 1 round trip)",
        median / floor,
        "",
        1.5,
        true,
    );
    figures::print("p99 / (1.5 × that)", p99 / (1.5 * floor), "", 5.0, true);
    Ok(())
}

/// The median of a durable commit of one message's rows, in microseconds.
fn commit(release: &Path, folder: &Path) -> Result<f64> {
    let program = release.join("examples/commit");
    let output = Command::new(program)
        .arg(folder)
        .args(["--count", "3000"])
        .output()?;
    let figures: Value =
        serde_json::from_slice(&output.stdout).context("commit printed no JSON")?;
    number(&figures, "p50_us")
}

/// The median of a raw 64-byte round trip between two processes, in microseconds.
fn raw_round_trip(release: &Path) -> Result<f64> {
    let figures = raw(release, &["5000"])?;
    number(figures.first().context("no figures")?, "p50_us")
}

/// Megabytes a second over one raw stream between two processes.
pub(super) fn raw_throughput(release: &Path, megabytes: usize) -> Result<f64> {
    let figures = raw(release, &["10", "--throughput", &megabytes.to_string()])?;
    number(figures.last().context("no figures")?, "mb_per_s")
}

/// What the bare endpoint's client prints, a line each.
fn raw(release: &Path, words: &[&str]) -> Result<Vec<Value>> {
    let program = release.join("examples/raw_echo");
    let mut server = Echo(
        Command::new(&program)
            .arg("serve")
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let stdout = server.0.stdout.take().context("no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let served: Value = serde_json::from_str(&line)?;
    let word = |key: &str| {
        served
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let output = Command::new(&program)
        .args(["client", &word("id"), &word("addr")])
        .args(words)
        .output()?;
    let lines = String::from_utf8(output.stdout)?;
    let figures = lines.lines().map(serde_json::from_str);
    figures
        .collect::<Result<_, _>>()
        .context("no JSON from raw_echo")
}

struct Echo(Child);

impl Drop for Echo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn number(figures: &Value, key: &str) -> Result<f64> {
    figures
        .get(key)
        .and_then(Value::as_f64)
        .with_context(|| format!("no {key} in {figures}"))
}
