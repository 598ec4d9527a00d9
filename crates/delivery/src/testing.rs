//! For tests of this and other crates: an outbox in memory, and the suite that every outbox passes.

mod conformance;
mod memory;

pub use conformance::conformance;
pub use memory::MemoryOutbox;
