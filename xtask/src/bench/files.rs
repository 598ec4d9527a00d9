//! A large file and many small ones between two nodes, against a raw stream and scp.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::api::Api;
use super::figures;
use super::message;
use super::node::{Folder, Pair};
use super::scp;

const MIB: usize = 1024;
const SMALL: usize = 1024;
/// As many as one message takes.
const TOGETHER: usize = 64;
/// How often the receiver is asked how far it is.
const GLANCE: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(300);

/// See the module.
pub(super) fn run(release: &Path) -> Result<()> {
    let folder = Folder::new("files")?;
    let raw = message::raw_throughput(release, MIB)?;
    println!("  a raw stream of the same endpoint: {raw:.0} MB/s");
    let large = folder.path().join("large.bin");
    random_file(&large, MIB << 20)?;
    let copied = scp::rate(&large, folder.path());
    let pair = Pair::meet(release, folder.path())?;
    let (mut alice, mut bob) = (pair.alice.api()?, pair.bob.api()?);
    let rate = transfer(&mut alice, &mut bob, &large, folder.path())?;
    println!(
        "  peak memory: sender {:.0} MB, receiver {:.0} MB",
        pair.alice_node.peak_memory()?,
        pair.bob_node.peak_memory()?
    );
    figures::print(
        "1 GiB, yes to verified / raw stream",
        rate / raw,
        "",
        0.35,
        false,
    );
    match copied {
        Ok(copied) => println!("  scp {copied:.0} MB/s; ratio to it {:.2}", rate / copied),
        Err(error) => println!("  no scp to compare with: {error:#}"),
    }
    let peak = pair
        .alice_node
        .peak_memory()?
        .max(pair.bob_node.peak_memory()?);
    figures::print("memory of either at its highest", peak, "MB", 100.0, true);
    let small = small(&mut alice, &mut bob, folder.path())?;
    figures::print("files of 1 KiB a second", small, "/s", 500.0, false);
    Ok(())
}

/// The rate from the receiver's yes until all is verified on its disk; sealing and saving apart.
fn transfer(alice: &mut Api, bob: &mut Api, file: &Path, folder: &Path) -> Result<f64> {
    let bytes = fs::metadata(file)?.len() as f64;
    let rate = |begin: Instant| bytes / 1e6 / begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    let params = json!({"who": "Bob", "files": [file], "wait": "delivered"});
    let sent = alice.call("send", &params)?;
    println!("  reading, sealing and offering: {:.0} MB/s", rate(begin));
    let id = sent.get("id").context("no id")?;
    let begin = Instant::now();
    bob.call("transfer_resume", &json!({"id": id}))?;
    until_here(bob, 1)?;
    let fetched = rate(begin);
    println!("  from the yes until it is verified on disk: {fetched:.0} MB/s");
    let to = folder.join("saved");
    fs::create_dir_all(&to)?;
    let begin = Instant::now();
    bob.call("save", &json!({"id": id, "to": to}))?;
    println!("  opening and saving: {:.0} MB/s", rate(begin));
    if !same(file, &to.join("large.bin"))? {
        bail!("what was saved is not what was sent");
    }
    Ok(fetched)
}

fn small(alice: &mut Api, bob: &mut Api, folder: &Path) -> Result<f64> {
    let mut paths = Vec::with_capacity(SMALL);
    for number in 0..SMALL {
        let path = folder.join(format!("small-{number}"));
        random_file(&path, 1024)?;
        paths.push(path);
    }
    let begin = Instant::now();
    for files in paths.chunks(TOGETHER) {
        alice.call("send", &json!({"who": "Bob", "files": files}))?;
    }
    until_here(bob, SMALL / TOGETHER)?;
    Ok(SMALL as f64 / begin.elapsed().as_secs_f64())
}

/// Returns once all files of the last so many messages are here.
fn until_here(bob: &mut Api, messages: usize) -> Result<()> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        let page = bob.call("history", &json!({"who": "Alice", "limit": messages}))?;
        let all = page.get("messages").and_then(Value::as_array);
        let all = all.context("no messages")?;
        let files = all
            .iter()
            .filter_map(|message| message.get("files")?.as_array());
        let here = |file: &Value| file.get("state").and_then(Value::as_str) == Some("here");
        let (mut many, mut whole) = (0, true);
        for file in files.flatten() {
            many += 1;
            whole &= here(file);
        }
        if all.len() == messages && many > 0 && whole {
            return Ok(());
        }
        sleep(GLANCE);
    }
    bail!("the files did not come within {PATIENCE:?}")
}

pub(super) fn random_file(path: &Path, size: usize) -> Result<()> {
    let mut random = File::open("/dev/urandom")?.take(size as u64);
    std::io::copy(&mut random, &mut File::create(path)?)?;
    Ok(())
}

pub(super) fn same(one: &Path, other: &Path) -> Result<bool> {
    let status = std::process::Command::new("cmp")
        .args([one, other])
        .status()?;
    std::io::stdout().flush()?;
    Ok(status.success())
}
