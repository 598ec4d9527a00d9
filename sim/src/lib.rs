//! The simulator: real engines in one thread, virtual time, a virtual network, persons who follow a story.
//!
//! ```text
//! seed ─▶ World ── queue of happenings by virtual time ──▶ one node's batch ── commit ──▶ outputs
//!           ▲                                                     │ killed here, if that is the plan
//!           └── frames, dials, ends of connections, replies ◀──────┘
//! ```
//!
//! Everything that happens follows from the seed: the same seed gives the same run, byte for byte.
//!
//! In reading order: [`machine`] (the loop, batches, kills), [`network`] (connections),
//! [`node`] (one person's device), [`act`] (what persons do), [`model`] (what must be seen for it),
//! [`script`] (who does what after what), [`chance`] (random days), `living` (what is rarer), [`many`] (sessions of many), [`check`] (what holds when all is quiet), [`disk`] (a
//! store that fails when told to), [`errors`] (errors that were logged), [`rogue`] (an engine alone,
//! and who talks to it frame by frame).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "whatever goes wrong here fails the test that it goes wrong in"
)]

pub mod act;
pub mod chance;
pub mod check;
pub mod disk;
pub mod errors;
pub mod files;
mod living;
pub mod machine;
pub mod many;
pub mod model;
pub mod network;
pub mod node;
mod outlet;
pub mod rogue;
pub mod script;

pub use act::Act;
pub use disk::{Failing, How};
pub use machine::{Kill, Moment, World};
pub use script::Script;
