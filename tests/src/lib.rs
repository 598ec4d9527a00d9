//! What the stories in `tests/` are told with.
//!
//! [`world`]: any number of real engines in one thread, under virtual time.

pub mod world;
