//! For tests of this and other crates: a writer of events, a store in memory, and the suite that
//! every chat store passes.

mod conformance;
mod memory;
mod writer;

pub use conformance::conformance;
pub use memory::MemoryChat;
pub use writer::Writer;
