//! How it gets there: what this device said, to whom it still must go, and when to try.
//!
//! ```text
//! own event ── queue ──▶ outbox: one row per (event, device) ── pending ──▶ sent, and sent again
//!                           │                                                 │
//!                           │ ◀───────────── acknowledge ─────────────────────┘
//!                           ▼
//!                       Dispatch ── state::State ──▶ queued, stored, delivered, read, failed
//!
//! an event names a file ──▶ fetch::Fetch ──▶ fetched from whoever has it
//!
//! an endpoint is wanted ──▶ redial::Redial ──▶ dial it now
//!
//! an event for very many ──▶ fanout::spread::Spread ──▶ sent by all to a few each
//! ```
//!
//! A pure core: no IO, no clock, no randomness of its own. The modules, in reading order:
//! [`outbox`], [`state`], [`fetch`], [`redial`], [`fanout`]. The rules with ids (`DEL-1` and so on, `FAN-1` and so on) are in
//! `spec/delivery.md` and `spec/fanout.md`.

pub mod domain;
pub mod fanout;
pub mod fetch;
pub mod outbox;
pub mod redial;
pub mod state;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
