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
//! [`node`] (one person's device), [`act`] (what persons do), [`pair`] (stories of two), [`disk`] (a
//! store that fails when told to), [`errors`] (errors that were logged), [`rogue`] (an engine alone,
//! and who talks to it frame by frame), `traced` (a run in words).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "whatever goes wrong here fails the test that it goes wrong in"
)]

pub mod act;
pub mod crowd;
mod cuts;
pub mod disk;
mod due;
pub mod errors;
pub mod fanout;
pub mod files;
pub mod machine;
pub mod model;
pub mod network;
pub mod node;
mod outlet;
pub mod pair;
mod power;
pub mod rogue;
mod traced;
pub mod walls;
pub mod weather;
mod wicked;

pub use act::Act;
pub use crowd::{Crowd, Deed};
pub use disk::{Failing, How};
pub use machine::{Kill, Moment, World};
pub use pair::script::{self, Script};
