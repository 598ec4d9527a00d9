//! What was done to one message: a state into which actions merge in any order.
//!
//! Everything here is a join: of two statements about the same thing the one that is later in the
//! total order stays. So arrival order and repetition never matter. Whose edit and whose taking
//! back has effect is decided when the message is viewed, because it may come later than they do.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};
use tenet_identity::{encoding, keys::IdentityId};
use tenet_log::{ids::EventId, order::OrderKey};

use super::{Action, order::OrderForm, react::Emoji};

/// The most emoji of one identity on one message (`CHAT-10`): those it spoke of last.
pub const MAX_EMOJI_PER_IDENTITY: usize = 32;

/// The most reactions on one message (`CHAT-10`): those spoken of last.
///
/// A guess: a stored overlay stays under 64 KiB, and nobody reads more faces.
pub const MAX_REACTIONS: usize = 256;

/// The version of the stored form.
const VERSION: u8 = 1;

/// What was done to one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    /// The latest edit of each identity; its text stays in the log.
    edits: BTreeMap<IdentityId, OrderKey>,
    unsent: BTreeSet<IdentityId>,
    reactions: BTreeMap<(IdentityId, Emoji), Reaction>,
    /// For each identity that a withdrawal took for the author: the first of them, and by whom.
    withdrawn: BTreeMap<IdentityId, (IdentityId, OrderKey)>,
    /// Of a conversation as a whole ([`timer::subject`](super::timer::subject)): its timer.
    timer: Option<Set>,
}

/// Who set a conversation's timer last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set {
    /// After how many seconds messages disappear; 0 for never.
    pub seconds: u64,
    /// Who set it.
    pub identity: IdentityId,
    /// By which event.
    pub order: OrderKey,
}

/// Why a stored overlay cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OverlayError {
    /// Malformed bytes.
    #[error("a stored overlay is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// Written by a newer version.
    #[error("a stored overlay is of version {0}, newer than this program")]
    Newer(u8),
}

/// The last word of an identity about one emoji.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reaction {
    order: OrderKey,
    on: bool,
}

impl Overlay {
    /// Merges what `identity` did at `order`; says whether that changed anything.
    ///
    /// A text changes nothing: it is a message of its own.
    pub fn merge(&mut self, action: &Action, order: OrderKey, identity: IdentityId) -> bool {
        match action {
            Action::Text(_) => false,
            Action::Edit(_) => self.merge_edit(order, identity),
            Action::Unsend(_) => self.unsent.insert(identity),
            Action::Withdraw(withdrawal) => {
                let known = self.withdrawn.get(&withdrawal.identity);
                let first = known.is_none_or(|(_, known)| order < *known);
                if first {
                    self.withdrawn
                        .insert(withdrawal.identity, (identity, order));
                }
                first
            }
            Action::React(react) => {
                let reaction = Reaction {
                    order,
                    on: react.on(),
                };
                self.merge_reaction((identity, react.emoji().clone()), reaction)
            }
            Action::Timer(timer) => {
                let later = self.timer.is_none_or(|set| set.order < order);
                if later {
                    self.timer = Some(Set {
                        seconds: timer.seconds(),
                        identity,
                        order,
                    });
                }
                later
            }
        }
    }

    /// How the timer of the conversation was set last (`CHAT-19`).
    pub fn timer(&self) -> Option<Set> {
        self.timer
    }

    /// The event with the text that now stands, if the message's author edited it (`CHAT-7`).
    pub fn edit(&self, author: IdentityId) -> Option<EventId> {
        self.edits.get(&author).map(|order| order.id)
    }

    /// Whether the message's author took it back (`CHAT-8`).
    pub fn is_unsent(&self, author: IdentityId) -> bool {
        self.unsent.contains(&author)
    }

    /// Who withdrew the message of this author first, and by which event (`CHAT-1303`).
    pub fn withdrawal(&self, author: IdentityId) -> Option<(IdentityId, EventId)> {
        let first = self.withdrawn.get(&author);
        first.map(|(by, order)| (*by, order.id))
    }

    /// Per emoji who put it there, by emoji and identity.
    pub fn reactions(&self) -> BTreeMap<Emoji, BTreeSet<IdentityId>> {
        let mut by_emoji: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for ((identity, emoji), reaction) in &self.reactions {
            if reaction.on {
                by_emoji.entry(emoji.clone()).or_default().insert(*identity);
            }
        }
        by_emoji
    }

    /// Whether nothing was done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The bytes that are stored.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(&Form {
            version: VERSION,
            edits: self
                .edits
                .iter()
                .map(|(identity, order)| (*identity, (*order).into()))
                .collect(),
            unsent: self.unsent.iter().copied().collect(),
            reactions: self
                .reactions
                .iter()
                .map(|((identity, emoji), Reaction { order, on })| {
                    (*identity, emoji.clone(), (*order).into(), *on)
                })
                .collect(),
            timer: self
                .timer
                .map(|set| (set.seconds, set.identity, set.order.into())),
            withdrawn: self
                .withdrawn
                .iter()
                .map(|(of, (by, order))| (*of, *by, (*order).into()))
                .collect(),
        })
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`OverlayError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, OverlayError> {
        let form: Form = encoding::decode(bytes)?;
        if form.version > VERSION {
            return Err(OverlayError::Newer(form.version));
        }
        let edits = form
            .edits
            .into_iter()
            .map(|(identity, order)| (identity, order.into()));
        let reactions = form
            .reactions
            .into_iter()
            .map(|(identity, emoji, order, on)| {
                (
                    (identity, emoji),
                    Reaction {
                        order: order.into(),
                        on,
                    },
                )
            });
        Ok(Self {
            edits: edits.collect(),
            unsent: form.unsent.into_iter().collect(),
            reactions: reactions.collect(),
            timer: form.timer.map(|(seconds, identity, order)| Set {
                seconds,
                identity,
                order: order.into(),
            }),
            withdrawn: form
                .withdrawn
                .into_iter()
                .map(|(of, by, order)| (of, (by, order.into())))
                .collect(),
        })
    }

    fn merge_edit(&mut self, order: OrderKey, identity: IdentityId) -> bool {
        let later = self
            .edits
            .get(&identity)
            .is_none_or(|latest| *latest < order);
        if later {
            self.edits.insert(identity, order);
        }
        later
    }

    fn merge_reaction(&mut self, key: (IdentityId, Emoji), reaction: Reaction) -> bool {
        if self
            .reactions
            .get(&key)
            .is_some_and(|latest| latest.order >= reaction.order)
        {
            return false;
        }
        let identity = key.0;
        self.reactions.insert(key.clone(), reaction);
        // CHAT-10: only the greatest orders stay. An order only grows, so what was dropped once
        // would be dropped again in whatever sequence the same statements came.
        self.keep_latest(MAX_EMOJI_PER_IDENTITY, |of| of == identity);
        self.keep_latest(MAX_REACTIONS, |_| true);
        self.reactions.get(&key) == Some(&reaction)
    }

    /// Drops the earliest of the reactions by these identities, where there is one too many.
    fn keep_latest(&mut self, most: usize, by: impl Fn(IdentityId) -> bool) {
        let group = self
            .reactions
            .iter()
            .filter(|((identity, _), _)| by(*identity));
        if group.clone().count() <= most {
            return;
        }
        let earliest = group
            .min_by_key(|(_, reaction)| reaction.order)
            .map(|(key, _)| key.clone());
        if let Some(key) = earliest {
            self.reactions.remove(&key);
        }
    }
}

/// The stored form. Lists, not maps: emoji differ in length, so their order as map keys would.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    version: u8,
    #[n(1)]
    edits: Vec<(IdentityId, OrderForm)>,
    #[n(2)]
    unsent: Vec<IdentityId>,
    #[n(3)]
    reactions: Vec<(IdentityId, Emoji, OrderForm, bool)>,
    #[n(4)]
    timer: Option<(u64, IdentityId, OrderForm)>,
    #[n(5)]
    #[cbor(default)]
    #[cbor(skip_if = "Vec::is_empty")]
    withdrawn: Vec<(IdentityId, IdentityId, OrderForm)>,
}

#[cfg(test)]
mod tests;
