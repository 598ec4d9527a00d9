//! Stories of two people, and of a third who comes and goes.

mod chance;
pub(crate) mod check;
mod living;
mod many;
pub mod model;
pub mod script;
