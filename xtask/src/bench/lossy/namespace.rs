//! A network of its own, in which there is nothing but loopback.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Brings loopback up, says so, and lasts as long as its input.
const HOLD: &str = "ip link set lo up && echo up && exec cat";

/// A network namespace; gone when this is dropped and nothing runs in it any more.
pub(super) struct Namespace {
    holder: Child,
    network: File,
}

impl Namespace {
    pub(super) fn new() -> Result<Self> {
        let mut holder = Command::new("unshare")
            .args(["--net", "sh", "-c", HOLD])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("there is no `unshare` here")?;
        let mut line = String::new();
        let stdout = holder.stdout.take().context("no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        if line.trim_end() != "up" {
            // It may have ended already.
            let _ = holder.kill();
            holder.wait()?;
            bail!("this user may not make a network namespace");
        }
        let network = File::open(format!("/proc/{}/ns/net", holder.id()))?;
        Ok(Self { holder, network })
    }

    /// Does something inside: sockets that are opened and programs that are started stay there.
    pub(super) fn inside<T: Send>(&self, job: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let job = || {
            move_into_link_name_space(self.network.as_fd(), Some(LinkNameSpaceType::Network))?;
            job()
        };
        // Only that thread moves, and it ends here.
        match thread::scope(|scope| scope.spawn(job).join()) {
            Ok(done) => done,
            Err(_) => bail!("what was to be done in a namespace panicked"),
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
