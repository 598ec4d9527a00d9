//! What is heavy: files sealed at rest and verified on the way, in one folder.
//!
//! ```text
//! a file ─▶ seal ─▶ sealed form ─▶ folder ─▶ serve ══ groups and proofs ══▶ receive ─▶ folder ─▶ open, save
//!          (key)   (hash names it)                                                             (key)
//! ```
//!
//! Whoever has the hash can check every 64 KiB of what comes, from whomever; whoever has the key can
//! read it. Both are said in an event; no file name, type or time is here. Everything blocks, so it is
//! called from threads that may; memory is bounded whatever the size of a file. The rules are in
//! `spec/blob.md`.
//!
//! - [`seal`]: keys, segments, sizes.
//! - `address`: the hash that names a blob.
//! - `tree`, `ranges`: what proves a part, and which parts.
//! - [`folder`]: what is here; removing what nothing names.
//! - [`batch`]: files come in, and are durable together.
//! - [`open`], [`save`]: files are read, and put where a person wants them.
//! - [`serve`], [`receive`]: the two ends of a transfer.
//! - [`stream`]: the same sealing for what is written and read in one go.
//! - `disk`: every change of the disk.

mod address;
pub mod batch;
mod disk;
mod error;
pub mod folder;
pub mod open;
mod ranges;
pub mod receive;
pub mod save;
pub mod seal;
pub mod serve;
pub mod stream;
mod tree;

use std::ops::ControlFlow;

pub use address::{BlobHash, NotAHash};
pub use batch::{Batch, Sealed};
pub use error::Error;
pub use folder::{Folder, State};
pub use open::Opened;
pub use ranges::Ranges;
pub use receive::Incoming;
pub use seal::{BlobKey, FreshKey};
pub use serve::Slice;
pub use tree::GROUP;

/// Is told how many bytes are done, now and then; `Break` cancels.
pub type Progress<'a> = &'a mut dyn FnMut(u64) -> ControlFlow<()>;

/// A [`Progress`] for whoever does not watch.
pub fn unwatched(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests;
