//! Events: signed statements, and the one place where unverified becomes verified.
//!
//! ```text
//! Draft ── Event::sign ──▶ Event ── wire ──▶ bytes ── Unverified::decode ──▶ Unverified
//!                            ▲                                                   │
//!                            └────────── Unverified::verify, verify_all ─────────┘
//! ```

mod body;
mod check;
mod header;
mod signed;

pub use body::{Body, MAX_BODY_BYTES, Salt, size_bucket};
pub use check::{Answers, AtOnce, Checks, Claim, check, verify_all};
pub use header::{
    Content, Header, HeaderError, Kind, MAX_DEPS, MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES,
};
pub use signed::{Event, EventError, Unverified};

#[cfg(test)]
mod tests;
