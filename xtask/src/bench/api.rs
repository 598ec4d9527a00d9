//! A program's end of the local API: lines of JSON over a Unix socket.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// A connection to a node.
pub(super) struct Api {
    writer: UnixStream,
    reader: BufReader<UnixStream>,
    line: String,
}

impl Api {
    /// Connects to the node of a home with one identity.
    pub(super) fn connect(home: &Path) -> Result<Self> {
        let mut folders = std::fs::read_dir(home.join("identities"))?;
        let folder = folders.next().context("no identity")??;
        let writer = UnixStream::connect(folder.path().join("tenet.sock"))?;
        let reader = BufReader::with_capacity(1 << 16, writer.try_clone()?);
        let line = String::new();
        Ok(Self {
            writer,
            reader,
            line,
        })
    }

    /// Asks and waits for the answer.
    pub(super) fn call(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.write(request(method, params).as_bytes())?;
        let answer: Value = serde_json::from_str(self.read()?)?;
        match answer.get("result") {
            Some(result) => Ok(result.clone()),
            None => bail!("{method}: {answer}"),
        }
    }

    /// Writes lines of requests.
    pub(super) fn write(&mut self, lines: &[u8]) -> Result<()> {
        self.writer
            .write_all(lines)
            .context("the node does not listen")
    }

    /// The next line.
    pub(super) fn read(&mut self) -> Result<&str> {
        self.line.clear();
        if self.reader.read_line(&mut self.line)? == 0 {
            bail!("the node hung up");
        }
        Ok(&self.line)
    }

    /// Whether a further line is here already.
    pub(super) fn has_line(&self) -> bool {
        self.reader.buffer().contains(&b'\n')
    }
}

/// One request as a line.
pub(super) fn request(method: &str, params: &Value) -> String {
    let mut line =
        json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    line.push('\n');
    line
}
