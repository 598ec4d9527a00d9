//! Where it rests: everything a device keeps, in one encrypted SQLite database.
//!
//! The cores define small storage traits beside their use; [`Store`] implements them all over one
//! SQLCipher connection, so one transaction covers whatever an input changes. The raw 32-byte key
//! comes from the vault; nothing is ever written in plain.
//!
//! - `open`: opening, creating, checking, read-only connections beside the writer.
//! - `schema`: the tables, and the migrations between their versions.
//! - `audit`: whether all that was signed still is what it was.
//! - `transaction`: batches, savepoints, durability.
//! - `heads`: where chains end, written once a batch.
//! - `places`: where events are, by their ids.
//! - `log`, `outbox`, `fetches`, `chat`, `search`, `contacts`, `conversations`: the traits of the cores.

mod audit;
mod chat;
mod contacts;
mod conversations;
#[cfg(feature = "testing")]
mod copy;
mod error;
mod fetches;
mod heads;
mod log;
pub mod open;
mod outbox;
mod outcome;
mod pasts;
mod places;
mod records;
mod rows;
mod schema;
mod search;
mod stored;
mod transaction;

pub use audit::Audit;
#[cfg(any(test, feature = "testing"))]
pub use audit::Spoil;
pub use open::{OpenError, Store};

#[cfg(test)]
mod tests;
