//! How a command ended and what it said.

use std::process::Output;

use serde_json::Value;

/// How a command ended and what it said.
pub(crate) struct Said {
    command: String,
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(super) fn new(command: String, output: &Output) -> Self {
        Self {
            command,
            code: output.status.code(),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// It did what was asked.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.code(0)
    }

    /// It ended with this code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.all());
        self
    }

    /// It ended with this code and said these words on stderr.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, words: &[&str]) -> Self {
        let said = self.code(code);
        for word in words {
            assert!(said.err.contains(word), "no {word:?}: {}", said.all());
        }
        said
    }

    /// The objects that it printed.
    #[track_caller]
    pub(crate) fn rows(&self) -> Vec<Value> {
        let row = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{}", self.all()));
        self.out.lines().map(row).collect()
    }

    /// The one object that it printed.
    #[track_caller]
    pub(crate) fn row(&self) -> Value {
        let mut rows = self.rows();
        assert_eq!(rows.len(), 1, "{}", self.all());
        rows.remove(0)
    }

    fn all(&self) -> String {
        let Self {
            command,
            code,
            out,
            err,
        } = self;
        format!("tenet {command}\nexit code {code:?}\nstdout: {out}\nstderr: {err}")
    }
}
