//! Who speaks: the keys of people and devices, and how two people first meet.
//!
//! ```text
//! phrase ─ BIP-39 seed ─ identity key ─ did:key          the person
//!                             │ signs
//!                        device card ─ device key        one installation
//!                             │ shown in a hello bound to one connection
//!                        endpoint key                    where it is met
//!
//! link ─ knock ─ answer ─ open ─ done                    two people become contacts
//! PIN, machine secret, phrase ─ vault key                what rests on disk is sealed under it
//! ```
//!
//! A pure core: no IO, no clock, no randomness of its own; `now` and a random generator are
//! arguments. The modules, in reading order: [`encoding`] and [`domain`] (the forms under every
//! hash and signature), [`keys`], [`phrase`], [`did`], [`card`], [`hello`], [`meeting`], [`vault`],
//! [`secrets`].

mod armour;
pub mod card;
mod checked;
pub mod did;
pub mod domain;
pub mod encoding;
#[doc(hidden)]
pub mod expansion;
pub mod hello;
pub mod home_file;
pub mod key_file;
pub mod keys;
pub mod meeting;
pub mod name;
pub mod phrase;
pub mod sealed;
pub mod secrets;
pub mod vault;
