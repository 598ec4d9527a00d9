//! What becomes of a stranger's bytes: one target for each decoder, and for the machines behind them.
//!
//! ```text
//! bytes ─▶ Target::run ─▶ decoded, or refused; a panic, or a property that does not hold, is a finding
//! ```
//!
//! The same function is called by the fuzzer (`cargo xtask fuzz`, which builds `fuzz/runner`) and by the
//! test that replays the kept corpora, `fuzz/corpus/<target>`, in every run of the gate. Corpora begin
//! with [`Target::seeds`], what our own encoders write.
//!
//! - [`identity`]: hellos, cards, links, knocks.
//! - [`log`]: events, operations, registers, and a sync machine that is told anything.
//! - [`delivery`]: a device of a plan that is told anything.
//! - [`apps`]: what events and registers say, and records.
//! - [`node`]: frames, requests, and an engine that is told anything.
//! - [`local`]: lines of the local API; frames and names of the network; slices of a file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "whatever goes wrong here is a finding"
)]

pub mod apps;
pub mod delivery;
pub mod identity;
pub mod local;
pub mod log;
pub mod node;

/// Something that reads bytes which others made.
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// What it reads, in a few words.
    pub what: &'static str,
    /// Reads them.
    pub run: fn(&[u8]),
    /// Well-formed inputs, to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// The longest input that is tried, in bytes.
    pub max_len: usize,
}

/// All targets.
pub const TARGETS: &[&[Target]] = &[
    identity::TARGETS,
    log::TARGETS,
    delivery::TARGETS,
    apps::TARGETS,
    node::TARGETS,
    local::TARGETS,
];

/// All targets, in order.
pub fn targets() -> impl Iterator<Item = &'static Target> {
    TARGETS.iter().copied().flatten()
}

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    targets().find(|target| target.name == name)
}

/// Several inputs in one: each after its length, 2 bytes, big-endian; the last may be shorter.
pub(crate) fn parts(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (part, rest) = rest.split_at(length);
        bytes = rest;
        Some(part)
    })
}

/// What [`parts`] takes apart.
pub(crate) fn joined(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let length = u16::try_from(part.len()).unwrap();
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}
