//! Contacts: who I know and what I call them, links that I gave and links that I took.
//!
//! ```text
//! I give a link:   Invite ── admit (device, identity) ──▶ Answered ──▶ Contact
//!                    └ to several ▶ Request ── a yes ──┘
//! I take a link:   Knocking ──────── the other answers ─────────────▶ Contact
//! I name somebody: text ── resolve ──▶ Contact
//! ```
//!
//! Everything here is kept on this device only; what others learn of it travels in knocks and
//! registers. The modules, in reading order: [`contact`], [`name`], [`invite`], [`knocking`],
//! [`answered`], [`request`], [`resolve`], [`endpoint`] and [`profile`] (where a device
//! is met and what people say of themselves, as registers say it),
//! [`record`] (the stored form of all these), [`store`]. The rules with ids (`CON-1` and so on)
//! are in `spec/contacts.md`.

pub mod answered;
pub mod contact;
pub mod endpoint;
pub mod invite;
pub mod knocking;
pub mod name;
pub mod profile;
pub mod record;
pub mod request;
pub mod resolve;
pub mod shared;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use answered::Answered;
pub use contact::Contact;
pub use endpoint::Endpoint;
pub use invite::Invite;
pub use knocking::Knocking;
pub use profile::Profile;
pub use request::Request;
pub use store::ContactStore;
