//! Events: signed statements, and the one place where unverified becomes verified.
//!
//! ```text
//! Draft ── Event::sign ──▶ Event ── wire ──▶ bytes ── Unverified::decode ──▶ Unverified
//!                            ▲                                                   │
//!                            └────────────── Unverified::verify (batch) ─────────┘
//! ```

mod body;
mod header;
mod signed;

pub use body::{Body, MAX_BODY_BYTES, Salt, size_bucket};
pub use header::{
    Content, Header, HeaderError, Kind, MAX_DEPS, MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES,
};
pub use signed::{Event, EventError, Unverified, verify_all};

#[cfg(test)]
mod tests;
