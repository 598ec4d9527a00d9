//! What was said: events, their order, and who may say it.
//!
//! A session is a set of signed [`event`]s. Devices that hold the same set compute the same
//! [`order`], the same [`roster`] and the same [`standing`] of every event, whatever way and in
//! whatever order the events came. Nothing here touches a socket, a file or a clock: `now`, a
//! random source and a [`store`] are arguments.
//!
//! ```text
//!            append                     receive
//! Draft ───────────┐             ┌─────────────── Event (verified)
//!                  ▼             ▼
//!                ┌─────────────────┐   roster operations   ┌────────┐
//!                │     session     │ ────────────────────▶ │ roster │
//!                │  frontier, tips │ ◀──────────────────── │  fold  │
//!                └────────┬────────┘       standing        └────────┘
//!                         │ insert
//!                         ▼
//!                  store::LogStore ◀──── sync: what does the other device lack?
//! ```

pub mod clock;
pub mod domain;
pub mod event;
mod fork;
pub mod frontier;
pub mod ids;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
pub mod order;
mod past;
pub mod register;
pub mod roster;
pub mod session;
pub mod standing;
pub mod store;
pub mod sync;
