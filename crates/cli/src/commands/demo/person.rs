//! A person of the story: a home of their own, and processes that act for them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything in the story may take: far longer than it does.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often to look again for what is on its way: each look is a command of its own, as a person would give it.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How much of a log is shown when something failed.
const LAST_LINES: usize = 20;

/// What does not hold, in words.
pub(super) type Held<T = ()> = Result<T, String>;

/// A person, with their home and, while it runs, their node.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) did: String,
    folder: PathBuf,
    node: Option<Child>,
}

impl Person {
    pub(super) fn new(root: &Path, name: &'static str) -> Self {
        let folder = root.join(name.to_lowercase());
        Self {
            name,
            did: String::new(),
            folder,
            node: None,
        }
    }

    /// Makes the identity.
    pub(super) fn begin(&mut self) -> Held {
        fs::create_dir_all(&self.folder).map_err(|error| error.to_string())?;
        let made = self.tell(&["id", "new", "--name", self.name])?;
        self.did = text(&made, "did")?;
        Ok(())
    }

    /// Becomes a further device of whoever made the link.
    pub(super) fn join(&mut self, link: &str) -> Held<Value> {
        fs::create_dir_all(&self.folder).map_err(|error| error.to_string())?;
        let joined = self.tell_with(&["device", "join", "-", "--name", self.name], link)?;
        self.did = text(&joined, "did")?;
        Ok(joined)
    }

    /// Starts the node and waits until it is ready.
    pub(super) fn start(&mut self) -> Held {
        let failed = |error: std::io::Error| error.to_string();
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .map_err(failed)?;
        let mut command = self.command(&["up", "-v"])?;
        let mut node = command
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        let stdout = node.stdout.take();
        self.node = Some(node);

        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let read = stdout.map(|stdout| BufReader::new(stdout).read_line(&mut line));
            let _ = sender.send(read.map(|_| line));
        });
        let line = receiver
            .recv_timeout(PATIENCE)
            .ok()
            .flatten()
            .unwrap_or_default();
        let ready: Value = serde_json::from_str(&line)
            .map_err(|_| format!("{}'s node did not get ready", self.name))?;
        expect(*field(&ready, "did") == *self.did, || {
            format!("not {}'s node: {line}", self.name)
        })
    }

    /// Ends the node as a power cut would.
    pub(super) fn kill(&mut self) {
        if let Some(mut node) = self.node.take() {
            let _ = node.kill();
            let _ = node.wait();
        }
    }

    /// Runs a command; its answer, the last object that it printed.
    pub(super) fn tell(&self, args: &[&str]) -> Held<Value> {
        self.tell_with(args, "")
    }

    /// Runs a command that reads from stdin.
    pub(super) fn tell_with(&self, args: &[&str], stdin: &str) -> Held<Value> {
        self.rows(args, stdin)?
            .pop()
            .ok_or_else(|| self.said(args, "nothing"))
    }

    /// Runs a command that prints a list.
    pub(super) fn list(&self, args: &[&str]) -> Held<Vec<Value>> {
        self.rows(args, "")
    }

    /// Runs a command that must be refused: exit code 5.
    pub(super) fn refused(&self, args: &[&str], stdin: &str) -> Held {
        let output = self.run(args, stdin)?;
        let code = output.status.code();
        expect(code == Some(5), || {
            self.said(args, &format!("{code:?} instead of a refusal"))
        })
    }

    /// The messages with somebody.
    pub(super) fn history(&self, who: &Self) -> Held<Vec<Value>> {
        self.list(&["history", &who.did])
    }

    /// Looks at the messages with somebody until they are as they should be.
    pub(super) fn await_history(
        &self,
        who: &Self,
        what: &str,
        holds: impl Fn(&[Value]) -> bool,
    ) -> Held {
        self.await_list(&["history", &who.did], what, holds)
    }

    /// Looks at what a command prints until it is as it should be.
    pub(super) fn await_list(
        &self,
        args: &[&str],
        what: &str,
        holds: impl Fn(&[Value]) -> bool,
    ) -> Held {
        let until = Instant::now() + PATIENCE;
        loop {
            if holds(&self.list(args)?) {
                return Ok(());
            }
            expect(Instant::now() < until, || {
                format!("{} does not see {what}", self.name)
            })?;
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// The last lines of the node's log.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let last = lines
            .get(lines.len().saturating_sub(LAST_LINES)..)
            .unwrap_or_default();
        format!("the end of {}'s log:\n{}", self.name, last.join("\n"))
    }

    fn rows(&self, args: &[&str], stdin: &str) -> Held<Vec<Value>> {
        let output = self.run(args, stdin)?;
        if !output.status.success() {
            return Err(self.said(args, &String::from_utf8_lossy(&output.stderr)));
        }
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).map_err(|_| self.said(args, line)))
            .collect()
    }

    fn run(&self, args: &[&str], stdin: &str) -> Held<Output> {
        let failed = |error: std::io::Error| error.to_string();
        let mut command = self.command(args)?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut pipe) = child.stdin.take() {
            // Who does not read it closes the pipe early.
            let _ = pipe.write_all(stdin.as_bytes());
        }
        child.wait_with_output().map_err(failed)
    }

    /// This program, with nothing of the real person's folders or settings.
    fn command(&self, args: &[&str]) -> Held<Command> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("TENET_") || name.starts_with("XDG_") {
                command.env_remove(name);
            }
        }
        command
            .env("HOME", &self.folder)
            .stdin(Stdio::null())
            .args(args);
        command.args(["--json", "--no-lan", "--listen", "127.0.0.1:0"]);
        Ok(command)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("node.log")
    }

    fn said(&self, args: &[&str], what: &str) -> String {
        format!("{}: tenet {}: {}", self.name, args.join(" "), what.trim())
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A field, or `null` if there is none.
pub(super) fn field<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// A field that must be a text.
pub(super) fn text(value: &Value, name: &str) -> Held<String> {
    let found = field(value, name).as_str().map(str::to_owned);
    found.ok_or_else(|| format!("no {name} in {value}"))
}

/// Whether something holds, or what to say.
pub(super) fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Held {
    if holds { Ok(()) } else { Err(otherwise()) }
}
