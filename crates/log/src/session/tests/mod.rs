#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

pub(crate) mod model;
pub(crate) mod tangle;
pub(crate) mod world;

mod append;
mod causes;
mod convergence;
mod ending;
mod forks;
mod honest;
mod kept;
mod many;
mod quarantine;
mod receive;
mod retire;
mod roster;
