//! For tests of this and other crates: a writer of events, a store in memory, and the suites that
//! every chat store passes.

mod conformance;
mod memory;
mod search;
mod writer;

pub use conformance::conformance;
pub use memory::MemoryChat;
pub use search::search_conformance;
pub use writer::Writer;
