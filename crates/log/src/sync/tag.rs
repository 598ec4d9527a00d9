//! How two devices find the sessions that they share (SYNC-1).

use minicbor::{Decode, Encode};
use tenet_identity::domain::derive;

use crate::domain::SESSION_TAG;

/// A name for a session that only its members can compute, good for one connection and direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Tag(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// Who says the tag: the two directions' tags differ, so nobody can echo one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Said by the side that dialled.
    FromDialler,
    /// Said by the side that was dialled.
    FromDialled,
}

/// The tag of a session: BLAKE3 over its secret, the connection's TLS exporter and the direction.
///
/// Someone who is not a member learns nothing from it, not even whether it is the session of an
/// earlier connection.
pub fn tag(secret: &[u8; 32], exporter: &[u8; 32], direction: Direction) -> Tag {
    let byte = match direction {
        Direction::FromDialler => 0,
        Direction::FromDialled => 1,
    };
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] =
        derive(SESSION_TAG, &[secret, exporter, &[byte]]);
    Tag([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
}
