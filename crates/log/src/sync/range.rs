//! What is held of the devices whose keys begin with one byte.

use std::sync::OnceLock;

use tenet_identity::{domain::derive, encoding};

use super::{HeadEntry, RegisterEntry};
use crate::{domain::RANGE, ids::Author};

/// The names of what is held of them.
///
/// Keys are points of a curve, so the first byte spreads them evenly; who makes many that begin alike makes
/// comparisons of its own sessions dearer, and nothing else.
#[derive(Clone, Debug, Default)]
pub(super) struct Range {
    heads: Vec<HeadEntry>,
    versions: Vec<RegisterEntry>,
    digest: OnceLock<[u8; 32]>,
}

impl Range {
    pub(super) fn heads(&self) -> &[HeadEntry] {
        &self.heads
    }

    pub(super) fn versions(&self) -> &[RegisterEntry] {
        &self.versions
    }

    pub(super) fn len(&self) -> usize {
        self.heads.len() + self.versions.len()
    }

    /// A hash over the names (SYNC-2).
    pub(super) fn digest(&self) -> [u8; 32] {
        *self
            .digest
            .get_or_init(|| derive(RANGE, &[&encoding::encode(&(&self.heads, &self.versions))]))
    }

    /// One name more, to be [sorted](Self::sort) once all are there.
    pub(super) fn push_head(&mut self, head: HeadEntry) {
        self.heads.push(head);
    }

    /// One name more, to be [sorted](Self::sort) once all are there.
    pub(super) fn push_version(&mut self, version: RegisterEntry) {
        self.versions.push(version);
    }

    /// Puts the names into the one order that they have.
    pub(super) fn sort(&mut self) {
        self.heads.sort_unstable();
        self.heads.dedup();
        self.versions
            .sort_by(|a, b| (a.device, &a.key).cmp(&(b.device, &b.key)));
        self.digest = OnceLock::new();
    }

    /// The last events of a chain are others now.
    pub(super) fn set_chain(&mut self, author: Author, heads: impl Iterator<Item = HeadEntry>) {
        self.heads.retain(|head| head.author != author);
        self.heads.extend(heads);
        self.sort();
    }

    /// A register is another now.
    pub(super) fn set_version(&mut self, version: RegisterEntry) {
        self.versions
            .retain(|other| (other.device, &other.key) != (version.device, &version.key));
        self.versions.push(version);
        self.sort();
    }
}
