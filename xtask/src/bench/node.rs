//! A home in a temporary folder, and the node that runs on it as a real process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::api::Api;

/// A home and the released program.
pub(super) struct Home {
    program: PathBuf,
    folder: PathBuf,
}

/// A node that runs; killed when dropped.
pub(super) struct Running {
    child: Child,
    /// From starting the process to its ready line.
    pub(super) ready: Duration,
}

/// Two nodes whose people are contacts.
pub(super) struct Pair {
    pub(super) alice: Home,
    pub(super) alice_node: Running,
    pub(super) bob: Home,
    pub(super) bob_node: Running,
}

/// A folder that is gone when this is dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Result<Self> {
        let unique = format!("tenet-bench-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(unique);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind in the temporary folder harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Home {
    /// Makes a home with an identity.
    pub(super) fn make(release: &Path, folder: &Path, name: &str) -> Result<Self> {
        let home = Self {
            program: release.join("tenet"),
            folder: folder.join(name),
        };
        let made = home
            .command(&["id", "new", "--name", name, "--json"])
            .output()?;
        if !made.status.success() {
            bail!("id new: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(home)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words);
        command.env("TENET_HOME", &self.folder);
        command.env("XDG_STATE_HOME", self.folder.with_extension("state"));
        command.stdin(Stdio::null());
        command
    }

    /// Starts a node on it.
    pub(super) fn up(&self) -> Result<Running> {
        self.up_at("127.0.0.1:0")
    }

    /// Starts a node on it that listens there.
    pub(super) fn up_at(&self, address: &str) -> Result<Running> {
        let begin = Instant::now();
        let mut command = self.command(&["up", "--json", "--no-lan", "--listen", address]);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready = begin.elapsed();
        if !line.contains("\"ready\"") {
            bail!("the node did not become ready: {line}");
        }
        Ok(Running { child, ready })
    }

    pub(super) fn api(&self) -> Result<Api> {
        Api::connect(&self.folder)
    }
}

impl Running {
    /// Resident memory in MB (10^6 bytes).
    pub(super) fn memory(&self) -> Result<f64> {
        self.status("VmRSS:")
    }

    /// The same at its highest so far.
    pub(super) fn peak_memory(&self) -> Result<f64> {
        self.status("VmHWM:")
    }

    fn status(&self, key: &str) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(key));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        let kib: f64 = kib.with_context(|| format!("no {key}"))?.parse()?;
        Ok(kib * 1024.0 / 1e6)
    }

    /// Processor time used so far.
    pub(super) fn cpu(&self) -> Result<Duration> {
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat.rsplit_once(')').context("no stat")?;
        let ticks = |at| {
            fields
                .split_whitespace()
                .nth(at)
                .and_then(|n| n.parse::<f64>().ok())
        };
        let (user, system) = ticks(11).zip(ticks(12)).context("no times")?;
        Ok(Duration::from_secs_f64((user + system) / TICKS_PER_SECOND))
    }

    /// Ends it with a signal that it does not hear of.
    pub(super) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends it as a person would.
    pub(super) fn stop(mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Pair {
    /// Two new homes, two nodes, one link taken.
    pub(super) fn meet(release: &Path, folder: &Path) -> Result<Self> {
        let alice = Home::make(release, folder, "Alice")?;
        let bob = Home::make(release, folder, "Bob")?;
        let (alice_node, bob_node) = (alice.up()?, bob.up()?);
        introduce(&alice, &bob)?;
        Ok(Self {
            alice,
            alice_node,
            bob,
            bob_node,
        })
    }
}

/// One takes the other's link; both have a node that runs.
pub(super) fn introduce(alice: &Home, bob: &Home) -> Result<()> {
    let invited = alice.api()?.call("invite", &json!({}))?;
    let link = invited
        .get("link")
        .and_then(Value::as_str)
        .context("no link")?;
    let taken = bob
        .api()?
        .call("accept", &json!({"link": link, "timeout_ms": 10_000}))?;
    if taken.get("state").and_then(Value::as_str) != Some("connected") {
        bail!("the two did not meet: {taken}");
    }
    Ok(())
}
