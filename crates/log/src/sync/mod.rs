//! Bringing two devices up to date, whoever they are.
//!
//! ```text
//!   Digest ──▶          equal: nothing more to do
//!   Ranges ──▶          differs, and I hold much: digests of its parts
//!   Frontier ──▶        what I hold of every author, and which registers, in what differs
//!   Events, Registers ──▶   what you lack, in causal order, a window at a time
//!   ◀── Have            what is durable here now: moves the window, is the delivery receipt
//! ```
//!
//! Both sides do the same, at once. Nothing is remembered across connections: the next one begins
//! with what each side really holds, so an interrupted transfer resumes where it broke. After a
//! wait, and when a fork becomes known, both sides compare anew on the same connection.

mod compare;
mod holdings;
mod message;
mod part;
mod peer;
mod range;
mod recent;
mod summary;
mod tag;
mod window;

pub use message::{
    Event as EncodedEvent, HeadEntry, MAX_EVENTS_PER_MESSAGE, MAX_WANTED, Message, MessageError,
    Objection, RangeEntry, RegisterEntry, Within,
};
pub use part::{Named, Part};
pub use peer::Peer;
pub use recent::Recent;
pub use summary::Claim;
pub(crate) use summary::Summary;
pub use tag::{Direction, Tag, tag};
pub use window::{WINDOW_BYTES, WINDOW_EVENTS};

#[cfg(test)]
mod tests;
