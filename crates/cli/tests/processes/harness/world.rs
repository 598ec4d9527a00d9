//! The temporary folder in which everything of a story lies.

use std::{
    fs,
    net::{SocketAddr, UdpSocket},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{Node, Person};

/// A temporary folder, gone at the end of the story.
pub(crate) struct World {
    root: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    /// Somebody without an identity, who listens on a loopback port of their own.
    pub(crate) fn stranger(&self, name: &str) -> Person {
        Person::new(self.root.path(), name, free("127.0.0.1:0"))
    }

    /// Somebody with an identity.
    pub(crate) fn person(&self, name: &str) -> Person {
        let mut person = self.stranger(name);
        person.begin();
        person
    }

    /// Alice and Bob, contacts of each other, and their running nodes.
    pub(crate) fn friends(&self) -> [(Person, Node); 2] {
        let (alice, bob) = (self.person("Alice"), self.person("Bob"));
        let (node_a, node_b) = (alice.up(), bob.up());
        alice.befriend(&bob);
        [(alice, node_a), (bob, node_b)]
    }

    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    /// Every file that lies in the world now.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.root.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    files.push(entry.path());
                }
            }
        }
        files.sort();
        files
    }
}

/// An address with a UDP port that nobody has at this moment.
pub(super) fn free(any: &str) -> SocketAddr {
    UdpSocket::bind(any).unwrap().local_addr().unwrap()
}
