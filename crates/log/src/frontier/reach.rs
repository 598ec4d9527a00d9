//! How far every chain reaches, in a form of which many versions share what they have in common.
//!
//! Every operation keeps what its author had seen, and two operations in a row had seen nearly the
//! same. So this is a persistent trie (Bagwell, "Ideal Hash Trees", 2001; here without compression):
//! a copy costs nothing, and a change copies the few nodes on the way to it. The ids of events are
//! hashes, so the way to a chain is given by the event that added it.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::ids::Author;

/// Branches of a node: one for every half byte.
const WIDTH: usize = 16;

/// For every chain the greatest `seq`.
#[derive(Clone, Default)]
pub(super) struct Reach {
    root: Option<Arc<Node>>,
}

#[derive(Clone)]
enum Node {
    Leaf(Author, u64),
    Branch([Option<Arc<Node>>; WIDTH]),
}

impl Reach {
    pub(super) fn get(&self, author: Author) -> Option<u64> {
        let mut node = self.root.as_deref()?;
        let mut depth = 0;
        loop {
            match node {
                Node::Leaf(of, seq) => return (*of == author).then_some(*seq),
                Node::Branch(branches) => {
                    node = branches.get(step(author, depth))?.as_deref()?;
                    depth += 1;
                }
            }
        }
    }

    /// Sets how far one chain reaches, or that it does not.
    pub(super) fn set(&mut self, author: Author, seq: Option<u64>) {
        match seq {
            Some(seq) => set(&mut self.root, author, seq, 0),
            None => unset(&mut self.root, author, 0),
        }
    }

    /// All chains, in no order that means anything.
    pub(super) fn all(&self) -> Vec<(Author, u64)> {
        all(&self.root)
    }

    /// The chains that reach to another place than in another, by author, with how far they do. What both
    /// share is passed over.
    pub(super) fn difference(&self, from: &Self) -> Vec<(Author, Option<u64>)> {
        let mut differ = BTreeMap::new();
        let mut open = vec![(&self.root, &from.root)];
        while let Some((one, other)) = open.pop() {
            match (one.as_deref(), other.as_deref()) {
                (Some(a), Some(b)) if std::ptr::eq(a, b) => {}
                (Some(Node::Branch(a)), Some(Node::Branch(b))) => open.extend(a.iter().zip(b)),
                _ => {
                    let (ours, theirs) = (all(one), all(other));
                    let gone = theirs.iter().map(|(author, _)| (*author, None));
                    let mut both: BTreeMap<Author, Option<u64>> = gone.collect();
                    both.extend(ours.iter().map(|(author, seq)| (*author, Some(*seq))));
                    for (author, seq) in theirs {
                        if both.get(&author) == Some(&Some(seq)) {
                            both.remove(&author);
                        }
                    }
                    differ.extend(both);
                }
            }
        }
        differ.into_iter().collect()
    }

    fn sorted(&self) -> Vec<(Author, u64)> {
        let mut all = self.all();
        all.sort_unstable();
        all
    }
}

/// All chains below a place.
fn all(place: &Option<Arc<Node>>) -> Vec<(Author, u64)> {
    let mut all = Vec::new();
    let mut open: Vec<&Node> = place.as_deref().into_iter().collect();
    while let Some(node) = open.pop() {
        match node {
            Node::Leaf(author, seq) => all.push((*author, *seq)),
            Node::Branch(branches) => {
                open.extend(branches.iter().filter_map(|branch| branch.as_deref()));
            }
        }
    }
    all
}

fn set(place: &mut Option<Arc<Node>>, author: Author, seq: u64, depth: usize) {
    let Some(node) = place else {
        *place = Some(Arc::new(Node::Leaf(author, seq)));
        return;
    };
    match Arc::make_mut(node) {
        Node::Leaf(of, old) if *of == author => *old = seq,
        Node::Leaf(of, old) => {
            let (of, old) = (*of, *old);
            let mut branches = <[Option<Arc<Node>>; WIDTH]>::default();
            if let Some(branch) = branches.get_mut(step(of, depth)) {
                *branch = Some(Arc::new(Node::Leaf(of, old)));
            }
            if let Some(branch) = branches.get_mut(step(author, depth)) {
                set(branch, author, seq, depth + 1);
            }
            *node = Arc::new(Node::Branch(branches));
        }
        Node::Branch(branches) => {
            if let Some(branch) = branches.get_mut(step(author, depth)) {
                set(branch, author, seq, depth + 1);
            }
        }
    }
}

fn unset(place: &mut Option<Arc<Node>>, author: Author, depth: usize) {
    let Some(node) = place else { return };
    match Arc::make_mut(node) {
        Node::Leaf(of, _) if *of == author => *place = None,
        Node::Leaf(..) => {}
        Node::Branch(branches) => {
            if let Some(branch) = branches.get_mut(step(author, depth)) {
                unset(branch, author, depth + 1);
            }
        }
    }
}

/// Which branch leads to a chain at this depth: all 128 half bytes tell two chains apart.
fn step(author: Author, depth: usize) -> usize {
    let (added_by, device) = (author.added_by.as_bytes(), author.device.as_bytes());
    let at = depth / 2;
    let byte = added_by
        .get(at)
        .or_else(|| device.get(at.checked_sub(added_by.len())?));
    let byte = usize::from(byte.copied().unwrap_or_default());
    if depth.is_multiple_of(2) {
        byte / WIDTH
    } else {
        byte % WIDTH
    }
}

impl PartialEq for Reach {
    fn eq(&self, other: &Self) -> bool {
        match (&self.root, &other.root) {
            (Some(one), Some(other)) if Arc::ptr_eq(one, other) => true,
            _ => self.sorted() == other.sorted(),
        }
    }
}

impl Eq for Reach {}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.sorted()).finish()
    }
}
