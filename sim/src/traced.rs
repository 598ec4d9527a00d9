//! All that happens in a span of time, in words: what a run that goes on for ever, or ends wrongly, is read from.

use tenet_node::{
    frame::Frame,
    input::{ConnId, Input, Output},
};

use crate::machine::World;

/// So much of what something says of itself is shown.
const LETTERS: usize = 300;

impl World {
    /// Puts into words what a node is told, but for frames, which their senders tell of.
    pub(super) fn trace_inputs(&mut self, node: usize, inputs: &[Input]) {
        if !self.traces.contains(&self.now) {
            return;
        }
        for input in inputs {
            let said = match input {
                Input::Frame { .. } => continue,
                Input::Tick => "is called".to_owned(),
                other => format!("is told {other:?}"),
            };
            self.trace(node, &said);
        }
    }

    /// Puts into words what leaves a node.
    pub(super) fn trace_output(&mut self, node: usize, output: &Output) {
        if !self.traces.contains(&self.now) {
            return;
        }
        let said = match output {
            Output::Send { conn, frame } => {
                let to = self.other_end(*conn);
                match Frame::decode(frame) {
                    Ok(frame) => format!("→ {to} {frame:?}"),
                    Err(error) => format!("→ {to} {} bytes, {error}", frame.len()),
                }
            }
            Output::Close { conn, .. } => {
                let to = self.other_end(*conn);
                format!("closes with {to}: {output:?}")
            }
            other => format!("{other:?}"),
        };
        self.trace(node, &said);
    }

    /// The node at the other end of a connection.
    fn other_end(&self, conn: ConnId) -> String {
        let other = self.network.other(conn);
        other.map_or_else(|| "nobody".to_owned(), |node| node.to_string())
    }

    fn trace(&mut self, node: usize, said: &str) {
        let said: String = said.chars().take(LETTERS).collect();
        self.traced.push((self.now, format!("node {node} {said}")));
    }
}
