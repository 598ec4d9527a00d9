//! A home with 100,000 messages: start, memory, idle processor time, the last page.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::figures::{self, Times};
use super::node::{Folder, Home, Pair};
use super::sustained;

const MESSAGES: usize = 100_000;
/// How long an idle node is watched.
const WATCH: Duration = Duration::from_secs(30);

/// See the module.
pub(super) fn run(release: &Path) -> Result<()> {
    let folder = Folder::new("start")?;
    fresh(release, folder.path())?;
    let pair = Pair::meet(release, folder.path())?;
    let took = sustained::send(&mut pair.alice.api()?, MESSAGES)?;
    println!("  {MESSAGES} messages in {:.1} s", took.as_secs_f64());
    let busy = (pair.alice_node.memory()?, pair.bob_node.memory()?);
    println!(
        "  memory right after: sender {:.1} MB, receiver {:.1} MB",
        busy.0, busy.1
    );
    std::thread::sleep(Duration::from_secs(60));
    let later = pair.alice_node.memory()?.max(pair.bob_node.memory()?);
    figures::print("memory a minute after", later, "MB", 50.0, true);
    let Pair {
        alice,
        alice_node,
        bob_node,
        bob,
    } = pair;
    alice_node.stop()?;
    bob_node.stop()?;
    start_and_read(&alice)?;
    start_and_read(&bob)
}

fn fresh(release: &Path, folder: &Path) -> Result<()> {
    let home = Home::make(release, folder, "Fresh")?;
    let node = home.up()?;
    // Long enough for whatever a node does after its start.
    std::thread::sleep(Duration::from_secs(10));
    figures::print("fresh idle memory", node.memory()?, "MB", 30.0, true);
    let before = node.cpu()?;
    std::thread::sleep(WATCH);
    let share = (node.cpu()? - before).as_secs_f64() / WATCH.as_secs_f64() * 100.0;
    figures::print("processor time when idle", share, "%", 0.1, true);
    Ok(())
}

fn start_and_read(home: &Home) -> Result<()> {
    let mut starts = Vec::new();
    let mut firsts = Vec::new();
    let mut pages = Vec::new();
    for _ in 0..5 {
        let node = home.up()?;
        starts.push(node.ready);
        let mut api = home.api()?;
        let contacts = api.call("contacts", &json!({}))?;
        let name = contacts
            .pointer("/contacts/0/name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let params = json!({"who": name, "limit": 50});
        for round in 0..20 {
            let begin = Instant::now();
            let page = api.call("history", &params)?;
            let took = begin.elapsed();
            let count = page
                .pointer("/messages")
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            anyhow::ensure!(count == 50, "a page of {count} messages");
            if round == 0 {
                firsts.push(took)
            } else {
                pages.push(took)
            }
        }
        node.stop()?;
    }
    let ms = |times: &[Duration], part| Times::new(times).quantile(part) / 1000.0;
    figures::print(
        "start to ready, worst of 5",
        ms(&starts, 1.0),
        "ms",
        300.0,
        true,
    );
    figures::print(
        "the last 50, first time, worst of 5",
        ms(&firsts, 1.0),
        "ms",
        20.0,
        true,
    );
    figures::print("the last 50, median", ms(&pages, 0.5), "ms", 20.0, true);
    Ok(())
}
