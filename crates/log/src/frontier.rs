//! What a node holds: for every author the head of its chain, several after a fork.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

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
/// On a forked chain a `seq` says little: there the operations that were not seen are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Past {
    #[n(0)]
    chains: BTreeMap<Author, u64>,
    #[n(1)]
    unseen: BTreeSet<EventId>,
}

impl Past {
    /// Whether the author's chain was seen as far as `seq`, on whichever branch.
    pub fn covers(&self, author: Author, seq: u64) -> bool {
        self.chains
            .get(&author)
            .is_some_and(|covered| *covered >= seq)
    }

    /// Whether a roster operation lies in it, forks or not.
    pub fn includes(&self, operation: &OrderKey) -> bool {
        self.covers(operation.author, operation.seq) && !self.unseen.contains(&operation.id)
    }

    /// How many of the author's events lie in it, where its chain has one branch.
    pub fn count(&self, author: Author) -> u64 {
        self.chains.get(&author).map_or(0, |seq| seq + 1)
    }

    /// Adds an author's chain up to and including `seq`.
    pub fn extend(&mut self, author: Author, seq: u64) {
        let covered = self.chains.entry(author).or_insert(seq);
        *covered = (*covered).max(seq);
    }

    /// Notes that a roster operation does not lie in it although a branch beside it does.
    pub(crate) fn exclude(&mut self, operation: EventId) {
        self.unseen.insert(operation);
    }
}

/// The heads of all chains of a session, in memory.
#[derive(Clone, Debug, Default)]
pub struct Frontier {
    chains: BTreeMap<Author, Vec<Head>>,
    authors: BTreeMap<EventId, Author>,
    tips: BTreeSet<EventId>,
}

impl Frontier {
    /// From stored heads.
    pub fn from_heads(heads: Vec<Head>) -> Self {
        let mut frontier = Self::default();
        for head in heads {
            frontier.put(head);
        }
        frontier
    }

    /// Sets the head of a branch.
    pub fn put(&mut self, head: Head) {
        let branches = self.chains.entry(head.author).or_default();
        match branches
            .iter_mut()
            .find(|branch| branch.branch == head.branch)
        {
            Some(branch) => {
                self.tips.remove(&branch.id);
                self.authors.remove(&branch.id);
                *branch = head;
            }
            None => branches.push(head),
        }
        self.authors.insert(head.id, head.author);
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
        let author = self.authors.get(&id)?;
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
        let mut past = Past::default();
        for head in self.heads() {
            past.extend(head.author, head.seq);
        }
        past
    }
}
