//! Fan-out: how one event reaches ten thousand without anyone sending it ten thousand times.
//!
//! The modules, in reading order: [`point`] (where devices stand), [`mod@line`] (who is there), [`presence`] (how that is
//! known), [`shape`] (how deep and how wide), [`plan`] (one forwarder's step), [`marks`] (who has it, in a bit each),
//! [`message`] (what they say to each other), [`spread`] (one event at one device). The rules with ids (`FAN-1` and so
//! on) are in `spec/fanout.md`.

pub mod line;
pub mod marks;
pub mod message;
pub mod plan;
pub mod point;
pub mod presence;
pub mod shape;
pub mod spread;
