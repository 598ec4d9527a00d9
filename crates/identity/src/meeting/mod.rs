//! How two people become contacts: a link, a knock, and a string to compare.
//!
//! ```text
//! inviter                         knocker
//!    link ──── by any other way ──▶             who I am, where I am, a secret
//!    ◀──────────────────── Knock                card, commitment, proof of the secret
//! Answer ────────────────────▶                  card, nonce, founding, proof of the secret
//!    ◀───────────────────── Open                the committed nonce, joining
//!   Done ────────────────────▶                  both keep cards and nonces
//!           seven emoji, the same on both sides, whenever they like
//! ```
//!
//! The proofs are bound to the connection, so a proof overheard or passed on proves nothing. The
//! commitment fixes the knocker's nonce before it has seen the other's, so nobody between the two
//! can search for nonces that give the same emoji on both sides.

mod address;
pub mod contact_card;
pub mod door;
pub mod group;
pub mod invite;
pub mod knock;
pub mod link;
pub mod linking;
pub mod sealed_link;
pub mod short;
