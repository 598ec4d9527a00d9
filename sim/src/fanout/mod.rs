//! One event to very many: the plans of `tenet_delivery::fanout` on a network of thousands, some of whom die.
//!
//! No engines here: of each device only the machine that forwards, so that ten thousand fit into one thread. What is
//! sent has the length that it has when it is encoded.
//!
//! ```text
//! Setting ─▶ Crowd (who is online, who dies, who believes what)
//!              ▼
//!          Network ── first event: connections ── second event: measured ─▶ Outcome
//!              ▲
//!          Speaker: ours (`planned`), or another protocol on the same network and deaths
//! ```
//!
//! In reading order: [`crowd`], [`network`], [`planned`], [`ideal`], [`sync`]. `examples/fanout` compares them and an
//! epidemic broadcast; `cargo xtask bench fanout` prints that as ratios.

pub mod crowd;
pub mod ideal;
pub mod network;
pub mod planned;
pub mod sync;

pub use crowd::{Crowd, Setting};
pub use network::{Network, Outcome};

#[cfg(test)]
mod tests;
