//! Two endpoints on this machine: how they talk, whom they refuse, and what nobody can make them do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod asking;
mod harness;
mod lan;
mod pressure;
mod strangers;
mod talk;
mod tls;
