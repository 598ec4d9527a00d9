//! `config.toml` of a home: what would else have to be given with every command (`HOME-401`).
//!
//! ```text
//! flag ── not given ──▶ environment ── not set ──▶ config.toml ── not there ──▶ the usual
//! ```
//!
//! It is about this machine, so it is a file beside the store that an operator can write before there is an
//! identity; what a person chooses is in the store (`tenet settings`).

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use tenet_apps::settings;
use tenet_node::engine::Allowance;
use tenet_rpc::api;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::args::{Global, LogFormat};

/// The file's name in a home.
pub const NAME: &str = "config.toml";

/// Every key, by name, and what it is to be.
const KEYS: [(&str, &str); 8] = [
    ("lan", "true or false"),
    (
        "listen",
        "an address, \"0.0.0.0:4000\" for instance, or a list of them",
    ),
    ("log_file", "a path"),
    ("log_format", "\"text\" or \"json\""),
    (
        "log_level",
        "\"warn\", \"info\", \"debug\", \"trace\", or what RUST_LOG takes",
    ),
    ("timeout", "a number of seconds"),
    ("unread_files", "a size, \"1GiB\" for instance"),
    ("unread_messages", "a size, \"256MiB\" for instance"),
];

/// How many letters may be wrong in a key that is taken for a misspelt one.
const FAR: usize = 3;

/// What a home's `config.toml` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    listen: Option<Vec<SocketAddr>>,
    lan: Option<bool>,
    timeout: Option<u64>,
    log_level: Option<String>,
    log_file: Option<PathBuf>,
    log_format: Option<LogFormat>,
    unread_messages: Option<u64>,
    unread_files: Option<u64>,
    /// On which line each key stands.
    lines: Vec<(&'static str, usize)>,
}

/// Why a `config.toml` cannot be followed; nothing was done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is there and cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It is no TOML.
    #[error("{path}, line {line}: {message}")]
    Syntax {
        /// The file.
        path: String,
        /// Where.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// It has a key that this version does not know.
    #[error("{path}, line {line}: there is no \"{key}\"; {hint}")]
    Key {
        /// The file.
        path: String,
        /// Where.
        line: usize,
        /// The key.
        key: String,
        /// What may be meant.
        hint: String,
    },
    /// A key has a value that it cannot have.
    #[error("{path}, line {line}: {key} is to be {wanted}")]
    Value {
        /// The file.
        path: String,
        /// Where.
        line: usize,
        /// The key.
        key: &'static str,
        /// What it can be.
        wanted: &'static str,
    },
}

impl From<Error> for api::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Unreadable { .. } => Self::failure(error.to_string()),
            _ => Self::usage(error.to_string()),
        }
    }
}

impl Config {
    /// What the `config.toml` of a home says; nothing where there is none.
    ///
    /// # Errors
    /// [`Error`].
    pub fn read(home: &Path) -> Result<Self, Error> {
        let path = home.join(NAME);
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(home, &text),
            // A home that is a file, say, is for others to refuse.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(Self::default())
            }
            Err(source) => Err(Error::Unreadable {
                path: path.display().to_string(),
                source,
            }),
        }
    }

    fn parse(home: &Path, text: &str) -> Result<Self, Error> {
        let path = home.join(NAME).display().to_string();
        let line_at = |at: usize| {
            let before = text.as_bytes().iter().take(at);
            1 + before.filter(|byte| **byte == b'\n').count()
        };
        let table = DeTable::parse(text).map_err(|error| Error::Syntax {
            path: path.clone(),
            line: line_at(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        let mut config = Self::default();
        for (key, value) in table.get_ref() {
            let line = line_at(key.span().start);
            let known = KEYS.iter().find(|(name, _)| name == key.get_ref());
            let Some((name, wanted)) = known else {
                return Err(Error::Key {
                    path,
                    line,
                    key: key.get_ref().to_string(),
                    hint: hint(key.get_ref()),
                });
            };
            if config.set(name, value, home).is_none() {
                return Err(Error::Value {
                    path,
                    line: line_at(value.span().start),
                    key: name,
                    wanted,
                });
            }
            config.lines.push((name, line));
        }
        config.lines.sort_by_key(|(_, line)| *line);
        Ok(config)
    }

    /// `None` for a value that a key cannot have.
    fn set(&mut self, name: &str, value: &Spanned<DeValue<'_>>, home: &Path) -> Option<()> {
        let value = value.get_ref();
        match name {
            "listen" => self.listen = Some(addresses(value)?),
            "lan" => self.lan = Some(value.as_bool()?),
            "timeout" => self.timeout = Some(number(value)?),
            "log_level" => {
                let level = value.as_str()?;
                crate::log::directives(level)?;
                self.log_level = Some(level.to_owned());
            }
            "log_file" => self.log_file = Some(home.join(value.as_str()?)),
            "log_format" => {
                self.log_format = Some(LogFormat::from_str(value.as_str()?, false).ok()?);
            }
            "unread_messages" => self.unread_messages = Some(size(value)?),
            "unread_files" => self.unread_files = Some(size(value)?),
            _ => return None,
        }
        Some(())
    }

    /// Fills in what neither a flag nor the environment says.
    pub fn fill(&self, global: &mut Global) {
        if global.listen.is_empty() {
            global.listen = self.listen.clone().unwrap_or_default();
        }
        global.no_lan = global.no_lan.or(self.lan.map(|lan| !lan));
        global.timeout = global.timeout.or(self.timeout);
        global.log_file = global.log_file.take().or_else(|| self.log_file.clone());
        global.log_format = global.log_format.or(self.log_format);
    }

    /// How much the log says.
    pub fn log_level(&self) -> Option<&str> {
        self.log_level.as_deref()
    }

    /// What others may bring before a person has looked (`NODE-301`, `NODE-303`).
    pub fn allowance(&self) -> Allowance {
        let usual = Allowance::default();
        Allowance {
            log: self.unread_messages.unwrap_or(usual.log),
            files: self.unread_files.unwrap_or(usual.files),
        }
    }

    /// What it says and on which line, and what of it a flag or the environment says otherwise.
    pub fn summary(&self, given: &Global) -> String {
        if self.lines.is_empty() {
            return format!("no {NAME}, or nothing in it");
        }
        let told = self.lines.iter().map(|(key, line)| {
            let otherwise = match *key {
                "listen" => !given.listen.is_empty(),
                "lan" => given.no_lan.is_some(),
                "timeout" => given.timeout.is_some(),
                "log_level" => given.verbose > 0 || crate::log::from_environment().is_some(),
                "log_file" => given.log_file.is_some(),
                "log_format" => given.log_format.is_some(),
                _ => false,
            };
            match otherwise {
                true => format!("{key} (line {line}, but given otherwise)"),
                false => format!("{key} (line {line})"),
            }
        });
        format!("{NAME} says: {}", told.collect::<Vec<_>>().join(", "))
    }
}

/// What somebody may have meant.
fn hint(key: &str) -> String {
    let key = key.replace('-', "_");
    let far = |name: &str| strsim::damerau_levenshtein(name, &key);
    let near = KEYS
        .iter()
        .map(|(name, _)| *name)
        .min_by_key(|name| far(name));
    match near.filter(|name| far(name) <= FAR) {
        Some(name) => format!("is \"{name}\" meant?"),
        None => format!("there are: {}", KEYS.map(|(name, _)| name).join(", ")),
    }
}

fn addresses(value: &DeValue<'_>) -> Option<Vec<SocketAddr>> {
    let address = |value: &DeValue<'_>| value.as_str()?.parse().ok();
    match value.as_array() {
        Some(all) => all.iter().map(|one| address(one.get_ref())).collect(),
        None => Some(vec![address(value)?]),
    }
}

fn number(value: &DeValue<'_>) -> Option<u64> {
    let number = value.as_integer()?;
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Bytes, as a number or as people write them.
fn size(value: &DeValue<'_>) -> Option<u64> {
    match value.as_str() {
        Some(text) => settings::bytes(text),
        None => number(value),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use clap::Parser;
    use proptest::prelude::*;

    use super::*;
    use crate::args::Cli;

    fn parse(text: &str) -> Result<Config, Error> {
        Config::parse(Path::new("/h"), text)
    }

    fn filled(text: &str, line: &str) -> Global {
        let mut global = Cli::try_parse_from(line.split(' ')).unwrap().global;
        parse(text).unwrap().fill(&mut global);
        global
    }

    const ALL: &str = r#"
        # Behind a router that forwards one port.
        listen = ["0.0.0.0:4000", "[::]:4000"]
        lan = false
        timeout = 5
        log_level = "info"
        log_file = "logs/tenet.log"
        log_format = "json"
        unread_messages = "1GiB"
        unread_files = 1_000
    "#;

    /// HOME-401.
    #[test]
    fn what_it_says_holds_where_nothing_else_is_given() {
        let global = filled(ALL, "tenet up");
        assert_eq!(global.listen.len(), 2);
        assert_eq!((global.no_lan, global.timeout), (Some(true), Some(5)));
        assert_eq!(global.log_file, Some("/h/logs/tenet.log".into()));
        assert_eq!(global.log_format, Some(LogFormat::Json));
        let config = parse(ALL).unwrap();
        assert_eq!(config.log_level(), Some("info"));
        let (log, files) = (1 << 30, 1_000);
        assert_eq!(config.allowance(), Allowance { log, files });

        let line = "tenet up --listen 127.0.0.1:0 --no-lan=false --timeout 9 --log-file l --log-format text";
        let global = filled(ALL, line);
        assert_eq!(global.listen, ["127.0.0.1:0".parse().unwrap()]);
        assert_eq!((global.no_lan, global.timeout), (Some(false), Some(9)));
        assert_eq!(global.log_file, Some("l".into()));
        assert_eq!(global.log_format, Some(LogFormat::Text));

        let global = filled("", "tenet up --no-lan");
        assert_eq!((global.no_lan, global.timeout), (Some(true), None));
        assert_eq!(parse("").unwrap().allowance(), Allowance::default());
    }

    #[test]
    fn it_is_said_which_of_it_holds() {
        let given = Cli::try_parse_from(["tenet", "--no-lan"]).unwrap().global;
        let summary = parse("listen = '[::]:1'\nlan = true")
            .unwrap()
            .summary(&given);
        let expected = "config.toml says: listen (line 1), lan (line 2, but given otherwise)";
        assert_eq!(summary, expected);
    }

    /// HOME-402.
    #[test]
    fn mistakes_are_named_with_their_line_and_what_may_be_meant() {
        for (text, expected) in [
            (
                "\n\nlisten = 'nowhere'",
                "/h/config.toml, line 3: listen is to be an address",
            ),
            ("lan = 'off'", "line 1: lan is to be true or false"),
            (
                "timeout = -1",
                "line 1: timeout is to be a number of seconds",
            ),
            ("timeout = 99999999999999999999", "line 1: timeout is to be"),
            ("listen = [1]", "line 1: listen is to be"),
            ("log_level = 'a=b=c'", "line 1: log_level is to be"),
            (
                "unread_files = 'much'",
                "line 1: unread_files is to be a size",
            ),
            (
                "lan = true\nlog-format = 'json'",
                "line 2: there is no \"log-format\"; is \"log_format\" meant?",
            ),
            (
                "lisen = '[::]:1'",
                "there is no \"lisen\"; is \"listen\" meant?",
            ),
            (
                "colour = 1",
                "there is no \"colour\"; there are: lan, listen, log_file, log_format,",
            ),
            (
                "[log]\nfile = 'x'",
                "line 1: there is no \"log\"; is \"lan\" meant?",
            ),
            ("lan = true\nlan = false", "line 2: "),
            ("lan = ", "line 1: "),
            ("lan", "line 1: "),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[a-z_=\\[\\]\"'0-9 \n.]{0,60}", any in ".{0,60}") {
            let _ = parse(&text);
            let _ = parse(&any);
        }
    }
}
