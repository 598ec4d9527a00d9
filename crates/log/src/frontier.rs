//! What a node holds: for every author the head of its chain, several after a fork (LOG-9).

mod difference;
mod reach;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

pub use difference::Difference;
use minicbor::{Decode, Decoder, Encode, Encoder, encode::Write};
use reach::Reach;

use crate::{
    clock::Hlc,
    ids::{Author, EventId},
    order::OrderKey,
};

/// The last event of one branch of an author's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose chain.
    pub author: Author,
    /// 0 for an honest author; further branches of a forked chain are numbered as they came here.
    pub branch: u32,
    /// Its place in the chain.
    pub seq: u64,
    /// Its id.
    pub id: EventId,
    /// Its time.
    pub time: Hlc,
    /// Whether no other event depends on it yet: a head of the session's graph.
    pub tip: bool,
}

/// What lies in an event's causal past: of every chain the greatest `seq`.
///
/// On a forked chain a `seq` says little: there the operations that were not seen are listed. A copy
/// costs little, and shares what it has in common with others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    chains: Reach,
    unseen: BTreeSet<EventId>,
}

/// A past as it is stored.
#[derive(Encode, Decode)]
struct PastForm {
    #[n(0)]
    chains: BTreeMap<Author, u64>,
    #[n(1)]
    unseen: BTreeSet<EventId>,
}

impl Past {
    /// Whether the author's chain was seen as far as `seq`, on whichever branch.
    pub fn covers(&self, author: Author, seq: u64) -> bool {
        self.chains
            .get(author)
            .is_some_and(|covered| covered >= seq)
    }

    /// Whether a roster operation lies in it, forks or not.
    pub fn includes(&self, operation: &OrderKey) -> bool {
        self.covers(operation.author, operation.seq)
            && (self.unseen.is_empty() || !self.unseen.contains(&operation.id))
    }

    /// How many of the author's events lie in it, where its chain has one branch.
    pub fn count(&self, author: Author) -> u64 {
        self.chains
            .get(author)
            .map_or(0, |seq| seq.saturating_add(1))
    }

    /// Adds an author's chain up to and including `seq`.
    pub fn extend(&mut self, author: Author, seq: u64) {
        if !self.covers(author, seq) {
            self.chains.set(author, Some(seq));
        }
    }

    /// Adds all that another past covers. Costs what differs, where one was made from the other.
    pub(crate) fn join(&mut self, other: &Self) {
        for (author, seq) in other.chains.difference(&self.chains) {
            if let Some(seq) = seq {
                self.extend(author, seq);
            }
        }
    }

    /// Says anew how far an author's chain was seen, if at all.
    pub(crate) fn limit(&mut self, author: Author, seq: Option<u64>) {
        self.chains.set(author, seq);
    }

    /// Notes that a roster operation does not lie in it although a branch beside it does.
    pub(crate) fn exclude(&mut self, operation: EventId) {
        self.unseen.insert(operation);
    }
}

impl<C> Encode<C> for Past {
    fn encode<W: Write>(
        &self,
        out: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let form = PastForm {
            chains: self.chains.all().into_iter().collect(),
            unseen: self.unseen.clone(),
        };
        form.encode(out, context)
    }
}

impl<'b, C> Decode<'b, C> for Past {
    fn decode(input: &mut Decoder<'b>, context: &mut C) -> Result<Self, minicbor::decode::Error> {
        let form = PastForm::decode(input, context)?;
        let mut past = Self {
            unseen: form.unseen,
            ..Self::default()
        };
        for (author, seq) in form.chains {
            past.chains.set(author, Some(seq));
        }
        Ok(past)
    }
}

/// The heads of all chains of a session, in memory.
#[derive(Clone, Debug, Default)]
pub struct Frontier {
    chains: BTreeMap<Author, Vec<Head>>,
    /// Whose head an event is, once somebody asks.
    authors: OnceLock<BTreeMap<EventId, Author>>,
    tips: BTreeSet<EventId>,
    /// All of it, as the past of what depends on all of it, once somebody asks: an ordinary event has none.
    past: OnceLock<Past>,
}

impl Frontier {
    /// From stored heads.
    pub fn from_heads(mut heads: Vec<Head>) -> Self {
        heads.sort_by_key(|head| (head.author, head.branch));
        let tips = heads.iter().filter(|head| head.tip).map(|head| head.id);
        // Maps are made at once from what is sorted.
        let chains = heads.chunk_by(|one, other| one.author == other.author);
        let chains = chains.filter_map(|all| Some((all.first()?.author, all.to_vec())));
        Self {
            chains: chains.collect(),
            tips: tips.collect(),
            authors: OnceLock::new(),
            past: OnceLock::new(),
        }
    }

    /// Shares with a past what both have in common: one of the frontier as it lately was.
    pub(crate) fn share(&mut self, past: &Past) {
        self.past = OnceLock::from(past.but(&self.past().difference(past)));
    }

    /// Sets the head of a branch.
    pub fn put(&mut self, head: Head) {
        if let Some(past) = self.past.get_mut() {
            past.extend(head.author, head.seq);
        }
        let branches = self.chains.entry(head.author).or_default();
        match branches
            .iter_mut()
            .find(|branch| branch.branch == head.branch)
        {
            Some(branch) => {
                self.tips.remove(&branch.id);
                if let Some(authors) = self.authors.get_mut() {
                    authors.remove(&branch.id);
                }
                *branch = head;
            }
            None => branches.push(head),
        }
        if let Some(authors) = self.authors.get_mut() {
            authors.insert(head.id, head.author);
        }
        if head.tip {
            self.tips.insert(head.id);
        }
    }

    /// The author's furthest head.
    pub fn head(&self, author: Author) -> Option<&Head> {
        self.branches(author)
            .iter()
            .max_by_key(|head| (head.seq, head.id))
    }

    /// All heads of one author; more than one means that it forked.
    pub fn branches(&self, author: Author) -> &[Head] {
        self.chains.get(&author).map_or(&[], Vec::as_slice)
    }

    /// The head with this id.
    pub fn find(&self, id: EventId) -> Option<&Head> {
        let authors = self.authors.get_or_init(|| {
            let heads = self.heads();
            heads.map(|head| (head.id, head.author)).collect()
        });
        let author = authors.get(&id)?;
        self.branches(*author).iter().find(|head| head.id == id)
    }

    /// All heads, by author.
    pub fn heads(&self) -> impl Iterator<Item = &Head> {
        self.chains.values().flatten()
    }

    /// The heads of the session's graph: what a new event depends on.
    pub fn tips(&self) -> &BTreeSet<EventId> {
        &self.tips
    }

    /// Authors that wrote more than one history.
    pub fn forked(&self) -> impl Iterator<Item = Author> + '_ {
        self.chains
            .iter()
            .filter(|(_, heads)| heads.len() > 1)
            .map(|(author, _)| *author)
    }

    /// Everything held, as the causal past of an event that depends on all of it.
    pub fn as_past(&self) -> Past {
        self.past().clone()
    }

    fn past(&self) -> &Past {
        self.past.get_or_init(|| {
            let mut past = Past::default();
            for head in self.heads() {
                past.extend(head.author, head.seq);
            }
            past
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use data_encoding::HEXLOWER;
    use proptest::prelude::*;
    use tenet_identity::{encoding, keys::DeviceId};

    use super::*;

    /// Pasts are stored; see `spec/store.md`.
    #[test]
    fn past_snapshot() {
        let mut past = Past::default();
        past.extend(author(1), 7);
        past.exclude(EventId::from([3; 32]));
        let (device, added_by, id) = ("01".repeat(32), "02".repeat(32), "03".repeat(32));
        let chains = format!("a1825820{device}5820{added_by}07");
        let hex = HEXLOWER.encode(&encoding::encode(&past));
        assert_eq!(hex, format!("82{chains}815820{id}"));
    }

    #[test]
    fn a_branch_is_replaced_by_what_follows_it_and_tips_are_kept() {
        let mut frontier = Frontier::default();
        frontier.put(head(1, 0, 0, true));
        frontier.put(head(1, 0, 1, true));
        frontier.put(head(1, 1, 0, false));
        frontier.put(head(2, 0, 5, true));
        assert_eq!(frontier.branches(author(1)).len(), 2);
        assert_eq!(frontier.head(author(1)).map(|head| head.seq), Some(1));
        assert_eq!(frontier.forked().collect::<Vec<_>>(), [author(1)]);
        assert!(
            frontier.find(id(1, 0, 0)).is_none(),
            "it is no head any more"
        );
        assert_eq!(frontier.find(id(2, 0, 5)).map(|head| head.seq), Some(5));
        assert_eq!(*frontier.tips(), BTreeSet::from([id(1, 0, 1), id(2, 0, 5)]));
        frontier.put(head(2, 0, 5, false));
        assert_eq!(*frontier.tips(), BTreeSet::from([id(1, 0, 1)]));
        let loaded = Frontier::from_heads(frontier.heads().copied().collect());
        assert_eq!(loaded.tips(), frontier.tips());
        let past = frontier.as_past();
        assert!(past.covers(author(1), 1) && !past.covers(author(1), 2));
        assert_eq!((past.count(author(2)), past.count(author(3))), (6, 0));
    }

    proptest! {
        #[test]
        fn pasts_round_trip(
            chains in prop::collection::btree_map(any::<u8>(), any::<u64>(), 0..9),
            unseen in prop::collection::vec(any::<[u8; 32]>(), 0..4),
        ) {
            let mut past = Past::default();
            for (n, seq) in chains {
                past.extend(author(n), seq);
            }
            unseen.into_iter().for_each(|id| past.exclude(id.into()));
            prop_assert_eq!(encoding::decode::<Past>(&encoding::encode(&past)).unwrap(), past);
        }

        #[test]
        fn a_past_is_another_but_for_their_difference(
            steps in prop::collection::vec((any::<bool>(), 0..40_u8, prop::option::of(0..5_u64)), 0..60),
            unseen in prop::collection::vec((any::<bool>(), any::<[u8; 32]>()), 0..4),
        ) {
            let (mut one, mut other) = (Past::default(), Past::default());
            // Both begin with the same, of which each keeps what it does not change.
            (0..40).step_by(3).for_each(|n| one.extend(spread(n), 2));
            other.clone_from(&one);
            for (ours, n, seq) in steps {
                let past = if ours { &mut one } else { &mut other };
                past.limit(spread(n), seq);
            }
            for (ours, id) in unseen {
                let past = if ours { &mut one } else { &mut other };
                past.exclude(id.into());
            }
            let difference = one.difference(&other);
            prop_assert_eq!(&other.but(&difference), &one);
            prop_assert_eq!(one.difference(&one), Difference::default());
            prop_assert!(difference.chains.iter().all(|(author, seq)| other.chains.get(*author) != *seq));
        }

        #[test]
        fn decoding_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = encoding::decode::<Past>(&bytes);
        }
    }

    fn head(of: u8, branch: u32, seq: u64, tip: bool) -> Head {
        Head {
            author: author(of),
            branch,
            seq,
            id: id(of, branch, seq),
            time: Hlc::default(),
            tip,
        }
    }

    fn id(of: u8, branch: u32, seq: u64) -> EventId {
        EventId::from([of.wrapping_mul(50) + branch as u8 * 10 + seq as u8; 32])
    }

    /// Chains that the way to each tells apart early or late.
    fn spread(n: u8) -> Author {
        let mut added_by = [0; 32];
        added_by[usize::from(n % 5)] = n;
        Author {
            device: DeviceId::from([n; 32]),
            added_by: EventId::from(added_by),
        }
    }

    fn author(n: u8) -> Author {
        Author {
            device: DeviceId::from([n; 32]),
            added_by: EventId::from([2; 32]),
        }
    }
}
