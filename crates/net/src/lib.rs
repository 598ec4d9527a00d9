//! How it travels: frames between two endpoints over QUIC, with nobody in between.
//!
//! The only crate that knows iroh. It moves opaque frames and decides nothing about what is in
//! them: the engine, a machine on another thread, is told what happens by [`Event`]s and says what
//! to do through [`Net`]. What is decided here is what keeps a stranger cheap: who may knock how
//! often, how much is read before the engine has recognised the peer, and how much may wait.
//!
//! ```text
//! Net::dial ── dial ──┐                        ┌── reader ── frames ──▶ EventSink ──▶ engine
//!                     ├── one task a connection┤                                        │
//! UDP ── admission ── accept ─┘                └── writer ◀── outbox ◀── Net::send ◀────┘
//!
//! multicast DNS ── lan ──▶ Event::Discovered
//! ```
//!
//! Nothing public is ever contacted: no relay, no DNS, no port mapper, no address service. Packets
//! go to the addresses of peers, and with [`Config::lan`] to the two multicast DNS groups.
//! The wire format and its limits are written down in `spec/transport.md`; rules are cited here by
//! their ids (`NET-1` …).

mod accept;
mod address;
mod admission;
mod ask;
mod bind;
mod carry;
mod close;
mod config;
mod congestion;
mod dial;
mod event;
mod frame;
mod lan;
mod link;
mod net;
mod read;
mod write;

#[doc(hidden)]
pub mod raw;
#[doc(hidden)]
pub mod strange;

pub use ask::{Answer, Answering, AskError, MAX_REQUEST};
pub use bind::{BindError, warm_up};
pub use close::{CloseReason, Ended, Loss};
pub use config::{Config, Limits, MAX_FRAME, Rate};
pub use dial::DialError;
pub use event::{ConnId, Credit, Event, EventSink, PathInfo, PathKind, Side};

pub use net::Net;
pub use tenet_identity::keys::EndpointId;
