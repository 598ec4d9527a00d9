//! The local API: how a program on this machine, the command line first, speaks to its node.
//!
//! JSON-RPC 2.0, one JSON object a line, over a Unix socket that only its owner can open.
//! `spec/api.md` holds the rules (`API-…`) that the modules cite.
//!
//! ```text
//! client ── call(api::Send{…}) ─▶ line ─▶ socket ─▶ line ─▶ api::Request ─▶ server::Handler
//!        ◀─ api::Sent ─────────── line ◀─ socket ◀─ line ◀─ JSON of the answer ◀─ Pending
//!        ◀─ api::Notice ───────── line ◀─ socket ◀─ line ◀─ server::Feed ◀─ publish(api::Event)
//! ```
//!
//! In reading order: [`api`] (what can be said), [`socket`] (where), [`frame`] (how it stands on a
//! line), [`server`] (the node's end), [`client`] (the program's end).

pub mod api;
pub mod client;
pub mod frame;
mod lines;
pub mod server;
pub mod socket;
