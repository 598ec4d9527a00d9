//! The engine: what a node does, without a socket, a file or a clock.
//!
//! ```text
//! shell ── Input, now ──▶ Engine::handle ── savepoint ──▶ cores over Storage
//!   ▲                                                          │
//!   └── Output ◀──────── Engine::commit ◀── one transaction ◀──┘
//! ```
//!
//! The same engine runs behind real sockets and in a simulator with virtual time: its only
//! randomness is the seed that it was opened with.
//!
//! In reading order: [`input`] (what goes in and out), [`engine`] (batches, savepoints,
//! commits), [`command`] (what a person can ask for), [`frame`] and [`ask`] (what nodes say to
//! each other), [`joining`] (a new device, before it has an engine), [`groups`] (sessions of many, as a person sees them), [`query`] (reading beside the
//! engine).

pub mod ask;
pub mod command;
mod connection;
pub mod engine;
pub mod frame;
pub mod groups;
pub mod input;
pub mod joining;
pub mod own;
pub mod query;
pub mod storage;

pub use engine::Engine;
pub use own::Own;
pub use storage::Storage;
