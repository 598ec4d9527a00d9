//! Stories of one folder, or two that exchange a blob.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod coming;
mod faults;
mod resting;
mod transfer;

use std::path::Path;

use tempfile::TempDir;

use crate::{BlobHash, Folder, FreshKey, Ranges, Sealed, unwatched};

pub(super) const KEY: [u8; 32] = [7; 32];

/// A folder of blobs in a place of its own.
pub(super) struct Place {
    pub(super) folder: Folder,
    place: TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(&place.path().join("blobs")).unwrap();
        Self { folder, place }
    }

    /// As a process that starts after this one ended.
    pub(super) fn again(self) -> Self {
        let Self { folder, place } = self;
        drop(folder);
        let folder = Folder::open(&place.path().join("blobs")).unwrap();
        Self { folder, place }
    }

    pub(super) fn outside(&self) -> &Path {
        self.place.path()
    }

    pub(super) fn seal(&self, file: &[u8]) -> Sealed {
        let key = FreshKey::from_random(KEY);
        self.folder.seal(file, key, &mut unwatched).unwrap()
    }

    /// The names in the folder, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.place.path().join("blobs")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// A slice of a blob as it travels.
    pub(super) fn slice(&self, hash: &BlobHash, ranges: &Ranges) -> Vec<u8> {
        let slice = self.folder.serve(hash, ranges).unwrap();
        let mut bytes = Vec::new();
        slice.write(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, slice.encoded_size());
        bytes
    }
}

/// Bytes that look random and are the same every time.
pub(super) fn bytes(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}
