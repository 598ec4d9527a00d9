//! Messages a second in one conversation, each durable at both ends and acknowledged.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use super::api::{Api, request};
use super::figures;
use super::node::{Folder, Pair};

const IN_FLIGHT: usize = 64;
const WARM_UP: usize = 2000;
const MESSAGES: usize = 50_000;

/// See the module.
pub(super) fn run(release: &Path) -> Result<()> {
    let folder = Folder::new("sustained")?;
    let pair = Pair::meet(release, folder.path())?;
    let mut api = pair.alice.api()?;
    send(&mut api, WARM_UP)?;
    let before = (pair.alice_node.cpu()?, pair.bob_node.cpu()?);
    let took = send(&mut api, MESSAGES)?;
    let rate = MESSAGES as f64 / took.as_secs_f64();
    let cpu =
        |after: Duration, before: Duration| (after - before).as_secs_f64() * 1e6 / MESSAGES as f64;
    println!(
        "  processor time a message: sender {:.0} µs, receiver {:.0} µs; memory {:.0} and {:.0} MB",
        cpu(pair.alice_node.cpu()?, before.0),
        cpu(pair.bob_node.cpu()?, before.1),
        pair.alice_node.memory()?,
        pair.bob_node.memory()?,
    );
    figures::print("messages a second, 64 in flight", rate, "/s", 8000.0, false);
    Ok(())
}

/// Sends messages, so many in flight, and waits until all are delivered.
pub(super) fn send(api: &mut Api, count: usize) -> Result<Duration> {
    let line = request(
        "send",
        &json!({"who": "Bob", "text": "a message of ordinary length, so to speak",
                "wait": "delivered"}),
    );
    let begin = Instant::now();
    let first = IN_FLIGHT.min(count);
    api.write(line.repeat(first).as_bytes())?;
    let (mut sent, mut answered) = (first, 0);
    while answered < count {
        let mut free = 0;
        loop {
            let answer = api.read()?;
            answer
                .contains("\"delivered\"")
                .then_some(())
                .with_context(|| answer.to_owned())?;
            answered += 1;
            free += 1;
            if !api.has_line() {
                break;
            }
        }
        let more = free.min(count - sent);
        api.write(line.repeat(more).as_bytes())?;
        sent += more;
    }
    Ok(begin.elapsed())
}
