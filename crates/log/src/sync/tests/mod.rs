#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod converse;
mod link;
mod messages;
mod nonsense;
mod parts;
mod stories;
