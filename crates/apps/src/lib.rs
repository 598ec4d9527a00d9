//! What it means: the apps, each a set of event kinds and a pure fold from events to a view.
//!
//! ```text
//! what a person does ── Action ──▶ Draft ── log signs, everybody's log keeps ──▶ Event
//!                                                                                  │
//! what a person sees ◀── view ── rows and overlays in a store ◀── fold ────────────┘
//! ```
//!
//! A pure core: no IO, no clock, no randomness. Each app defines the storage trait that it needs;
//! no app imports another. In reading order: [`chat`] (texts and what refers to them),
//! [`contacts`] (who I know, links I gave and took), [`conversations`] (what I muted, pinned and put
//! away, drafts), [`groups`] (links into groups, and who asks by them), [`settings`], [`own`] (what all my devices go by).

pub mod chat;
pub mod contacts;
pub mod conversations;
pub mod groups;
pub mod own;
pub mod settings;
