//! People with homes, their processes, and how a program speaks to a node.

mod api;
mod person;
mod process;
mod said;
mod world;

pub(crate) use api::{Api, Asker, Lines};
pub(crate) use person::Person;
pub(crate) use process::{Node, Stream};
pub(crate) use said::Said;
pub(crate) use world::World;

use std::{
    io::{Write, stderr},
    time::Duration,
};

/// Longer than anything here takes, on the slowest of machines.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Says that a story is not told here, past the test runner, which keeps quiet about what passes.
pub(crate) fn skipped(story: &str, why: &str) {
    let _ = writeln!(stderr(), "SKIPPED {story}: {why}");
}
