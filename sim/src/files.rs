//! Contents of files in the virtual world: a node has one or not; no bytes move.

use std::collections::{BTreeMap, BTreeSet};

use tenet_apps::chat::file::File;
use tenet_log::ids::BlobId;
use tenet_node::{
    ask::{Ask, Span},
    input::{AskId, ConnId, FetchEnd, Input, Output},
};

use crate::machine::{Happening, World};

/// What a text ends with that is sent with a file.
pub const CLIP: char = '📎';

/// Bytes of every file but films.
const SIZE: u64 = 100;

/// What a text begins with that is sent with a large file.
pub const FILM: &str = "film";

/// Bytes of a large file: one that several give at once.
const FILM_SIZE: u64 = 10 << 20;

/// Who has which contents, and who asked for one.
#[derive(Default)]
pub(super) struct Contents {
    held: BTreeSet<(usize, BlobId)>,
    /// Nodes that give something else than was asked for.
    lying: BTreeSet<usize>,
    /// Of whom contents were asked, in order.
    asked: Vec<usize>,
    asks: BTreeMap<AskId, (ConnId, BlobId)>,
    next: u64,
}

/// The files that are sent with a text; no two texts are the same.
pub fn files(text: &str) -> Vec<File> {
    let mut name = [0; 32];
    for (at, byte) in text.bytes().enumerate() {
        name[at % 32] ^= byte;
    }
    let size = if text.starts_with(FILM) {
        FILM_SIZE
    } else {
        SIZE
    };
    let file = File::new("notes.txt".into(), size, BlobId::from(name), [7; 32]);
    text.ends_with(CLIP)
        .then(|| file.unwrap())
        .into_iter()
        .collect()
}

impl World {
    /// A person is about to send this: the contents are sealed and durable first.
    pub(super) fn seal(&mut self, node: usize, files: &[File]) {
        let sealed = files.iter().map(|file| (node, file.content()));
        self.contents.held.extend(sealed);
    }

    /// Whether all of these contents are with a node.
    pub fn holds(&self, node: usize, files: &[File]) -> bool {
        let held = |file: &File| self.contents.held.contains(&(node, file.content()));
        files.iter().all(held)
    }

    /// From now on a node gives something else than what was asked for, or no more.
    pub fn lie(&mut self, node: usize, lies: bool) {
        match lies {
            true => self.contents.lying.insert(node),
            false => self.contents.lying.remove(&node),
        };
    }

    /// Which nodes contents were asked of, in order.
    pub fn asked_of(&self) -> &[usize] {
        &self.contents.asked
    }

    pub(super) fn move_content(&mut self, node: usize, output: Output) {
        match output {
            Output::Fetch { conn, blob, .. } => self.ask_for(conn, blob),
            Output::Answer { ask, blob, .. } => {
                let there = self.contents.held.contains(&(node, blob));
                let end = match (there, self.contents.lying.contains(&node)) {
                    (_, true) => FetchEnd::Mismatch,
                    (true, _) => FetchEnd::Whole,
                    (false, _) => FetchEnd::Refused,
                };
                self.contents.asked.push(node);
                self.give(ask, end);
            }
            Output::Discard { blob } => {
                self.contents.held.remove(&(node, blob));
            }
            Output::Refuse { ask } => self.give(ask, FetchEnd::Refused),
            _ => {}
        }
    }

    fn ask_for(&mut self, conn: ConnId, blob: BlobId) {
        let delay = self.draw_delay();
        let Some((node, other, at)) = self.network.carry(conn, self.now, delay) else {
            return;
        };
        self.contents.next += 1;
        let ask = AskId(self.contents.next);
        self.contents.asks.insert(ask, (other, blob));
        let whole = vec![Span {
            start: 0,
            end: 65_536,
        }];
        let bytes = Ask::Blob(blob, whole).encode();
        let conn = other;
        let input = Input::Asked { conn, ask, bytes };
        self.happens_at(at, Happening::Arrives { node, conn, input });
    }

    fn give(&mut self, ask: AskId, end: FetchEnd) {
        let delay = self.draw_delay();
        let Some((from, blob)) = self.contents.asks.remove(&ask) else {
            return;
        };
        let Some((node, conn, at)) = self.network.carry(from, self.now, delay) else {
            return;
        };
        let input = Input::Fetched { conn, blob, end };
        self.happens_at(at, Happening::Arrives { node, conn, input });
    }

    /// What is on the disk before the engine hears of it.
    pub(super) fn land(&mut self, node: usize, input: &Input) {
        if let Input::Fetched {
            blob,
            end: FetchEnd::Whole,
            ..
        } = input
        {
            self.contents.held.insert((node, *blob));
        }
    }
}
