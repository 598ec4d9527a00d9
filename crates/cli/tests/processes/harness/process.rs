//! Processes that go on until they are ended: no story leaves one behind, however it ends.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Api, PATIENCE, Person};

/// A process whose stdout is read line by line; killed when dropped.
pub(crate) struct Stream {
    child: Child,
    lines: Receiver<String>,
}

/// A running node.
pub(crate) struct Node {
    stream: Stream,
    socket: PathBuf,
    /// What it said when it was ready.
    pub(crate) ready: Value,
}

impl Stream {
    pub(super) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = follow(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next object that it prints.
    #[track_caller]
    pub(crate) fn next(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("a line");
        serde_json::from_str(&line).unwrap()
    }

    /// The next object, if it was printed already.
    pub(crate) fn next_now(&self) -> Option<Value> {
        let line = self.lines.try_recv().ok()?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.child.wait().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }
}

impl Node {
    pub(super) fn start(person: &Person, command: Command) -> Self {
        let stream = Stream::start(command);
        let line = stream.lines.recv_timeout(PATIENCE);
        let Ok(line) = line else {
            panic!("{} is not ready: {}", person.name, person.log());
        };
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(ready["event"], "ready", "{line}");
        Self {
            stream,
            socket: socket(&person.home()),
            ready,
        }
    }

    /// Speaks to it.
    pub(crate) fn api(&self) -> Api {
        Api::connect(&self.socket)
    }

    /// Speaks to it where its home is elsewhere than usual.
    pub(crate) fn api_at(&self, home: &Path) -> Api {
        Api::connect(&socket(home))
    }

    /// Where others reach it.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let addresses = self.ready["addrs"].as_array().unwrap();
        let text = |address: &Value| address.as_str().unwrap().to_owned();
        addresses.iter().map(text).collect()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.stream.pid()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.stream.kill();
    }

    /// Asks it to end, and waits until it has done so in good order.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        let status = self.stream.stop();
        assert_eq!(status.code(), Some(0));
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where the node of a home with one identity is spoken to.
fn socket(home: &Path) -> PathBuf {
    let mut folders = fs::read_dir(home.join("identities")).unwrap();
    folders.next().unwrap().unwrap().path().join("tenet.sock")
}

fn follow(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
