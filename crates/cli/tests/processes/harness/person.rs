//! A person: a name, folders, and commands that act for them.

use std::{
    fs::{self, File},
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{Node, Said, Stream};

/// A person with folders of their own: home, state, temporary files and logs.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) did: String,
    /// The words that make the identity again.
    pub(crate) phrase: String,
    folder: PathBuf,
    /// Put behind every command.
    pub(crate) flags: Vec<String>,
    /// A program that runs the program, with its arguments.
    pub(crate) wrapper: Vec<String>,
}

impl Person {
    pub(super) fn new(root: &Path, name: &str, listen: SocketAddr) -> Self {
        let folder = root.join(format!("person-{}", fs::read_dir(root).unwrap().count()));
        fs::create_dir_all(folder.join("tmp")).unwrap();
        Self {
            name: name.to_owned(),
            did: String::new(),
            phrase: String::new(),
            folder,
            flags: vec!["--no-lan".into(), format!("--listen={listen}")],
            wrapper: Vec::new(),
        }
    }

    /// The same person, for whom something else can be set.
    pub(crate) fn alike(&self) -> Self {
        Self {
            name: self.name.clone(),
            did: self.did.clone(),
            phrase: self.phrase.clone(),
            folder: self.folder.clone(),
            flags: self.flags.clone(),
            wrapper: self.wrapper.clone(),
        }
    }

    /// Makes the identity.
    pub(crate) fn begin(&mut self) {
        let made = self.does(&["id", "new", "--name", &self.name]);
        self.did = text(&made["did"]);
        self.phrase = text(&made["phrase"]);
    }

    /// Starts the node and waits until it is ready.
    pub(crate) fn up(&self) -> Node {
        self.up_with(&[])
    }

    /// As [`Self::up`], with further flags.
    pub(crate) fn up_with(&self, flags: &[&str]) -> Node {
        let mut command = self.command(&[&["up"], flags].concat());
        command.stdin(Stdio::null()).stderr(self.log_file());
        Node::start(self, command)
    }

    /// Becomes a contact of somebody whose node runs; this one's runs too.
    pub(crate) fn befriend(&self, other: &Self) {
        let link = self.invites(&["--name", &other.name]);
        let accepted = other.does(&["accept", &link, "--name", &self.name]);
        assert_eq!(accepted["state"], "connected");
    }

    /// Makes a link.
    pub(crate) fn invites(&self, flags: &[&str]) -> String {
        text(&self.does(&[&["invite"], flags].concat())["link"])
    }

    /// Runs a command that must succeed; the object that it prints.
    #[track_caller]
    pub(crate) fn does(&self, args: &[&str]) -> Value {
        self.says(args).ok().row()
    }

    /// Runs a command that must succeed; the objects that it prints.
    #[track_caller]
    pub(crate) fn lists(&self, args: &[&str]) -> Vec<Value> {
        self.says(args).ok().rows()
    }

    /// Runs a command with nothing on stdin.
    pub(crate) fn says(&self, args: &[&str]) -> Said {
        self.says_with(args, "")
    }

    /// Runs a command with this on stdin.
    pub(crate) fn says_with(&self, args: &[&str], stdin: &str) -> Said {
        self.run(self.command(args), stdin)
    }

    /// Runs a command that speaks to people instead of programs.
    pub(crate) fn plain(&self, args: &[&str]) -> Said {
        let mut command = self.bare_command();
        command.args(args).args(&self.flags);
        self.run(command, "")
    }

    fn run(&self, mut command: Command, stdin: &str) -> Said {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who does not read it closes the pipe early.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        // Kept beside the node's log, for whoever looks for what must not stand there.
        self.log_file().write_all(&output.stderr).unwrap();
        Said::new(format!("{command:?}"), &output)
    }

    /// Runs a command that goes on.
    pub(crate) fn follows(&self, args: &[&str]) -> Stream {
        let mut command = self.command(args);
        command.stdin(Stdio::null()).stderr(self.log_file());
        Stream::start(command)
    }

    /// The messages with somebody.
    #[track_caller]
    pub(crate) fn history(&self, who: &str) -> Vec<Value> {
        self.lists(&["history", who])
    }

    /// The texts of the messages with somebody.
    #[track_caller]
    pub(crate) fn texts(&self, who: &str) -> Vec<String> {
        let messages = self.history(who);
        let texts = messages.iter().map(|message| text(&message["text"]));
        texts.collect()
    }

    /// A command whose answer is for programs.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare_command();
        command.args(args).arg("--json").args(&self.flags);
        command
    }

    /// The program, with nothing of the real person's folders or settings.
    fn bare_command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_tenet").to_owned();
        let mut words = self.wrapper.iter().chain([&program]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words);
        for (name, _) in std::env::vars_os() {
            let ours = name.to_string_lossy();
            if ours.starts_with("TENET_") || ours.starts_with("XDG_") {
                command.env_remove(&name);
            }
        }
        command
            .env("HOME", &self.folder)
            .env("TMPDIR", self.folder.join("tmp"));
        command
    }

    /// The home.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join(".local/share/tenet")
    }

    /// The machine secret.
    pub(crate) fn machine(&self) -> PathBuf {
        self.folder.join(".local/state/tenet/machine")
    }

    /// The folder of the identity in the home.
    pub(crate) fn identity(&self) -> PathBuf {
        let mut folders = fs::read_dir(self.home().join("identities")).unwrap();
        folders.next().unwrap().unwrap().path()
    }

    /// A file of this person with this content.
    pub(crate) fn writes(&self, name: &str, content: &str) -> String {
        let path = self.folder.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// What node and commands said on stderr so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn log_file(&self) -> File {
        let path = self.folder.join("log");
        File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap()
    }
}

/// A field that must be a text.
#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
