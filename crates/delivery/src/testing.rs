//! For tests of this and other crates: an outbox in memory, and the suites that every store passes.

mod conformance;
mod fetches;
mod memory;

pub use conformance::conformance;
pub use fetches::fetches_conformance;
pub use memory::MemoryOutbox;
