//! Stories of real processes: the `tenet` binary, homes in temporary folders, nodes on loopback.
//!
//! Nothing here knows the program's inside: it is started, spoken to over argv, stdin and its
//! socket, and killed. Whoever waits, waits for a line or an event, never for time to pass.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod harness;

mod apart;
mod conversations;
mod demo;
mod devices;
mod export;
mod files;
mod groups;
mod home;
mod identities;
mod kill;
mod links;
mod moving;
mod named;
mod natlab;
mod network;
mod people;
mod pin;
mod pipe;
mod search;
mod secrecy;
mod talk;
