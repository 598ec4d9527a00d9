//! A program that speaks to a node over its socket, one line after another.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, ErrorKind, Write},
    os::unix::net::UnixStream,
    path::Path,
};

use serde_json::{Value, json};

use super::PATIENCE;

/// A connection with a node.
pub(crate) struct Api {
    asker: Asker,
    lines: Lines,
    events: VecDeque<Value>,
}

/// What is asked.
pub(crate) struct Asker {
    writer: UnixStream,
    last: u64,
}

/// What the node says.
pub(crate) struct Lines(BufReader<UnixStream>);

impl Api {
    pub(super) fn connect(socket: &Path) -> Self {
        let writer = UnixStream::connect(socket).unwrap();
        writer.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            lines: Lines(BufReader::new(writer.try_clone().unwrap())),
            asker: Asker { writer, last: 0 },
            events: VecDeque::new(),
        }
    }

    /// Asking and listening apart, for two threads.
    pub(crate) fn split(self) -> (Asker, Lines) {
        (self.asker, self.lines)
    }

    /// Asks and waits for the answer.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        let answer = self.try_call(method, params);
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Asks and waits for the answer or the error.
    #[track_caller]
    pub(crate) fn try_call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.asker.ask(method, params);
        loop {
            let mut line = self.lines.next().expect("a node");
            if line["id"] == id {
                return match line["error"].take() {
                    Value::Null => Ok(line["result"].take()),
                    error => Err(error),
                };
            }
            self.events.push_back(line);
        }
    }

    /// The next event.
    #[track_caller]
    pub(crate) fn event(&mut self) -> Value {
        let mut line = match self.events.pop_front() {
            Some(line) => line,
            None => self.lines.next().expect("an event"),
        };
        line["params"].take()
    }

    /// The next notification that is no event: its method.
    #[track_caller]
    pub(crate) fn closing(&mut self) -> String {
        loop {
            let line = self.events.pop_front().or_else(|| self.lines.next());
            let method = line.expect("a line")["method"].as_str().unwrap().to_owned();
            if method != "event" {
                return method;
            }
        }
    }

    /// The next event of this kind.
    #[track_caller]
    pub(crate) fn event_of(&mut self, kind: &str) -> Value {
        loop {
            let event = self.event();
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// Looks anew after every event until it finds.
    #[track_caller]
    pub(crate) fn until<T>(&mut self, mut look: impl FnMut(&mut Self) -> Option<T>) -> T {
        self.call("subscribe", json!({}));
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            self.event();
        }
    }

    /// All messages with somebody, oldest first, page by page.
    pub(crate) fn history(&mut self, who: &str, page: u32) -> Vec<Value> {
        let mut all = Vec::new();
        let mut before = Value::Null;
        loop {
            let asked = json!({"who": who, "limit": page, "before": before});
            let mut answer = self.call("history", asked);
            let Value::Array(mut messages) = answer["messages"].take() else {
                panic!("no messages: {answer}");
            };
            before = messages
                .first()
                .map_or(Value::Null, |first| first["id"].clone());
            messages.append(&mut all);
            all = messages;
            if answer["more"] != true {
                return all;
            }
        }
    }
}

impl Asker {
    /// Asks; the answer will have this number. That the node is gone is noticed when listening.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> u64 {
        self.last += 1;
        let id = self.last;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let _ = self.writer.write_all(format!("{request}\n").as_bytes());
        id
    }
}

impl Lines {
    /// The next line; `None` when the node is gone.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(length) if length > 0 => serde_json::from_str(&line).ok(),
            Ok(_) => None,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => None,
            Err(error) => panic!("nothing was said: {error}"),
        }
    }
}
