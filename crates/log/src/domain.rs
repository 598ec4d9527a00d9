//! Domain strings of the log, each with the attack that it stops.

/// Event ids: a header's bytes never hash to the id of anything else of ours.
pub const EVENT_ID: &str = "tenet v1 event id";
/// Event signatures: a signature over an event is never one over a register, card or handshake.
pub const EVENT_SIGNATURE: &str = "tenet v1 event signature";
/// Body hashes: a body is never mistaken for a header, and short bodies cannot be guessed (salt).
pub const EVENT_BODY: &str = "tenet v1 event body";
/// Session ids: a session is named by its founding event, so nobody founds a second one under its id.
pub const SESSION_ID: &str = "tenet v1 session id";
/// Register ids: the bytes that a device signs for a register are those of no event.
pub const REGISTER_ID: &str = "tenet v1 register id";
/// Register signatures: see [`REGISTER_ID`].
pub const REGISTER_SIGNATURE: &str = "tenet v1 register signature";
/// Digests by which two devices see at once that they hold the same.
pub const DIGEST: &str = "tenet v1 session digest";
/// Digests of a part of it, each of which stands in the digest of all.
pub const RANGE: &str = "tenet v1 session range";
/// Tags by which two devices find shared sessions without naming them to anybody else.
pub const SESSION_TAG: &str = "tenet v1 session tag";
/// What a link's key signs: the bytes are those of nothing else.
pub const LINK_JOINING_ID: &str = "tenet v1 link joining id";
/// Joinings by a link: a proof for one device, link and session is none for another.
pub const LINK_JOINING: &str = "tenet v1 link joining";
